/* Scenarios through rabbitmq-c: client_c NAME; what the broker is comes from AMQP_HOST, AMQP_PORT,
 * AMQP_PREFIX. Exit code 0: as expected; otherwise why is on stderr. */
#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define FRAME_MAX 131072

static amqp_connection_state_t conn;

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail("line %d: not so: %s", __LINE__, #condition);                                     \
    } while (0)

static amqp_bytes_t b(const char *text)
{
    return amqp_cstring_bytes(text);
}

/* A name of this run, in one of a few static buffers. */
static amqp_bytes_t name(const char *stem)
{
    static char texts[8][200];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof texts[0], "%s.%s", getenv("AMQP_PREFIX"), stem);
    return b(text);
}

/* The last call must have succeeded. */
static void good(const char *what)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(conn);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        fail("%s: %s", what, amqp_error_string2(reply.library_error));
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
        amqp_channel_close_t *m = reply.reply.decoded;
        fail("%s: %u %.*s", what, m->reply_code, (int)m->reply_text.len,
             (char *)m->reply_text.bytes);
    }
}

/* The last call must have closed its channel with this code; answers close-ok. */
static void refused(amqp_channel_t channel, int code)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(conn);
    EXPECT(reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION);
    EXPECT(reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD);
    amqp_channel_close_t *m = reply.reply.decoded;
    if (m->reply_code != code)
        fail("%u %.*s, expected %d", m->reply_code, (int)m->reply_text.len,
             (char *)m->reply_text.bytes, code);
    amqp_channel_close_ok_t ok = {0};
    EXPECT(amqp_send_method(conn, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok) == AMQP_STATUS_OK);
}

static void open_channel(amqp_channel_t channel)
{
    amqp_channel_open(conn, channel);
    good("channel.open");
}

static void connect_to_broker(void)
{
    conn = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(conn);
    const char *host = getenv("AMQP_HOST"), *port = getenv("AMQP_PORT");
    EXPECT(host && port);
    EXPECT(amqp_socket_open(socket, host, (int)strtol(port, NULL, 10)) == 0);
    /* So that consumers are told when their queue goes. */
    amqp_table_entry_t capability = {.key = b("consumer_cancel_notify"),
                                     .value = {.kind = AMQP_FIELD_KIND_BOOLEAN}};
    capability.value.value.boolean = 1;
    amqp_table_entry_t entry = {.key = b("capabilities"), .value = {.kind = AMQP_FIELD_KIND_TABLE}};
    entry.value.value.table = (amqp_table_t){1, &capability};
    amqp_table_t properties = {1, &entry};
    amqp_rpc_reply_t reply = amqp_login_with_properties(conn, "/", 0, FRAME_MAX, 0, &properties,
                                                        AMQP_SASL_METHOD_PLAIN, "guest", "guest");
    EXPECT(reply.reply_type == AMQP_RESPONSE_NORMAL);
    open_channel(1);
}

static void disconnect(void)
{
    EXPECT(amqp_connection_close(conn, AMQP_REPLY_SUCCESS).reply_type == AMQP_RESPONSE_NORMAL);
    amqp_destroy_connection(conn);
}

static amqp_bytes_t queue(amqp_bytes_t wanted)
{
    amqp_queue_declare_ok_t *ok = amqp_queue_declare(conn, 1, wanted, 0, 0, 1, 0, amqp_empty_table);
    good("queue.declare");
    return amqp_bytes_malloc_dup(ok->queue);
}

static void publish(amqp_bytes_t exchange, amqp_bytes_t key, amqp_bytes_t body)
{
    EXPECT(amqp_basic_publish(conn, 1, exchange, key, 0, 0, NULL, body) == AMQP_STATUS_OK);
}

static void consume(amqp_bytes_t from, int no_ack)
{
    amqp_basic_consume(conn, 1, from, amqp_empty_bytes, 0, no_ack, 0, amqp_empty_table);
    good("basic.consume");
}

/* The next delivery; to be destroyed. */
static amqp_envelope_t next(void)
{
    amqp_envelope_t envelope;
    struct timeval timeout = {.tv_sec = 10};
    amqp_rpc_reply_t reply = amqp_consume_message(conn, &envelope, &timeout, 0);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        fail("no delivery: %s", amqp_error_string2(reply.library_error));
    return envelope;
}

static void next_is(const char *body)
{
    amqp_envelope_t envelope = next();
    if (envelope.message.body.len != strlen(body) ||
        memcmp(envelope.message.body.bytes, body, strlen(body)) != 0)
        fail("'%.*s' came, expected '%s'", (int)envelope.message.body.len,
             (char *)envelope.message.body.bytes, body);
    amqp_destroy_envelope(&envelope);
}

static void nothing_comes(void)
{
    amqp_envelope_t envelope;
    struct timeval timeout = {.tv_usec = 300000};
    amqp_rpc_reply_t reply = amqp_consume_message(conn, &envelope, &timeout, 0);
    EXPECT(reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
           reply.library_error == AMQP_STATUS_TIMEOUT);
}

/* The next frame, which must be this method; its decoded fields. */
static void *method(amqp_method_number_t id)
{
    amqp_frame_t frame;
    struct timeval timeout = {.tv_sec = 10};
    EXPECT(amqp_simple_wait_frame_noblock(conn, &frame, &timeout) == AMQP_STATUS_OK);
    EXPECT(frame.frame_type == AMQP_FRAME_METHOD);
    if (frame.payload.method.id != id)
        fail("%s came, expected %s", amqp_method_name(frame.payload.method.id),
             amqp_method_name(id));
    return frame.payload.method.decoded;
}

static void basics(void)
{
    amqp_bytes_t q = queue(name("q"));
    publish(amqp_empty_bytes, q, b("one"));
    publish(amqp_empty_bytes, q, b("two"));
    consume(q, 0);
    amqp_envelope_t first = next(), second = next();
    EXPECT(first.delivery_tag == 1 && second.delivery_tag == 2 && !first.redelivered);
    EXPECT(memcmp(second.message.body.bytes, "two", 3) == 0);
    EXPECT(second.routing_key.len == q.len && second.exchange.len == 0);
    EXPECT(amqp_basic_ack(conn, 1, 2, 1) == 0);
    amqp_destroy_envelope(&first);
    amqp_destroy_envelope(&second);
}

static void declare_exchange(amqp_bytes_t x, const char *type)
{
    amqp_exchange_declare(conn, 1, x, b(type), 0, 0, 1, 0, amqp_empty_table);
    good("exchange.declare");
}

static void bind_with(amqp_bytes_t q, amqp_bytes_t x, const char *key, amqp_table_t arguments)
{
    amqp_queue_bind(conn, 1, q, x, b(key), arguments);
    good("queue.bind");
}

static void exchanges(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_bytes_t fanout = name("fanout"), direct = name("direct"), topic = name("topic");
    declare_exchange(fanout, "fanout");
    declare_exchange(direct, "direct");
    declare_exchange(topic, "topic");
    bind_with(q, fanout, "ignored", amqp_empty_table);
    bind_with(q, direct, "key", amqp_empty_table);
    bind_with(q, topic, "a.*.#", amqp_empty_table);
    consume(q, 1);
    publish(fanout, b("any"), b("f"));
    publish(direct, b("other"), b("wrong"));
    publish(direct, b("key"), b("d"));
    publish(topic, b("b.c"), b("wrong"));
    publish(topic, b("a.b"), b("t1"));
    publish(topic, b("a.b.c.d"), b("t2"));
    next_is("f");
    next_is("d");
    next_is("t1");
    next_is("t2");
    /* Exchange to exchange. */
    amqp_exchange_bind(conn, 1, fanout, direct, b("through"), amqp_empty_table);
    good("exchange.bind");
    publish(direct, b("through"), b("e2e"));
    next_is("e2e");
    nothing_comes();
}

static void headers_exchange(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes), x = name("headers");
    declare_exchange(x, "headers");
    amqp_table_entry_t match[2] = {{.key = b("x-match"), .value = {.kind = AMQP_FIELD_KIND_UTF8}},
                                   {.key = b("colour"), .value = {.kind = AMQP_FIELD_KIND_UTF8}}};
    match[0].value.value.bytes = b("all");
    match[1].value.value.bytes = b("red");
    bind_with(q, x, "", (amqp_table_t){2, match});
    consume(q, 1);
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_HEADERS_FLAG};
    properties.headers = (amqp_table_t){1, match + 1};
    EXPECT(amqp_basic_publish(conn, 1, x, b(""), 0, 0, &properties, b("red")) == 0);
    next_is("red");
    match[1].value.value.bytes = b("blue");
    EXPECT(amqp_basic_publish(conn, 1, x, b(""), 0, 0, &properties, b("blue")) == 0);
    nothing_comes();
}

static void confirms(void)
{
    enum { COUNT = 500 };
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_confirm_select(conn, 1);
    good("confirm.select");
    for (int i = 0; i < COUNT; i++)
        publish(amqp_empty_bytes, q, b("x"));
    bool seen[COUNT + 1] = {false};
    int count = 0;
    uint64_t low = 1;
    while (count < COUNT) {
        amqp_basic_ack_t *ack = method(AMQP_BASIC_ACK_METHOD);
        EXPECT(ack->delivery_tag >= 1 && ack->delivery_tag <= COUNT);
        for (uint64_t i = ack->multiple ? low : ack->delivery_tag; i <= ack->delivery_tag; i++) {
            EXPECT(ack->multiple || !seen[i]); /* each tag once */
            count += !seen[i];
            seen[i] = true;
        }
        while (low <= COUNT && seen[low])
            low++;
    }
}

static void returns(void)
{
    amqp_confirm_select(conn, 1);
    good("confirm.select");
    EXPECT(amqp_basic_publish(conn, 1, b(""), name("nowhere"), 1, 0, NULL, b("lost")) == 0);
    amqp_basic_return_t *m = method(AMQP_BASIC_RETURN_METHOD);
    EXPECT(m->reply_code == 312 && memcmp(m->reply_text.bytes, "NO_ROUTE", 8) == 0);
    amqp_message_t message;
    EXPECT(amqp_read_message(conn, 1, &message, 0).reply_type == AMQP_RESPONSE_NORMAL);
    EXPECT(message.body.len == 4 && memcmp(message.body.bytes, "lost", 4) == 0);
    amqp_destroy_message(&message);
    amqp_basic_ack_t *ack = method(AMQP_BASIC_ACK_METHOD);
    EXPECT(ack->delivery_tag == 1);
}

static void qos(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_basic_qos(conn, 1, 0, 2, 0);
    good("basic.qos");
    for (int i = 0; i < 5; i++)
        publish(amqp_empty_bytes, q, b("x"));
    consume(q, 0);
    next_is("x");
    next_is("x");
    nothing_comes();
    EXPECT(amqp_basic_ack(conn, 1, 1, 0) == 0);
    next_is("x");
    nothing_comes();
}

static void requeue(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    publish(amqp_empty_bytes, q, b("1"));
    publish(amqp_empty_bytes, q, b("2"));
    publish(amqp_empty_bytes, q, b("3"));
    amqp_basic_qos(conn, 1, 0, 1, 0);
    good("basic.qos");
    consume(q, 0);
    next_is("1");
    EXPECT(amqp_basic_nack(conn, 1, 1, 0, 1) == 0);
    amqp_envelope_t again = next();
    EXPECT(again.redelivered && ((char *)again.message.body.bytes)[0] == '1');
    EXPECT(amqp_basic_reject(conn, 1, again.delivery_tag, 0) == 0);
    amqp_destroy_envelope(&again);
    next_is("2");
}

static void get(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    EXPECT(amqp_basic_get(conn, 1, q, 1).reply.id == AMQP_BASIC_GET_EMPTY_METHOD);
    publish(amqp_empty_bytes, q, b("a"));
    publish(amqp_empty_bytes, q, b("b"));
    amqp_rpc_reply_t reply = amqp_basic_get(conn, 1, q, 0);
    EXPECT(reply.reply.id == AMQP_BASIC_GET_OK_METHOD);
    amqp_basic_get_ok_t *ok = reply.reply.decoded;
    EXPECT(ok->message_count == 1 && ok->delivery_tag == 1);
    amqp_message_t message;
    EXPECT(amqp_read_message(conn, 1, &message, 0).reply_type == AMQP_RESPONSE_NORMAL);
    EXPECT(((char *)message.body.bytes)[0] == 'a');
    amqp_destroy_message(&message);
}

static void tx(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_tx_select(conn, 1);
    good("tx.select");
    publish(amqp_empty_bytes, q, b("x"));
    amqp_tx_rollback(conn, 1);
    good("tx.rollback");
    EXPECT(amqp_basic_get(conn, 1, q, 1).reply.id == AMQP_BASIC_GET_EMPTY_METHOD);
    publish(amqp_empty_bytes, q, b("y"));
    EXPECT(amqp_basic_get(conn, 1, q, 1).reply.id == AMQP_BASIC_GET_EMPTY_METHOD);
    amqp_tx_commit(conn, 1);
    good("tx.commit");
    consume(q, 1);
    next_is("y");
}

static void cancel_notify(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_basic_consume(conn, 1, q, b("tag"), 0, 1, 0, amqp_empty_table);
    good("basic.consume");
    open_channel(2);
    /* The cancel may come before the answer: take the two in either order. */
    amqp_queue_delete_t delete = {.queue = q};
    EXPECT(amqp_send_method(conn, 2, AMQP_QUEUE_DELETE_METHOD, &delete) == 0);
    bool cancelled = false, deleted = false;
    while (!cancelled || !deleted) {
        amqp_frame_t frame;
        struct timeval timeout = {.tv_sec = 10};
        EXPECT(amqp_simple_wait_frame_noblock(conn, &frame, &timeout) == AMQP_STATUS_OK);
        EXPECT(frame.frame_type == AMQP_FRAME_METHOD);
        cancelled |= frame.payload.method.id == AMQP_BASIC_CANCEL_METHOD && frame.channel == 1;
        deleted |= frame.payload.method.id == AMQP_QUEUE_DELETE_OK_METHOD && frame.channel == 2;
    }
}

static void one_size(amqp_bytes_t q, size_t size)
{
    amqp_bytes_t body = amqp_bytes_malloc(size);
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)body.bytes)[i] = (unsigned char)(i * 31 + (i >> 9));
    publish(amqp_empty_bytes, q, body);
    amqp_envelope_t envelope = next();
    EXPECT(envelope.message.body.len == size);
    EXPECT(size == 0 || memcmp(envelope.message.body.bytes, body.bytes, size) == 0);
    amqp_destroy_envelope(&envelope);
    amqp_bytes_free(body);
    amqp_maybe_release_buffers(conn);
}

static void sizes(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    consume(q, 1);
    static const size_t all[] = {0,        1,    FRAME_MAX - 9, FRAME_MAX - 8,       FRAME_MAX - 7,
                                 4096,     4097, 65536,         2 * (FRAME_MAX - 8), 10000000,
                                 100000000};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        one_size(q, all[i]);
}

static void channels(void)
{
    const amqp_channel_t count = 300;
    for (amqp_channel_t i = 2; i < count; i++)
        open_channel(i);
    amqp_bytes_t q = queue(amqp_empty_bytes);
    for (amqp_channel_t i = 2; i < count; i++)
        EXPECT(amqp_basic_publish(conn, i, b(""), q, 0, 0, NULL, b("x")) == 0);
    consume(q, 1);
    for (amqp_channel_t i = 2; i < count; i++)
        next_is("x");
    for (amqp_channel_t i = 2; i < count; i++)
        EXPECT(amqp_channel_close(conn, i, 200).reply_type == AMQP_RESPONSE_NORMAL);
}

/* Values of every type that the library knows. */
static size_t fill_values(amqp_table_entry_t *entries)
{
    static const uint8_t kinds[] = {
        AMQP_FIELD_KIND_BOOLEAN,   AMQP_FIELD_KIND_I8,   AMQP_FIELD_KIND_U8,
        AMQP_FIELD_KIND_I16,       AMQP_FIELD_KIND_U16,  AMQP_FIELD_KIND_I32,
        AMQP_FIELD_KIND_U32,       AMQP_FIELD_KIND_I64,  AMQP_FIELD_KIND_F32,
        AMQP_FIELD_KIND_F64,       AMQP_FIELD_KIND_UTF8, AMQP_FIELD_KIND_BYTES,
        AMQP_FIELD_KIND_TIMESTAMP, AMQP_FIELD_KIND_VOID, AMQP_FIELD_KIND_DECIMAL};
    static char keys[32][8];
    size_t count = sizeof kinds;
    for (size_t i = 0; i < count; i++) {
        snprintf(keys[i], sizeof keys[i], "k%zu", i);
        entries[i] = (amqp_table_entry_t){.key = b(keys[i]), .value = {.kind = kinds[i]}};
        amqp_field_value_t *v = &entries[i].value;
        v->value.u64 = 0;
        if (v->kind == AMQP_FIELD_KIND_BOOLEAN)
            v->value.boolean = 1;
        else if (v->kind == AMQP_FIELD_KIND_F32)
            v->value.f32 = 1.5f;
        else if (v->kind == AMQP_FIELD_KIND_F64)
            v->value.f64 = -2.25;
        else if (v->kind == AMQP_FIELD_KIND_UTF8 || v->kind == AMQP_FIELD_KIND_BYTES)
            v->value.bytes = b("héllo");
        else if (v->kind == AMQP_FIELD_KIND_DECIMAL)
            v->value.decimal = (amqp_decimal_t){.decimals = 2, .value = 314};
        else if (v->kind != AMQP_FIELD_KIND_VOID)
            v->value.u64 = 100;
    }
    return count;
}

static void headers(void)
{
    amqp_bytes_t q = queue(amqp_empty_bytes);
    amqp_table_entry_t entries[32];
    size_t count = fill_values(entries);
    /* A table and an array of all of them, too. */
    static amqp_field_value_t list[32];
    for (size_t i = 0; i < count; i++)
        list[i] = entries[i].value;
    static amqp_table_entry_t inner[32];
    memcpy(inner, entries, sizeof inner);
    entries[count] = (amqp_table_entry_t){.key = b("table"), .value = {AMQP_FIELD_KIND_TABLE, {0}}};
    entries[count].value.value.table = (amqp_table_t){(int)count, inner};
    entries[count + 1] =
        (amqp_table_entry_t){.key = b("array"), .value = {AMQP_FIELD_KIND_ARRAY, {0}}};
    entries[count + 1].value.value.array = (amqp_array_t){(int)count, list};
    amqp_basic_properties_t sent = {._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_TIMESTAMP_FLAG |
                                              AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_TYPE_FLAG,
                                    .timestamp = 1700000000,
                                    .priority = 3,
                                    .type = b("a type"),
                                    .headers = {(int)count + 2, entries}};
    EXPECT(amqp_basic_publish(conn, 1, b(""), q, 0, 0, &sent, b("x")) == 0);
    consume(q, 1);
    amqp_envelope_t envelope = next();
    amqp_basic_properties_t *got = &envelope.message.properties;
    EXPECT(got->_flags == sent._flags && got->timestamp == sent.timestamp && got->priority == 3);
    EXPECT(got->headers.num_entries == (int)count + 2);
    char before[4096], after[4096];
    size_t before_len = 0, after_len = 0;
    EXPECT(amqp_encode_table((amqp_bytes_t){sizeof before, before}, &sent.headers, &before_len) ==
           0);
    EXPECT(amqp_encode_table((amqp_bytes_t){sizeof after, after}, &got->headers, &after_len) == 0);
    EXPECT(before_len == after_len && memcmp(before, after, before_len) == 0);
    amqp_destroy_envelope(&envelope);
}

static void errors(void)
{
    open_channel(2);
    amqp_queue_declare(conn, 2, name("missing"), 1, 0, 0, 0, amqp_empty_table);
    refused(2, 404);
    amqp_bytes_t q = queue(name("q")); /* channel 1 goes on */
    open_channel(2);
    /* Durable says nothing of an exclusive queue; auto-delete does. */
    amqp_queue_declare(conn, 2, q, 0, 1, 1, 0, amqp_empty_table);
    good("queue.declare again");
    amqp_queue_declare(conn, 2, q, 0, 0, 1, 1, amqp_empty_table);
    refused(2, 406);
    open_channel(2);
    amqp_exchange_declare(conn, 2, b("amq.mine"), b("direct"), 0, 0, 0, 0, amqp_empty_table);
    refused(2, 403);
    open_channel(2);
    amqp_basic_consume(conn, 2, name("missing"), b(""), 0, 0, 0, amqp_empty_table);
    refused(2, 404);
    publish(amqp_empty_bytes, q, b("still here"));
    consume(q, 1);
    next_is("still here");
}

static const struct {
    const char *name;
    void (*run)(void);
} scenarios[] = {
    {"basics", basics},
    {"exchanges", exchanges},
    {"headers_exchange", headers_exchange},
    {"confirms", confirms},
    {"returns", returns},
    {"qos", qos},
    {"requeue", requeue},
    {"get", get},
    {"tx", tx},
    {"cancel_notify", cancel_notify},
    {"sizes", sizes},
    {"channels", channels},
    {"headers", headers},
    {"errors", errors},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof scenarios / sizeof scenarios[0]; i++) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        connect_to_broker();
        scenarios[i].run();
        disconnect();
        return 0;
    }
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        puts(scenarios[i].name);
    return argc == 1 ? 0 : 2;
}
