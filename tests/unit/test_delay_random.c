/* Messages that wait in exchanges: random delays and crashes, compared with a list, and a million
 * messages. */
#include <stdio.h>
#include <stdlib.h>

#include "delay_fixture.h"
#include "leveret/base/random.h"

/* ---- Order and times, compared with a list. */

/* DISK_IS_SLOW: the journal on LevelDB takes real time, for which the test's own time does not
 * wait. Messages may then come late, and fewer of them are tried. */
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
    uint32_t came; /* messages delivered in this round */
    uint64_t last_due_ms;
    uint32_t last_number;
    bool late;   /* true: messages may come later than they are due */
    bool strict; /* true: messages that are due together come in the order of their publishing */
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

/* Large buckets, which are split down to streams. */
START_TEST(large_messages_at_random)
{
    conversation((uint64_t)_i + 100, 180000, false, STEPS / 2);
}
END_TEST

/* The broker stops at any moment, also while buckets are split and while messages that were routed
 * are not on disk yet: at the end each message is in the queue once, in order. */
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

START_TEST(transient_messages_leave_memory_when_it_is_short)
{
    static uint8_t body[2000];
    struct tally tally = {0};
    struct random_stream random = {.state = 9};
    harness_close(&h);
    h.resident_bytes_max = 4 << 20;
    setup();
    with_consumer();
    h.quiet = true;
    h.watch = count_delivery;
    h.watch_context = &tally;
    for (uint32_t i = 0; i < 40000; i++) {
        struct text headers = {0};
        table_put_i64(&headers, "x-delay", (int64_t)(20000 + random_next(&random) % 7000000));
        publish_headers("x", "k", body, sizeof body, &headers, "");
        text_free(&headers);
        if (i % 100 == 0) {
            harness_turn(&h);
            harness_disk(&h);
        }
    }
    harness_sync(&h);
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 22 << 20); /* 88 MB wait */
    while (tally.count < 40000 && waiting("x")) {
        pass(60000);
        ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 60 << 20);
    }
    ck_assert_uint_eq(tally.count, 40000);
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
    Suite *suite = suite_create("delay, at random");
    TCase *model_case = tcase_create("model");
    tcase_add_checked_fixture(model_case, setup, teardown);
    tcase_set_timeout(model_case, 1200);
    tcase_add_loop_test(model_case, small_messages_at_random, 0, SEEDS);
    tcase_add_loop_test(model_case, crashes_at_any_moment, 0, SEEDS);
    tcase_add_loop_test(model_case, large_messages_at_random, 0, SEEDS / 2);
    TCase *many = tcase_create("many");
    tcase_add_checked_fixture(many, setup, teardown);
    tcase_set_timeout(many, 1200);
    if (!DISK_IS_SLOW)
        tcase_add_test(many, a_million_wait_in_little_memory);
    tcase_add_test(many, transient_messages_leave_memory_when_it_is_short);
    tcase_add_test(many, overdue_messages_leave_in_portions);
    suite_add_tcase(suite, model_case);
    suite_add_tcase(suite, many);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
