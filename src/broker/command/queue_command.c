/* Part of command (command.h): commands on queues, which are declare, delete, purge and
 * pause. */
#include "broker/command/command.h"

#include <inttypes.h>

#include "broker/call/equivalent.h"
#include "broker/channel/reply_to.h"
#include "broker/command/queue_access.h"

/* ---- Declaring. */

static void reply_declared(struct channel *channel, const struct command *command,
                           const struct queue *queue)
{
    struct bytes name = queue->endpoint.name;
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.name = name;
    reply.u.reply.messages = (uint32_t)queue->stock.ready;
    reply.u.reply.consumers = queue->takers.count;
    channel_reply_event(channel, command, &reply, queue->definition_batch);
}

/* Answers the declaration of amq.rabbitmq.reply-to or of the name of a reply consumer, which no
 * declaration can make: it exists or not. */
static void declare_reply_to(struct channel *channel, const struct command *command)
{
    struct bytes name = command->u.queue_declare.name;
    if (!reply_to_is_pseudo(name) && !reply_to_exists(&channel->vhost->channels, name)) {
        channel_refuse(channel, command->type, STATUS_NOT_FOUND, "no queue '%.*s' in vhost '%.*s'",
                       BYTES_PRINT(name), BYTES_PRINT(channel->vhost->options.name));
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
    struct queue *queue = queue_access_find(channel, command->type, name, QUEUE_ACCESS_USE);
    if (!queue)
        return;
    queue_touch(queue); /* a passive declaration counts as use: x-expires begins anew */
    reply_declared(channel, command, queue);
}

/* Whether a declaration asks for what the queue is already. Errors: PRECONDITION_FAILED. */
static enum status check_same(struct channel *channel, const struct command *command,
                              const struct queue *queue)
{
    struct equivalence check = {&channel->vhost->store.call.refusal, "queue", queue->endpoint.name,
                                channel->vhost->options.name};
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

/* Answers the declaration of a queue that exists. */
static void declare_again(struct channel *channel, const struct command *command,
                          struct queue *queue)
{
    if (!queue_access_check(channel, command->type, queue))
        return;
    if (queue->exclusive != command->u.queue_declare.exclusive) {
        channel_refuse(channel, command->type, STATUS_RESOURCE_LOCKED,
                       "cannot obtain exclusive access to locked queue '%.*s' in vhost '%.*s'. It "
                       "could be originally declared on another connection or the exclusive "
                       "property value does not match that of the original declaration.",
                       BYTES_PRINT(queue->endpoint.name),
                       BYTES_PRINT(channel->vhost->options.name));
        return;
    }
    enum status status = check_same(channel, command, queue);
    if (status) {
        channel_refuse(channel, command->type, status, "%s",
                       channel->vhost->store.call.refusal.text);
        return;
    }
    if (queue->failed) {
        queue_refuse_unreadable(channel, command->type, queue);
        return;
    }
    queue_touch(queue);
    reply_declared(channel, command, queue);
}

/* Whether a quorum queue can have the name and flags of its declaration. */
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

enum status command_check_queue(const struct command *command, struct bytes vhost,
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

enum status command_check_queue_name(struct bytes name, bool server_named, struct refusal *refusal)
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
    enum status status =
        command_check_queue(command, vhost->options.name, &settings, &vhost->store.call.refusal);
    if (status) {
        channel_refuse(channel, command->type, status, "%s", vhost->store.call.refusal.text);
        return;
    }
    if (roster_count(&vhost->queues.roster) >= vhost->tuning.queues_max) {
        channel_refuse(
            channel, command->type, STATUS_PRECONDITION_FAILED,
            "cannot declare queue '%.*s': queue limit in vhost '%.*s' (%" PRIu64 ") is reached",
            BYTES_PRINT(name), BYTES_PRINT(vhost->options.name), vhost->tuning.queues_max);
        return;
    }
    uint64_t max;
    if (census_queues_full(vhost->queues.census, &max)) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "cannot declare queue '%.*s': queue limit in cluster (%" PRIu64
                       ") is reached",
                       BYTES_PRINT(name), max);
        return;
    }
    if (queue_admitted(&vhost->queues, &options)) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "%s",
                       vhost->store.call.refusal.text);
        return;
    }
    if (options.durable && !options.exclusive)
        options.lane_id = store_lane_ids(&vhost->store, settings.max_priority + 1);
    struct queue *queue = queue_new(&vhost->queues, &options);
    vhost->counters.queues_created++;
    if (queue->stored)
        queue_put(queue);
    queue_announce(queue, true);
    reply_declared(channel, command, queue);
}

enum queue_type command_queue_type(const struct command *command, enum queue_type by_default)
{
    bool plain = command->u.queue_declare.durable && !command->u.queue_declare.exclusive &&
                 !command->u.queue_declare.auto_delete;
    return plain ? by_default : QUEUE_CLASSIC;
}

void command_queue_declare(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct bytes name = command->u.queue_declare.name;
    call_spend(&vhost->store.call,
               WORK_COMMAND + command->u.queue_declare.arguments.len / WORK_ARGUMENT_BYTES);
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
    enum status status = command_check_queue_name(name, command->u.queue_declare.server_named,
                                                  &vhost->store.call.refusal);
    if (status) {
        channel_refuse(channel, command->type, status, "%s", vhost->store.call.refusal.text);
        return;
    }
    vhost->counters.queues_declared++;
    struct command typed = *command;
    typed.u.queue_declare.arguments = queue_type_fill(
        command->u.queue_declare.arguments,
        command_queue_type(command, vhost->tuning.default_queue_type), &vhost->typed);
    struct queue *queue = queues_find(&vhost->queues, name);
    if (queue)
        declare_again(channel, &typed, queue);
    else
        declare_new(channel, &typed, name);
}

/* ---- Deleting, purging, pausing. */

static void reply_count(struct channel *channel, const struct command *command, uint64_t messages,
                        uint64_t needed)
{
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.messages = (uint32_t)messages;
    channel_reply_event(channel, command, &reply, needed);
}

void command_queue_delete(struct channel *channel, const struct command *command)
{
    struct queue *queue = queue_access_find(channel, command->type, command->u.queue_delete.name,
                                            QUEUE_ACCESS_DELETE);
    if (!queue) {
        if (!channel->failed)
            reply_count(channel, command, 0, 0);
        return;
    }
    struct bytes name = queue->endpoint.name, vhost_name = channel->vhost->options.name;
    struct progress *progress = &channel->progress;
    if (!progress->under_way && command->u.queue_delete.if_unused && queue->takers.count) {
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
        queue_access_find(channel, command->type, command->u.queue_purge.name, QUEUE_ACCESS_USE);
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    if (!queue)
        return;
    if (!progress->under_way)
        progress->upto = queue->stock.ready;
    uint64_t left = call_left(&vhost->store.call, WORK_DISCARD),
             due = progress->upto - progress->count;
    uint64_t count = queue_purge(queue, due < left ? due : left);
    progress->count += count;
    if (progress->count < progress->upto && queue->stock.ready) {
        channel_goes_on(channel);
        return;
    }
    uint64_t messages = progress->count;
    *progress = (struct progress){0};
    /* Like an ack, a purge promises nothing: its answer does not wait for the disk. */
    reply_count(channel, command, messages, 0);
}

void command_queue_pause(struct channel *channel, const struct command *command)
{
    struct queue *queue =
        queue_access_find(channel, command->type, command->u.queue_pause.name, QUEUE_ACCESS_USE);
    if (!queue)
        return;
    queue_pause(queue, command->u.queue_pause.paused);
    channel_reply(channel, command);
}
