/* Topic permissions of a session.
 *
 * Normal course: the directory's answer for an exchange and a routing key is remembered until the
 * directory changes; a key that it does not allow makes the core look at the exchange. What can go
 * wrong: the exchange is a topic exchange: the core fails the channel with 403, and what was to
 * follow is dropped. */
#include "topics.h"

#include <stdlib.h>

#include "leveret/auth/topic_permissions.h"
#include "leveret/base/mem.h"
#include "leveret/broker/publication.h"
#include "leveret/wire/table.h"
#include "session_channel.h"
#include "session_state.h"
#include "sessions_state.h"

/* ---- What the directory has said. */

struct topic_verdict {
    bool allowed;
    size_t key_len;
    uint8_t key[];
};

static void forget(struct topics *topics)
{
    struct topic_verdict *verdict;
    for (size_t at = 0; (verdict = map_next(&topics->verdicts, &at));)
        free(verdict);
    map_free(&topics->verdicts);
}

void topics_free(struct topics *topics)
{
    forget(topics);
}

bool topics_confine(struct session *session)
{
    const struct auth *auth = session->sessions->options.auth;
    struct topics *topics = &session->topics;
    uint64_t version = auth_version(auth);
    if (topics->known && topics->version == version)
        return topics->confined;
    forget(topics);
    topics->confined = auth_has_topic_permissions(auth, bytes_of_text(session->user),
                                                  bytes_of_text(session->vhost));
    topics->known = true;
    topics->version = version;
    return topics->confined;
}

static bool ask(const struct session *session, enum permission permission, struct bytes exchange,
                struct bytes routing_key)
{
    struct topic_use use = {
        .user = bytes_of_text(session->user),
        .vhost = bytes_of_text(session->vhost),
        .exchange = exchange,
        .routing_key = routing_key,
        .permission = permission,
    };
    struct field client_id;
    if (table_find(text_bytes(&session->client_properties), "client_id", &client_id) &&
        client_id.type == FIELD_STRING)
        use.client_id = client_id.value.bytes;
    return auth_topic_allowed(session->sessions->options.auth, &use);
}

static bool allowed(struct session *session, enum permission permission, struct bytes exchange,
                    struct bytes routing_key)
{
    struct topics *topics = &session->topics;
    struct text key = {0};
    /* The length keeps an exchange and a key apart. */
    uint8_t head[2] = {(uint8_t)permission, (uint8_t)exchange.len};
    text_add(&key, head, sizeof head);
    text_add_bytes(&key, exchange);
    text_add_bytes(&key, routing_key);
    struct topic_verdict *verdict = map_get(&topics->verdicts, text_bytes(&key));
    if (!verdict) {
        if (topics->verdicts.count >= TOPIC_VERDICTS_MAX)
            forget(topics);
        verdict = mem_need(sizeof *verdict + key.len);
        memcpy(verdict->key, key.at, key.len);
        verdict->key_len = key.len;
        verdict->allowed = ask(session, permission, exchange, routing_key);
        map_put(&topics->verdicts, bytes_of(verdict->key, verdict->key_len), verdict);
    }
    text_free(&key);
    return verdict->allowed;
}

/* ---- What is done with it. */

/* Has the core refuse the routing key, if the exchange is a topic exchange. Returns false when the
 * channel has failed already, because the vhost's owner is this worker. */
static bool check(struct session_channel *channel, enum command_type checked, struct bytes exchange,
                  struct bytes routing_key)
{
    struct command command = {.type = COMMAND_TOPIC_CHECK, .no_wait = true};
    command.u.topic_check.exchange = exchange;
    command.u.topic_check.routing_key = routing_key;
    command.u.topic_check.user = bytes_of_text(channel->session->user);
    command.u.topic_check.checked = checked;
    session_channel_command(channel, &command);
    return channel->state == CHANNEL_OPEN && channel->session->state == SESSION_RUNNING;
}

bool topics_permit_binding(struct session_channel *channel, const struct command *command)
{
    struct session *session = channel->session;
    struct bytes source = command->u.bind.source, key = command->u.bind.routing_key;
    return !topics_confine(session) || allowed(session, PERMISSION_READ, source, key) ||
           check(channel, command->type, source, key);
}

struct checking {
    struct session_channel *channel;
    struct bytes exchange;
    bool good; /* false: the channel has failed */
};

/* Stops at the first key that the directory does not allow: one refusal is enough. */
static bool check_key(void *context, struct bytes key)
{
    struct checking *c = context;
    if (allowed(c->channel->session, PERMISSION_WRITE, c->exchange, key))
        return true;
    c->good = check(c->channel, COMMAND_PUBLISH, c->exchange, key);
    return false;
}

bool topics_permit_message(struct session_channel *channel, struct message *message)
{
    struct checking checking = {channel, message_exchange(message), true};
    publication_each_key(message, check_key, &checking);
    return checking.good;
}
