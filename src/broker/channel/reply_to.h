/* Direct reply-to: an answer goes from the publish of a server straight to the channel of the
 * client that asked, without a queue. Thread: the vhost's owner.
 *
 * Normal course: a client's channel consumes from the pseudo-queue amq.rabbitmq.reply-to and gets a
 * token. When it publishes a message with this name as reply-to, the receiver gets the reply-to
 * amq.rabbitmq.reply-to.TOKEN. A message that is published to the default exchange with that
 * routing key is delivered on the client's channel. What can go wrong: the channel's consumer has
 * ended: then the answer has no route. */
#ifndef BROKER_REPLY_TO_H
#define BROKER_REPLY_TO_H

#include <stdbool.h>
#include <stdint.h>

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"

struct channel;
struct channels;

/* Whether the name is amq.rabbitmq.reply-to. */
bool reply_to_is_pseudo(struct bytes queue);
/* Whether the name has the form amq.rabbitmq.reply-to.TOKEN. */
bool reply_to_is_name(struct bytes queue);
/* Whether the name is that of a reply consumer of this vhost. */
bool reply_to_exists(const struct channels *channels, struct bytes name);

/* Gives the channel, which has none yet, a reply consumer; id: the session's number for it. */
void reply_to_begin(struct channel *channel, uint32_t id);
/* Ends the channel's reply consumer if it has this id. Returns false when it has another one. */
bool reply_to_cancel(struct channel *channel, uint32_t id);
/* Ends the channel's reply consumer, if it has one. */
void reply_to_close(struct channel *channel);

/* Delivers a message whose routing key is the name of a reply consumer. Returns false when there is
 * no such consumer. */
bool reply_to_deliver(struct channels *channels, struct message *message);
/* Whether the message asks for a direct reply: its reply-to is the pseudo-queue's name. */
bool reply_to_asked(const struct message *message);
/* Replaces *message, and the caller's reference, by a copy whose reply-to is the name of the
 * channel's reply consumer. Fails the channel when it has none (PRECONDITION_FAILED) or when there
 * is no memory (RESOURCE_ERROR). */
void reply_to_rewrite(struct channel *channel, struct message **message);

#endif
