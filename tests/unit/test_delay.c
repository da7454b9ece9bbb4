/* Messages that wait in exchanges: what is kept, when it comes out, what a restart leaves. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/random.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    h.window_bytes = UINT32_MAX;
    harness_open(&h);
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static void teardown(void)
{
    harness_close(&h);
}

/* ---- Words of this test. */

static void declare_delayed(const char *name, const char *inner, const char *flags)
{
    struct text arguments = {0};
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    if (inner)
        table_put_string(&arguments, "x-delayed-type", bytes_of_text(inner));
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text("x-delayed-message");
    command.u.exchange_declare.arguments = text_bytes(&arguments);
    command.u.exchange_declare.durable = strchr(flags, 'd') != NULL;
    command.u.exchange_declare.auto_delete = strchr(flags, 'a') != NULL;
    harness_do(&h, 'A', &command);
    text_free(&arguments);
}

static void delete_exchange(const char *name)
{
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    command.u.exchange_delete.name = bytes_of_text(name);
    harness_do(&h, 'A', &command);
}

static void publish_headers(const char *exchange, const char *key, const void *body,
                            size_t body_bytes, const struct text *headers, const char *flags)
{
    struct properties properties = {.present = PROPERTY_HEADERS, .headers = text_bytes(headers)};
    struct text encoded = {0};
    bool persistent = strchr(flags, 'p');
    if (persistent) {
        properties.present |= PROPERTY_DELIVERY_MODE;
        properties.delivery_mode = 2;
    }
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(exchange), bytes_of_text(key), text_bytes(&encoded), body_bytes);
    ck_assert_ptr_nonnull(message);
    message->persistent = persistent;
    message->has_headers = true;
    if (body_bytes)
        ck_assert_int_eq(message_fill(message, NULL, body, body_bytes), STATUS_OK);
    text_free(&encoded);
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    command.u.publish.mandatory = strchr(flags, 'm') != NULL;
    harness_do(&h, 'A', &command);
}

static void publish_after(const char *exchange, const char *key, const char *body, int64_t delay_ms,
                          const char *flags)
{
    struct text headers = {0};
    table_put_i64(&headers, "x-delay", delay_ms);
    publish_headers(exchange, key, body, strlen(body), &headers, flags);
    text_free(&headers);
}

/* A durable exchange with a durable queue and a consumer that acks nothing. */
static void with_consumer(void)
{
    declare_delayed("x", "direct", "d");
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "k");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_sync(&h);
    harness_take(&h);
}

/* The broker stops and starts again, with a consumer. */
static void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
}

static uint64_t waiting(const char *exchange)
{
    struct exchange_info info;
    ck_assert(vhost_find_exchange(h.vhost, bytes_of_text(exchange), &info));
    return info.messages_delayed;
}

#define CLOCK_LOOK_MS 5000u /* delay.c's */

/* What costs no time. */
static void disk_may_work(void)
{
#ifdef HARNESS_LEVELDB
    journal_poll(h.journal);
#else
    harness_disk(&h);
#endif
}

static void disk_works(void)
{
    for (int i = 0; i < 8; i++) {
        harness_turn(&h);
        harness_disk(&h);
    }
}

/* Time goes by with a disk that keeps up: each deadline is met to the millisecond. */
static void pass(uint64_t ms)
{
    uint64_t end_ms = h.now.steady_ms + ms;
    for (;;) {
        uint64_t deadline_ms;
        while ((deadline_ms = vhost_deadline_ms(h.vhost)) <= h.now.steady_ms) {
            vhost_tick(h.vhost, h.now);
            harness_turn(&h);
            harness_disk(&h);
        }
        if (deadline_ms - h.now.steady_ms != CLOCK_LOOK_MS) {
            disk_works();
            deadline_ms = vhost_deadline_ms(h.vhost);
        }
        if (h.now.steady_ms >= end_ms && deadline_ms > end_ms)
            break;
        bool looks = deadline_ms == h.now.steady_ms + CLOCK_LOOK_MS;
        uint64_t until_ms = deadline_ms < end_ms ? deadline_ms : end_ms;
        uint64_t step_ms = until_ms > h.now.steady_ms ? until_ms - h.now.steady_ms : 0;
        h.now.steady_ms += step_ms;
        h.now.wall_ms += step_ms;
        if (looks) { /* at the clock, and there are many such */
            vhost_tick(h.vhost, h.now);
            harness_turn(&h);
            disk_may_work();
        }
    }
    disk_works();
}

/* ---- What is declared. */

START_TEST(the_inner_type_is_checked)
{
    declare_delayed("x", NULL, "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED Invalid argument, 'x-delayed-type' must be an "
               "existing exchange type\n");
}
END_TEST

START_TEST(an_unknown_inner_type_is_refused)
{
    declare_delayed("x", "nonsense", "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED unknown exchange type 'nonsense'\n");
}
END_TEST

START_TEST(it_does_not_delay_for_itself)
{
    declare_delayed("x", "x-delayed-message", "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED Invalid argument, 'x-delayed-message' can't "
               "be used for 'x-delayed-type'\n");
}
END_TEST

/* ---- What is kept. */

START_TEST(a_message_comes_at_its_time)
{
    with_consumer();
    publish_after("x", "k", "late", 3000, "");
    publish_after("x", "k", "soon", 10, "");
    publish_after("x", "k", "now", 0, "");
    publish_after("x", "k", "past", -5, "");
    publish_after("x", "k", "too long", (int64_t)UINT32_MAX + 1, "");
    do_publish(&h, "A1", "x", "k", "plain", "");
    expect(&h, "A1 deliver c1 t1 now\nA1 deliver c1 t2 past\nA1 deliver c1 t3 too long\n"
               "A1 deliver c1 t4 plain\n");
    ck_assert_uint_eq(waiting("x"), 2);
    pass(9);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t5 soon\n");
    pass(2989);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t6 late\n");
    ck_assert_uint_eq(waiting("x"), 0);
    pass(2000);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX); /* nothing is left behind */
}
END_TEST

static int64_t delivered_delay;
static enum field_type delivered_type;

static void note_header(void *context, char peer, const struct event *event)
{
    struct properties properties;
    struct field field;
    (void)context;
    (void)peer;
    if (event->type != EVENT_DELIVER)
        return;
    ck_assert_int_eq(properties_decode(message_properties(event->u.deliver.message), &properties),
                     STATUS_OK);
    ck_assert(table_find(properties.headers, "x-delay", &field));
    delivered_delay = field.value.integer;
    delivered_type = field.type;
    ck_assert(table_find(properties.headers, "other", &field));
    ck_assert(!table_find(properties.headers, "BCC", &field));
}

START_TEST(the_delay_comes_back_negated)
{
    static const char *const texts[] = {"250", "abc", "99999999999999999999", ""};
    with_consumer();
    h.watch = note_header;
    for (unsigned i = 0; i < 7; i++) {
        struct text headers = {0};
        struct field number = {.type = FIELD_DOUBLE, .value.real = 250.9};
        table_put_string(&headers, "other", bytes_of_text("kept"));
        if (i < 4)
            table_put_string(&headers, "x-delay", bytes_of_text(texts[i]));
        else if (i == 4)
            table_put_i32(&headers, "x-delay", 250);
        else if (i == 5)
            table_put_field(&headers, bytes_of_text("x-delay"), &number);
        else
            table_put_i64(&headers, "x-delay", 3000000000);
        delivered_type = FIELD_VOID;
        publish_headers("x", "k", "m", 1, &headers, "");
        text_free(&headers);
        ck_assert_uint_eq(waiting("x"), i == 0 || i >= 4);
        pass(250);
        if (i == 6)
            pass(3000000000 - 250);
        ck_assert_uint_eq(waiting("x"), 0);
        bool kept = i == 0 || i == 4 || i == 5;
        ck_assert_int_eq(delivered_type, kept ? FIELD_I32 : i == 6 ? FIELD_I64 : FIELD_STRING);
        if (kept)
            ck_assert_int_eq(delivered_delay, -250);
        else if (i == 6)
            ck_assert_int_eq(delivered_delay, -3000000000);
    }
}
END_TEST

START_TEST(it_is_routed_by_the_bindings_of_its_time)
{
    declare_delayed("x", "topic", "");
    do_declare(&h, "A1", "early", "");
    do_declare(&h, "A1", "late", "");
    do_bind(&h, "A1", "x", "early", "a.#");
    publish_after("x", "a.b", "m", 1000, "m");
    do_delete(&h, "A1", "early", "");
    do_bind(&h, "A1", "x", "late", "*.b");
    harness_take(&h);
    pass(1000);
    do_get(&h, "A1", "late", "");
    expect(&h, "A1 got t1 m left 0\n");
}
END_TEST

START_TEST(mandatory_is_answered_at_once)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    publish_after("x", "nowhere", "lost", 100, "m");
    publish_after("x", "nowhere", "unseen", 100, "");
    publish_after("x", "k", "kept", 100, "m");
    harness_sync(&h);
    expect(&h, "A1 ok confirm-select\nA1 return lost NO_ROUTE\nA1 confirm 3 multiple\n");
    ck_assert_uint_eq(waiting("x"), 2);
    pass(100);
    expect(&h, "A1 deliver c1 t1 kept\n");
}
END_TEST

START_TEST(a_confirm_waits_for_the_disk)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    publish_after("x", "k", "kept", 60000, "p");
    vhost_flush(h.vhost, h.now);
    expect(&h, "A1 ok confirm-select\n");
    harness_sync(&h);
    expect(&h, "A1 confirm 1\n");
}
END_TEST

START_TEST(copies_go_along_and_stay_hidden)
{
    struct text headers = {0};
    with_consumer();
    do_declare(&h, "A1", "r", "");
    do_bind(&h, "A1", "x", "r", "blind");
    do_consume(&h, "A1", "r", 2, "", 0);
    harness_take(&h);
    table_put_string(&headers, "other", bytes_of_text("kept"));
    table_put_i32(&headers, "x-delay", 5);
    size_t array = array_begin(&headers, "BCC");
    struct field key = {.type = FIELD_STRING, .value.bytes = bytes_of_text("blind")};
    array_put_field(&headers, &key);
    array_end(&headers, array);
    publish_headers("x", "k", "m", 1, &headers, "");
    text_free(&headers);
    h.watch = note_header;
    pass(5);
    const char *lines = harness_take(&h);
    ck_assert_ptr_nonnull(strstr(lines, "c1"));
    ck_assert_ptr_nonnull(strstr(lines, "c2"));
}
END_TEST

START_TEST(an_exchange_that_is_bound_keeps_too)
{
    struct command bind = {.type = COMMAND_EXCHANGE_BIND, .channel = 1};
    with_consumer();
    do_exchange(&h, "A1", "front", "fanout", "");
    do_declare(&h, "A1", "r", "");
    do_consume(&h, "A1", "r", 2, "", 0);
    do_bind(&h, "A1", "front", "r", "");
    bind.u.bind.source = bytes_of_text("front");
    bind.u.bind.destination = bytes_of_text("x");
    harness_do(&h, 'A', &bind);
    harness_take(&h);
    publish_after("front", "k", "m", 50, "m");
    expect(&h, "A1 deliver c2 t1 m\n");
    pass(50);
    expect(&h, "A1 deliver c1 t2 m\n");
}
END_TEST

START_TEST(what_waits_goes_with_its_exchange)
{
    with_consumer();
    for (int i = 0; i < 20; i++)
        publish_after("x", "k", "m", i * i * i * 1000, i % 2 ? "p" : "");
    harness_sync(&h);
    delete_exchange("x");
    harness_take(&h);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    harness_sync(&h);
    restart();
    declare_delayed("x", "direct", "d");
    do_bind(&h, "A1", "x", "q", "k");
    harness_sync(&h);
    harness_take(&h);
    pass(10000000);
    expect(&h, "");
}
END_TEST

START_TEST(a_transaction_keeps_at_its_commit)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    publish_after("x", "k", "kept", 100, "p");
    publish_after("x", "nowhere", "lost", 100, "pm");
    ck_assert_uint_eq(waiting("x"), 0);
    pass(50);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_eq(waiting("x"), 1);
    harness_sync(&h);
    expect(&h, "A1 ok tx-select\nA1 return lost NO_ROUTE\nA1 ok commit\n");
    pass(99);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t1 kept\n");
}
END_TEST

START_TEST(dead_letters_wait_too)
{
    struct text arguments = {0};
    with_consumer();
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text("x"));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("k"));
    do_declare_args(&h, "A1", "work", "d", &arguments);
    text_free(&arguments);
    publish_after("", "work", "m", 1000, "p");
    do_get(&h, "A1", "work", "a");
    do_nack(&h, "A1", 1, false, false);
    harness_sync(&h);
    harness_take(&h);
    ck_assert_uint_eq(waiting("x"), 1);
    pass(999);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t2 m\n");
}
END_TEST

START_TEST(an_alternate_exchange_is_asked_at_its_time)
{
    struct text arguments = {0};
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    do_exchange(&h, "A1", "other", "fanout", "");
    do_declare(&h, "A1", "q", "");
    do_bind(&h, "A1", "other", "q", "");
    table_put_string(&arguments, "x-delayed-type", bytes_of_text("direct"));
    table_put_string(&arguments, "alternate-exchange", bytes_of_text("other"));
    command.u.exchange_declare.name = bytes_of_text("x");
    command.u.exchange_declare.type = bytes_of_text("x-delayed-message");
    command.u.exchange_declare.arguments = text_bytes(&arguments);
    harness_do(&h, 'A', &command);
    text_free(&arguments);
    harness_take(&h);
    publish_after("x", "nowhere", "m", 100, "m");
    pass(99);
    do_get(&h, "A1", "q", "");
    pass(1);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 empty\nA1 got t1 m left 0\n");
}
END_TEST

START_TEST(what_cannot_be_read_is_set_aside)
{
    with_consumer();
    publish_after("x", "k", "unreadable", 5000, "p");
    publish_after("x", "k", "later", 100000, "p");
    harness_sync(&h);
    restart();
    h.break_pages = true;
    pass(10000);
    expect(&h, "");
    h.break_pages = false;
    publish_after("x", "k", "new", 10, "p");
    pass(10);
    expect(&h, "A1 deliver c1 t1 new\n");
    pass(90000);
    expect(&h, "A1 deliver c1 t2 later\n");
    ck_assert_uint_eq(waiting("x"), 1); /* on disk still */
    harness_sync(&h);
    restart();
    pass(0);
    expect(&h, "A1 deliver c1 t1 unreadable\n");
}
END_TEST

/* ---- Restart. */

START_TEST(what_is_durable_survives)
{
    with_consumer();
    publish_after("x", "k", "overdue 1", 5000, "p");
    publish_after("x", "k", "overdue 2", 7000000, "p");
    publish_after("x", "k", "overdue 3", 100, "p");
    publish_after("x", "k", "transient", 200, "");
    publish_after("x", "k", "in a day", 86400000, "p");
    publish_after("x", "k", "in a month", 30 * 86400000LL, "p");
    harness_sync(&h);
#ifndef HARNESS_LEVELDB /* there a crash is an orderly stop */
    publish_after("x", "k", "not on disk", 300, "p");
#endif
    h.now.steady_ms += 7200000;
    h.now.wall_ms += 7200000;
    restart();
    ck_assert_uint_eq(waiting("x"), 5);
    pass(0);
    expect(&h, "A1 deliver c1 t1 overdue 3\nA1 deliver c1 t2 overdue 1\n"
               "A1 deliver c1 t3 overdue 2\n");
    pass(86400000 - 7200000 - 1);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t4 in a day\n");
    harness_sync(&h);
    restart();
    pass(30 * 86400000ULL);
    expect(&h, "A1 deliver c1 t1 in a month\n");
}
END_TEST

START_TEST(a_crash_between_leaving_and_arriving_shows_neither_or_both)
{
    with_consumer();
    do_cancel(&h, "A1", 1);
    publish_after("x", "k", "m", 100, "p");
    harness_sync(&h);
    harness_pass(&h, 100); /* it is in the queue, but that is not on disk */
    restart();
    pass(0);
    expect(&h, "A1 deliver c1 t1 m\n");
    ck_assert_uint_eq(waiting("x"), 0);
}
END_TEST

START_TEST(the_clock_jumps)
{
    with_consumer();
    publish_after("x", "k", "one", 60000, "");
    h.now.wall_ms += 60000; /* forwards: it is noticed soon */
    pass(5000);
    expect(&h, "A1 deliver c1 t1 one\n");
    publish_after("x", "k", "two", 1000, "");
    h.now.wall_ms -= 10000; /* backwards: it comes that much later */
    pass(10999);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t2 two\n");
}
END_TEST

/* ---- Order, exactness, quantity: against a list. */

/* Time does not wait for the real one here. */
#ifdef HARNESS_LEVELDB
#define DISK_IS_SLOW true
#define SEEDS        2
#define STEPS        20u
#else
#define DISK_IS_SLOW false
#define SEEDS        8
#define STEPS        150u
#endif
#define MODEL_MAX 40000u

static struct {
    struct {
        uint64_t due_ms, published_ms;
        uint32_t number;
        bool persistent, stored, done;
    } messages[MODEL_MAX];
    uint32_t count, waiting;
    uint32_t came; /* in this round */
    uint64_t last_due_ms;
    uint32_t last_number;
    bool late;   /* messages may be */
    bool strict; /* of those due together, the one that was published first is first */
} model;

static void note_delivery(void *context, char peer, const struct event *event)
{
    uint32_t number;
    (void)context;
    (void)peer;
    if (event->type != EVENT_DELIVER)
        return;
    struct bytes body = message_body_piece(event->u.deliver.message, 0);
    memcpy(&number, body.at, sizeof number);
    ck_assert_uint_lt(number, model.count);
    ck_assert(!model.messages[number].done);
    uint64_t due_ms = model.messages[number].due_ms;
    ck_assert_uint_le(due_ms, h.now.wall_ms);
    if (!model.late)
        ck_assert_uint_eq(h.now.wall_ms, due_ms);
    ck_assert_uint_ge(due_ms, model.last_due_ms);
    if (model.strict && due_ms == model.last_due_ms && model.came)
        ck_assert_uint_gt(number, model.last_number);
    model.last_due_ms = due_ms;
    model.last_number = number;
    model.messages[number].done = true;
    model.waiting--;
    model.came++;
}

static void model_publish(uint64_t delay_ms, size_t body_bytes, bool persistent)
{
    static uint8_t body[200000];
    struct text headers = {0};
    uint32_t number = model.count++;
    ck_assert_uint_lt(number, MODEL_MAX);
    memcpy(body, &number, sizeof number);
    model.messages[number].due_ms = h.now.wall_ms + delay_ms;
    model.messages[number].persistent = persistent;
    model.waiting++;
    table_put_i64(&headers, "x-delay", (int64_t)delay_ms);
    publish_headers("x", "k", body, body_bytes, &headers, persistent ? "p" : "");
    text_free(&headers);
}

static void model_crash(void)
{
    for (uint32_t i = 0; i < model.count; i++)
        if (!model.messages[i].done && !model.messages[i].persistent) {
            model.messages[i].done = true;
            model.waiting--;
        }
    restart();
    model.last_due_ms = 0;
    ck_assert_uint_eq(waiting("x"), model.waiting);
}

static uint64_t random_delay(struct random_stream *random)
{
    static const uint64_t spans[] = {5, 1000, 3000, 200000, 10000000, 400000000};
    return 1 + random_next(random) % spans[random_next(random) % 6];
}

static void conversation(uint64_t seed, size_t body_max, bool strict, unsigned steps)
{
    struct random_stream random = {.state = seed};
    with_consumer();
    memset(&model, 0, sizeof model);
    model.strict = strict;
    h.quiet = true;
    h.watch = note_delivery;
    for (unsigned step = 0; step < steps; step++) {
        unsigned burst = (unsigned)(random_next(&random) % 40);
        uint64_t delay_ms = random_delay(&random);
        for (unsigned i = 0; i < burst && model.count < MODEL_MAX; i++)
            model_publish(i % 3 ? random_delay(&random) : delay_ms,
                          4 + random_next(&random) % body_max, random_next(&random) % 4 != 0);
        model.late = DISK_IS_SLOW;
        pass(random_delay(&random) / 8);
        ck_assert_uint_eq(waiting("x"), model.waiting);
        if (random_next(&random) % 10 == 0) {
            uint64_t down_ms = random_delay(&random) / 2;
            h.now.steady_ms += down_ms;
            h.now.wall_ms += down_ms;
            model.late = true;
            model_crash();
            pass(0);
        }
    }
    pass(400000000);
    for (int i = 0; DISK_IS_SLOW && i < 100 && model.waiting; i++)
        pass(1000);
    ck_assert_uint_eq(model.waiting, 0);
    ck_assert_uint_eq(waiting("x"), 0);
}

START_TEST(small_messages_at_random)
{
    conversation((uint64_t)_i + 1, 100, true, STEPS);
}
END_TEST

/* Large ones: buckets are split, down to streams. */
START_TEST(large_messages_at_random)
{
    conversation((uint64_t)_i + 100, 180000, false, STEPS / 2);
}
END_TEST

/* Stopped at any moment, also while buckets are split and messages on their way into the queue are
 * not on disk yet: at the end each is in the queue once, in order. */
START_TEST(crashes_at_any_moment)
{
    struct random_stream random = {.state = (uint64_t)_i + 500};
    with_consumer();
    do_cancel(&h, "A1", 1);
    memset(&model, 0, sizeof model);
    h.quiet = true;
    for (unsigned i = 0; i < 400; i++)
        model_publish(1 + random_next(&random) % (i % 2 ? 7200000 : 1000),
                      4 + random_next(&random) % 60000, true);
    harness_sync(&h);
    for (unsigned step = 0; step < 600; step++) {
        uint64_t ms = random_next(&random) % 30000;
        h.now.steady_ms += ms;
        h.now.wall_ms += ms;
        for (uint64_t turns = random_next(&random) % 12; turns; turns--) {
            vhost_tick(h.vhost, h.now);
            if (random_next(&random) % 2)
                harness_turn(&h);
            if (random_next(&random) % 2)
                harness_disk(&h);
        }
        if (random_next(&random) % 8 == 0) {
            harness_crash(&h);
            struct queue_info info;
            ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &info));
            ck_assert_uint_eq(info.messages_ready + waiting("x"), 400);
        }
    }
    pass(10000000);
    for (int i = 0; DISK_IS_SLOW && i < 100 && waiting("x"); i++)
        pass(1000);
    ck_assert_uint_eq(waiting("x"), 0);
    model.late = true;
    h.watch = note_delivery;
    restart();
    pass(0);
    for (int n = 0; DISK_IS_SLOW && n < 200 && model.waiting; n++)
        pass(0);
    ck_assert_uint_eq(model.waiting, 0);
}
END_TEST

/* ---- Quantity. */

#define MANY 1000000u

struct tally {
    uint32_t next;
    uint64_t count;
    uint64_t resident_max;
};

static void count_delivery(void *context, char peer, const struct event *event)
{
    struct tally *tally = context;
    (void)peer;
    if (event->type == EVENT_DELIVER)
        tally->count++;
}

static void publish_many(uint32_t count, uint64_t from_ms, uint64_t span_ms)
{
    struct random_stream random = {.state = 5};
    uint8_t body[20] = {0};
    for (uint32_t i = 0; i < count; i++) {
        struct text headers = {0};
        table_put_i64(&headers, "x-delay", (int64_t)(from_ms + random_next(&random) % span_ms));
        publish_headers("x", "k", body, sizeof body, &headers, "p");
        text_free(&headers);
        if (i % 2000 == 0) {
            harness_turn(&h);
            harness_disk(&h);
            ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 40 << 20);
        }
    }
}

START_TEST(a_million_wait_in_little_memory)
{
    struct tally tally = {0};
    with_consumer();
    h.quiet = true;
    h.watch = count_delivery;
    h.watch_context = &tally;
    publish_many(MANY, 600000, 5400000);
    harness_sync(&h);
    ck_assert_uint_eq(waiting("x"), MANY);
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 20 << 20);
    for (unsigned minute = 0; minute < 100 && tally.count < MANY; minute++) {
        pass(60000);
        ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 60 << 20);
    }
    ck_assert_uint_eq(tally.count, MANY);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(overdue_messages_leave_in_portions)
{
    struct tally tally = {0};
    uint64_t ticks = 0;
    with_consumer();
    publish_many(100000, 1000, 200000000);
    harness_sync(&h);
    h.now.steady_ms += 300000000;
    h.now.wall_ms += 300000000;
    restart();
    h.quiet = true;
    h.watch = count_delivery;
    h.watch_context = &tally;
    while (tally.count < 100000) {
        uint64_t before = tally.count;
        ck_assert_uint_le(vhost_deadline_ms(h.vhost), h.now.steady_ms + 5);
        vhost_tick(h.vhost, h.now);
        ck_assert_uint_le(tally.count - before, 1000);
        harness_turn(&h);
        harness_disk(&h);
        ck_assert_uint_lt(++ticks, 100000);
    }
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 20 << 20);
}
END_TEST

/* ---- */

int main(void)
{
    Suite *suite = suite_create("delay");
    TCase *kept = tcase_create("kept");
    tcase_add_checked_fixture(kept, setup, teardown);
    tcase_add_test(kept, the_inner_type_is_checked);
    tcase_add_test(kept, an_unknown_inner_type_is_refused);
    tcase_add_test(kept, it_does_not_delay_for_itself);
    tcase_add_test(kept, a_message_comes_at_its_time);
    tcase_add_test(kept, the_delay_comes_back_negated);
    tcase_add_test(kept, it_is_routed_by_the_bindings_of_its_time);
    tcase_add_test(kept, mandatory_is_answered_at_once);
    tcase_add_test(kept, a_confirm_waits_for_the_disk);
    tcase_add_test(kept, copies_go_along_and_stay_hidden);
    tcase_add_test(kept, an_exchange_that_is_bound_keeps_too);
    tcase_add_test(kept, what_waits_goes_with_its_exchange);
    tcase_add_test(kept, a_transaction_keeps_at_its_commit);
    tcase_add_test(kept, dead_letters_wait_too);
    tcase_add_test(kept, an_alternate_exchange_is_asked_at_its_time);
    tcase_add_test(kept, what_cannot_be_read_is_set_aside);
    tcase_add_test(kept, what_is_durable_survives);
    tcase_add_test(kept, a_crash_between_leaving_and_arriving_shows_neither_or_both);
    tcase_add_test(kept, the_clock_jumps);
    TCase *model_case = tcase_create("model");
    tcase_add_checked_fixture(model_case, setup, teardown);
    tcase_set_timeout(model_case, 300);
    tcase_add_loop_test(model_case, small_messages_at_random, 0, SEEDS);
    tcase_add_loop_test(model_case, crashes_at_any_moment, 0, SEEDS);
    tcase_add_loop_test(model_case, large_messages_at_random, 0, SEEDS / 2);
    TCase *many = tcase_create("many");
    tcase_add_checked_fixture(many, setup, teardown);
    tcase_set_timeout(many, 300);
    if (!DISK_IS_SLOW)
        tcase_add_test(many, a_million_wait_in_little_memory);
    tcase_add_test(many, overdue_messages_leave_in_portions);
    suite_add_tcase(suite, kept);
    suite_add_tcase(suite, model_case);
    suite_add_tcase(suite, many);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
