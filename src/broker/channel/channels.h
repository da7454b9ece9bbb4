/* All peers and channels of a vhost, and what they wait for. Thread: the vhost's owner.
 *
 * Normal course: whatever is due (consumers to be woken, promises to leave, channels to give back
 * what they hold) stands in a list here, which the end of the call or of the turn empties. */
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

    struct consumer_waits waits_due;    /* to be woken before the call ends */
    struct channel_queue promises_due;  /* by promise_link: the first promise can leave */
    struct channel_queue promises_held; /* by promise_link: it waits for a batch */
    /* Failed outside of a command, or with overdue deliveries: to be released; by release_link. */
    struct channel_queue releasing;

    uint64_t timeout_default_ms; /* vhost_limits.consumer_timeout_ms */
    uint64_t timeout_min_ms;     /* the shortest consumer time-out there is; UINT64_MAX: none */
    uint64_t
        timeout_check_ms; /* steady: deliveries are looked through then; UINT64_MAX: none is out */
    uint64_t timeout_after; /* the number of the channel up to which that is done */

    struct random_stream random; /* for the tokens of direct replies */
    struct map reply_consumers;  /* by token */
    uint32_t reply_consumers_made;

    uint32_t peer_window_bytes; /* deliveries under way to one peer before its COMMAND_CREDIT */
    bool tracing;               /* true: messages that come and go are told (vhost_tuning) */
    struct rates rates;         /* of publishers, and what no queue has counted */
    uint64_t never_confirmed;   /* published on channels that ended before their confirms */
};

/* Sends an event to a peer. */
static inline void channels_tell(const struct channels *channels, const struct peer *peer,
                                 const struct event *event)
{
    channels->event(channels->context, peer->owner, event);
}

#endif
