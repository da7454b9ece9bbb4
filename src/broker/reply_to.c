/* Direct reply-to: answers go from the server's publish straight to the client's channel, with no
 * queue between. Thread: the vhost's owner.
 *
 * Normal course: a channel consumes from amq.rabbitmq.reply-to and gets a token; what it publishes
 * with that reply-to carries amq.rabbitmq.reply-to.TOKEN to the receiver; what is published to the
 * default exchange with that routing key is delivered on the channel. What can go wrong: the
 * consumer has gone; then the answer has no route. */
#include "core.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"

#define PSEUDO_QUEUE "amq.rabbitmq.reply-to"

struct reply_consumer {
    struct channel *channel;
    uint32_t id;
    char token[RANDOM_NAME_LEN + 1];
};

bool reply_to_is_pseudo(struct bytes queue)
{
    return bytes_equal(queue, BYTES_LITERAL(PSEUDO_QUEUE));
}

bool reply_to_is_name(struct bytes queue)
{
    return bytes_start_with(queue, PSEUDO_QUEUE ".");
}

static struct reply_consumer *find(const struct vhost *vhost, struct bytes name)
{
    if (vhost->reply_consumers.count == 0 || !reply_to_is_name(name))
        return NULL;
    size_t prefix = sizeof PSEUDO_QUEUE; /* with the dot */
    return map_get(&vhost->reply_consumers, bytes_of(name.at + prefix, name.len - prefix));
}

bool reply_to_exists(struct vhost *vhost, struct bytes name)
{
    return find(vhost, name) != NULL;
}

void reply_to_consume(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    if (!command->u.consume.no_ack) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "reply consumer cannot acknowledge");
        return;
    }
    if (channel->reply_consumer) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "reply consumer already set");
        return;
    }
    struct reply_consumer *consumer = mem_need(sizeof *consumer);
    consumer->channel = channel;
    consumer->id = command->u.consume.consumer;
    random_name(&vhost->random, consumer->token);
    map_put(&vhost->reply_consumers, bytes_of_text(consumer->token), consumer);
    channel->reply_consumer = consumer;
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.consumer = consumer->id;
    channel_reply_event(channel, command, &reply, 0);
}

void reply_to_close(struct channel *channel)
{
    struct reply_consumer *consumer = channel->reply_consumer;
    if (!consumer)
        return;
    map_remove(&channel->vhost->reply_consumers, bytes_of_text(consumer->token));
    free(consumer);
    channel->reply_consumer = NULL;
}

bool reply_to_cancel(struct channel *channel, uint32_t id)
{
    if (!channel->reply_consumer || channel->reply_consumer->id != id)
        return false;
    reply_to_close(channel);
    return true;
}

bool reply_to_deliver(struct vhost *vhost, struct message *message)
{
    struct reply_consumer *consumer = find(vhost, message_routing_key(message));
    if (!consumer || consumer->channel->failed)
        return false;
    struct channel *channel = consumer->channel;
    struct event event = channel_event(channel, EVENT_DELIVER);
    event.u.deliver.message = message;
    event.u.deliver.tag = ++channel->delivery_tag;
    event.u.deliver.consumer = consumer->id;
    channel->peer->under_way_bytes += delivery_bytes(message);
    channel->rates.deliver_no_ack++;
    vhost->rates.deliver_no_ack++;
    channel_emit(channel, &event);
    return true;
}

bool reply_to_asked(const struct message *message)
{
    struct bytes encoded = message_properties(message);
    struct properties properties;
    if (encoded.len < 2 || !((unsigned)(encoded.at[0] << 8 | encoded.at[1]) & PROPERTY_REPLY_TO))
        return false;
    return properties_decode(encoded, &properties) == STATUS_OK &&
           reply_to_is_pseudo(properties.reply_to);
}

void reply_to_rewrite(struct channel *channel, struct message **message)
{
    char name[sizeof PSEUDO_QUEUE + 1 + RANDOM_NAME_LEN];
    struct properties properties;
    struct text encoded = {0};
    if (!channel->reply_consumer) {
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_PRECONDITION_FAILED,
                       "fast reply consumer does not exist");
        return;
    }
    if (properties_decode(message_properties(*message), &properties))
        return; /* it was decoded to get here */
    memcpy(name, PSEUDO_QUEUE ".", sizeof PSEUDO_QUEUE);
    memcpy(name + sizeof PSEUDO_QUEUE, channel->reply_consumer->token, RANDOM_NAME_LEN + 1);
    properties.reply_to = bytes_of_text(name);
    properties_encode(&properties, &encoded);
    struct message *copy = message_with_properties(*message, text_bytes(&encoded));
    text_free(&encoded);
    if (copy) {
        message_unref(message);
        *message = copy;
    } else {
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_RESOURCE_ERROR, "out of memory");
    }
}
