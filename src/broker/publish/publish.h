/* From a message to the queues that get it, for a client and for the broker itself. Thread: the
 * vhost's owner. */
#ifndef BROKER_PUBLISH_H
#define BROKER_PUBLISH_H

#include "broker/vhost_state.h"

/* Publishes a client's message, and confirms it when the channel is in confirm mode. Fails the
 * channel when there is no such exchange, or none that a client may publish to. */
void publish_message(struct channel *channel, struct message *message, bool mandatory);

/* The halves of a publish, for a transaction. First: whether the message can be published. Fails
 * the channel. */
bool publish_check(struct channel *channel, const struct message *message);
/* The second half, at commit; what can no longer be published has no route. *needed is raised to
 * the batch. Returns whether all queues took it. */
bool publish_committed(struct channel *channel, struct message *message, bool mandatory,
                       uint64_t *needed);

/* Routes a message of the broker's own (dead-lettered, delayed …) by the exchange and the routing
 * key in it, CC and BCC as well, and puts it into the queues. *routed: how many; an exchange that
 * is not there routes nowhere. Returns the batch. Not from within a route or a queue's own work:
 * what it does to a queue may come back to the caller's. */
uint64_t publish_internal(struct vhost *vhost, struct message *message, size_t *routed);
/* The same, not to all queues; says more of what came of it. */
struct publishing {
    bool (*passes)(const struct queue *queue, const void *context); /* NULL: to all */
    const void *context;
    uint32_t offspring; /* of a dead letter: how many there are of its original; 0: not counted */
    bool again;         /* true: when no queue takes it, it will come once more */
    size_t routed;      /* that many queues got it */
    size_t taken;       /* that many of them did not refuse it */
    size_t dropped;     /* that many did not, because there would be too many of it */
    uint64_t needed;    /* the batch */
};
void publish_filtered(struct vhost *vhost, struct message *message, struct publishing *publishing);
/* The same from this exchange, whatever the message says, and without any delay; BCC is removed. */
void publish_delayed(struct vhost *vhost, struct exchange *exchange, struct message *message);
/* Publishes to an exchange a message that another one has kept: it stays that other's. Returns to
 * how many queues it went. */
size_t publish_through(struct vhost *vhost, struct exchange *exchange, struct message *message);

/* The last route of a channel, or of the broker itself. Frees *memory, which may be NULL. */
void publish_forget_route(struct route_memory **memory);

#endif
