/* From a message to the queues that get it, for a client and for the broker itself. Thread: the
 * vhost's owner. */
#ifndef BROKER_PUBLISH_H
#define BROKER_PUBLISH_H

#include "broker/vhost_state.h"

/* ---- For a client. */

/* Publishes a client's message, and confirms it when the channel is in confirm mode. Fails the
 * channel when the exchange does not exist, when clients may not publish to it, or when x-delay is
 * malformed and an exchange on the route delays. */
void publish_message(struct channel *channel, struct message *message, bool mandatory);

/* First half of a publish in a transaction: checks that the message can be published. If not, fails
 * the channel and returns false. */
bool publish_check(struct channel *channel, const struct message *message);
/* Second half, when the transaction is committed. If its exchange has been deleted since, the
 * message has no route. *needed is raised to the journal's batch that holds the message. Returns
 * false when a queue refused it. */
bool publish_committed(struct channel *channel, struct message *message, bool mandatory,
                       uint64_t *needed);

/* ---- For the broker itself. None of these may be called while a route is being walked or a queue
 * is being worked on: the message may go to that same queue. */

/* Publishes a message of the broker's own, such as a notice, to the exchange and by the routing key
 * that stand in it, and by the keys in CC and BCC. Sets *routed to the number of queues; 0 when the
 * exchange does not exist. Returns the journal's batch that holds the message. */
uint64_t publish_internal(struct vhost *vhost, struct message *message, size_t *routed);
/* How a message is published by publish_filtered, and what came of it. */
struct publishing {
    /* Whether the message may go to this queue; NULL: it may go to all of its route. */
    bool (*passes)(const struct queue *queue, const void *context);
    const void *context;
    /* For a dead letter: how many messages there are of its original; 0: they are not counted. */
    uint32_t offspring;
    bool again; /* true: when no queue takes the message, the caller will publish it again */
    /* Set by publish_filtered: */
    size_t routed;   /* queues that the message was given to, and exchanges that delay it */
    size_t taken;    /* of these, the ones that did not refuse it */
    size_t dropped;  /* queues that were left out because of OFFSPRING_MAX */
    uint64_t needed; /* the journal's batch that holds the message */
};
/* The same for a message that may go to some of its queues only. */
void publish_filtered(struct vhost *vhost, struct message *message, struct publishing *publishing);
/* Publishes a message whose delay is over to this exchange, whatever exchange stands in the
 * message; no exchange delays it again. */
void publish_delayed(struct vhost *vhost, struct exchange *exchange, struct message *message);
/* Publishes to this exchange a message that another exchange, which stands in the message, has in
 * its history. Returns the number of queues. */
size_t publish_through(struct vhost *vhost, struct exchange *exchange, struct message *message);

/* Frees the last route of a channel, or of the broker itself. *memory may be NULL. */
void publish_forget_route(struct route_memory **memory);

#endif
