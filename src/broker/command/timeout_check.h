/* Consumer time-outs: a delivery that nobody settles keeps its message from everybody else; after a
 * time the message goes back. Thread: the vhost's owner.
 *
 * Normal course: while deliveries are out, all channels are looked through now and then
 * (channel/timeout.h says when), oldest delivery first, as far as the shortest time-out reaches
 * back. The consumer of an overdue delivery is cancelled, and all that it holds goes back to its
 * queue, in portions; the channel and its other consumers go on. What the client settles of it
 * after that has no effect (overdue.h). What can go wrong: the client does not know that consumers
 * can be cancelled, there is no consumer (any more), or the configuration says so: the channel
 * fails, and all that it holds goes back. A command of the channel that gives back in portions,
 * too, may end while an overdue consumer's deliveries are still going back: the queue then begins
 * to deliver before it has all of them. */
#ifndef BROKER_TIMEOUT_CHECK_H
#define BROKER_TIMEOUT_CHECK_H

#include "broker/queue/queues.h"

/* What applies to a delivery of the queue: the consumer's (NULL: it has none), the queue's or the
 * vhost's; 0: none. */
uint64_t timeout_check_ms(const struct queue *queue, const struct consumer *consumer);
/* Cancels the consumers, or fails the channels, that hold a delivery for too long. */
void timeout_check(struct vhost *vhost);
/* Goes on with giving back what these held. */
void timeout_check_release(struct vhost *vhost);
/* Whether a delivery of a channel that gives back what it holds goes back for its time-out, and not
 * by the channel's end: its consumer has been cancelled for one, or the channel fails for this. */
bool timeout_check_took(const struct channel *channel, const struct unsettled_entry *entry);

#endif
