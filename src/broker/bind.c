/* Commands on exchanges and bindings: the rules are in topology.c; what concerns queues and their
 * locks is here. */
#include "core.h"

static void conclude(struct channel *channel, const struct command *command, enum status status)
{
    if (status)
        channel_refuse(channel, command->type, status, "%s", channel->vhost->refusal.text);
    else
        channel_reply(channel, command);
}

void command_exchange_declare(struct channel *channel, const struct command *command)
{
    struct exchange_declaration declaration = {
        .name = command->u.exchange_declare.name,
        .type = command->u.exchange_declare.type,
        .arguments = command->u.exchange_declare.arguments,
        .passive = command->u.exchange_declare.passive,
        .durable = command->u.exchange_declare.durable,
        .auto_delete = command->u.exchange_declare.auto_delete,
        .internal = command->u.exchange_declare.internal,
    };
    struct vhost *vhost = channel->vhost;
    if (command_gate(channel, command))
        conclude(channel, command,
                 topology_declare(vhost->topology, &declaration, NULL, &vhost->refusal));
}

void command_exchange_delete(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    conclude(channel, command,
             topology_delete(vhost->topology, command->u.exchange_delete.name,
                             command->u.exchange_delete.if_unused, &vhost->refusal));
}

/* The declaration of a bind or unbind; false after failing the channel. */
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
    struct queue *queue = vhost_queue(channel->vhost, out->destination);
    return !queue || check_lock(channel, command->type, queue);
}

void command_bind(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct binding_declaration declaration;
    if (declaration_of(channel, command, &declaration))
        conclude(channel, command, topology_bind(vhost->topology, &declaration, &vhost->refusal));
}

void command_unbind(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct binding_declaration declaration;
    if (declaration_of(channel, command, &declaration))
        conclude(channel, command, topology_unbind(vhost->topology, &declaration, &vhost->refusal));
}
