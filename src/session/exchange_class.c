/* Class exchange (AMQP 0-9-1, 1.6): each method to its command. */
#include "internal.h"

static void declare(struct channel *channel, const struct method *method)
{
    const struct exchange_declare *m = &method->u.exchange_declare;
    if (!m->passive && (!permit(channel, PERMISSION_CONFIGURE, false, m->exchange, method->id) ||
                        !permit_arguments(channel, false, m->exchange, m->arguments, method->id)))
        return;
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .no_wait = m->no_wait};
    c.u.exchange_declare.name = m->exchange;
    c.u.exchange_declare.type = m->type;
    c.u.exchange_declare.arguments = m->arguments;
    c.u.exchange_declare.passive = m->passive;
    c.u.exchange_declare.durable = m->durable;
    c.u.exchange_declare.auto_delete = m->auto_delete;
    c.u.exchange_declare.internal = m->internal;
    channel_command(channel, &c);
}

static void delete_exchange(struct channel *channel, const struct method *method)
{
    const struct exchange_delete *m = &method->u.exchange_delete;
    if (!permit(channel, PERMISSION_CONFIGURE, false, m->exchange, method->id))
        return;
    struct command c = {.type = COMMAND_EXCHANGE_DELETE, .no_wait = m->no_wait};
    c.u.exchange_delete.name = m->exchange;
    c.u.exchange_delete.if_unused = m->if_unused;
    channel_command(channel, &c);
}

static void bind(struct channel *channel, const struct method *method)
{
    /* bind and unbind have the same fields. */
    bool is_bind = method->id == METHOD_EXCHANGE_BIND;
    const struct exchange_bind *b = &method->u.exchange_bind;
    const struct exchange_unbind *u = &method->u.exchange_unbind;
    struct command c = {
        .type = is_bind ? COMMAND_EXCHANGE_BIND : COMMAND_EXCHANGE_UNBIND,
        .no_wait = is_bind ? b->no_wait : u->no_wait,
    };
    c.u.bind.source = is_bind ? b->source : u->source;
    c.u.bind.destination = is_bind ? b->destination : u->destination;
    c.u.bind.routing_key = is_bind ? b->routing_key : u->routing_key;
    c.u.bind.arguments = is_bind ? b->arguments : u->arguments;
    if (permit(channel, PERMISSION_WRITE, false, c.u.bind.destination, method->id) &&
        permit(channel, PERMISSION_READ, false, c.u.bind.source, method->id))
        channel_command(channel, &c);
}

void exchange_class_method(struct channel *channel, const struct method *method)
{
    switch (method->id) {
    case METHOD_EXCHANGE_DECLARE:
        declare(channel, method);
        break;
    case METHOD_EXCHANGE_DELETE:
        delete_exchange(channel, method);
        break;
    case METHOD_EXCHANGE_BIND:
    case METHOD_EXCHANGE_UNBIND:
        bind(channel, method);
        break;
    default:
        session_fail(channel->session, STATUS_COMMAND_INVALID, method->id, "unexpected method");
    }
}
