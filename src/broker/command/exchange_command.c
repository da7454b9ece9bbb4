/* Part of command (command.h): commands on exchanges and bindings. The rules for exchanges and
 * bindings are in topology/topology.h; whether the channel may use the queue of a binding is
 * checked here. */
#include "broker/command/command.h"

#include "broker/command/queue_access.h"
#include "broker/publish/history.h"

/* Answers the command, or fails the channel when status is an error. */
static void conclude(struct channel *channel, const struct command *command, enum status status)
{
    call_spend(&channel->vhost->store.call, WORK_COMMAND);
    if (status)
        channel_refuse(channel, command->type, status, "%s",
                       channel->vhost->store.call.refusal.text);
    else
        channel_reply(channel, command);
}

struct exchange_declaration command_exchange_declaration(const struct command *command)
{
    return (struct exchange_declaration){
        .name = command->u.exchange_declare.name,
        .type = command->u.exchange_declare.type,
        .arguments = command->u.exchange_declare.arguments,
        .passive = command->u.exchange_declare.passive,
        .durable = command->u.exchange_declare.durable,
        .auto_delete = command->u.exchange_declare.auto_delete,
        .internal = command->u.exchange_declare.internal,
    };
}

void command_exchange_declare(struct channel *channel, const struct command *command)
{
    const struct exchange_declaration declaration = command_exchange_declaration(command);
    struct vhost *vhost = channel->vhost;
    if (command_gate(channel, command))
        conclude(channel, command,
                 topology_declare(vhost->topology, &declaration, NULL, &vhost->store.call.refusal));
}

void command_exchange_delete(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct bytes name = command->u.exchange_delete.name;
    bool if_unused = command->u.exchange_delete.if_unused && !channel->progress.under_way;
    struct exchange *exchange = topology_exchange(vhost->topology, name);
    enum status status =
        topology_check_delete(vhost->topology, name, if_unused, &vhost->store.call.refusal);
    if (!status && exchange) {
        uint64_t left = call_left(&vhost->store.call, WORK_BINDING);
        uint64_t count = topology_shed(vhost->topology, &exchange->endpoint, left);
        call_spend(&vhost->store.call, count * WORK_BINDING);
        if (count == left) {
            channel_goes_on(channel);
            return;
        }
        status = topology_delete(vhost->topology, name, false, &vhost->store.call.refusal);
    }
    conclude(channel, command, status);
}

/* Reads what a bind or unbind asks for into *out. False after failing the channel: a name or the
 * arguments are malformed, or the queue is locked. */
static bool declaration_of(struct channel *channel, const struct command *command,
                           struct binding_declaration *out)
{
    bool to_queue = command->type == COMMAND_QUEUE_BIND || command->type == COMMAND_QUEUE_UNBIND;
    *out = (struct binding_declaration){
        .source = command->u.bind.source,
        .destination = command->u.bind.destination,
        .routing_key = command->u.bind.routing_key,
        .arguments = command->u.bind.arguments,
        .kind = to_queue ? ENDPOINT_QUEUE : ENDPOINT_EXCHANGE,
    };
    if (!command_gate(channel, command))
        return false;
    if (!to_queue)
        return true;
    struct queue *queue = queues_find(&channel->vhost->queues, out->destination);
    return !queue || queue_access_check(channel, command->type, queue);
}

/* Gives the destination of a new binding the messages in the history of its exchange. False: this
 * was a portion. */
static bool replay(struct channel *channel, const struct binding_declaration *declaration)
{
    struct vhost *vhost = channel->vhost;
    struct exchange *source = topology_exchange(vhost->topology, declaration->source);
    struct queue *queue = queues_find(&vhost->queues, declaration->destination);
    struct exchange *exchange = topology_exchange(vhost->topology, declaration->destination);
    struct endpoint *destination = NULL;
    if (declaration->kind == ENDPOINT_QUEUE && queue)
        destination = &queue->endpoint;
    else if (declaration->kind == ENDPOINT_EXCHANGE && exchange)
        destination = &exchange->endpoint;
    return !source || !source->history || !destination || /* deleted between two portions */
           history_replay(source, destination, &channel->progress);
}

void command_bind(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct binding_declaration declaration;
    enum status status = STATUS_OK;
    call_spend(&vhost->store.call, command->u.bind.arguments.len / WORK_ARGUMENT_BYTES);
    if (!declaration_of(channel, command, &declaration))
        return;
    bool made = channel->progress.under_way;
    if (!made) {
        uint64_t version = topology_version(vhost->topology);
        status = topology_bind(vhost->topology, &declaration, &vhost->store.call.refusal);
        made = topology_version(vhost->topology) != version;
    }
    if (made && !replay(channel, &declaration)) {
        channel_goes_on(channel);
        return;
    }
    channel->progress = (struct progress){0};
    conclude(channel, command, status);
}

void command_unbind(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct binding_declaration declaration;
    if (declaration_of(channel, command, &declaration))
        conclude(channel, command,
                 topology_unbind(vhost->topology, &declaration, &vhost->store.call.refusal));
}

void command_topic_check(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    const struct exchange *exchange =
        topology_exchange(vhost->topology, command->u.topic_check.exchange);
    enum command_type checked = command->u.topic_check.checked;
    call_spend(&vhost->store.call, WORK_COMMAND);
    if (!exchange || !exchange_routes_by_topic(exchange))
        return;
    channel_refuse(channel, checked, STATUS_ACCESS_REFUSED,
                   "%s access to topic '%.*s' in exchange '%.*s' in vhost '%.*s' refused for user "
                   "'%.*s'",
                   checked == COMMAND_PUBLISH ? "write" : "read",
                   BYTES_PRINT(command->u.topic_check.routing_key),
                   BYTES_PRINT(command->u.topic_check.exchange), BYTES_PRINT(vhost->options.name),
                   BYTES_PRINT(command->u.topic_check.user));
}
