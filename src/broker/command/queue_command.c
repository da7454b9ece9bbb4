/* Commands on queues: declare, delete, purge; who may use a queue. */
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

#include <inttypes.h>

/* ---- Declaring. */

static void reply_declared(struct channel *channel, const struct command *command,
                           const struct queue *queue)
{
    struct bytes name = queue->endpoint.name;
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.name = name;
    reply.u.reply.messages = (uint32_t)queue->stock.ready;
    reply.u.reply.consumers = queue->consumer_count;
    channel_reply_event(channel, command, &reply, queue->definition_batch);
}

/* The queue of direct replies, or one of its names, is there or not; nobody makes it. */
static void declare_reply_to(struct channel *channel, const struct command *command)
{
    struct bytes name = command->u.queue_declare.name;
    if (!reply_to_is_pseudo(name) && !reply_to_exists(channel->vhost, name)) {
        channel_refuse(channel, command->type, STATUS_NOT_FOUND, "no queue '%.*s' in vhost '%.*s'",
                       BYTES_PRINT(name), BYTES_PRINT(channel->vhost->name));
        return;
    }
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.name = name;
    reply.u.reply.consumers = 1;
    channel_reply_event(channel, command, &reply, 0);
}

static void declare_passive(struct channel *channel, const struct command *command)
{
    struct bytes name = command->u.queue_declare.name;
    struct queue *queue = find_queue(channel, command->type, name, FIND_TO_USE);
    if (!queue)
        return;
    queue_touch(queue); /* to watch it is to use it */
    reply_declared(channel, command, queue);
}

static enum status check_same(struct channel *channel, const struct command *command,
                              const struct queue *queue)
{
    struct equivalence check = {&channel->vhost->refusal, "queue", queue->endpoint.name,
                                channel->vhost->name};
    enum status status =
        equivalent_flag(&check, "durable", command->u.queue_declare.durable, queue->durable);
    if (!status)
        status = equivalent_flag(&check, "auto_delete", command->u.queue_declare.auto_delete,
                                 queue->auto_delete);
    if (!status)
        status =
            queue_settings_equivalent(&check, command->u.queue_declare.arguments, queue->arguments);
    return status;
}

static void declare_again(struct channel *channel, const struct command *command,
                          struct queue *queue)
{
    if (!check_lock(channel, command->type, queue))
        return;
    if (queue->exclusive != command->u.queue_declare.exclusive) {
        channel_refuse(channel, command->type, STATUS_RESOURCE_LOCKED,
                       "cannot obtain exclusive access to locked queue '%.*s' in vhost '%.*s'. It "
                       "could be originally declared on another connection or the exclusive "
                       "property value does not match that of the original declaration.",
                       BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(channel->vhost->name));
        return;
    }
    enum status status = check_same(channel, command, queue);
    if (status) {
        channel_refuse(channel, command->type, status, "%s", channel->vhost->refusal.text);
        return;
    }
    if (queue->failed) {
        fail_unreadable(channel, command->type, queue);
        return;
    }
    queue_touch(queue);
    reply_declared(channel, command, queue);
}

/* Whether a queue of type quorum can be what it is asked to be. */
static enum status check_quorum(const struct command *command, struct bytes vhost,
                                struct refusal *refusal)
{
    const char *property = NULL;
    if (command->u.queue_declare.server_named)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "Cannot declare a server-named queue for type rabbit_quorum_queue");
    if (command->u.queue_declare.auto_delete)
        property = "auto-delete";
    else if (command->u.queue_declare.exclusive)
        property = "exclusive-owner";
    else if (!command->u.queue_declare.durable)
        property = "non-durable";
    if (!property)
        return STATUS_OK;
    return refuse(refusal, STATUS_PRECONDITION_FAILED,
                  "invalid property '%s' for queue '%.*s' in vhost '%.*s'", property,
                  BYTES_PRINT(command->u.queue_declare.name), BYTES_PRINT(vhost));
}

enum status queue_declaration_check(const struct command *command, struct bytes vhost,
                                    struct queue_settings *out, struct refusal *refusal)
{
    enum status status = queue_settings_parse(command->u.queue_declare.arguments,
                                              command->u.queue_declare.name, vhost, out, refusal);
    if (status == STATUS_OK)
        status = queue_settings_allowed(command->u.queue_declare.arguments,
                                        command->u.queue_declare.name, vhost,
                                        (enum queue_type)out->type, refusal);
    return status == STATUS_OK && out->type == QUEUE_QUORUM ? check_quorum(command, vhost, refusal)
                                                            : status;
}

enum status queue_name_check(struct bytes name, bool server_named, struct refusal *refusal)
{
    if (name.len == 0)
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "a queue cannot have an empty name");
    if (bytes_start_with(name, "amq.") && !server_named)
        return refuse(refusal, STATUS_ACCESS_REFUSED,
                      "queue name '%.*s' contains reserved prefix 'amq.*'", BYTES_PRINT(name));
    return STATUS_OK;
}

static void declare_new(struct channel *channel, const struct command *command, struct bytes name)
{
    struct vhost *vhost = channel->vhost;
    struct queue_options options = {
        .name = name,
        .arguments = command->u.queue_declare.arguments,
        .durable = command->u.queue_declare.durable,
        .exclusive = command->u.queue_declare.exclusive,
        .auto_delete = command->u.queue_declare.auto_delete,
        .owner = command->u.queue_declare.exclusive ? channel->peer : NULL,
    };
    struct queue_settings settings;
    enum status status = queue_declaration_check(command, vhost->name, &settings, &vhost->refusal);
    if (status) {
        channel_refuse(channel, command->type, status, "%s", vhost->refusal.text);
        return;
    }
    if (roster_count(&vhost->queue_roster) >= vhost->tuning.queues_max) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "cannot declare queue '%.*s': queue limit in vhost '%.*s' (%" PRIu64
                       ") is reached",
                       BYTES_PRINT(name), BYTES_PRINT(vhost->name), vhost->tuning.queues_max);
        return;
    }
    if (queue_admitted(vhost, &options)) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "%s",
                       vhost->refusal.text);
        return;
    }
    if (options.durable && !options.exclusive)
        options.lane_id = vhost_lane_ids(vhost, settings.max_priority + 1);
    struct queue *queue = queue_new(vhost, &options);
    vhost->counters.queues_created++;
    if (queue->stored)
        vhost_put_queue(queue);
    event_queue(queue, true);
    reply_declared(channel, command, queue);
}

enum queue_type queue_default_type(const struct command *command, enum queue_type by_default)
{
    bool plain = command->u.queue_declare.durable && !command->u.queue_declare.exclusive &&
                 !command->u.queue_declare.auto_delete;
    return plain ? by_default : QUEUE_CLASSIC;
}

void command_queue_declare(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct bytes name = command->u.queue_declare.name;
    vhost_spend(vhost, WORK_COMMAND + command->u.queue_declare.arguments.len / WORK_ARGUMENT_BYTES);
    if (!command_gate(channel, command))
        return;
    if (reply_to_is_pseudo(name) || reply_to_is_name(name)) {
        declare_reply_to(channel, command);
        return;
    }
    if (command->u.queue_declare.passive) {
        declare_passive(channel, command);
        return;
    }
    enum status status =
        queue_name_check(name, command->u.queue_declare.server_named, &vhost->refusal);
    if (status) {
        channel_refuse(channel, command->type, status, "%s", vhost->refusal.text);
        return;
    }
    vhost->counters.queues_declared++;
    struct command typed = *command;
    typed.u.queue_declare.arguments = queue_type_fill(
        command->u.queue_declare.arguments,
        queue_default_type(command, vhost->tuning.default_queue_type), &vhost->typed);
    struct queue *queue = vhost_queue(vhost, name);
    if (queue)
        declare_again(channel, &typed, queue);
    else
        declare_new(channel, &typed, name);
}

/* ---- Deleting, purging. */

static void reply_count(struct channel *channel, const struct command *command, uint64_t messages,
                        uint64_t needed)
{
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.messages = (uint32_t)messages;
    channel_reply_event(channel, command, &reply, needed);
}

void command_queue_delete(struct channel *channel, const struct command *command)
{
    struct queue *queue =
        find_queue(channel, command->type, command->u.queue_delete.name, FIND_TO_DELETE);
    if (!queue) {
        if (!channel->failed)
            reply_count(channel, command, 0, 0);
        return;
    }
    struct bytes name = queue->endpoint.name, vhost_name = channel->vhost->name;
    struct progress *progress = &channel->progress;
    if (!progress->under_way && command->u.queue_delete.if_unused && queue->consumer_count) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "queue '%.*s' in vhost '%.*s' in use", BYTES_PRINT(name),
                       BYTES_PRINT(vhost_name));
        return;
    }
    if (!progress->under_way && command->u.queue_delete.if_empty && queue->stock.ready) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "queue '%.*s' in vhost '%.*s' not empty", BYTES_PRINT(name),
                       BYTES_PRINT(vhost_name));
        return;
    }
    if (!progress->under_way)
        progress->count = queue->stock.ready;
    if (!queue_unhook(queue)) {
        channel_goes_on(channel);
        return;
    }
    uint64_t messages = progress->count;
    queue_delete(queue);
    progress->count = 0;
    reply_count(channel, command, messages, channel_needed(channel));
}

void command_queue_purge(struct channel *channel, const struct command *command)
{
    struct queue *queue =
        find_queue(channel, command->type, command->u.queue_purge.name, FIND_TO_USE);
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    if (!queue)
        return;
    if (!progress->under_way)
        progress->upto = queue->stock.ready;
    uint64_t left = vhost_left(vhost, WORK_DISCARD), due = progress->upto - progress->count;
    uint64_t count = queue_purge(queue, due < left ? due : left);
    progress->count += count;
    if (progress->count < progress->upto && queue->stock.ready) {
        channel_goes_on(channel);
        return;
    }
    uint64_t messages = progress->count;
    *progress = (struct progress){0};
    /* Like an ack: not a promise, so it does not wait for the disk. */
    reply_count(channel, command, messages, 0);
}
