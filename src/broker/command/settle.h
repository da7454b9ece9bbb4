/* How deliveries end: settled, requeued or rejected. The queue, the consumer and the channel let go
 * of the delivery. Thread: the vhost's owner. */
#ifndef BROKER_SETTLE_H
#define BROKER_SETTLE_H

#include "broker/channel/channel.h"

typedef void settlement(struct channel *channel, const struct unsettled_entry *entry);
settlement settle_entry;   /* acked: the message leaves its queue */
settlement settle_requeue; /* handed back (RETURN_HANDED_BACK) */
settlement settle_fail;    /* it comes back because something has failed (RETURN_FAILURE) */
settlement settle_reject;  /* it goes where dead letters go */

/* The channel has settled something: its blocked consumers may go on. */
void settle_wake(struct channel *channel);

#endif
