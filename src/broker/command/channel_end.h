/* The end of a channel: what it holds goes back, in portions. Thread: the vhost's owner.
 *
 * Normal course: the channel leaves, so that nothing comes to it any more; its unsettled deliveries
 * go back to their queues; its consumers end; what it still has to say leaves; it is freed. */
#ifndef BROKER_CHANNEL_END_H
#define BROKER_CHANNEL_END_H

#include "broker/channel/channel.h"

/* Gives up what the channel holds: requeues, ends consumers. For one that has failed; part of
 * closing. Returns whether it is through; if not it has done a portion, and is to be called again.
 */
bool channel_release(struct channel *channel);
/* Nothing comes to the channel any more: no delivery, no direct reply, no answer to a get. */
void channel_leave(struct channel *channel);
/* The first half of releasing: the channel leaves, and requeues. */
bool channel_give_back(struct channel *channel);
/* Releases; frees at once, or when the held replies are out (sending *closed, if
 * not NULL, last). Returns false, like channel_release, when it is to be called again. */
bool channel_close(struct channel *channel, const struct event *closed);
/* Frees without a word; for vhost_free and the end of channel_close. */
void channel_destroy(struct channel *channel);

#endif
