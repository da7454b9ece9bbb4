/* Class queue (AMQP 0-9-1, 1.7): each method becomes its command. An empty queue name stands for
 * the queue that this channel declared last, except in a passive declaration, as in RabbitMQ. */
#include "queue_class.h"

#include "entity_name.h"
#include "leveret/base/random.h"
#include "permit.h"
#include "session_channel.h"
#include "session_state.h"
#include "sessions_state.h"

#define SERVER_NAME_PREFIX "amq.gen-"

/* Makes up a name for a queue that the client did not name. */
static struct bytes make_name(struct session_channel *channel, uint8_t room[ENTITY_NAME_ROOM])
{
    _Static_assert(sizeof SERVER_NAME_PREFIX + RANDOM_NAME_LEN <= ENTITY_NAME_ROOM, "a name fits");
    memcpy(room, SERVER_NAME_PREFIX, sizeof SERVER_NAME_PREFIX - 1);
    random_name(&channel->session->sessions->random, (char *)room + sizeof SERVER_NAME_PREFIX - 1);
    return bytes_of_text((const char *)room);
}

/* From now on an empty name stands for this one. The declaration has not succeeded yet, but when it
 * fails the channel is closed and no name is asked for any more. */
static void remember(struct session_channel *channel, struct bytes name)
{
    struct text last = {0};
    text_add_bytes(&last, name); /* name may be a view of last_queue */
    text_free(&channel->last_queue);
    channel->last_queue = last;
}

/* A passive declaration says whether the queue exists and how much it holds: a user with any right
 * on it may know. A queue of direct replies needs no right: its name is the secret. */
static bool may_declare(struct session_channel *channel, const struct queue_declare *m,
                        struct bytes name)
{
    if (!m->passive)
        return permit(channel, PERMISSION_CONFIGURE, true, name, METHOD_QUEUE_DECLARE) &&
               permit_arguments(channel, true, name, m->arguments, METHOD_QUEUE_DECLARE);
    return name.len == 0 || bytes_start_with(name, REPLY_TO_QUEUE) ||
           permit_any(channel, true, name, METHOD_QUEUE_DECLARE);
}

static void declare(struct session_channel *channel, const struct method *method)
{
    const struct queue_declare *m = &method->u.queue_declare;
    uint8_t room[ENTITY_NAME_ROOM];
    if (!entity_name_check_text(channel, m->queue))
        return;
    struct bytes name = entity_name_strip(m->queue, room);
    bool server_named = name.len == 0 && !m->passive;
    if (server_named)
        name = make_name(channel, room);
    if (!may_declare(channel, m, name))
        return;
    remember(channel, name);
    struct command c = {.type = COMMAND_QUEUE_DECLARE, .no_wait = m->no_wait};
    c.u.queue_declare.name = text_bytes(&channel->last_queue);
    c.u.queue_declare.arguments = m->arguments;
    c.u.queue_declare.passive = m->passive;
    /* An exclusive queue ends with its connection. Clients declare such queues durable all the
     * same; RabbitMQ passes over that. */
    c.u.queue_declare.durable = m->durable && !m->exclusive;
    c.u.queue_declare.exclusive = m->exclusive;
    c.u.queue_declare.auto_delete = m->auto_delete;
    c.u.queue_declare.server_named = server_named;
    session_channel_command(channel, &c);
}

/* queue.bind and queue.unbind, whose commands have the same fields. */
static void change_binding(struct session_channel *channel, enum method_id method,
                           struct command *c)
{
    uint8_t queue_room[ENTITY_NAME_ROOM], exchange_room[ENTITY_NAME_ROOM];
    bool unnamed = c->u.bind.destination.len == 0;
    c->u.bind.source = entity_name_strip(c->u.bind.source, exchange_room);
    c->u.bind.destination = entity_name_strip(c->u.bind.destination, queue_room);
    if (!entity_name_resolve(channel, &c->u.bind.destination, method))
        return;
    /* When both are empty, the routing key is the name of the queue, too (1.7.2.3). */
    if (unnamed && c->u.bind.routing_key.len == 0)
        c->u.bind.routing_key = c->u.bind.destination;
    if (permit(channel, PERMISSION_WRITE, true, c->u.bind.destination, method) &&
        permit_source(channel, c, method))
        session_channel_command(channel, c);
}

static void bind(struct session_channel *channel, const struct method *method)
{
    const struct queue_bind *m = &method->u.queue_bind;
    struct command c = {.type = COMMAND_QUEUE_BIND, .no_wait = m->no_wait};
    c.u.bind.source = m->exchange;
    c.u.bind.destination = m->queue;
    c.u.bind.routing_key = m->routing_key;
    c.u.bind.arguments = m->arguments;
    change_binding(channel, method->id, &c);
}

static void unbind(struct session_channel *channel, const struct method *method)
{
    const struct queue_unbind *m = &method->u.queue_unbind;
    struct command c = {.type = COMMAND_QUEUE_UNBIND};
    c.u.bind.source = m->exchange;
    c.u.bind.destination = m->queue;
    c.u.bind.routing_key = m->routing_key;
    c.u.bind.arguments = m->arguments;
    change_binding(channel, method->id, &c);
}

static void purge(struct session_channel *channel, const struct method *method)
{
    struct bytes queue = method->u.queue_purge.queue;
    if (!entity_name_resolve(channel, &queue, method->id) ||
        !permit(channel, PERMISSION_READ, true, queue, method->id))
        return;
    struct command c = {.type = COMMAND_QUEUE_PURGE, .no_wait = method->u.queue_purge.no_wait};
    c.u.queue_purge.name = queue;
    session_channel_command(channel, &c);
}

static void delete_queue(struct session_channel *channel, const struct method *method)
{
    const struct queue_delete *m = &method->u.queue_delete;
    uint8_t room[ENTITY_NAME_ROOM];
    struct bytes queue = entity_name_strip(m->queue, room);
    if (!entity_name_resolve(channel, &queue, method->id) ||
        !permit(channel, PERMISSION_CONFIGURE, true, queue, method->id))
        return;
    struct command c = {.type = COMMAND_QUEUE_DELETE, .no_wait = m->no_wait};
    c.u.queue_delete.name = queue;
    c.u.queue_delete.if_unused = m->if_unused;
    c.u.queue_delete.if_empty = m->if_empty;
    session_channel_command(channel, &c);
}

void queue_class_method(struct session_channel *channel, const struct method *method)
{
    switch (method->id) {
    case METHOD_QUEUE_DECLARE:
        declare(channel, method);
        break;
    case METHOD_QUEUE_BIND:
        bind(channel, method);
        break;
    case METHOD_QUEUE_UNBIND:
        unbind(channel, method);
        break;
    case METHOD_QUEUE_PURGE:
        purge(channel, method);
        break;
    case METHOD_QUEUE_DELETE:
        delete_queue(channel, method);
        break;
    default:
        session_channel_fail_unexpected(channel, method->id);
    }
}
