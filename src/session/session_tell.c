/* What a session tells of itself to those who listen to the node's events. While nobody listens no
 * event is made. */
#include "session_tell.h"

#include "leveret/base/mem.h"
#include "leveret/wire/table.h"
#include "session_state.h"
#include "sessions_state.h"

static void announce(const struct session *session, const char *event, struct text *headers)
{
    node_announce(session->sessions->options.node, ANNOUNCE_EVENT, bytes_of_text(event),
                  text_bytes(headers), bytes_of("", 0));
    text_free(headers);
}

static void put_address(const struct session *session, struct text *headers)
{
    const struct connection_address *address = connection_address(session->connection);
    table_put_string(headers, "peer_host", bytes_of_text(address->peer_host));
    table_put_i32(headers, "peer_port", address->peer_port);
    table_put_string(headers, "host", bytes_of_text(address->host));
    table_put_i32(headers, "port", address->port);
    table_put_bool(headers, "ssl", false);
}

void session_tell_login(const struct session *session, const char *user, struct bytes mechanism,
                        bool good)
{
    struct text headers = {0};
    if (!node_watched(session->sessions->options.node))
        return;
    table_put_string(&headers, "name", bytes_of_text(user));
    table_put_string(&headers, "connection_name",
                     bytes_of_text(connection_name(session->connection)));
    table_put_string(&headers, "connection_type", BYTES_LITERAL("network"));
    table_put_string(&headers, "auth_mechanism", mechanism);
    put_address(session, &headers);
    announce(session, good ? "user.authentication.success" : "user.authentication.failure",
             &headers);
}

struct bytes session_tell_given_name(const struct session *session)
{
    struct field name;
    if (table_find(text_bytes(&session->client_properties), "connection_name", &name) &&
        name.type == FIELD_STRING)
        return name.value.bytes;
    return bytes_of("", 0);
}

void session_tell_opened(struct session *session)
{
    struct text headers = {0};
    struct bytes given_name = session_tell_given_name(session);
    const struct field client = {.type = FIELD_TABLE,
                                 .value.bytes = text_bytes(&session->client_properties)};
    if (!node_watched(session->sessions->options.node))
        return;
    const char *name = connection_name(session->connection);
    session->told_name = mem_need_text(name, strlen(name));
    table_put_string(&headers, "name", bytes_of_text(name));
    if (given_name.len)
        table_put_string(&headers, "user_provided_name", given_name);
    table_put_string(&headers, "vhost", bytes_of_text(session->vhost));
    table_put_string(&headers, "user", bytes_of_text(session->user));
    table_put_string(&headers, "auth_mechanism", bytes_of_text(session->mechanism));
    table_put_string(&headers, "protocol", BYTES_LITERAL("AMQP 0-9-1"));
    table_put_i32(&headers, "channel_max", session->channel_max);
    table_put_i64(&headers, "frame_max", session->frame_max);
    table_put_i32(&headers, "timeout", session->heartbeat_s);
    table_put_i64(&headers, "connected_at", (int64_t)session->connected_wall_ms);
    table_put_field(&headers, BYTES_LITERAL("client_properties"), &client);
    put_address(session, &headers);
    announce(session, "connection.created", &headers);
}

void session_tell_closed(const struct session *session)
{
    struct text headers = {0};
    if (!session->told_name || !node_watched(session->sessions->options.node))
        return;
    table_put_string(&headers, "name", bytes_of_text(session->told_name));
    table_put_string(&headers, "vhost", bytes_of_text(session->vhost));
    table_put_string(&headers, "user", bytes_of_text(session->user));
    announce(session, "connection.closed", &headers);
}
