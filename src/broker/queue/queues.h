/* All queues of a vhost: what they share, and the lists of those that have something to do. Thread:
 * the vhost's owner.
 *
 * Normal course: a queue that is to be dispatched before the call into the core ends stands in
 * `due`; a queue with more messages than its limits allow stands in `over`; a queue whose messages
 * expire, or which expires itself, stands in the heap `expiry` or `idle`, by that time. */
#ifndef BROKER_QUEUES_H
#define BROKER_QUEUES_H

#include "broker/channel/channels.h"
#include "broker/channel/timeout.h"
#include "broker/dedup/dedup.h"
#include "broker/policy/policy.h"
#include "broker/queue/dead_letter.h"
#include "broker/topology/topology.h"

TAILQ_HEAD(queue_list, queue);

struct queues {
    struct store *store;
    struct topology *topology;
    struct policies *policies;
    struct dedups *dedups;
    struct notices *notices;
    struct channels *channels;
    struct counters *counters;
    struct census *census; /* NULL: nobody counts */
    struct bytes vhost_name;
    enum dialect_count delivery_count; /* the returns that a delivery limit counts */

    struct map by_name;
    struct roster roster;
    struct queue_list due;  /* by due.link */
    struct queue_list over; /* by over.link */
    struct heap expiry;     /* of queue->times.expiry: wall clock */
    struct heap idle;       /* of queue->times.idle: steady clock */
    struct dead_letters dead_letters;
};

/* The queue with this name, or NULL. */
static inline struct queue *queues_find(const struct queues *queues, struct bytes name)
{
    return map_get(&queues->by_name, name);
}

/* Adds 1 to the member `what` of struct rates for the channel, the queue and the queue's type. */
#define QUEUE_COUNT(channel, queue, what)                                                          \
    ((channel)->rates.what++, (queue)->rates.what++, (queue)->type_rates->what++)

/* Adds a delivery that the client has to settle to the channel's unsettled ones. consumer: NULL for
 * COMMAND_GET. */
static inline void queue_note_unsettled(struct channel *channel, uint64_t tag, struct lane *lane,
                                        uint64_t seq, struct consumer *consumer)
{
    struct channels *channels = channel->set;
    /* Rounded up, so that no time-out ends too early. */
    uint32_t since_s = (uint32_t)((channels->store->call.now.steady_ms + 999) / 1000);
    const struct unsettled_entry entry = {tag, seq, lane, consumer, since_s};
    unsettled_add(&channel->unsettled, &entry);
    if (__builtin_expect(channels->timeout_check_ms == UINT64_MAX, 0))
        timeout_arm(channels);
}

#endif
