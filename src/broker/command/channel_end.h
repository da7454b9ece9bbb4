/* Part of channel (channel/channel.h): the end of a channel, in portions. Thread: the vhost's
 * owner.
 *
 * Normal course: the channel leaves, so that nothing is delivered to it any more; its unsettled
 * deliveries go back to their queues; its consumers end; the answers and confirms that it still
 * owes are sent; it is freed. What can go wrong: this is more work than one call may do; the
 * functions that return false are then called again in a later turn. */
#ifndef BROKER_CHANNEL_END_H
#define BROKER_CHANNEL_END_H

#include "broker/channel/channel.h"

/* From now on the channel gets no delivery, no direct reply and no answer to a get. */
void channel_leave(struct channel *channel);
/* The first half of channel_release: the channel leaves, and gives its unsettled deliveries back to
 * their queues. False: this was a portion. */
bool channel_give_back(struct channel *channel);
/* The channel leaves, gives its unsettled deliveries back and ends its consumers. For a channel
 * that has failed, and the first part of channel_close. False: this was a portion. */
bool channel_release(struct channel *channel);
/* Releases the channel and frees it: at once when *closed is NULL (the connection is gone); else
 * when all answers and confirms have been sent, *closed as the last one. False: this was a portion.
 */
bool channel_close(struct channel *channel, const struct event *closed);
/* Frees the channel without sending anything; for vhost_free and the end of channel_close. */
void channel_destroy(struct channel *channel);

#endif
