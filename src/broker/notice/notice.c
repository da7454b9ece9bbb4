/* Notices, traces and events: see notice.h. */
#include "broker/notice/notice.h"

#include "broker/topology/route.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

/* Notices that may wait to be published; further ones are dropped. One command makes fewer. */
#define NOTICES_MAX 4096u

/* ---- Notices that wait to be published. */

void notices_free(struct notices *notices)
{
    for (size_t i = 0; i < notices->count; i++)
        message_unref(&notices->messages[i]);
    free(notices->messages);
    *notices = (struct notices){0};
}

void notice_add(struct notices *notices, struct message *message)
{
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

void notice_properties(struct bytes headers, uint8_t delivery_mode, uint64_t timestamp_s,
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

/* Appends the headers that both kinds of trace have. */
static void put_traced(const struct notices *notices, const struct notice_channel *channel,
                       const struct message *message, struct text *headers)
{
    table_put_string(headers, "exchange_name", message_exchange(message));
    size_t begin = array_begin(headers, "routing_keys");
    put_text(headers, message_routing_key(message));
    array_end(headers, begin);
    begin = table_begin(headers, "properties");
    put_properties(headers, message);
    table_end(headers, begin);
    table_put_string(headers, "node", notices->node_name);
    table_put_string(headers, "vhost", notices->vhost_name);
    table_put_string(headers, "connection", channel->connection);
    table_put_i32(headers, "channel", channel->number);
    table_put_string(headers, "user", channel->user);
}

/* Adds a copy of the message as a trace: the same body, with the routing key "WHAT.WHERE", such as
 * "publish.logs". */
static void add_trace(struct notices *notices, const struct message *message, const char *what,
                      struct bytes where, const struct text *headers)
{
    struct text key = {0}, properties = {0};
    text_printf(&key, "%s.%.*s", what, BYTES_PRINT(where));
    if (key.len > NAME_BYTES_MAX)
        key.len = NAME_BYTES_MAX;
    notice_properties(text_bytes(headers), 0, 0, &properties);
    struct message *trace = message_readdressed(message, BYTES_LITERAL(NOTICE_TRACE_EXCHANGE),
                                                text_bytes(&key), text_bytes(&properties));
    if (trace) {
        trace->persistent = false;
        trace->priority = 0;
        trace->ttl_ms = MESSAGE_NO_TTL;
    }
    notice_add(notices, trace);
    text_free(&key);
    text_free(&properties);
}

static bool is_notice(const struct message *message)
{
    return bytes_start_with(message_exchange(message), "amq.rabbitmq.");
}

void notice_trace_published(struct notices *notices, const struct notice_channel *channel,
                            const struct message *message, const struct route_result *route)
{
    struct text headers = {0};
    if (is_notice(message))
        return;
    put_traced(notices, channel, message, &headers);
    size_t begin = array_begin(&headers, "routed_queues");
    for (size_t i = 0; i < route->count; i++)
        put_text(&headers, route->queues[i]->name);
    array_end(&headers, begin);
    add_trace(notices, message, "publish", message_exchange(message), &headers);
    text_free(&headers);
}

void notice_trace_delivered(struct notices *notices, const struct notice_channel *channel,
                            struct bytes queue, const struct message *message, bool redelivered)
{
    struct text headers = {0};
    if (is_notice(message))
        return;
    put_traced(notices, channel, message, &headers);
    table_put_i32(&headers, "redelivered", redelivered);
    add_trace(notices, message, "deliver", queue, &headers);
    text_free(&headers);
}

/* ---- Events. */

void notice_tell(const struct notices *notices, const char *event, struct text *headers)
{
    if (notices->watched)
        notices->told(notices->context, event, text_bytes(headers));
    text_free(headers);
}

void notice_put_arguments(struct text *out, struct bytes arguments)
{
    const struct field field = {.type = FIELD_TABLE, .value.bytes = arguments};
    table_put_field(out, BYTES_LITERAL("arguments"), &field);
}
