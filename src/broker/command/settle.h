/* How a delivery ends: it is settled, requeued or rejected. The queue, the consumer and the channel
 * then count it no more. Thread: the vhost's owner. */
#ifndef BROKER_SETTLE_H
#define BROKER_SETTLE_H

#include "broker/channel/channel.h"

typedef void settlement(struct channel *channel, const struct unsettled_entry *entry);
settlement settle_entry;   /* the message leaves its queue */
settlement settle_requeue; /* the message goes back to its queue (RETURN_HANDED_BACK) */
settlement settle_fail;    /* the message goes back because something failed (RETURN_FAILURE) */
settlement settle_reject;  /* the message is dead-lettered, or dropped */

/* Deliveries of the channel have ended: consumers that its prefetch limit stopped may go on. */
void settle_wake(struct channel *channel);

#endif
