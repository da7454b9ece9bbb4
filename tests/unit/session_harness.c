/* The harness, and its stand-in for net/connection. */
#include "session_harness.h"

#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "leveret/wire/frame.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

#define CLIENTS_MAX 4

struct connection {
    struct loop *loop;
    const struct connection_handler *handler;
    void *context;
    struct frame_parser parser;
    struct text input, output, told;
    size_t input_at, output_held;
    struct connection_counters counters;
    bool header_seen, failed, closing, closed;
    unsigned paused;
    uint8_t *reserved;
    struct loop_task resume, close;
};

struct harness {
    struct workers *workers;
    struct loop *loop;
    struct auth *auth;
    struct node *node;
    struct sessions *sessions;
    struct session_options options;
    struct quota sockets;
    struct connection *clients[CLIENTS_MAX];
    unsigned client_count;
    bool watched; /* node_watch was called */
};

/* The harness under test: net/connection's functions have no other way to it. */
static struct harness *current;

/* ---- net/connection, played. */

struct net_worker {
    int unused;
};

struct net_worker *net_worker_new(struct loop *loop, struct account *account)
{
    (void)loop;
    (void)account;
    return mem_need(sizeof(struct net_worker));
}

void net_worker_free(struct net_worker **worker)
{
    free(*worker);
    *worker = NULL;
}

static void hand_out(struct connection *c)
{
    if (!c->header_seen && c->input.len - c->input_at >= PROTOCOL_HEADER_BYTES) {
        c->header_seen = true;
        c->input_at += PROTOCOL_HEADER_BYTES;
        if (!c->handler->opened(c->context, c->input.at + c->input_at - PROTOCOL_HEADER_BYTES)) {
            text_add(&c->output, protocol_header, PROTOCOL_HEADER_BYTES);
            c->failed = true;
            c->handler->failed(c->context, STATUS_CLOSED, "not AMQP 0-9-1");
            return;
        }
    }
    while (c->header_seen && !c->paused && !c->closing && !c->failed) {
        struct bytes input = bytes_of(c->input.at + c->input_at, c->input.len - c->input_at);
        struct frame frame;
        enum status status = frame_next(&c->parser, &input, &frame);
        c->input_at = c->input.len - input.len;
        if (status == STATUS_AGAIN)
            break;
        if (status != STATUS_OK) {
            c->failed = true;
            char text[FRAME_TEXT_ROOM];
            frame_fault_print(&c->parser, &frame, text);
            c->handler->failed(c->context, status, text);
            break;
        }
        if (!c->handler->frame(c->context, &frame, NULL))
            break;
    }
}

static void resume_task(struct loop_task *task)
{
    hand_out(container_of(task, struct connection, resume));
}

static void close_task(struct loop_task *task)
{
    struct connection *c = container_of(task, struct connection, close);
    c->closed = true;
    c->handler->closed(c->context);
}

struct connection *connection_new_tls(struct net_worker *worker, int fd, struct tls *tls,
                                      const struct connection_handler *handler, void *context)
{
    (void)tls;
    return connection_new(worker, fd, handler, context);
}

bool connection_shakes_hands(const struct connection *connection)
{
    (void)connection;
    return false;
}

bool connection_tls(const struct connection *connection, struct tls_facts *out)
{
    (void)connection, (void)out;
    return false;
}

bool connection_peer_name(const struct connection *connection, const struct tls_login_rule *rule,
                          char *out, size_t room)
{
    (void)connection, (void)rule, (void)out, (void)room;
    return false;
}

struct connection *connection_new(struct net_worker *worker, int fd,
                                  const struct connection_handler *handler, void *context)
{
    (void)worker;
    (void)fd;
    CHECK(current->client_count < CLIENTS_MAX);
    struct connection *c = mem_need(sizeof *c);
    c->loop = current->loop;
    c->handler = handler;
    c->context = context;
    c->resume.run = resume_task;
    c->close.run = close_task;
    current->clients[current->client_count++] = c;
    return c;
}

const char *connection_name(const struct connection *connection)
{
    (void)connection;
    return "client -> harness";
}

const struct connection_address *connection_address(const struct connection *connection)
{
    static const struct connection_address address = {"127.0.0.1", "127.0.0.1", 1, 2, true};
    (void)connection;
    return &address;
}

void connection_set_frame_max(struct connection *connection, uint32_t frame_max)
{
    connection->parser.frame_max = frame_max;
}

void connection_set_heartbeat(struct connection *connection, uint16_t interval_s)
{
    (void)connection;
    (void)interval_s;
}

void connection_pause(struct connection *connection, unsigned reason)
{
    connection->paused |= reason;
}

void connection_resume(struct connection *connection, unsigned reason)
{
    connection->paused &= ~reason;
    loop_at_end(connection->loop, PHASE_APPLY, &connection->resume);
}

void connection_watch_end(struct connection *connection, bool on)
{
    (void)connection, (void)on;
}

void connection_slow(struct connection *connection, bool slow)
{
    (void)connection, (void)slow;
}

uint8_t *connection_reserve(struct connection *connection, size_t bytes)
{
    CHECK(bytes <= CONNECTION_RESERVE_MAX && !connection->reserved);
    connection->reserved = mem_need(bytes);
    return connection->reserved;
}

void connection_commit(struct connection *connection, size_t bytes)
{
    if (!connection->closing)
        text_add(&connection->output, connection->reserved, bytes);
    connection->counters.sent_bytes += bytes;
    free(connection->reserved);
    connection->reserved = NULL;
}

void connection_append_message(struct connection *connection, struct message *message,
                               struct bytes bytes)
{
    (void)message;
    if (!connection->closing)
        text_add_bytes(&connection->output, bytes);
}

size_t connection_output_bytes(const struct connection *connection)
{
    return connection->output_held;
}

void net_worker_counters(const struct net_worker *worker, struct connection_counters *out)
{
    (void)worker;
    *out = (struct connection_counters){0};
}

void connection_counters(const struct connection *connection, struct connection_counters *out)
{
    *out = connection->counters;
}

void connection_close(struct connection *connection, uint32_t linger_ms)
{
    (void)linger_ms;
    if (connection->closing)
        return;
    connection->closing = true;
    loop_at_end(connection->loop, PHASE_WRITE, &connection->close);
}

void connection_await_end(struct connection *connection, uint32_t linger_ms)
{
    connection_close(connection, linger_ms);
}

/* ---- The harness. */

struct harness *harness_new(void)
{
    struct harness *h = mem_need(sizeof *h);
    current = h;
    CHECK(workers_new(1, &h->workers) == STATUS_OK);
    h->loop = workers_loop(h->workers, 0);
    static const struct auth_store no_store;
    static const struct auth_options auth_options = {
        .default_user = "guest", .default_pass = "guest", .default_vhost = "/"};
    CHECK(auth_new(&auth_options, &no_store, &h->auth) == STATUS_OK);
    const struct node_options node_options = {.workers = h->workers,
                                              .queues_max = UINT64_MAX,
                                              .exchanges_max = UINT64_MAX,
                                              .writers = 1,
                                              .limits.message_bytes_max = 1 << 20,
                                              .memory_bytes_max = 1u << 30};
    char *error = NULL;
    CHECK(node_new(&node_options, &h->node, &error) == STATUS_OK);
    CHECK(node_add_vhost(h->node, BYTES_LITERAL("/"), &error) == STATUS_OK);
    h->options = (struct session_options){
        .node = h->node,
        .auth = h->auth,
        .product = "Leveret",
        .version = "test",
        .leveret_version = "9.8.7",
        .cluster_name = "test",
        .channel_max = 16,
        .frame_max = 131072,
        .handshake_timeout_ms = 10000,
        .message_bytes_max = 1 << 20,
        .output_bytes_max = 1 << 20,
        .sockets = &h->sockets,
    };
    h->sockets.max = CLIENTS_MAX;
    h->sessions = sessions_new(h->loop, &h->options);
    return h;
}

struct session_options *harness_options(struct harness *harness)
{
    return &harness->options;
}

struct sessions *harness_sessions(struct harness *harness)
{
    return harness->sessions;
}

void harness_settle(struct harness *harness)
{
    /* Letters and tasks that follow from each other take a few turns; each is bounded. */
    for (int i = 0; i < 4; i++) {
        loop_stop(harness->loop);
        loop_run(harness->loop);
    }
}

void harness_free(struct harness **harness)
{
    struct harness *h = *harness;
    for (unsigned i = 0; i < h->client_count; i++)
        harness_break(h, h->clients[i]);
    harness_settle(h);
    sessions_free(&h->sessions);
    node_free(&h->node);
    auth_free(&h->auth);
    for (unsigned i = 0; i < h->client_count; i++) {
        text_free(&h->clients[i]->input);
        text_free(&h->clients[i]->output);
        text_free(&h->clients[i]->told);
        free(h->clients[i]);
    }
    workers_free(&h->workers);
    free(h);
    *harness = NULL;
}

struct connection *harness_connect(struct harness *harness)
{
    unsigned before = harness->client_count;
    CHECK(quota_take(&harness->sockets));
    sessions_accept(harness->sessions, -1, NULL);
    harness_settle(harness);
    CHECK(harness->client_count == before + 1);
    return harness->clients[before];
}

void harness_feed(struct harness *harness, struct connection *client, struct bytes input)
{
    client->counters.received_bytes += input.len;
    text_add_bytes(&client->input, input);
    if (!client->closed)
        loop_at_end(harness->loop, PHASE_APPLY, &client->resume);
    harness_settle(harness);
}

void harness_break(struct harness *harness, struct connection *client)
{
    if (!client->failed && !client->closing) {
        client->failed = true;
        client->handler->failed(client->context, STATUS_CLOSED, "the client is gone");
    } else if (!client->closing) {
        connection_close(client, 0);
    }
    harness_settle(harness);
}

struct text *harness_output(struct connection *client)
{
    return &client->output;
}

bool harness_closed(const struct connection *client)
{
    return client->closed;
}

void harness_hold_output(struct harness *harness, struct connection *client, size_t bytes)
{
    client->output_held = bytes;
    if (bytes == 0)
        client->handler->written(client->context, 1);
    harness_settle(harness);
}

struct auth *harness_auth(struct harness *harness)
{
    return harness->auth;
}

void harness_set_memory_max(struct harness *harness, uint64_t bytes)
{
    node_set_watermarks(harness->node, bytes, 0);
    if (!harness->watched)
        node_watch(harness->node, harness->auth, harness->loop);
    harness->watched = true;
    harness_settle(harness);
}

/* ---- In AMQP's words. */

static void add_frame(struct text *out, enum frame_type type, uint16_t channel,
                      struct bytes payload)
{
    uint8_t *at = text_reserve(out, payload.len + FRAME_OVERHEAD_BYTES);
    frame_put_header(at, type, channel, (uint32_t)payload.len);
    if (payload.len)
        memcpy(at + FRAME_HEADER_BYTES, payload.at, payload.len);
    at[FRAME_HEADER_BYTES + payload.len] = FRAME_END;
    out->len += payload.len + FRAME_OVERHEAD_BYTES;
}

void harness_add_method(struct text *out, uint16_t channel, const struct method *method)
{
    uint8_t payload[4096];
    size_t len = method_encode(method, payload, sizeof payload);
    CHECK(len);
    add_frame(out, FRAME_METHOD, channel, bytes_of(payload, len));
}

void harness_send(struct harness *harness, struct connection *client, uint16_t channel,
                  const struct method *method)
{
    struct text out = {0};
    harness_add_method(&out, channel, method);
    harness_feed(harness, client, text_bytes(&out));
    text_free(&out);
}

void harness_add_content(struct text *out, uint16_t channel, const struct basic_publish *publish,
                         const struct properties *properties, struct bytes body)
{
    struct text header = {0};
    const struct method method = {.id = METHOD_BASIC_PUBLISH, .u.basic_publish = *publish};
    harness_add_method(out, channel, &method);
    struct writer w = writer_of(text_reserve(&header, 12), 12);
    write_u16(&w, CLASS_BASIC);
    write_u16(&w, 0);
    write_u64(&w, body.len);
    header.len = 12;
    properties_encode(properties, &header);
    add_frame(out, FRAME_HEADER, channel, text_bytes(&header));
    if (body.len)
        add_frame(out, FRAME_BODY, channel, body);
    text_free(&header);
}

void harness_add_publish(struct text *out, uint16_t channel, const struct basic_publish *publish,
                         struct bytes body, int delivery_mode)
{
    const struct properties p = {.present = delivery_mode ? PROPERTY_DELIVERY_MODE : 0,
                                 .delivery_mode = (uint8_t)delivery_mode};
    harness_add_content(out, channel, publish, &p, body);
}

void harness_publish(struct harness *harness, struct connection *client, uint16_t channel,
                     const char *exchange, const char *key, const char *body, int delivery_mode)
{
    struct text out = {0};
    const struct basic_publish publish = {
        .exchange = bytes_of_text(exchange), .routing_key = bytes_of_text(key), .mandatory = true};
    harness_add_publish(&out, channel, &publish, bytes_of_text(body), delivery_mode);
    harness_feed(harness, client, text_bytes(&out));
    text_free(&out);
}

void harness_log_in(struct harness *harness, struct connection *client)
{
    harness_log_in_as(harness, client, BYTES_LITERAL("\0guest\0guest"));
}

void harness_log_in_as(struct harness *harness, struct connection *client, struct bytes response)
{
    struct text properties = {0};
    size_t begin = table_begin(&properties, "capabilities");
    table_put_bool(&properties, "consumer_cancel_notify", true);
    table_put_bool(&properties, "authentication_failure_close", true);
    table_put_bool(&properties, "connection.blocked", true);
    table_end(&properties, begin);
    harness_feed(harness, client, bytes_of(protocol_header, PROTOCOL_HEADER_BYTES));
    const struct method start_ok = {
        .id = METHOD_CONNECTION_START_OK,
        .u.connection_start_ok = {.client_properties = text_bytes(&properties),
                                  .mechanism = BYTES_LITERAL("PLAIN"),
                                  .response = response,
                                  .locale = BYTES_LITERAL("en_US")}};
    harness_send(harness, client, 0, &start_ok);
    text_free(&properties);
    const struct method tune_ok = {
        .id = METHOD_CONNECTION_TUNE_OK,
        .u.connection_tune_ok = {.channel_max = 16, .frame_max = 131072}};
    harness_send(harness, client, 0, &tune_ok);
    const struct method open = {.id = METHOD_CONNECTION_OPEN,
                                .u.connection_open = {.virtual_host = BYTES_LITERAL("/")}};
    harness_send(harness, client, 0, &open);
    const struct method channel_open = {.id = METHOD_CHANNEL_OPEN};
    harness_send(harness, client, 1, &channel_open);
}

static void tell_method(struct text *told, uint16_t channel, struct bytes payload)
{
    struct method m;
    CHECK(method_decode(payload, &m) == STATUS_OK);
    text_printf(told, "%u %s", channel, method_name(m.id));
    switch (m.id) {
    case METHOD_CHANNEL_CLOSE:
        text_printf(told, " %u %.*s", m.u.channel_close.reply_code,
                    BYTES_PRINT(m.u.channel_close.reply_text));
        break;
    case METHOD_CONNECTION_CLOSE:
        text_printf(told, " %u %.*s", m.u.connection_close.reply_code,
                    BYTES_PRINT(m.u.connection_close.reply_text));
        break;
    case METHOD_QUEUE_DECLARE_OK:
        text_printf(told, " %.*s %u %u", BYTES_PRINT(m.u.queue_declare_ok.queue),
                    m.u.queue_declare_ok.message_count, m.u.queue_declare_ok.consumer_count);
        break;
    case METHOD_BASIC_DELIVER:
        text_printf(told, " %.*s %llu%s", BYTES_PRINT(m.u.basic_deliver.consumer_tag),
                    (unsigned long long)m.u.basic_deliver.delivery_tag,
                    m.u.basic_deliver.redelivered ? " redelivered" : "");
        break;
    case METHOD_BASIC_RETURN:
        text_printf(told, " %u", m.u.basic_return.reply_code);
        break;
    case METHOD_BASIC_ACK:
        text_printf(told, " %llu%s", (unsigned long long)m.u.basic_ack.delivery_tag,
                    m.u.basic_ack.multiple ? " multiple" : "");
        break;
    case METHOD_BASIC_NACK:
        text_printf(told, " %llu%s", (unsigned long long)m.u.basic_nack.delivery_tag,
                    m.u.basic_nack.multiple ? " multiple" : "");
        break;
    case METHOD_BASIC_CANCEL:
        text_printf(told, " %.*s", BYTES_PRINT(m.u.basic_cancel.consumer_tag));
        break;
    default:
        break;
    }
    text_printf(told, "\n");
}

const char *harness_told(struct connection *client)
{
    struct text *told = &client->told;
    told->len = 0;
    struct bytes output = text_bytes(&client->output);
    struct frame_parser parser = {0};
    struct frame frame;
    while (output.len && frame_next(&parser, &output, &frame) == STATUS_OK) {
        if (frame.type == FRAME_METHOD)
            tell_method(told, frame.channel, frame.payload);
        else if (frame.type == FRAME_BODY)
            text_printf(told, "body %.*s\n", BYTES_PRINT(frame.payload));
        else if (frame.type == FRAME_HEADER)
            text_printf(told, "header\n");
    }
    text_free(&client->output);
    text_add(told, "", 1);
    return (const char *)told->at;
}
