/* Metrics of single queues, connections and channels.
 *
 * Rows are gathered first, then written a slice a turn of the loop: with 100,000 queues all at once
 * would be felt. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "gather.h"
#include "handlers.h"
#include "metrics.h"

#define SLICE       500u    /* rows at a time */
#define SLICE_BYTES 100000u /* text in a turn of the loop */

enum object { OBJECT_QUEUE, OBJECT_CONNECTION, OBJECT_CHANNEL, OBJECT_COUNT };

static const struct {
    enum object object;
    const char *group; /* RabbitMQ's name of the family in /metrics/detailed */
    const char *name, *type, *help;
    size_t offset, more; /* of the value in the row's info; more: a second one to be added, or 0 */
    unsigned bytes;
} families[] = {
#define Q(member) offsetof(struct queue_info, member)
#define S(member) offsetof(struct session_info, member)
#define C(member) offsetof(struct channel_info, member)
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
    {OBJECT_QUEUE, "queue_metrics", "queue_messages_persistent", "gauge", "Persistent messages",
     Q(messages_persistent), 0, 8},
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
#undef Q
#undef S
#undef C
};
#define FAMILY_COUNT (sizeof families / sizeof *families)

struct objects {
    struct gather gather[OBJECT_COUNT];
    struct request *request;
    struct timer *timer;
    struct text out;
    const char *prefix, *content_type;
    bool all, wanted[OBJECT_COUNT];
    char *vhost; /* NULL: all */
    size_t object_at, family_at, row_at;
};

static void objects_free(void *work)
{
    struct objects *o = work;
    for (size_t i = 0; i < OBJECT_COUNT; i++)
        gather_free(&o->gather[i]);
    timer_free(&o->timer);
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
        metric_label(out, row->vhost);
        text_printf(out, "\",queue=\"");
        metric_label(out, ((const struct queue_info *)row->info)->name);
        break;
    case OBJECT_CONNECTION:
        text_printf(out, "{connection=\"");
        metric_label(out, ((const struct session_info *)row->info)->name);
        break;
    default:
        text_printf(out, "{channel=\"");
        metric_label(out, channel->peer_name);
        text_printf(out, " (%u)\",vhost=\"", channel->number);
        metric_label(out, row->vhost);
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

/* A slice of the family; true when it is complete. */
static bool write_family(struct objects *o, size_t i)
{
    const struct gather *rows = &o->gather[families[i].object];
    if (o->row_at == 0)
        metric_family(&o->out, o->prefix, families[i].name, families[i].type, families[i].help);
    for (size_t n = 0; n < SLICE && o->row_at < rows->row_count; n++)
        write_row(o, i, &rows->rows[o->row_at++]);
    return o->row_at == rows->row_count;
}

static bool family_wanted(const struct objects *o, size_t i)
{
    return o->all || request_query_has(o->request, "family", families[i].group);
}

static void skip_unwanted(struct objects *o)
{
    while (o->family_at < FAMILY_COUNT && !family_wanted(o, o->family_at))
        o->family_at++;
}

static void write_next(void *context)
{
    struct objects *o = context;
    size_t before = o->out.len;
    skip_unwanted(o);
    while (o->family_at < FAMILY_COUNT && o->out.len - before < SLICE_BYTES) {
        if (!write_family(o, o->family_at))
            continue;
        o->row_at = 0;
        o->family_at++;
        skip_unwanted(o);
    }
    if (o->family_at < FAMILY_COUNT) {
        timer_set(o->timer, 1);
        return;
    }
    struct text out = o->out;
    o->out = (struct text){0};
    reply_text(o->request, 200, o->content_type, &out);
}

static void gather_next(struct objects *o);

static void gathered(struct request *r, struct gather *gather)
{
    (void)gather;
    gather_next(r->work);
}

static void gather_next(struct objects *o)
{
    static const struct gather_kind *const kinds[] = {&gather_queues, &gather_sessions,
                                                      &gather_channels};
    while (o->object_at < OBJECT_COUNT && !o->wanted[o->object_at])
        o->object_at++;
    if (o->object_at == OBJECT_COUNT) {
        write_next(o);
        return;
    }
    struct gather *gather = &o->gather[o->object_at];
    struct bytes vhost = bytes_of_text(o->vhost ? o->vhost : "");
    gather->kind = kinds[o->object_at++];
    gather_run(o->request, gather, o->vhost ? &vhost : NULL, gathered);
}

void metrics_objects(struct request *r, struct text *out, const char *prefix,
                     const char *content_type)
{
    struct objects *o = request_work(r, sizeof *o, objects_free);
    r->rights |=
        RIGHT_MONITORING | RIGHT_ADMINISTRATOR; /* metrics are told to whoever may reach the port */
    o->request = r;
    o->out = *out;
    *out = (struct text){0};
    o->prefix = prefix;
    o->content_type = content_type;
    o->vhost = request_query(r, "vhost");
    o->all = strcmp(prefix, "rabbitmq_") == 0;
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        if (family_wanted(o, i))
            o->wanted[families[i].object] = true;
    o->timer = timer_new(r->admin->options.loop, write_next, o);
    gather_next(o);
}
