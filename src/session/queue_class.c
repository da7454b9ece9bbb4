/* Class queue (AMQP 0-9-1, 1.7): each method to its command. An empty queue name means the one that
 * this channel declared last. */
#include "internal.h"

/* Resolves an empty name. False: there is none, and the channel has been failed. */
static bool resolve(struct channel *channel, struct bytes *name, enum method_id method)
{
    if (name->len)
        return true;
    *name = text_bytes(&channel->last_queue);
    if (name->len)
        return true;
    channel_error(channel, STATUS_NOT_FOUND, method, "no previously declared queue");
    return false;
}

static void declare(struct channel *channel, const struct method *method)
{
    const struct queue_declare *m = &method->u.queue_declare;
    struct bytes name = m->queue;
    if (!m->passive && (!permit(channel, PERMISSION_CONFIGURE, true,
                                name.len ? name : BYTES_LITERAL("amq.gen-"), method->id) ||
                        !permit_arguments(channel, true, name, m->arguments, method->id)))
        return;
    struct command c = {.type = COMMAND_QUEUE_DECLARE, .no_wait = m->no_wait};
    c.u.queue_declare.name = name;
    c.u.queue_declare.arguments = m->arguments;
    c.u.queue_declare.passive = m->passive;
    /* An exclusive queue goes with its connection: RabbitMQ takes durable for unsaid, clients say
     * it. */
    c.u.queue_declare.durable = m->durable && !m->exclusive;
    c.u.queue_declare.exclusive = m->exclusive;
    c.u.queue_declare.auto_delete = m->auto_delete;
    if (m->no_wait && name.len) {
        /* No answer will tell the name. */
        struct text last = {0};
        text_add_bytes(&last, name);
        text_free(&channel->last_queue);
        channel->last_queue = last;
        c.u.queue_declare.name = text_bytes(&channel->last_queue);
    }
    channel_command(channel, &c);
}

static void bind(struct channel *channel, const struct method *method)
{
    const struct queue_bind *m = &method->u.queue_bind;
    struct bytes queue = m->queue, routing_key = m->routing_key;
    if (!resolve(channel, &queue, method->id))
        return;
    /* Both empty: the routing key is the queue's name too (1.7.2.3). */
    if (m->queue.len == 0 && m->routing_key.len == 0)
        routing_key = queue;
    struct command c = {.type = COMMAND_QUEUE_BIND, .no_wait = m->no_wait};
    c.u.bind.source = m->exchange;
    c.u.bind.destination = queue;
    c.u.bind.routing_key = routing_key;
    c.u.bind.arguments = m->arguments;
    if (permit(channel, PERMISSION_WRITE, true, queue, method->id) &&
        permit(channel, PERMISSION_READ, false, m->exchange, method->id))
        channel_command(channel, &c);
}

static void unbind(struct channel *channel, const struct method *method)
{
    const struct queue_unbind *m = &method->u.queue_unbind;
    struct bytes queue = m->queue;
    if (!resolve(channel, &queue, method->id))
        return;
    struct command c = {.type = COMMAND_QUEUE_UNBIND};
    c.u.bind.source = m->exchange;
    c.u.bind.destination = queue;
    c.u.bind.routing_key = m->queue.len == 0 && m->routing_key.len == 0 ? queue : m->routing_key;
    c.u.bind.arguments = m->arguments;
    if (permit(channel, PERMISSION_WRITE, true, queue, method->id) &&
        permit(channel, PERMISSION_READ, false, m->exchange, method->id))
        channel_command(channel, &c);
}

static void purge(struct channel *channel, const struct method *method)
{
    struct bytes queue = method->u.queue_purge.queue;
    if (!resolve(channel, &queue, method->id) ||
        !permit(channel, PERMISSION_READ, true, queue, method->id))
        return;
    struct command c = {.type = COMMAND_QUEUE_PURGE, .no_wait = method->u.queue_purge.no_wait};
    c.u.queue_purge.name = queue;
    channel_command(channel, &c);
}

static void delete_queue(struct channel *channel, const struct method *method)
{
    const struct queue_delete *m = &method->u.queue_delete;
    struct bytes queue = m->queue;
    if (!resolve(channel, &queue, method->id) ||
        !permit(channel, PERMISSION_CONFIGURE, true, queue, method->id))
        return;
    struct command c = {.type = COMMAND_QUEUE_DELETE, .no_wait = m->no_wait};
    c.u.queue_delete.name = queue;
    c.u.queue_delete.if_unused = m->if_unused;
    c.u.queue_delete.if_empty = m->if_empty;
    channel_command(channel, &c);
}

void queue_class_method(struct channel *channel, const struct method *method)
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
        session_fail(channel->session, STATUS_COMMAND_INVALID, method->id, "unexpected method");
    }
}
