/* Part of command (command.h): basic.publish.
 *
 * Normal course: the message's size is counted, its headers are looked at when it has any, and it
 * is published (publish/publish.h) or kept in the channel's transaction (tx.h). What can go wrong:
 * the body is larger than the vhost allows, or a header is malformed: the channel fails. */
#include "broker/command/command.h"

#include <inttypes.h>

#include "broker/channel/reply_to.h"
#include "broker/command/tx.h"
#include "broker/publish/dead_letter_headers.h"
#include "broker/publish/publish.h"
#include "broker/topology/copies.h"

/* Looks at the headers that mean something to the broker. May replace the message (and the
 * reference). Fails the channel when CC or BCC is malformed. */
static void read_headers(struct channel *channel, struct message **message)
{
    const char *malformed, *type;
    if ((malformed = copies_malformed(*message, &type))) {
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_PRECONDITION_FAILED,
                       "invalid message: {unacceptable_type_in_header,\"%s\",%s}", malformed, type);
        return;
    }
    copies_note_blind(*message);
    if (channel->vhost->options.dialect.x_death == DEATHS_IGNORE && dead_letter_disown(message))
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_RESOURCE_ERROR, "out of memory");
}

/* Counts a message whose body is above small_bytes_max[1] by its size. False: the body is larger
 * than the vhost allows, and the channel has failed. */
static __attribute__((noinline)) bool large_body(struct channel *channel,
                                                 const struct message *message)
{
    struct vhost *vhost = channel->vhost;
    unsigned size = 0;
    if (message->body_bytes > vhost->options.limits.message_bytes_max) {
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_PRECONDITION_FAILED,
                       "message size %" PRIu64 " is larger than configured max size %" PRIu64,
                       message->body_bytes, vhost->options.limits.message_bytes_max);
        vhost->counters.body_bytes -= message->body_bytes;
        vhost->published.too_large++;
        return false;
    }
    while (size < COUNTED_SIZES - 1 && message->body_bytes > counted_size_bytes[size])
        size++;
    vhost->counters.sizes[size]++;
    return true;
}

/* Counts a message whose body is above small_bytes_max[0] by its size. False: as large_body. */
static inline bool count_size(struct channel *channel, const struct message *message)
{
    if (message->body_bytes > channel->vhost->published.small_bytes_max[1])
        return large_body(channel, message);
    channel->vhost->counters.sizes[1]++;
    return true;
}

/* Looks at headers and reply-to, which few messages have. May replace the message (and the
 * reference). False: the message was refused, and the channel has failed. */
static bool headers_pass(struct channel *channel, struct message **message)
{
    if ((*message)->has_headers)
        read_headers(channel, message);
    if (!channel->failed && reply_to_asked(*message))
        reply_to_rewrite(channel, message);
    return !channel->failed;
}

void command_publish(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct message *message = command->u.publish.message;
    channel->rates.publish++;
    vhost->channels.rates.publish++;
    vhost->counters.body_bytes += message->body_bytes;
    if ((message->body_bytes > vhost->published.small_bytes_max[0] &&
         !count_size(channel, message)) ||
        !headers_pass(channel, &message))
        vhost->published.not_routed++;
    else if (channel->tx)
        tx_publish(channel, message, command->u.publish.mandatory);
    else
        publish_message(channel, message, command->u.publish.mandatory);
    message_unref(&message);
}
