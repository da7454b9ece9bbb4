/* Part of command (command.h): commands that take messages, which are consume, cancel and get. */
#include "broker/command/command.h"

#include <inttypes.h>

#include "broker/channel/reply_to.h"
#include "broker/channel/timeout.h"
#include "broker/command/queue_access.h"
#include "leveret/wire/table.h"

/* Reads an argument that is a number; leaves *out alone when the argument is missing. False after
 * failing the channel: it is not a number. */
static bool read_number(struct channel *channel, const struct command *command,
                        const struct queue *queue, const char *name, int64_t *out)
{
    struct field field;
    if (!table_find(command->u.consume.arguments, name, &field) || field_integer(&field, out))
        return true;
    channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                   "invalid arg '%s' for queue '%.*s' in vhost '%.*s': \"expected integer, got "
                   "%s\"",
                   name, BYTES_PRINT(queue->endpoint.name),
                   BYTES_PRINT(channel->vhost->options.name), field_type_name(field.type));
    return false;
}

/* Reads x-consumer-timeout, in milliseconds; leaves *timeout_ms alone when it is missing. False
 * after failing the channel: it is not a number, or is negative. */
static bool read_timeout(struct channel *channel, const struct command *command,
                         const struct queue *queue, int64_t *timeout_ms)
{
    int64_t given = 0;
    if (!read_number(channel, command, queue, "x-consumer-timeout", &given))
        return false;
    if (given < 0) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "invalid arg 'x-consumer-timeout' for queue '%.*s' in vhost '%.*s': "
                       "{value_negative,%" PRId64 "}",
                       BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(channel->vhost->options.name),
                       given);
        return false;
    }
    struct field field;
    if (table_find(command->u.consume.arguments, "x-consumer-timeout", &field))
        *timeout_ms = given;
    return true;
}

/* Consumers of streams say by arguments where to begin and which messages to leave out. No queue of
 * this broker supports them: fails the channel and returns true when there is one. */
static bool refuse_stream_arguments(struct channel *channel, const struct command *command,
                                    const struct queue *queue)
{
    static const char *const names[] = {"x-stream-offset", "x-stream-filter",
                                        "x-stream-match-unfiltered"};
    struct field field;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!table_find(command->u.consume.arguments, names[i], &field))
            continue;
        struct vhost *vhost = channel->vhost;
        enum status status = queue_settings_refuse_argument(
            names[i], queue->endpoint.name, vhost->options.name,
            (enum queue_type)queue->settings.type, &vhost->store.call.refusal);
        channel_refuse(channel, command->type, status, "%s", vhost->store.call.refusal.text);
        return true;
    }
    return false;
}

/* Consumes from amq.rabbitmq.reply-to. */
static void consume_replies(struct channel *channel, const struct command *command)
{
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
    reply_to_begin(channel, command->u.consume.consumer);
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.consumer = command->u.consume.consumer;
    channel_reply_event(channel, command, &reply, 0);
}

void command_consume(struct channel *channel, const struct command *command)
{
    call_spend(&channel->vhost->store.call,
               WORK_COMMAND + command->u.consume.arguments.len / WORK_ARGUMENT_BYTES);
    if (!command_gate(channel, command))
        return;
    if (reply_to_is_pseudo(command->u.consume.queue)) {
        consume_replies(channel, command);
        return;
    }
    struct queue *queue =
        queue_access_find(channel, command->type, command->u.consume.queue, QUEUE_ACCESS_USE);
    int64_t priority = 0, timeout_ms = -1;
    if (!queue || !read_number(channel, command, queue, "x-priority", &priority) ||
        !read_timeout(channel, command, queue, &timeout_ms) ||
        refuse_stream_arguments(channel, command, queue))
        return;
    if (queue->takers.exclusive ||
        (command->u.consume.exclusive &&
         (queue->takers.count || queue->settings.single_active_consumer))) {
        channel_refuse(channel, command->type, STATUS_ACCESS_REFUSED,
                       "queue '%.*s' in vhost '%.*s' in exclusive use",
                       BYTES_PRINT(queue->endpoint.name),
                       BYTES_PRINT(channel->vhost->options.name));
        return;
    }
    if (consumer_admitted(&channel->vhost->store, command->u.consume.tag,
                          command->u.consume.arguments)) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "%s",
                       channel->vhost->store.call.refusal.text);
        return;
    }
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.consumer = command->u.consume.consumer;
    uint64_t needed = store_needed(&channel->vhost->store);
    struct consumer_options options = {
        .id = command->u.consume.consumer,
        .tag = command->u.consume.tag,
        .arguments = command->u.consume.arguments,
        .no_ack = command->u.consume.no_ack,
        .exclusive = command->u.consume.exclusive,
        .stopped = !command->no_wait && promise_holds(channel, needed),
        .priority = priority,
        .timeout_ms = timeout_ms < 0 ? SETTING_NONE : (uint64_t)timeout_ms,
    };
    if (timeout_ms > 0)
        timeout_consider(&channel->vhost->channels, options.timeout_ms);
    channel_reply_event(channel, command, &reply, needed);
    consumer_new(channel, queue, &options);
}

void command_cancel(struct channel *channel, const struct command *command)
{
    uint32_t id = command->u.cancel.consumer;
    call_spend(&channel->vhost->store.call, WORK_COMMAND);
    struct consumer *consumer = map_get(&channel->consumer_map, bytes_of(&id, sizeof id));
    if (consumer) {
        struct queue *queue = consumer->queue;
        consumer_end(consumer);
        queue_consumer_left(queue);
    } else {
        reply_to_cancel(channel, id);
    }
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.consumer = id;
    channel_reply_event(channel, command, &reply, store_needed(&channel->vhost->store));
}

void command_get(struct channel *channel, const struct command *command)
{
    struct queue *queue =
        queue_access_find(channel, command->type, command->u.get.queue, QUEUE_ACCESS_USE);
    if (!queue)
        return;
    if (queue->settings.type == QUEUE_QUORUM && queue->settings.single_active_consumer) {
        channel_refuse(channel, command->type, STATUS_RESOURCE_LOCKED,
                       "cannot obtain access to locked queue '%.*s' in vhost '%.*s'. basic.get "
                       "operations are not supported by quorum queues with single active consumer",
                       BYTES_PRINT(queue->endpoint.name),
                       BYTES_PRINT(channel->vhost->options.name));
        return;
    }
    queue_get(queue, channel, command->u.get.no_ack);
}
