/* Permissions: the rights to configure, write and read a resource, by its name. They are
 * checked before a command is sent, as in RabbitMQ (https://www.rabbitmq.com/access-control.html,
 * the table of operations). */
#include "permit.h"

#include "leveret/wire/table.h"
#include "session_channel.h"
#include "session_state.h"
#include "sessions_state.h"

static bool allowed(const struct session_channel *channel, enum permission permission,
                    struct bytes name)
{
    const struct session *session = channel->session;
    return auth_allowed(session->sessions->options.auth, bytes_of_text(session->user),
                        bytes_of_text(session->vhost), permission, name);
}

/* Fails the channel. The text names the right that is missing, as in RabbitMQ from 4.0 on. */
static void refuse(struct session_channel *channel, enum permission permission, bool queue,
                   struct bytes name, enum method_id method)
{
    static const char *const rights[] = {
        [PERMISSION_CONFIGURE] = "configure",
        [PERMISSION_WRITE] = "write",
        [PERMISSION_READ] = "read",
    };
    const struct session *session = channel->session;
    if (!queue && name.len == 0)
        name = BYTES_LITERAL("amq.default");
    session_channel_fail(channel, STATUS_ACCESS_REFUSED, method,
                         "%s access to %s '%.*s' in vhost '%s' refused for user '%s'",
                         rights[permission], queue ? "queue" : "exchange", BYTES_PRINT(name),
                         session->vhost, session->user);
}

bool permit(struct session_channel *channel, enum permission permission, bool queue,
            struct bytes name, enum method_id method)
{
    if (allowed(channel, permission, name))
        return true;
    refuse(channel, permission, queue, name, method);
    return false;
}

bool permit_any(struct session_channel *channel, bool queue, struct bytes name,
                enum method_id method)
{
    if (allowed(channel, PERMISSION_CONFIGURE, name) || allowed(channel, PERMISSION_WRITE, name) ||
        allowed(channel, PERMISSION_READ, name))
        return true;
    refuse(channel, PERMISSION_CONFIGURE, queue, name, method);
    return false;
}

bool permit_source(struct session_channel *channel, const struct command *command,
                   enum method_id method)
{
    struct bytes exchange = command->u.bind.source;
    /* Nobody may bind to the default exchange: the core refuses the command and says why. */
    return (exchange.len == 0 || permit(channel, PERMISSION_READ, false, exchange, method)) &&
           topics_permit_binding(channel, command);
}

/* Most clients publish to the same exchange again and again: the permission for it is remembered
 * until the directory of users changes. Each message then needs no more than a look at
 * topics.confined (content.c). */
bool permit_publish(struct session_channel *channel, struct bytes exchange)
{
    struct session *session = channel->session;
    struct permit_memory *memory = &session->permit;
    uint64_t version = auth_version(session->sessions->options.auth);
    if (memory->known && memory->version == version &&
        bytes_equal(exchange, bytes_of(memory->exchange, memory->len)))
        return true;
    if (!permit(channel, PERMISSION_WRITE, false, exchange, METHOD_BASIC_PUBLISH))
        return false;
    (void)topics_confine(session);
    memory->known = true;
    memory->version = version;
    memory->len = (uint8_t)exchange.len;
    memcpy(memory->exchange, exchange.at, exchange.len);
    return true;
}

bool permit_arguments(struct session_channel *channel, bool queue, struct bytes name,
                      struct bytes arguments, enum method_id method)
{
    struct field other;
    const char *key = queue ? "x-dead-letter-exchange" : "alternate-exchange";
    if (!table_find(arguments, key, &other) || other.type != FIELD_STRING)
        return true;
    return permit(channel, PERMISSION_READ, queue, name, method) &&
           permit(channel, PERMISSION_WRITE, false, other.value.bytes, method);
}
