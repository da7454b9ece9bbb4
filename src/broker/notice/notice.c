/* Notices: see notice.h. */
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

#define EVENT_EXCHANGE "amq.rabbitmq.event"
#define LOG_EXCHANGE   "amq.rabbitmq.log"

/* More than can come of one command; beyond it the newest are dropped. */
#define NOTICES_MAX 4096u

/* ---- Sending. */

void notices_free(struct notices *notices)
{
    for (size_t i = 0; i < notices->count; i++)
        message_unref(&notices->messages[i]);
    free(notices->messages);
    *notices = (struct notices){0};
}

/* Takes the reference. */
static void add(struct vhost *vhost, struct message *message)
{
    struct notices *notices = &vhost->notices;
    if (!message || notices->count == NOTICES_MAX) {
        message_unref(&message);
        return;
    }
    if (notices->count == notices->room) {
        notices->room = notices->room ? notices->room * 2 : 8;
        notices->messages =
            mem_need_array(notices->messages, notices->room, sizeof(struct message *));
    }
    message->has_headers = true;
    notices->messages[notices->count++] = message;
}

bool notices_send(struct vhost *vhost)
{
    struct notices *notices = &vhost->notices;
    size_t routed;
    if (notices->count == 0)
        return false;
    for (size_t i = 0; i < notices->count; i++) {
        publish_internal(vhost, notices->messages[i], &routed);
        message_unref(&notices->messages[i]);
    }
    notices->count = 0;
    return true;
}

static void encode_properties(struct bytes headers, uint8_t delivery_mode, uint64_t timestamp_s,
                              struct text *out)
{
    const struct properties properties = {
        .present = (uint16_t)(PROPERTY_HEADERS |
                              (delivery_mode ? PROPERTY_DELIVERY_MODE | PROPERTY_TIMESTAMP : 0)),
        .headers = headers,
        .delivery_mode = delivery_mode,
        .timestamp = timestamp_s,
    };
    properties_encode(&properties, out);
}

void vhost_announce(struct vhost *vhost, enum announcement announcement, struct bytes key,
                    struct bytes headers, struct bytes body, struct moment now)
{
    static const char *const exchanges[] = {
        [ANNOUNCE_EVENT] = EVENT_EXCHANGE, [ANNOUNCE_LOG] = LOG_EXCHANGE};
    struct text properties = {0};
    vhost->now = now;
    vhost->journalled = false;
    encode_properties(headers, 2, now.wall_ms / 1000, &properties);
    struct message *message =
        message_new(bytes_of_text(exchanges[announcement]), key, text_bytes(&properties), body.len);
    text_free(&properties);
    if (message && message_fill(message, NULL, body.at, body.len))
        message_unref(&message);
    if (message)
        message->persistent = true;
    add(vhost, message);
    vhost_settle_down(vhost);
}

/* ---- The exchanges. */

static void declare(struct vhost *vhost, const char *name)
{
    const struct exchange_declaration declaration = {
        .name = bytes_of_text(name),
        .type = BYTES_LITERAL("topic"),
        .durable = true,
        .internal = true,
    };
    struct exchange *exchange;
    CHECK(topology_restore(vhost->topology, &declaration, &exchange, &vhost->refusal) == STATUS_OK);
    exchange->predeclared = true;
}

void notices_declare(struct vhost *vhost)
{
    declare(vhost, NOTICE_TRACE_EXCHANGE);
    if (!vhost->options.announces)
        return;
    declare(vhost, EVENT_EXCHANGE);
    declare(vhost, LOG_EXCHANGE);
}

static bool listened_to(const struct vhost *vhost, const char *name)
{
    const struct exchange *exchange = topology_exchange(vhost->topology, bytes_of_text(name));
    return exchange && exchange->bindings_from_count > 0;
}

void notices_bound(struct vhost *vhost, const struct binding *binding)
{
    if (bytes_start_with(binding->source->endpoint.name, "amq.rabbitmq."))
        notices_recovered(vhost);
}

void notices_recovered(struct vhost *vhost)
{
    if (!vhost->options.announces || !vhost->options.listened)
        return;
    vhost->options.listened(vhost->options.context, listened_to(vhost, EVENT_EXCHANGE),
                            listened_to(vhost, LOG_EXCHANGE));
}

/* ---- Traces. */

static void put_properties(struct text *out, const struct message *message)
{
    struct properties p;
    if (properties_decode(message_properties(message), &p) != STATUS_OK)
        return;
    const struct {
        enum property bit;
        const char *key;
        struct bytes value;
    } texts[] = {
        {PROPERTY_CONTENT_TYPE, "content_type", p.content_type},
        {PROPERTY_CONTENT_ENCODING, "content_encoding", p.content_encoding},
        {PROPERTY_CORRELATION_ID, "correlation_id", p.correlation_id},
        {PROPERTY_REPLY_TO, "reply_to", p.reply_to},
        {PROPERTY_EXPIRATION, "expiration", p.expiration},
        {PROPERTY_MESSAGE_ID, "message_id", p.message_id},
        {PROPERTY_TYPE, "type", p.type},
        {PROPERTY_USER_ID, "user_id", p.user_id},
        {PROPERTY_APP_ID, "app_id", p.app_id},
        {PROPERTY_CLUSTER_ID, "cluster_id", p.cluster_id},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (p.present & texts[i].bit)
            table_put_string(out, texts[i].key, texts[i].value);
    if (p.present & PROPERTY_HEADERS) {
        const struct field headers = {.type = FIELD_TABLE, .value.bytes = p.headers};
        table_put_field(out, BYTES_LITERAL("headers"), &headers);
    }
    if (p.present & PROPERTY_DELIVERY_MODE)
        table_put_i32(out, "delivery_mode", p.delivery_mode);
    if (p.present & PROPERTY_PRIORITY)
        table_put_i32(out, "priority", p.priority);
    if (p.present & PROPERTY_TIMESTAMP)
        table_put_timestamp(out, "timestamp", p.timestamp);
}

static void put_text(struct text *out, struct bytes value)
{
    const struct field field = {.type = FIELD_STRING, .value.bytes = value};
    array_put_field(out, &field);
}

/* What both kinds of trace say. */
static void put_traced(struct text *headers, const struct channel *channel,
                       const struct message *message)
{
    table_put_string(headers, "exchange_name", message_exchange(message));
    size_t begin = array_begin(headers, "routing_keys");
    put_text(headers, message_routing_key(message));
    array_end(headers, begin);
    begin = table_begin(headers, "properties");
    put_properties(headers, message);
    table_end(headers, begin);
    table_put_string(headers, "node", channel->vhost->options.node_name);
    table_put_string(headers, "vhost", channel->vhost->name);
    table_put_string(headers, "connection", channel->peer->name);
    table_put_i32(headers, "channel", channel->id);
    table_put_string(headers, "user", channel->peer->user);
}

/* The message as a trace: "publish.logs" and the same body. */
static void add_trace(struct vhost *vhost, const struct message *message, const char *what,
                      struct bytes where, const struct text *headers)
{
    struct text key = {0}, properties = {0};
    text_printf(&key, "%s.%.*s", what, BYTES_PRINT(where));
    if (key.len > 255)
        key.len = 255;
    encode_properties(text_bytes(headers), 0, 0, &properties);
    struct message *trace = message_readdressed(message, BYTES_LITERAL(NOTICE_TRACE_EXCHANGE),
                                                text_bytes(&key), text_bytes(&properties));
    if (trace) {
        trace->persistent = false;
        trace->priority = 0;
        trace->ttl_ms = MESSAGE_NO_TTL;
    }
    add(vhost, trace);
    text_free(&key);
    text_free(&properties);
}

static bool is_notice(const struct message *message)
{
    return bytes_start_with(message_exchange(message), "amq.rabbitmq.");
}

void trace_published(struct channel *channel, const struct message *message,
                     const struct route_result *route)
{
    struct text headers = {0};
    if (is_notice(message))
        return;
    put_traced(&headers, channel, message);
    size_t begin = array_begin(&headers, "routed_queues");
    for (size_t i = 0; i < route->count; i++)
        put_text(&headers, route->queues[i]->name);
    array_end(&headers, begin);
    add_trace(channel->vhost, message, "publish", message_exchange(message), &headers);
    text_free(&headers);
}

void trace_delivered(struct channel *channel, const struct queue *queue,
                     const struct message *message, bool redelivered)
{
    struct text headers = {0};
    if (is_notice(message))
        return;
    put_traced(&headers, channel, message);
    table_put_i32(&headers, "redelivered", redelivered);
    add_trace(channel->vhost, message, "deliver", queue->endpoint.name, &headers);
    text_free(&headers);
}
