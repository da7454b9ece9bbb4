/* Class queue (AMQP 0-9-1, 1.7): each method to its command. An empty queue name means the one that
 * this channel declared last, but in a passive declaration, as in RabbitMQ. */
#include "internal.h"

#define SERVER_NAME_PREFIX "amq.gen-"

/* A name for a queue that the client did not name. */
static struct bytes make_name(struct session_channel *channel, uint8_t room[NAME_ROOM])
{
    _Static_assert(sizeof SERVER_NAME_PREFIX + RANDOM_NAME_LEN <= NAME_ROOM, "a name fits");
    memcpy(room, SERVER_NAME_PREFIX, sizeof SERVER_NAME_PREFIX - 1);
    random_name(&channel->session->sessions->random, (char *)room + sizeof SERVER_NAME_PREFIX - 1);
    return bytes_of_text((const char *)room);
}

/* What an empty name will mean from now on. Had the declaration not succeeded, nothing more would
 * be done on the channel. */
static void remember(struct session_channel *channel, struct bytes name)
{
    struct text last = {0};
    text_add_bytes(&last, name); /* which may be the one before */
    text_free(&channel->last_queue);
    channel->last_queue = last;
}

/* A passive declaration tells counts, and whether the queue is there: to whoever has some right on
 * it. The names of direct replies are told to whoever knows them. */
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
    uint8_t room[NAME_ROOM];
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
    /* An exclusive queue goes with its connection: RabbitMQ takes durable for unsaid, clients say
     * it. */
    c.u.queue_declare.durable = m->durable && !m->exclusive;
    c.u.queue_declare.exclusive = m->exclusive;
    c.u.queue_declare.auto_delete = m->auto_delete;
    c.u.queue_declare.server_named = server_named;
    session_channel_command(channel, &c);
}

/* Binds or unbinds, which take the same fields. */
static void change_binding(struct session_channel *channel, enum method_id method,
                           struct command *c)
{
    uint8_t queue_room[NAME_ROOM], exchange_room[NAME_ROOM];
    bool unnamed = c->u.bind.destination.len == 0;
    c->u.bind.source = entity_name_strip(c->u.bind.source, exchange_room);
    c->u.bind.destination = entity_name_strip(c->u.bind.destination, queue_room);
    if (!entity_name_resolve(channel, &c->u.bind.destination, method))
        return;
    /* Both empty: the routing key is the queue's name too (1.7.2.3). */
    if (unnamed && c->u.bind.routing_key.len == 0)
        c->u.bind.routing_key = c->u.bind.destination;
    if (permit(channel, PERMISSION_WRITE, true, c->u.bind.destination, method) &&
        permit_source(channel, c->u.bind.source, method))
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
    uint8_t room[NAME_ROOM];
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
