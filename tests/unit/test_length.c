/* Length limits of queues. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core_harness.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static void teardown(void)
{
    harness_close(&h);
}

/* limit: x-max-length, bytes: x-max-length-bytes; -1: the argument is left out. */
static void declare(const char *queue, const char *flags, int64_t limit, int64_t bytes,
                    const char *overflow)
{
    struct text table = {0};
    if (limit >= 0)
        table_put_i64(&table, "x-max-length", limit);
    if (bytes >= 0)
        table_put_i64(&table, "x-max-length-bytes", bytes);
    if (overflow)
        table_put_string(&table, "x-overflow", bytes_of_text(overflow));
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
    harness_sync(&h);
    harness_take(&h);
}

START_TEST(drop_head)
{
    declare("q", "", 2, -1, NULL);
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    do_publish(&h, "A1", "", "q", "three", "");
    do_declare(&h, "A1", "q", "p");
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 2 0\nA1 got t1 two left 1\nA1 got t2 three left 0\n");
}
END_TEST

START_TEST(by_bytes)
{
    declare("q", "", -1, 8, NULL);
    do_publish(&h, "A1", "", "q", "four", "");
    do_publish(&h, "A1", "", "q", "five", "");
    do_publish(&h, "A1", "", "q", "a", "");
    do_declare(&h, "A1", "q", "p");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 2 0\nA1 got t1 five left 1\n");
    do_publish(&h, "A1", "", "q", "far too long", "");
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

START_TEST(zero)
{
    declare("q", "", 0, -1, NULL);
    do_publish(&h, "A1", "", "q", "dropped", "");
    do_get(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "", 0);
    do_publish(&h, "A1", "", "q", "taken", "");
    expect(&h, "A1 empty\nA1 ok consume c1\nA1 deliver c1 t1 taken\n");
}
END_TEST

START_TEST(refused_and_taken_elsewhere)
{
    declare("full", "d", 1, -1, "reject-publish");
    declare("other", "d", -1, -1, NULL);
    do_bind(&h, "A1", "amq.fanout", "full", "");
    do_bind(&h, "A1", "amq.fanout", "other", "");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_sync(&h);
    harness_take(&h);
    do_publish(&h, "A1", "amq.fanout", "", "one", "p");
    do_publish(&h, "A1", "amq.fanout", "", "two", "p");
    do_publish(&h, "A1", "", "other", "three", "p");
    harness_sync(&h);
    expect(&h, "A1 confirm 1\nA1 confirm 2 nack\nA1 confirm 3\n");
    do_declare(&h, "A1", "full", "p");
    do_declare(&h, "A1", "other", "p");
    expect(&h, "A1 ok declare full 1 0\nA1 ok declare other 3 0\n");
    do_get(&h, "A1", "full", ""); /* makes room for one message */
    do_publish(&h, "A1", "", "full", "four", "p");
    harness_sync(&h);
    expect(&h, "A1 got t1 one left 0\nA1 confirm 4\n");
}
END_TEST

START_TEST(transaction_is_partial)
{
    declare("full", "d", 1, -1, "reject-publish");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_publish(&h, "A1", "", "full", "one", "p");
    do_publish(&h, "A1", "", "full", "two", "p");
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    harness_sync(&h);
    expect(&h, "A1 ok tx-select\nA1 fail commit PRECONDITION_FAILED partial tx completion\n");
    do_open(&h, "A2");
    do_declare(&h, "A2", "full", "p");
    expect(&h, "A2 ok open\nA2 ok declare full 1 0\n");
}
END_TEST

/* ---- In portions. */

#define MANY 5000

static uint64_t depth(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static void publish_many(const char *queue, unsigned count, uint64_t ttl_ms, const char *flags)
{
    for (unsigned i = 0; i < count; i++) {
        char body[20];
        snprintf(body, sizeof body, "%u", i);
        do_publish_ttl(&h, "A1", queue, body, ttl_ms, flags);
    }
    harness_sync(&h);
    harness_take(&h);
}

/* Calls vhost_tick until nothing is due. Each tick may remove at most at_once messages. Returns the
 * number of ticks. */
static unsigned tick_in_portions(const char *queue, uint64_t at_once)
{
    unsigned ticks = 0;
    while (vhost_deadline_ms(h.vhost) <= h.now.steady_ms) {
        uint64_t before = depth(queue);
        vhost_tick(h.vhost, h.now);
        ck_assert_uint_le(before - depth(queue), at_once);
        harness_sync(&h);
        ticks++;
        ck_assert_uint_lt(ticks, 100);
    }
    return ticks;
}

/* All deliveries come back at once to a queue that is then over its limit. */
START_TEST(requeued_too_many)
{
    declare("q", "", 10, -1, NULL);
    h.quiet = true;
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish_many("q", MANY, MESSAGE_NO_TTL, "");
    do_credit(&h, "A1", 1 << 30);
    ck_assert_uint_eq(depth("q"), 0);
    do_cancel(&h, "A1", 1);
    do_nack(&h, "A1", MANY, true, true);
    ck_assert_uint_ge(depth("q"), MANY - 1000);
    ck_assert_uint_ge(tick_in_portions("q", 1000), 3);
    ck_assert_uint_eq(depth("q"), 10);
    h.quiet = false;
    do_get(&h, "A1", "q", "");
    char expected[50];
    snprintf(expected, sizeof expected, "A1 got t%d %d left 9 redelivered\n", MANY + 1, MANY - 10);
    expect(&h, expected);
}
END_TEST

/* So many messages expire that it takes several ticks; no client gets an expired message meanwhile.
 */
START_TEST(expired_in_portions)
{
    do_declare(&h, "A1", "q", "");
    publish_many("q", MANY, 100, "");
    do_publish(&h, "A1", "", "q", "stays", "");
    h.now.steady_ms += 100;
    h.now.wall_ms += 100;
    harness_take(&h);
    do_get(&h, "A1", "q", "");
    ck_assert_uint_ge(depth("q"), MANY - 1000);
    expect(&h, ""); /* the get waits */
    do_consume(&h, "A1", "q", 1, "", 0);
    ck_assert_uint_ge(depth("q"), MANY - 3000);
    tick_in_portions("q", 2000); /* a tick does one portion, and the dispatch after it another */
    expect(&h, "A1 ok consume c1\nA1 got t1 stays left 0\n");
    ck_assert_uint_eq(depth("q"), 0);
    do_publish(&h, "A1", "", "q", "next", "");
    expect(&h, "A1 deliver c1 t2 next\n");
}
END_TEST

/* The same with messages on disk. */
START_TEST(expired_on_disk)
{
    do_declare(&h, "A1", "q", "d");
    publish_many("q", MANY, 100, "p");
    do_publish(&h, "A1", "", "q", "stays", "p");
    harness_sync(&h);
    h.now.steady_ms += 100;
    h.now.wall_ms += 100;
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
    do_get(&h, "A1", "q", "");
    for (int i = 0; i < 40; i++) {
        harness_sync(&h);
        tick_in_portions("q", 2000);
    }
    expect(&h, "A1 got t1 stays left 0\n");
    harness_sync(&h);
    harness_crash(&h);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* A message that was requeued expires at the same time as if it had not been delivered. */
START_TEST(expiry_survives_requeue)
{
    do_declare(&h, "A1", "q", "");
    do_publish_ttl(&h, "A1", "q", "one", 100, "");
    do_get(&h, "A1", "q", "a");
    harness_pass(&h, 60);
    do_nack(&h, "A1", 1, false, true);
    harness_pass(&h, 39);
    ck_assert_uint_eq(depth("q"), 1);
    harness_pass(&h, 1);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* Messages that are dropped because of the limit are dropped from disk, too. */
START_TEST(limit_holds_over_a_crash)
{
    declare("q", "d", 3000, -1, NULL);
    publish_many("q", MANY, MESSAGE_NO_TTL, "p");
    ck_assert_uint_eq(depth("q"), 3000);
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(depth("q"), 3000);
    publish_many("q", 2000, MESSAGE_NO_TTL, "p"); /* so many that the head is not in memory */
    ck_assert_uint_eq(depth("q"), 3000);
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    expect(&h, "A1 got t1 4000 left 2999\n");
}
END_TEST

/* Checks how many messages the queue has, and the bytes of their bodies. */
static void check_queue(const char *queue, uint64_t ready, uint64_t unsettled, uint64_t bytes)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_ready, ready);
    ck_assert_uint_eq(info.messages_unacknowledged, unsettled);
    ck_assert_uint_eq(info.ready_bytes + info.unacknowledged_bytes, bytes);
    if (!ready || !unsettled)
        ck_assert_uint_eq(ready ? info.ready_bytes : info.unacknowledged_bytes, bytes);
}

/* After a restart unsettled deliveries are ready again, and the queue is over its limit. */
START_TEST(limit_holds_for_what_was_out)
{
    declare("q", "d", 2, -1, NULL);
    do_get(&h, "A1", "q", "a");
    for (unsigned i = 0; i < 4; i++) {
        do_publish(&h, "A1", "", "q", "a", "p");
        do_get(&h, "A1", "q", "a");
    }
    do_publish(&h, "A1", "", "q", "b", "p");
    harness_sync(&h);
    harness_crash(&h);
    check_queue("q", 2, 0, 2); /* the limit is enforced during recovery */
}
END_TEST

/* The size of the body of the message with this number. */
static unsigned size_of(unsigned number)
{
    return number % 5 ? 10 + number % 7 : 900;
}

/* Messages are settled, given back and dropped while most of their chunks are not in memory. */
START_TEST(bytes_are_exact_whatever_is_in_memory)
{
    char body[1000];
    uint64_t bytes = 0;
    memset(body, 'b', sizeof body);
    declare("q", "d", -1, 100000000, NULL);
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (unsigned number = 1; number <= 6000; number++) {
        body[size_of(number)] = '\0';
        do_publish(&h, "A1", "", "q", body, number % 3 ? "p" : "");
        body[size_of(number)] = 'b';
        bytes += size_of(number);
        if (number % 500 == 0) {
            harness_sync(&h);
            do_credit(&h, "A1", 1000000);
        }
    }
    check_queue("q", 0, 6000, bytes);
    uint64_t settled = 0;
    for (unsigned number = 1; number <= 6000; number += 4) {
        do_ack(&h, "A1", number, false);
        settled += size_of(number);
    }
    harness_sync(&h);
    check_queue("q", 0, 4500, bytes - settled);
    do_cancel(&h, "A1", 1);
    do_close(&h, "A1"); /* all deliveries come back */
    harness_sync(&h);
    check_queue("q", 4500, 0, bytes - settled);
    harness_crash(&h);
    bytes = 0;
    for (unsigned number = 1; number <= 6000; number++)
        if (number % 4 != 1 && number % 3)
            bytes += size_of(number);
    check_queue("q", 3000, 0, bytes);
    do_open(&h, "A1");
    declare("q", "d", -1, 100000000, NULL);
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    check_queue("q", 2999, 1, bytes);
    do_purge(&h, "A1", "q");
    harness_sync(&h);
    check_queue("q", 0, 1, size_of(2));
}
END_TEST

/* ---- By policy. */

static void put_policy(const char *key, int64_t value, bool letters)
{
    struct text definition = {0};
    struct command command = {.type = COMMAND_POLICY_PUT, .channel = 1};
    table_put_i64(&definition, key, value);
    if (letters)
        table_put_string(&definition, "dead-letter-exchange", bytes_of_text("amq.fanout"));
    command.u.policy.name = bytes_of_text("p");
    command.u.policy.pattern = bytes_of_text("^q$");
    command.u.policy.definition = text_bytes(&definition);
    command.u.policy.target = POLICY_QUEUES;
    harness_do(&h, 'A', &command);
    text_free(&definition);
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* The number of messages; more than the test needs can be set, to see how long a call takes then.
 */
static unsigned many(void)
{
    const char *wanted = getenv("LEVERET_TEST_MANY");
    return wanted ? (unsigned)strtoul(wanted, NULL, 10) : 20000;
}

/* Calls vhost_tick until nothing is due, and checks that no call does more than its portion. Prints
 * the time of the slowest call. */
static void work_off(const char *what)
{
    double slowest_ms = 0;
    unsigned calls = 0;
    while (vhost_deadline_ms(h.vhost) <= h.now.steady_ms) {
        uint64_t before = depth("q");
        double begun_ms = now_ms();
        vhost_tick(h.vhost, h.now);
        double took_ms = now_ms() - begun_ms;
        ck_assert_uint_le(before - depth("q"), 4000);
        if (took_ms > slowest_ms)
            slowest_ms = took_ms;
        harness_turn(&h);
        harness_disk(&h);
        calls++;
    }
    if (calls)
        printf("%s: %u messages in %u calls, the slowest of %.2f ms\n", what, many(), calls,
               slowest_ms);
}

/* A policy lowers the limit of a long queue. _i: 1: its messages are on disk, 2: they are
 * dead-lettered, 3: both. */
START_TEST(lowered_by_policy)
{
    bool stored = _i & 1, letters = _i & 2;
    if (letters) {
        declare("dead", "d", -1, -1, NULL);
        do_bind(&h, "A1", "amq.fanout", "dead", "");
    }
    do_declare(&h, "A1", "q", "d");
    h.quiet = true;
    publish_many("q", many(), MESSAGE_NO_TTL, stored ? "p" : "");
    put_policy("max-length", 5, letters);
    ck_assert_uint_ge(depth("q"), many() - 2000);
    for (int i = 0; i < 300 && depth("q") > 5; i++) {
        work_off("shortened");
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("q"), 5);
    if (letters)
        ck_assert_uint_eq(depth("dead"), many() - 5);
}
END_TEST

/* All messages expire at once. _i as above. */
START_TEST(all_expire)
{
    bool stored = _i & 1, letters = _i & 2;
    declare("dead", "d", -1, -1, NULL);
    do_bind(&h, "A1", "amq.fanout", "dead", "");
    do_declare(&h, "A1", "q", "d");
    h.quiet = true;
    if (letters)
        put_policy("expires", 1000000, true);
    publish_many("q", many(), 100, stored ? "p" : "");
    h.now.steady_ms += 100;
    h.now.wall_ms += 100;
    for (int i = 0; i < 3000 && depth("q"); i++) {
        work_off("expired");
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_eq(depth("dead"), letters ? many() : 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("length");
    TCase *tcase = tcase_create("limits");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, drop_head);
    tcase_add_test(tcase, by_bytes);
    tcase_add_test(tcase, zero);
    tcase_add_test(tcase, refused_and_taken_elsewhere);
    tcase_add_test(tcase, transaction_is_partial);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("portions");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, requeued_too_many);
    tcase_add_test(tcase, expired_in_portions);
    tcase_add_test(tcase, expired_on_disk);
    tcase_add_test(tcase, expiry_survives_requeue);
    tcase_add_test(tcase, limit_holds_over_a_crash);
    tcase_add_test(tcase, bytes_are_exact_whatever_is_in_memory);
    tcase_add_test(tcase, limit_holds_for_what_was_out);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("many");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 1200);
    tcase_add_loop_test(tcase, lowered_by_policy, 0, 4);
    tcase_add_loop_test(tcase, all_expire, 0, 4);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
