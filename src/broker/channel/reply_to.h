/* Direct reply-to: answers go from the server's publish straight to the client's channel, with no
 * queue between. Thread: the vhost's owner.
 *
 * Normal course: a channel consumes from amq.rabbitmq.reply-to and gets a token; what it publishes
 * with that reply-to carries amq.rabbitmq.reply-to.TOKEN to the receiver; what is published to the
 * default exchange with that routing key is delivered on the channel. What can go wrong: the
 * consumer has gone; then the answer has no route. */
#ifndef BROKER_REPLY_TO_H
#define BROKER_REPLY_TO_H

#include <stdbool.h>
#include <stdint.h>

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"

struct channel;
struct channels;

bool reply_to_is_pseudo(struct bytes queue); /* amq.rabbitmq.reply-to */
bool reply_to_is_name(struct bytes queue);   /* amq.rabbitmq.reply-to.TOKEN */
bool reply_to_exists(const struct channels *channels, struct bytes name);

/* The channel, which has none yet, gets a reply consumer; id: the session's number for it. */
void reply_to_begin(struct channel *channel, uint32_t id);
/* Returns whether the consumer was that one; it has gone then. */
bool reply_to_cancel(struct channel *channel, uint32_t id);
/* The channel's reply consumer goes, if it has one. */
void reply_to_close(struct channel *channel);

/* Delivers when the routing key is the name of a reply consumer; returns whether it did. */
bool reply_to_deliver(struct channels *channels, struct message *message);
/* Whether the message asks for a direct reply (reply-to is the pseudo-queue's name). */
bool reply_to_asked(const struct message *message);
/* Replaces the message (and the reference) by one whose reply-to is the channel's own, or fails the
 * channel: PRECONDITION_FAILED. */
void reply_to_rewrite(struct channel *channel, struct message **message);

#endif
