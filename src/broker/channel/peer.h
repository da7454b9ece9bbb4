/* A peer: what the core knows of one connection. Thread: the vhost's owner. */
#ifndef BROKER_PEER_H
#define BROKER_PEER_H

#include "broker/channel/channel.h"

struct peer {
    struct channels *set;
    struct vhost *vhost; /* for the folders above this one; nothing here looks into it */
    void *owner;         /* peer_options.owner: where its events go */
    TAILQ_ENTRY(peer) link;
    struct channel **channels; /* by id */
    uint32_t channel_room;
    /* Publishes until the peer is slowed no more, none of them to a queue whose consumers are far
     * behind; 0: it is not slowed. */
    uint16_t outruns;
    uint64_t under_way_bytes;             /* of deliveries that have not left the broker */
    struct consumer_wait wait;            /* consumers that wait until under_way_bytes goes down */
    TAILQ_HEAD(, queue) exclusive_queues; /* by owner_link */
    bool notify_cancel; /* true: the client has the capability consumer_cancel_notify */
    struct bytes name, user;
    uint8_t data[];
};
TAILQ_HEAD(peer_list, peer);

/* Notes after a publish whether it went to a queue whose consumers are far behind. Sends EVENT_PACE
 * with slow = true when the first one did, and with slow = false when the last PACE_PUBLISHES
 * (peer.c) did not. */
void peer_pace(struct peer *peer, bool behind);

/* The peer's channel with this id, or NULL. */
static inline struct channel *peer_channel(const struct peer *peer, uint16_t id)
{
    return id < peer->channel_room ? peer->channels[id] : NULL;
}

#endif
