/* All queues of a vhost: what they share, and which of them have something to do. Thread: the
 * vhost's owner.
 *
 * Normal course: a queue that has something to do stands in a list here: due, to be dispatched
 * before the call into the core ends; over, with more messages than its limits allow; expiry and
 * idle, by the time when something of it ends. */
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
    struct bytes vhost_name;
    enum dialect_count delivery_count; /* which returns a delivery limit counts */

    struct map by_name;
    struct roster roster;
    struct queue_list due;  /* to be dispatched before the call ends; by due.link */
    struct queue_list over; /* over their length limits: to be shortened; by over.link */
    struct heap expiry;     /* queue->times.expiry: wall clock */
    struct heap idle;       /* queue->times.idle: steady clock */
    struct dead_letters dead_letters;
};

/* The queue of this name, or NULL. */
static inline struct queue *queues_find(const struct queues *set, struct bytes name)
{
    return map_get(&set->by_name, name);
}

/* Counts one of `what` for the channel, the queue and its type. */
#define QUEUE_COUNT(channel, queue, what)                                                          \
    ((channel)->rates.what++, (queue)->rates.what++, (queue)->type_rates->what++)

/* A delivery goes out that is to be settled: notes it on the channel. consumer: NULL for
 * COMMAND_GET. */
static inline void queue_note_unsettled(struct channel *channel, uint64_t tag, struct lane *lane,
                                        uint64_t seq, struct consumer *consumer)
{
    struct channels *set = channel->set;
    /* Rounded up: nobody's time is over too early. */
    uint32_t since_s = (uint32_t)((set->store->call.now.steady_ms + 999) / 1000);
    const struct unsettled_entry entry = {tag, seq, lane, consumer, since_s};
    unsettled_add(&channel->unsettled, &entry);
    if (__builtin_expect(set->timeout_check_ms == UINT64_MAX, 0))
        timeout_arm(set);
}

#endif
