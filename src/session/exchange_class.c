/* Class exchange (AMQP 0-9-1, 1.6): each method becomes its command. */
#include "exchange_class.h"

#include "entity_name.h"
#include "permit.h"
#include "session_channel.h"

/* Nobody may declare, delete or bind the default exchange: no permission is asked for, since the
 * core refuses the command and says why. */
static bool is_default(struct bytes name)
{
    return name.len == 0;
}

/* A passive declaration says whether the exchange exists: a user with any right on it may know. */
static bool may_declare(struct session_channel *channel, const struct exchange_declare *m,
                        struct bytes name)
{
    if (m->passive)
        return permit_any(channel, false, name, METHOD_EXCHANGE_DECLARE);
    return permit(channel, PERMISSION_CONFIGURE, false, name, METHOD_EXCHANGE_DECLARE) &&
           permit_arguments(channel, false, name, m->arguments, METHOD_EXCHANGE_DECLARE);
}

static void declare(struct session_channel *channel, const struct method *method)
{
    const struct exchange_declare *m = &method->u.exchange_declare;
    uint8_t room[ENTITY_NAME_ROOM];
    if (!entity_name_check_text(channel, m->exchange))
        return;
    struct bytes name = entity_name_strip(m->exchange, room);
    if (!is_default(name) && !may_declare(channel, m, name))
        return;
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .no_wait = m->no_wait};
    c.u.exchange_declare.name = name;
    c.u.exchange_declare.type = m->type;
    c.u.exchange_declare.arguments = m->arguments;
    c.u.exchange_declare.passive = m->passive;
    c.u.exchange_declare.durable = m->durable;
    c.u.exchange_declare.auto_delete = m->auto_delete;
    c.u.exchange_declare.internal = m->internal;
    session_channel_command(channel, &c);
}

static void delete_exchange(struct session_channel *channel, const struct method *method)
{
    const struct exchange_delete *m = &method->u.exchange_delete;
    uint8_t room[ENTITY_NAME_ROOM];
    struct bytes name = entity_name_strip(m->exchange, room);
    if (!is_default(name) && !bytes_start_with(name, "amq.") &&
        !permit(channel, PERMISSION_CONFIGURE, false, name, method->id))
        return;
    struct command c = {.type = COMMAND_EXCHANGE_DELETE, .no_wait = m->no_wait};
    c.u.exchange_delete.name = name;
    c.u.exchange_delete.if_unused = m->if_unused;
    session_channel_command(channel, &c);
}

static void bind(struct session_channel *channel, const struct method *method)
{
    /* bind and unbind have the same fields. */
    bool is_bind = method->id == METHOD_EXCHANGE_BIND;
    const struct exchange_bind *b = &method->u.exchange_bind;
    const struct exchange_unbind *u = &method->u.exchange_unbind;
    struct command c = {
        .type = is_bind ? COMMAND_EXCHANGE_BIND : COMMAND_EXCHANGE_UNBIND,
        .no_wait = is_bind ? b->no_wait : u->no_wait,
    };
    uint8_t source_room[ENTITY_NAME_ROOM], destination_room[ENTITY_NAME_ROOM];
    c.u.bind.source = entity_name_strip(is_bind ? b->source : u->source, source_room);
    c.u.bind.destination =
        entity_name_strip(is_bind ? b->destination : u->destination, destination_room);
    c.u.bind.routing_key = is_bind ? b->routing_key : u->routing_key;
    c.u.bind.arguments = is_bind ? b->arguments : u->arguments;
    if (permit(channel, PERMISSION_WRITE, false, c.u.bind.destination, method->id) &&
        permit_source(channel, &c, method->id))
        session_channel_command(channel, &c);
}

void exchange_class_method(struct session_channel *channel, const struct method *method)
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
        session_channel_fail_unexpected(channel, method->id);
    }
}
