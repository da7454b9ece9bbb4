/* The handshake (AMQP 0-9-1, 2.2.4 and 1.4).
 *
 * Normal course: protocol header → start → start-ok (log-in) → tune → tune-ok → open → open-ok.
 * What can go wrong: an unknown mechanism (503); a refused log-in (403, or silence for clients that
 * do not expect it); limits out of bounds, an unknown or forbidden vhost (530); a method out of
 * order (503); the handshake takes too long (session.c). */
#include "handshake.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "entrance.h"
#include "gate.h"
#include "leveret/auth/parameters.h"
#include "leveret/base/identity.h"
#include "leveret/base/mem.h"
#include "leveret/wire/table.h"
#include "session_event.h"
#include "session_state.h"
#include "session_tell.h"
#include "sessions_state.h"

#define PROTOCOL_MAJOR 0
#define PROTOCOL_MINOR 9
#define LOCALE         "en_US"

/* Milliseconds between a refused log-in and the end of the socket, for a client that cannot be told
 * why: it waits so long before it can try again. */
#define REFUSED_DELAY_MS 1000u

static const char *const capabilities[] = {
    "publisher_confirms",           "exchange_exchange_bindings", "basic.nack",
    "consumer_cancel_notify",       "connection.blocked",         "consumer_priorities",
    "authentication_failure_close", "per_consumer_qos",           "direct_reply_to",
};

static void put_server_properties(const struct session_options *options, struct text *out)
{
    size_t begin = table_begin(out, "capabilities");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        table_put_bool(out, capabilities[i], true);
    table_end(out, begin);
    char named[CLUSTER_NAME_BYTES_MAX + 1];
    const char *cluster = auth_cluster_name(options->auth, named) ? named : options->cluster_name;
    table_put_string(out, "cluster_name", bytes_of_text(cluster));
    table_put_string(out, "copyright", BYTES_LITERAL("Copyright the authors of Leveret"));
    char self[128], information[160];
    snprintf(self, sizeof self, PRODUCT_NAME " %s", options->leveret_version);
    snprintf(information, sizeof information, "%s, an AMQP 0-9-1 broker", self);
    table_put_string(out, "information", bytes_of_text(information));
    table_put_string(out, "leveret_version", bytes_of_text(options->leveret_version));
    table_put_string(out, "platform", bytes_of_text(self));
    table_put_string(out, "product", bytes_of_text(options->product));
    table_put_string(out, "version", bytes_of_text(options->version));
}

/* The server's properties. They are made anew after the directory has changed, which holds the name
 * of the cluster. */
static struct bytes server_properties(struct sessions *sessions)
{
    uint64_t version = auth_version(sessions->options.auth);
    if (version != sessions->properties_version || !sessions->server_properties.len) {
        sessions->server_properties.len = 0;
        put_server_properties(&sessions->options, &sessions->server_properties);
        sessions->properties_version = version;
    }
    return text_bytes(&sessions->server_properties);
}

/* The user whom the client's certificate names; "" when it has none that is good. */
static void certified_name(const struct session *session, char name[AUTH_NAME_MAX + 1])
{
    if (!connection_peer_name(session->connection, &session->sessions->options.external, name,
                              AUTH_NAME_MAX + 1))
        name[0] = '\0';
}

void handshake_begin(struct session *session)
{
    struct sessions *sessions = session->sessions;
    char name[AUTH_NAME_MAX + 1];
    certified_name(session, name);
    const struct method m = {
        .id = METHOD_CONNECTION_START,
        .u.connection_start = {
            .version_major = PROTOCOL_MAJOR,
            .version_minor = PROTOCOL_MINOR,
            .server_properties = server_properties(sessions),
            .mechanisms = bytes_of_text(auth_mechanisms(sessions->options.auth, name[0] != '\0')),
            .locales = BYTES_LITERAL(LOCALE),
        }};
    session_send(session, 0, &m);
    session->state = SESSION_STARTING;
}

static bool has_capability(struct bytes client_properties, const char *name)
{
    struct field table, value;
    return table_find(client_properties, "capabilities", &table) && table.type == FIELD_TABLE &&
           table_find(table.value.bytes, name, &value) && value.type == FIELD_BOOL &&
           value.value.integer;
}

void handshake_refuse(struct session *session)
{
    if (session->can_failure_close) {
        session_fail(session, STATUS_ACCESS_REFUSED, 0,
                     "Login was refused using authentication mechanism %s. For details see the "
                     "broker logfile.",
                     session->mechanism);
        return;
    }
    session->state = SESSION_REFUSED;
    timer_set(session->timer, REFUSED_DELAY_MS);
}

/* Refuses a log-in: now, or later when auth wants the answer delayed. */
static void refuse(struct session *session, enum status status, const struct login *login)
{
    if (login->tell)
        log_line(session->sessions->options.log, LOG_WARNING, "connection",
                 "%s user=%s: log-in with mechanism %s refused%s",
                 connection_name(session->connection), login->user, session->mechanism,
                 status == STATUS_MALFORMED ? ": the response is malformed" : "");
    if (login->late_ms) {
        session->state = SESSION_LATE;
        timer_set(session->timer, login->late_ms);
    } else {
        handshake_refuse(session);
    }
}

static void start_ok(struct session *session, const struct method *method)
{
    const struct connection_start_ok *m = &method->u.connection_start_ok;
    const struct session_options *options = &session->sessions->options;
    text_add_bytes(&session->client_properties, m->client_properties);
    account_add(session->sessions->memory.account, ACCOUNT_CONNECTIONS,
                (int64_t)session->client_properties.room);
    session->can_blocked = has_capability(m->client_properties, "connection.blocked");
    session->can_cancel_notify = has_capability(m->client_properties, "consumer_cancel_notify");
    session->can_failure_close =
        has_capability(m->client_properties, "authentication_failure_close");
    session->mechanism = mem_need_text(m->mechanism.at, m->mechanism.len);

    const struct connection_address *address = connection_address(session->connection);
    char name[AUTH_NAME_MAX + 1];
    certified_name(session, name);
    const struct login_peer peer = {ATTEMPT_AMQP, address->peer_host, address->loopback,
                                    loop_now_ms(session->sessions->loop), name};
    struct login login;
    enum status status = auth_login(options->auth, m->mechanism, m->response, &peer, &login);
    if (status == STATUS_NOT_IMPLEMENTED) {
        session_fail(session, STATUS_COMMAND_INVALID, method->id,
                     "unknown authentication mechanism '%.*s'", BYTES_PRINT(m->mechanism));
        return;
    }
    session_tell_login(session, login.user, m->mechanism, status == STATUS_OK);
    if (status != STATUS_OK) {
        refuse(session, status, &login);
        return;
    }
    session->user = mem_need_text(login.user, strlen(login.user));
    const struct method tune = {.id = METHOD_CONNECTION_TUNE,
                                .u.connection_tune = {.channel_max = options->channel_max,
                                                      .frame_max = options->frame_max,
                                                      .heartbeat = options->heartbeat_s}};
    session_send(session, 0, &tune);
    /* Until tune-ok comes these are the limits that were offered: the options may change before
     * that. */
    session->frame_max = options->frame_max;
    session->channel_max = options->channel_max;
    session->state = SESSION_TUNING;
}

/* Whether the limit that the client wishes is within the one that was offered. 0 means that there
 * is no limit. */
static bool within(uint32_t wished, uint32_t offered)
{
    return offered == 0 || (wished != 0 && wished <= offered);
}

static void tune_ok(struct session *session, const struct method *method)
{
    const struct connection_tune_ok *m = &method->u.connection_tune_ok;
    if (m->frame_max != 0 && m->frame_max < FRAME_MAX_MIN) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "negotiated frame_max = %u is lower than the minimum allowed value (%u)",
                     m->frame_max, FRAME_MAX_MIN);
        return;
    }
    if (!within(m->frame_max, session->frame_max)) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "negotiated frame_max = %u is higher than the maximum allowed value (%u)",
                     m->frame_max, session->frame_max);
        return;
    }
    if (!within(m->channel_max, session->channel_max)) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "negotiated channel_max = %u is higher than the maximum allowed value (%u)",
                     m->channel_max, session->channel_max);
        return;
    }
    session->frame_max = m->frame_max;
    session->channel_max = m->channel_max;
    session->heartbeat_s = m->heartbeat;
    connection_set_frame_max(session->connection, m->frame_max);
    connection_set_heartbeat(session->connection, m->heartbeat);
    session->state = SESSION_TUNED;
}

/* Returns false when the vhost or the user has as many connections as it may: then the session has
 * been failed. */
static bool take_seat(struct session *session, const struct method *method, struct bytes vhost)
{
    enum limited reached;
    int64_t max;
    if (seat_take(session->sessions->options.auth, bytes_of_text(session->user), vhost,
                  &session->seat, &reached, &max) == STATUS_OK)
        return true;
    if (reached == LIMITED_NODE)
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "connection refused: node connection limit (%" PRId64 ") is reached", max);
    else if (reached == LIMITED_VHOST)
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "access to vhost '%.*s' refused for user '%s': connection limit (%" PRId64
                     ") is reached",
                     BYTES_PRINT(vhost), session->user, max);
    else
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "Connection refused for user '%s': user connection limit (%" PRId64
                     ") is reached",
                     session->user, max);
    return false;
}

static void open_vhost(struct session *session, const struct method *method)
{
    struct bytes vhost = method->u.connection_open.virtual_host;
    const struct session_options *options = &session->sessions->options;
    struct bytes user = bytes_of_text(session->user);
    if (!auth_vhost_exists(options->auth, vhost)) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id, "vhost %.*s not found",
                     BYTES_PRINT(vhost));
        return;
    }
    if (!auth_may_open(options->auth, user, vhost)) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id,
                     "access to vhost '%.*s' refused for user '%s'", BYTES_PRINT(vhost),
                     session->user);
        return;
    }
    if (!take_seat(session, method, vhost))
        return;
    session->vhost = mem_need_text(vhost.at, vhost.len);
    const struct link_options link_options = {
        .loop = session->sessions->loop,
        .event = session_event,
        .hold = gate_hold,
        .context = session,
        .name = bytes_of_text(connection_name(session->connection)),
        .user = user,
        .notify_cancel = session->can_cancel_notify,
    };
    enum status status = link_open(options->node, vhost, &link_options, &session->link);
    if (status == STATUS_INTERNAL_ERROR) {
        session_fail(session, status, method->id, "vhost '%.*s' is down", BYTES_PRINT(vhost));
        return;
    }
    if (status != STATUS_OK) {
        session_fail(session, STATUS_NOT_ALLOWED, method->id, "vhost %.*s not found",
                     BYTES_PRINT(vhost));
        return;
    }
    timer_clear(session->timer);
    entrance_leave(session);
    session->gate = link_gate(session->link);
    session->state = SESSION_RUNNING;
    const struct method ok = {.id = METHOD_CONNECTION_OPEN_OK};
    session_send(session, 0, &ok);
    session_tell_opened(session);
    struct bytes given_name = session_tell_given_name(session);
    log_line(options->log, LOG_INFO, "connection", "%s user=%s vhost=%s%s%.*s: open",
             connection_name(session->connection), session->user, session->vhost,
             given_name.len ? " name=" : "", BYTES_PRINT(given_name));
}

/* Which method may come in which state, and the function that takes it. */
static const struct handshake_step {
    enum method_id method;
    enum session_state state;
    void (*take)(struct session *session, const struct method *method);
} steps[] = {
    {METHOD_CONNECTION_START_OK, SESSION_STARTING, start_ok},
    {METHOD_CONNECTION_TUNE_OK, SESSION_TUNING, tune_ok},
    {METHOD_CONNECTION_OPEN, SESSION_TUNED, open_vhost},
};

void handshake_method(struct session *session, const struct method *method)
{
    if (session->state == SESSION_REFUSED || session->state == SESSION_LATE)
        return;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].method == method->id && steps[i].state == session->state) {
            steps[i].take(session, method);
            return;
        }
    }
    if (session->state == SESSION_RUNNING)
        session_fail(session, STATUS_CHANNEL_ERROR, method->id,
                     "unexpected method in connection state running");
    else
        session_fail(session, STATUS_COMMAND_INVALID, method->id, "%s is not expected now",
                     method_name(method->id));
}
