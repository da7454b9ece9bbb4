/* Part of metrics: families with a line for each queue, exchange, connection or channel.
 *
 * Normal course: for each family all objects are gathered again, a slice at a time, and a slice is
 * written before the next one is gathered: the lines of a family must stand together, and 100,000
 * queues must not be held in memory for that. What can go wrong: the client reads slowly (the next
 * slice waits), or leaves (no more is gathered). */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/http.h"
#include "admin/http/turns.h"
#include "admin/listing/gather.h"
#include "admin/metrics/metrics.h"

enum object { OBJECT_QUEUE, OBJECT_CONNECTION, OBJECT_CHANNEL, OBJECT_EXCHANGE, OBJECT_COUNT };

static const struct {
    enum object object;
    const char *group; /* what the query's family= calls it, as RabbitMQ does */
    const char *name, *type, *help;
    size_t offset;  /* of the value, in the row's info */
    size_t more;    /* of a second value that is added to it; 0: there is none */
    unsigned bytes; /* of each value */
} families[] = {
#define Q(member) offsetof(struct queue_info, member)
#define S(member) offsetof(struct session_info, member)
#define C(member) offsetof(struct channel_info, member)
#define X(member) offsetof(struct exchange_info, member)
    {OBJECT_QUEUE, "queue_coarse_metrics", "queue_messages_ready", "gauge",
     "Messages ready to be delivered to consumers", Q(messages_ready), 0, 8},
    {OBJECT_QUEUE, "queue_coarse_metrics", "queue_messages_unacked", "gauge",
     "Messages delivered to consumers but not yet acknowledged", Q(messages_unacknowledged), 0, 8},
    {OBJECT_QUEUE, "queue_coarse_metrics", "queue_messages", "gauge",
     "Sum of ready and unacknowledged messages - total queue depth", Q(messages_ready),
     Q(messages_unacknowledged), 8},
    {OBJECT_QUEUE, "queue_consumer_count", "queue_consumers", "gauge", "Consumers on a queue",
     Q(consumers), 0, 4},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_ram", "gauge",
     "Ready and unacknowledged messages stored in memory", Q(messages_ram), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_ready_ram", "gauge",
     "Ready messages stored in memory", Q(messages_ready_ram), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_persistent", "gauge", "Persistent messages",
     Q(messages_persistent), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_ram_bytes", "gauge",
     "Size of ready and unacknowledged messages stored in memory", Q(ram_bytes), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_persistent_bytes", "gauge",
     "Size in bytes of persistent messages", Q(persistent_bytes), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_disk_reads_total", "counter",
     "Total number of times queue read messages from disk", Q(disk_reads), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_disk_writes_total", "counter",
     "Total number of times queue wrote messages to disk", Q(disk_writes), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_ready_bytes", "gauge",
     "Size in bytes of ready messages", Q(ready_bytes), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_unacked_bytes", "gauge",
     "Size in bytes of all unacknowledged messages", Q(unacknowledged_bytes), 0, 8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_bytes", "gauge",
     "Size in bytes of ready and unacknowledged messages", Q(ready_bytes), Q(unacknowledged_bytes),
     8},
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_published_total", "counter",
     "Total number of messages published to queues", Q(rates.publish), 0, 8},
    {OBJECT_CONNECTION, "connection_coarse_metrics", "connection_incoming_bytes_total", "counter",
     "Total number of bytes received on a connection", S(received_bytes), 0, 8},
    {OBJECT_CONNECTION, "connection_coarse_metrics", "connection_outgoing_bytes_total", "counter",
     "Total number of bytes sent on a connection", S(sent_bytes), 0, 8},
    {OBJECT_CONNECTION, "connection_metrics", "connection_incoming_packets_total", "counter",
     "Total number of packets received on a connection", S(reads), 0, 8},
    {OBJECT_CONNECTION, "connection_metrics", "connection_outgoing_packets_total", "counter",
     "Total number of packets sent on a connection", S(writes), 0, 8},
    {OBJECT_CONNECTION, "connection_metrics", "connection_channels", "gauge",
     "Channels on a connection", S(channels), 0, 2},
    {OBJECT_CHANNEL, "channel_metrics", "channel_consumers", "gauge", "Consumers on a channel",
     C(consumers), 0, 4},
    {OBJECT_CHANNEL, "channel_metrics", "channel_messages_unacked", "gauge",
     "Delivered but not yet acknowledged messages", C(messages_unacknowledged), 0, 8},
    {OBJECT_CHANNEL, "channel_metrics", "channel_messages_unconfirmed", "gauge",
     "Published but not yet confirmed messages", C(messages_unconfirmed), 0, 8},
    {OBJECT_CHANNEL, "channel_metrics", "channel_messages_uncommitted", "gauge",
     "Messages received in a transaction but not yet committed", C(messages_uncommitted), 0, 8},
    {OBJECT_CHANNEL, "channel_metrics", "channel_acks_uncommitted", "gauge",
     "Message acknowledgements in a transaction not yet committed", C(acks_uncommitted), 0, 8},
    {OBJECT_CHANNEL, "channel_metrics", "channel_prefetch", "gauge",
     "Total limit of unacknowledged messages for all consumers on a channel",
     C(global_prefetch_count), 0, 4},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_get_ack_total", "counter",
     "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode",
     Q(rates.get), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_get_total", "counter",
     "Total number of messages fetched from a queue with basic.get in automatic acknowledgement "
     "mode",
     Q(rates.get_no_ack), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_messages_delivered_ack_total", "counter",
     "Total number of messages delivered from a queue to consumers in manual acknowledgement mode",
     Q(rates.deliver), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_messages_delivered_total", "counter",
     "Total number of messages delivered from a queue to consumers in automatic acknowledgement "
     "mode",
     Q(rates.deliver_no_ack), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_messages_redelivered_total", "counter",
     "Total number of messages redelivered from a queue to consumers", Q(rates.redeliver), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_messages_acked_total", "counter",
     "Total number of messages acknowledged by consumers on a queue", Q(rates.ack), 0, 8},
    {OBJECT_QUEUE, "queue_delivery_metrics", "queue_get_empty_total", "counter",
     "Total number of times basic.get operations fetched no message on a queue", Q(rates.get_empty),
     0, 8},
    /* There is no family for confirms: they are counted for a channel, not for an exchange. */
    {OBJECT_EXCHANGE, "exchange_metrics", "exchange_messages_published_total", "counter",
     "Total number of messages published into an exchange", X(publish_in), 0, 8},
    {OBJECT_EXCHANGE, "exchange_metrics", "exchange_messages_unroutable_returned_total", "counter",
     "Total number of messages published as mandatory and returned as unroutable",
     X(unroutable_returned), 0, 8},
    {OBJECT_EXCHANGE, "exchange_metrics", "exchange_messages_unroutable_dropped_total", "counter",
     "Total number of messages published as non-mandatory and dropped as unroutable",
     X(unroutable_dropped), 0, 8},
#undef Q
#undef S
#undef C
#undef X
};
#define FAMILY_COUNT (sizeof families / sizeof *families)

struct objects {
    struct gather gather;
    struct request *request;
    struct text out;
    const char *prefix;
    bool all;    /* true: all families; false: those that the query names */
    char *vhost; /* whose objects are told; NULL: those of all vhosts */
    size_t family_at;
};

static void objects_free(void *work)
{
    struct objects *o = work;
    gather_free(&o->gather);
    text_free(&o->out);
    free(o->vhost);
    free(o);
}

static uint64_t number(const void *info, size_t offset, unsigned bytes)
{
    const char *at = (const char *)info + offset;
    return bytes == 8   ? *(const uint64_t *)(const void *)at
           : bytes == 4 ? *(const uint32_t *)(const void *)at
                        : *(const uint16_t *)(const void *)at;
}

static void write_labels(struct text *out, enum object object, const struct row *row)
{
    const struct channel_info *channel = row->info;
    switch (object) {
    case OBJECT_QUEUE:
        text_printf(out, "{vhost=\"");
        metrics_label(out, row->vhost);
        text_printf(out, "\",queue=\"");
        metrics_label(out, ((const struct queue_info *)row->info)->name);
        break;
    case OBJECT_EXCHANGE:
        text_printf(out, "{vhost=\"");
        metrics_label(out, row->vhost);
        text_printf(out, "\",exchange=\"");
        metrics_label(out, ((const struct exchange_info *)row->info)->name);
        break;
    case OBJECT_CONNECTION:
        text_printf(out, "{connection=\"");
        metrics_label(out, ((const struct session_info *)row->info)->name);
        break;
    default:
        text_printf(out, "{channel=\"");
        metrics_label(out, channel->peer_name);
        text_printf(out, " (%u)\",vhost=\"", channel->number);
        metrics_label(out, row->vhost);
    }
    text_printf(out, "\"} ");
}

static void write_row(struct objects *o, size_t i, const struct row *row)
{
    uint64_t value = number(row->info, families[i].offset, families[i].bytes);
    if (families[i].more)
        value += number(row->info, families[i].more, families[i].bytes);
    text_printf(&o->out, "%s%s", o->prefix, families[i].name);
    write_labels(&o->out, families[i].object, row);
    text_printf(&o->out, "%" PRIu64 "\n", value);
}

static bool family_wanted(const struct objects *o, size_t i)
{
    return o->all || request_query_has(o->request, "family", families[i].group);
}

static void next_family(struct objects *o);

static void family_done(struct request *r, struct gather *gather)
{
    struct objects *o = r->work;
    (void)gather;
    o->family_at++;
    next_family(o);
}

static void next_slice(struct request *r, void *gather)
{
    gather_go_on(r, gather);
}

/* Goes on when the client has taken most of what was written, or has left. */
static void go_on(struct request *r)
{
    struct objects *o = r->work;
    if (r->http)
        (void)turns_take(r, next_slice, &o->gather);
    else
        request_free(r);
}

/* Writes the rows of one visit. The next ones are gathered once the client has taken most of these.
 */
static void slice(struct request *r, struct gather *gather)
{
    struct objects *o = r->work;
    for (size_t i = 0; i < gather->row_count; i++)
        write_row(o, o->family_at, &gather->rows[i]);
    http_stream_write(r, &o->out);
    if (http_stream_full(r)) {
        turns_give(r); /* a client that reads slowly keeps no other waiting */
        http_stream_wait(r, go_on);
    } else {
        go_on(r);
    }
}

static void next_family(struct objects *o)
{
    static const struct gather_kind *const kinds[OBJECT_COUNT] = {
        &gather_queues, &gather_sessions, &gather_channels, &gather_exchanges};
    struct request *r = o->request;
    while (o->family_at < FAMILY_COUNT && !family_wanted(o, o->family_at))
        o->family_at++;
    if (o->family_at == FAMILY_COUNT) {
        http_stream_write(r, &o->out);
        respond_streamed(r);
        return;
    }
    size_t i = o->family_at;
    struct bytes vhost = bytes_of_text(o->vhost ? o->vhost : "");
    metrics_family(&o->out, o->prefix, families[i].name, families[i].type, families[i].help);
    gather_free(&o->gather);
    o->gather = (struct gather){.kind = kinds[families[i].object], .slice = slice};
    gather_run(r, &o->gather, o->vhost ? &vhost : NULL, family_done);
}

void metrics_objects(struct request *r, struct text *out, const char *prefix,
                     const char *content_type)
{
    struct objects *o = request_work(r, sizeof *o, objects_free);
    /* Metrics tell of all objects, whoever asks for them. */
    r->rights |= RIGHT_MONITORING | RIGHT_ADMINISTRATOR;
    o->request = r;
    o->out = *out;
    *out = (struct text){0};
    o->prefix = prefix;
    o->vhost = request_query(r, "vhost");
    o->all = strcmp(prefix, "rabbitmq_") == 0;
    http_stream_begin(r, 200, content_type);
    next_family(o);
}
