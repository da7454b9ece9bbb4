/* All peers and channels of a vhost, and the lists of those that have something to do. Thread: the
 * vhost's owner.
 *
 * Normal course: a channel stands in a list here when its consumers are to be woken, when its
 * promises can leave, or when it is to give back its deliveries. The end of the call or of the turn
 * empties the lists. */
#ifndef BROKER_CHANNELS_H
#define BROKER_CHANNELS_H

#include "broker/channel/peer.h"
#include "broker/notice/notice.h"
#include "broker/store/store.h"
#include "leveret/base/random.h"
#include "leveret/base/roster.h"

TAILQ_HEAD(channel_queue, channel);

struct channels {
    struct store *store;
    struct notices *notices;
    struct bytes vhost_name;
    /* Where events go: vhost_options.event. */
    void (*event)(void *context, void *owner, const struct event *event);
    void *context;
    const struct promise_calls *promise_calls;

    struct peer_list peers;
    uint32_t peer_count;
    struct roster roster, consumer_roster; /* all channels; all consumers of queues */

    struct consumer_waits waits_due;    /* consumers in these are woken before the call ends */
    struct channel_queue promises_due;  /* by promise_link: the first promise can leave */
    struct channel_queue promises_held; /* by promise_link: the first promise waits for a batch */
    /* By release_link: channels that failed outside of a command, or that have overdue deliveries.
     * Their deliveries go back to the queues in portions. */
    struct channel_queue releasing;

    uint64_t timeout_default_ms; /* vhost_limits.consumer_timeout_ms; 0: none */
    uint64_t timeout_min_ms;     /* the shortest acknowledgement time-out; UINT64_MAX: none */
    /* Steady clock: when the deliveries are next checked for the time-out; UINT64_MAX: no delivery
     * is out that has one. */
    uint64_t timeout_check_ms;
    uint64_t timeout_after; /* the check goes on with the channels above this number */

    struct random_stream random;   /* for the tokens of direct replies */
    struct map reply_consumers;    /* by token */
    uint32_t reply_consumers_made; /* how many were ever made, for their tokens */

    uint32_t peer_window_bytes; /* bytes under way to a peer at which its consumers get no more
                                   until COMMAND_CREDIT */
    bool tracing;               /* true: published and delivered messages are traced */
    struct rates rates;         /* of publishers, and of deliveries without a queue */
    uint64_t never_confirmed;   /* publishes on channels that ended before their confirms */
    uint64_t sampled_wall_ms;   /* the start of the last walk that has looked at all of them */
};

/* Sends an event to a peer. */
static inline void channels_tell(const struct channels *channels, const struct peer *peer,
                                 const struct event *event)
{
    channels->event(channels->context, peer->owner, event);
}

#endif
