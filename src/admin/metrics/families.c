/* The table of the families that have a line for each object. */
#include "admin/metrics/families.h"

#include <stddef.h>

#include "admin/metrics/totals.h"

/* ---- Values that are worked out. */

static uint64_t unacked_ram(const void *info)
{
    const struct queue_info *q = info;
    return q->messages_ram - q->messages_ready_ram;
}

static uint64_t paged_out(const void *info)
{
    const struct queue_info *q = info;
    return q->messages_ready + q->messages_unacknowledged - q->messages_ram;
}

static uint64_t paged_out_bytes(const void *info)
{
    const struct queue_info *q = info;
    uint64_t all = q->ready_bytes + q->unacknowledged_bytes;
    return all > q->ram_bytes ? all - q->ram_bytes : 0;
}

static uint64_t one(const void *info)
{
    (void)info;
    return 1;
}

static uint64_t queue_consumers(const void *info)
{
    return ((const struct queue_info *)info)->consumers;
}

static uint64_t channel_consumers(const void *info)
{
    return ((const struct channel_info *)info)->consumers;
}

static uint64_t channel_prefetch(const void *info)
{
    return ((const struct channel_info *)info)->global_prefetch_count;
}

static uint64_t consumer_prefetch(const void *info)
{
    return ((const struct channel_info *)info)->prefetch_count;
}

static uint64_t connection_channels(const void *info)
{
    return ((const struct session_info *)info)->channels;
}

/* A packet is a read or a write of the socket. All that waits is written by one, if the client
 * takes it. */
static uint64_t connection_pending(const void *info)
{
    return ((const struct session_info *)info)->send_pending_bytes > 0;
}

/* ---- The table. */

#define G METRIC_GAUGE
#define C METRIC_COUNTER
/* A number of a queue, and so on: its group, how it is summed, its metric, its member. */
#define QUEUE(group, name, type, help, member, ...)                                                \
    {                                                                                              \
        FAMILY_QUEUE, SUM_OBJECTS, LABELS_PLAIN, group, NULL, {name, type, help},                  \
            .offset = offsetof(struct queue_info, member), __VA_ARGS__                             \
    }
#define QUEUE_OF(group, name, type, help, function, ...)                                           \
    {                                                                                              \
        FAMILY_QUEUE, SUM_OBJECTS, LABELS_PLAIN, group, NULL, {name, type, help},                  \
            .value = (function), __VA_ARGS__                                                       \
    }
/* A count of a queue's messages, of which the totals have all that there ever were. */
#define COUNT(group, name, help, member, ...)                                                      \
    {                                                                                              \
        FAMILY_QUEUE, SUM_TOTAL, LABELS_PLAIN, group, NULL, {name, C, help},                       \
            .offset = offsetof(struct queue_info, member), __VA_ARGS__                             \
    }
#define CHANNEL(group, name, help, member)                                                         \
    {                                                                                              \
        FAMILY_CHANNEL, SUM_OBJECTS, LABELS_PLAIN, group, NULL, {name, G, help},                   \
            .offset = offsetof(struct channel_info, member)                                        \
    }
#define CHANNEL_OF(group, name, help, function)                                                    \
    {                                                                                              \
        FAMILY_CHANNEL, SUM_OBJECTS, LABELS_PLAIN, group, NULL, {name, G, help},                   \
            .value = (function)                                                                    \
    }
#define CHANNEL_COUNT(group, name, help, member)                                                   \
    {                                                                                              \
        FAMILY_CHANNEL, SUM_TOTAL, LABELS_PLAIN, group, NULL, {name, C, help},                     \
            .offset = offsetof(struct channel_info, rates.member), .total = T(all.rates.member)    \
    }
#define EXCHANGE(name, help, member, counted)                                                      \
    {                                                                                              \
        FAMILY_EXCHANGE, SUM_TOTAL, LABELS_PLAIN, "exchange_metrics", NULL, {name, C, help},       \
            .offset = offsetof(struct exchange_info, member), .total = T(counted)                  \
    }
#define CONNECTION(group, name, type, help, how, member, ...)                                      \
    {                                                                                              \
        FAMILY_CONNECTION, how, LABELS_PLAIN, group, NULL, {name, type, help},                     \
            .offset = offsetof(struct session_info, member), __VA_ARGS__                           \
    }
#define T(member)     offsetof(struct totals, member)
#define TOTAL(member) .total = T(member)
#define Q(member)     offsetof(struct queue_info, member)

static const struct family table[] = {
    {FAMILY_QUEUE,
     SUM_NONE,
     LABELS_QUEUE_TYPE,
     "queue_coarse_metrics",
     "queue_metrics",
     {"queue_info", METRIC_INFO, "What a queue is; the value is always 1"},
     .value = one},
    {FAMILY_QUEUE,
     SUM_TOTAL,
     LABELS_PLAIN,
     "queue_coarse_metrics",
     NULL,
     {"queue_messages_ready", G, "Messages ready to be delivered to consumers"},
     Q(messages_ready),
     TOTAL(all.messages_ready)},
    {FAMILY_QUEUE,
     SUM_TOTAL,
     LABELS_PLAIN,
     "queue_coarse_metrics",
     NULL,
     {"queue_messages_unacked", G, "Messages delivered to consumers but not yet acknowledged"},
     Q(messages_unacknowledged),
     TOTAL(all.messages_unacknowledged)},
    {FAMILY_QUEUE,
     SUM_TOTAL,
     LABELS_PLAIN,
     "queue_coarse_metrics",
     NULL,
     {"queue_messages", G, "Sum of ready and unacknowledged messages - total queue depth"},
     Q(messages_ready),
     Q(messages_unacknowledged),
     TOTAL(messages)},
    {FAMILY_QUEUE,
     SUM_TOTAL,
     LABELS_PLAIN,
     "queue_metrics",
     "queue_consumer_count",
     {"queue_consumers", G, "Consumers on a queue"},
     .value = queue_consumers,
     TOTAL(all.consumers)},
    {FAMILY_QUEUE,
     SUM_OBJECTS,
     LABELS_PLAIN,
     "queue_metrics",
     NULL,
     {"queue_consumer_capacity", G,
      "Part of the time, from 0 to 1, in which consumers could take a message at once"},
     .capacity = true},
    {FAMILY_QUEUE,
     SUM_OBJECTS,
     LABELS_PLAIN,
     "queue_metrics",
     NULL,
     {"queue_consumer_utilisation", G, "Same as consumer capacity"},
     .capacity = true},
    QUEUE("queue_metrics", "queue_process_memory_bytes", G, "Memory in bytes that a queue takes",
          memory_bytes, ),
    QUEUE("queue_metrics", "queue_messages_ram", G,
          "Ready and unacknowledged messages stored in memory", messages_ram, ),
    QUEUE("queue_metrics", "queue_messages_ram_bytes", G,
          "Size of ready and unacknowledged messages stored in memory", ram_bytes, ),
    QUEUE("queue_metrics", "queue_messages_ready_ram", G, "Ready messages stored in memory",
          messages_ready_ram, ),
    QUEUE_OF("queue_metrics", "queue_messages_unacked_ram", G,
             "Unacknowledged messages stored in memory", unacked_ram, ),
    QUEUE("queue_metrics", "queue_messages_persistent", G, "Persistent messages",
          messages_persistent, ),
    QUEUE("queue_metrics", "queue_messages_persistent_bytes", G,
          "Size in bytes of persistent messages", persistent_bytes, ),
    QUEUE("queue_metrics", "queue_messages_bytes", G,
          "Size in bytes of ready and unacknowledged messages", ready_bytes,
          .added = Q(unacknowledged_bytes)),
    QUEUE("queue_metrics", "queue_messages_ready_bytes", G, "Size in bytes of ready messages",
          ready_bytes, ),
    QUEUE("queue_metrics", "queue_messages_unacked_bytes", G,
          "Size in bytes of all unacknowledged messages", unacknowledged_bytes, ),
    QUEUE_OF("queue_metrics", "queue_messages_paged_out", G, "Messages paged out to disk",
             paged_out, ),
    QUEUE_OF("queue_metrics", "queue_messages_paged_out_bytes", G,
             "Size in bytes of messages paged out to disk", paged_out_bytes, ),
    COUNT("queue_metrics", "queue_disk_reads_total",
          "Total number of times queue read messages from disk", disk_reads, TOTAL(all.disk_reads)),
    COUNT("queue_metrics", "queue_disk_writes_total",
          "Total number of times queue wrote messages to disk", disk_writes,
          TOTAL(all.disk_writes)),
    {FAMILY_QUEUE,
     SUM_TOTAL,
     LABELS_QUEUE_VHOST,
     "channel_queue_exchange_metrics",
     NULL,
     {"queue_messages_published_total", C, "Total number of messages published to queues"},
     Q(rates.publish),
     TOTAL(all.counters.routed)},
    COUNT("queue_delivery_metrics", "queue_get_ack_total",
          "Total number of messages fetched from a queue with basic.get in manual acknowledgement "
          "mode",
          rates.get, TOTAL(all.rates.get)),
    COUNT("queue_delivery_metrics", "queue_get_total",
          "Total number of messages fetched from a queue with basic.get in automatic "
          "acknowledgement mode",
          rates.get_no_ack, TOTAL(all.rates.get_no_ack)),
    COUNT("queue_delivery_metrics", "queue_messages_delivered_ack_total",
          "Total number of messages delivered from a queue to consumers in manual acknowledgement "
          "mode",
          rates.deliver, TOTAL(all.rates.deliver)),
    COUNT("queue_delivery_metrics", "queue_messages_delivered_total",
          "Total number of messages delivered from a queue to consumers in automatic "
          "acknowledgement mode",
          rates.deliver_no_ack, TOTAL(all.rates.deliver_no_ack)),
    COUNT("queue_delivery_metrics", "queue_messages_redelivered_total",
          "Total number of messages redelivered from a queue to consumers", rates.redeliver,
          TOTAL(all.rates.redeliver)),
    COUNT("queue_delivery_metrics", "queue_messages_acked_total",
          "Total number of messages acknowledged by consumers on a queue", rates.ack,
          TOTAL(all.rates.ack)),
    COUNT("queue_delivery_metrics", "queue_get_empty_total",
          "Total number of times basic.get operations fetched no message on a queue",
          rates.get_empty, TOTAL(all.rates.get_empty)),

    EXCHANGE("exchange_messages_published_total",
             "Total number of messages published into an exchange", publish_in, all.rates.publish),
    EXCHANGE("exchange_messages_unroutable_returned_total",
             "Total number of messages published as mandatory and returned as unroutable",
             unroutable_returned, all.rates.return_unroutable),
    EXCHANGE("exchange_messages_unroutable_dropped_total",
             "Total number of messages published as non-mandatory and dropped as unroutable",
             unroutable_dropped, all.rates.drop_unroutable),
    {FAMILY_EXCHANGE,
     SUM_NONE,
     LABELS_TYPE,
     "exchange_bindings",
     NULL,
     {"exchange_bindings", G, "Number of bindings for an exchange"},
     offsetof(struct exchange_info, bindings),
     .of_cluster = true},
    {FAMILY_EXCHANGE,
     SUM_NONE,
     LABELS_TYPE,
     "exchange_names",
     NULL,
     {"exchange_name", G, "Enumerates exchanges; the value is always 1"},
     .value = one,
     .of_cluster = true},

    CHANNEL_OF("channel_metrics", "channel_consumers", "Consumers on a channel", channel_consumers),
    CHANNEL("channel_metrics", "channel_messages_unacked",
            "Delivered but not yet acknowledged messages", messages_unacknowledged),
    CHANNEL("channel_metrics", "channel_messages_unconfirmed",
            "Published but not yet confirmed messages", messages_unconfirmed),
    CHANNEL("channel_metrics", "channel_messages_uncommitted",
            "Messages received in a transaction but not yet committed", messages_uncommitted),
    CHANNEL("channel_metrics", "channel_acks_uncommitted",
            "Message acknowledgements in a transaction not yet committed", acks_uncommitted),
    CHANNEL_OF("channel_metrics", "consumer_prefetch",
               "Limit of unacknowledged messages for each consumer", consumer_prefetch),
    CHANNEL_OF("channel_metrics", "channel_prefetch",
               "Total limit of unacknowledged messages for all consumers on a channel",
               channel_prefetch),
    /* Messages are counted for a channel, not for each exchange or queue that it uses. */
    CHANNEL_COUNT("channel_exchange_metrics", "channel_messages_published_total",
                  "Total number of messages published on a channel", publish),
    CHANNEL_COUNT("channel_exchange_metrics", "channel_messages_confirmed_total",
                  "Total number of messages published and confirmed on the channel", confirm),
    CHANNEL_COUNT("channel_exchange_metrics", "channel_messages_unroutable_returned_total",
                  "Total number of messages published as mandatory and returned as unroutable",
                  return_unroutable),
    CHANNEL_COUNT("channel_exchange_metrics", "channel_messages_unroutable_dropped_total",
                  "Total number of messages published as non-mandatory and dropped as unroutable",
                  drop_unroutable),
    CHANNEL_COUNT("channel_queue_metrics", "channel_get_ack_total",
                  "Total number of messages fetched with basic.get in manual acknowledgement mode",
                  get),
    CHANNEL_COUNT("channel_queue_metrics", "channel_get_total",
                  "Total number of messages fetched with basic.get in automatic acknowledgement "
                  "mode",
                  get_no_ack),
    CHANNEL_COUNT("channel_queue_metrics", "channel_messages_delivered_ack_total",
                  "Total number of messages delivered to consumers in manual acknowledgement mode",
                  deliver),
    CHANNEL_COUNT("channel_queue_metrics", "channel_messages_delivered_total",
                  "Total number of messages delivered to consumers in automatic acknowledgement "
                  "mode",
                  deliver_no_ack),
    CHANNEL_COUNT("channel_queue_metrics", "channel_messages_redelivered_total",
                  "Total number of messages redelivered to consumers", redeliver),
    CHANNEL_COUNT("channel_queue_metrics", "channel_messages_acked_total",
                  "Total number of messages acknowledged by consumers", ack),
    CHANNEL_COUNT("channel_queue_metrics", "channel_get_empty_total",
                  "Total number of times basic.get operations fetched no message", get_empty),

    CONNECTION("connection_coarse_metrics", "connection_incoming_bytes_total", C,
               "Total number of bytes received on a connection", SUM_TOTAL, received_bytes,
               TOTAL(sessions.received_bytes)),
    CONNECTION("connection_coarse_metrics", "connection_outgoing_bytes_total", C,
               "Total number of bytes sent on a connection", SUM_TOTAL, sent_bytes,
               TOTAL(sessions.sent_bytes)),
    CONNECTION("connection_metrics", "connection_incoming_packets_total", C,
               "Total number of packets received on a connection", SUM_TOTAL, reads,
               TOTAL(sessions.reads)),
    CONNECTION("connection_metrics", "connection_outgoing_packets_total", C,
               "Total number of packets sent on a connection", SUM_TOTAL, writes,
               TOTAL(sessions.writes)),
    {FAMILY_CONNECTION,
     SUM_OBJECTS,
     LABELS_PLAIN,
     "connection_metrics",
     NULL,
     {"connection_pending_packets", G, "Number of packets waiting to be sent on a connection"},
     .value = connection_pending},
    {FAMILY_CONNECTION,
     SUM_OBJECTS,
     LABELS_PLAIN,
     "connection_metrics",
     NULL,
     {"connection_channels", G, "Channels on a connection"},
     .value = connection_channels},
};
_Static_assert(sizeof table / sizeof *table <= FAMILIES_MAX, "FAMILIES_MAX is too small");

const struct family *families(size_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

static uint64_t number_at(const void *info, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)info + offset);
}

uint64_t family_value(const struct family *family, const void *info)
{
    if (family->value)
        return family->value(info);
    uint64_t value = number_at(info, family->offset);
    return family->added ? value + number_at(info, family->added) : value;
}

/* ---- Gathering: names and numbers only. Other views of an info are gone once its visit ends. */

static size_t list_queues(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_queues(vhost, after, infos, max);
}

static void keep_queue(void *info, struct arena *arena)
{
    struct queue_info *q = info;
    q->name = arena_keep(arena, q->name);
    q->arguments = arena_keep(arena, q->arguments);
}

static size_t list_exchanges(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_exchanges(vhost, after, infos, max);
}

static void keep_exchange(void *info, struct arena *arena)
{
    struct exchange_info *x = info;
    x->name = arena_keep(arena, x->name);
    x->type = arena_keep(arena, x->type);
}

static size_t list_channels(struct vhost *vhost, uint64_t *after, void *infos, size_t max)
{
    return vhost_list_channels(vhost, after, infos, max);
}

static void keep_channel(void *info, struct arena *arena)
{
    struct channel_info *c = info;
    c->peer_name = arena_keep(arena, c->peer_name);
}

static void keep_session(void *info, struct arena *arena)
{
    struct session_info *s = info;
    s->name = arena_keep(arena, s->name);
    s->vhost = arena_keep(arena, s->vhost);
}

static const struct gather_kind kinds[FAMILY_OBJECTS] = {
    [FAMILY_QUEUE] = {sizeof(struct queue_info), list_queues, keep_queue, true},
    [FAMILY_EXCHANGE] = {sizeof(struct exchange_info), list_exchanges, keep_exchange, true},
    [FAMILY_CHANNEL] = {sizeof(struct channel_info), list_channels, keep_channel, true},
    [FAMILY_CONNECTION] = {sizeof(struct session_info), NULL, keep_session, true},
};

const struct gather_kind *family_gather(enum family_object object)
{
    return &kinds[object];
}
