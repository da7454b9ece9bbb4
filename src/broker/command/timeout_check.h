/* Consumer time-outs: while a client does not settle a delivery, no other client can get the
 * message; after a time the message goes back to its queue. Thread: the vhost's owner.
 *
 * Normal course: while there are unsettled deliveries, all channels are looked through now and then
 * (channel/timeout.h says when). In each channel the oldest delivery is looked at first, and
 * deliveries younger than the shortest time-out are not looked at. The consumer of an overdue
 * delivery is cancelled, and all its deliveries go back to their queue, in portions; the channel
 * and its other consumers go on. If the client settles one of these deliveries later, that has no
 * effect (channel/overdue.h).
 *
 * What can go wrong: the client cannot be told that its consumer is cancelled, the delivery has no
 * consumer (it answered a get, or the consumer has ended), or the configuration says that channels
 * fail: then the channel fails, and all its deliveries go back. While an overdue consumer's
 * deliveries go back, a command of the same channel that gives deliveries back in portions may end:
 * the queue then begins to deliver before it has all messages back. */
#ifndef BROKER_TIMEOUT_CHECK_H
#define BROKER_TIMEOUT_CHECK_H

#include "broker/queue/queues.h"

/* The time-out of a delivery in milliseconds: that of its consumer (NULL: it has none), else that
 * of its queue, else that of the vhost. 0: the delivery may stay unsettled for ever. */
uint64_t timeout_check_ms(const struct queue *queue, const struct consumer *consumer);
/* Cancels consumers, or fails channels, with a delivery that has been unsettled for too long. */
void timeout_check(struct vhost *vhost);
/* Gives a portion of the deliveries of these consumers and channels back. */
void timeout_check_release(struct vhost *vhost);
/* A channel gives its deliveries back because it ends. Whether this delivery goes back for its
 * time-out instead: its consumer was cancelled for one, or the channel failed by a time-out and
 * this delivery is overdue. */
bool timeout_check_took(const struct channel *channel, const struct unsettled_entry *entry);

#endif
