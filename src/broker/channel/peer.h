/* A peer: one connection's side in the core. Thread: the vhost's owner. */
#ifndef BROKER_PEER_H
#define BROKER_PEER_H

#include "broker/channel/channel.h"

struct peer {
    struct channels *set;
    struct vhost *vhost; /* for what stands above channels; nothing here looks into it */
    void *owner;
    TAILQ_ENTRY(peer) link;
    struct channel **channels; /* by number */
    uint32_t channel_room;
    uint16_t outruns; /* consumers of a queue: publishes until that is forgotten; 0: it does not */
    uint64_t under_way_bytes;             /* deliveries that have not left */
    struct consumer_wait wait;            /* consumers that wait for it to go down */
    TAILQ_HEAD(, queue) exclusive_queues; /* by owner_link */
    bool notify_cancel;                   /* the client has the capability consumer_cancel_notify */
    struct bytes name, user;
    uint8_t data[];
};
TAILQ_HEAD(peer_list, peer);

/* After a publish: whether it went to a queue whose consumers are far behind. Sends EVENT_PACE when
 * that begins, and when it has not been so for a while. */
void peer_pace(struct peer *peer, bool behind);

static inline struct channel *peer_channel(const struct peer *peer, uint16_t id)
{
    return id < peer->channel_room ? peer->channels[id] : NULL;
}

#endif
