/* Direct reply-to: see reply_to.h.
 *
 * A token has RabbitMQ's shape, which some clients check: two parts in base64 with a dot between
 * them. The first part names the channel, in RabbitMQ by an Erlang process on a node
 * "reply@NUMBER"; here it has the same format, and contains nothing secret. The second part is 128
 * random bits, so that no other client can guess the token. */
#include "broker/channel/reply_to.h"

#include "broker/channel/channels.h"
#include "leveret/base/base64.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"

#include <stdio.h>

#define PSEUDO_QUEUE "amq.rabbitmq.reply-to"

#define PROCESS_BYTES 31u /* an Erlang process in its external format, with a node's name of 14 */
#define SECRET_BYTES  RANDOM_SECRET_BYTES
#define BASE64_LEN(n) (((n) + 2u) / 3u * 4u)
#define TOKEN_LEN     (BASE64_LEN(PROCESS_BYTES) + 1 + BASE64_LEN(SECRET_BYTES))

struct reply_consumer {
    struct channel *channel;
    uint32_t id;
    char token[TOKEN_LEN + 1];
};

bool reply_to_is_pseudo(struct bytes queue)
{
    return bytes_equal(queue, BYTES_LITERAL(PSEUDO_QUEUE));
}

bool reply_to_is_name(struct bytes queue)
{
    return bytes_start_with(queue, PSEUDO_QUEUE ".");
}

static struct reply_consumer *find(const struct channels *channels, struct bytes name)
{
    if (channels->reply_consumers.count == 0 || !reply_to_is_name(name))
        return NULL;
    size_t prefix = sizeof PSEUDO_QUEUE; /* with the dot */
    return map_get(&channels->reply_consumers, bytes_of(name.at + prefix, name.len - prefix));
}

bool reply_to_exists(const struct channels *channels, struct bytes name)
{
    return find(channels, name) != NULL;
}

static void make_token(struct channels *channels, char token[TOKEN_LEN + 1])
{
    uint8_t process[PROCESS_BYTES];
    char node[15];
    struct writer writer = writer_of(process, sizeof process);
    snprintf(node, sizeof node, "reply@%08u",
             (unsigned)(map_hash(channels->vhost_name) % 100000000));
    write_u8(&writer, 131); /* the external term format */
    write_u8(&writer, 88);  /* a process, whose node's name is */
    write_u8(&writer, 118); /* an atom in UTF-8 */
    write_u16(&writer, (uint16_t)(sizeof node - 1));
    for (size_t i = 0; i < sizeof node - 1; i++)
        write_u8(&writer, (uint8_t)node[i]);
    write_u32(&writer, ++channels->reply_consumers_made);
    write_u32(&writer, 0);
    write_u32(&writer, (uint32_t)(channels->store->call.now.wall_ms / 1000));
    CHECK((size_t)(writer.at - process) == sizeof process);
    uint8_t secret[SECRET_BYTES];
    random_secret(&channels->random, secret);
    struct text out = {0};
    base64_encode(&out, bytes_of(process, sizeof process));
    text_add(&out, ".", 1);
    base64_encode(&out, bytes_of(secret, sizeof secret));
    CHECK(out.len == TOKEN_LEN);
    memcpy(token, out.at, TOKEN_LEN);
    token[TOKEN_LEN] = '\0';
    text_free(&out);
}

void reply_to_begin(struct channel *channel, uint32_t id)
{
    struct channels *channels = channel->set;
    struct reply_consumer *consumer = mem_need(sizeof *consumer);
    consumer->channel = channel;
    consumer->id = id;
    make_token(channels, consumer->token);
    map_put(&channels->reply_consumers, bytes_of_text(consumer->token), consumer);
    channel->reply_consumer = consumer;
}

void reply_to_close(struct channel *channel)
{
    struct reply_consumer *consumer = channel->reply_consumer;
    if (!consumer)
        return;
    map_remove(&channel->set->reply_consumers, bytes_of_text(consumer->token));
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

bool reply_to_deliver(struct channels *channels, struct message *message)
{
    struct reply_consumer *consumer = find(channels, message_routing_key(message));
    if (!consumer || consumer->channel->failed)
        return false;
    struct channel *channel = consumer->channel;
    struct event event = channel_event(channel, EVENT_DELIVER);
    event.u.deliver.message = message;
    event.u.deliver.tag = ++channel->delivery_tag;
    event.u.deliver.consumer = consumer->id;
    channel->peer->under_way_bytes += delivery_bytes(message);
    channel->rates.deliver_no_ack++;
    channels->rates.deliver_no_ack++;
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
    char name[sizeof PSEUDO_QUEUE + 1 + TOKEN_LEN];
    struct properties properties;
    struct text encoded = {0};
    if (!channel->reply_consumer) {
        channel_refuse(channel, COMMAND_PUBLISH, STATUS_PRECONDITION_FAILED,
                       "fast reply consumer does not exist");
        return;
    }
    if (properties_decode(message_properties(*message), &properties))
        return; /* cannot happen: reply_to_asked has decoded them */
    memcpy(name, PSEUDO_QUEUE ".", sizeof PSEUDO_QUEUE);
    memcpy(name + sizeof PSEUDO_QUEUE, channel->reply_consumer->token, TOKEN_LEN + 1);
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
