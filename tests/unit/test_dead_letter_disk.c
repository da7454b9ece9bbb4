/* Dead letters of messages on disk, crashes, and dead letters that are kept until a queue has taken
 * them. */
#include <stdio.h>
#include <stdlib.h>

#include "dead_letter_fixture.h"

/* ---- On disk. */

#define MANY 3000

static void publish_many(const char *queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char body[20];
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", queue, body, "p");
    }
    harness_sync(&h);
}

static uint64_t depth(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static uint64_t resident(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.memory_bytes;
}

START_TEST(rejected_on_disk)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", MANY * 3);
    h.quiet = true;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 20; i++) {
        harness_sync(&h);
        do_credit(&h, "A1", 1 << 20);
    }
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_lt(resident("q"), MANY * 100); /* the first messages have left memory */
    do_cancel(&h, "A1", 1);
    do_nack(&h, "A1", MANY, true, false);
    for (int i = 0; i < 40; i++) {
        harness_sync(&h);
        harness_pass(&h, 0);
    }
    ck_assert_uint_eq(depth("dead"), MANY);
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_lt(resident("q"), MANY * 100);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    h.quiet = false;
    expect_got("dead", "A1 got 0 left 2999");
    harness_crash(&h);
    do_open(&h, "A1");
    harness_sync(&h);
    ck_assert_uint_eq(depth("dead"), MANY - 1);
    ck_assert_uint_eq(depth("q"), MANY * 2);
}
END_TEST

/* The queue is deleted, or the vhost is freed, while its dead letters wait to be read from disk. */
START_TEST(gone_while_waiting)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", MANY * 3);
    h.quiet = true;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 20; i++) {
        harness_sync(&h);
        do_credit(&h, "A1", 1 << 20);
    }
    do_nack(&h, "A1", MANY * 3, true, false);
    for (int i = 0; i < _i; i++) {
        harness_turn(&h);
        harness_disk(&h);
    }
    do_delete(&h, "A1", "q", "");
    harness_pass(&h, 0);
    harness_sync(&h);
    ck_assert_uint_lt(depth("dead"), MANY * 3);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* The dead letter of a message that a transaction rejected is on disk together with the commit. */
START_TEST(rejected_in_a_transaction)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", 1);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, false);
    ck_assert_uint_eq(depth("dead"), 0);
    harness_take(&h);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "A1 ok commit\n");
    harness_crash(&h);
    ck_assert_uint_eq(depth("dead"), 1);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* A crash at any moment of the work: each message is in one of the two queues. */
START_TEST(crash_between)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead message-ttl=1000");
    publish_many("q", MANY);
    h.quiet = true;
    h.now.wall_ms += 1000;
    h.now.steady_ms += 1000;
    for (int i = 0; i < _i; i++) {
        vhost_tick(h.vhost, h.now);
        harness_turn(&h);
        if (i % 2)
            harness_disk(&h);
    }
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(depth("q") + depth("dead"), MANY);
    ck_assert_uint_eq(depth("dead") % 200, 0); /* one call sends 200 */
    for (int i = 0; i < 40; i++) {
        harness_pass(&h, 0);
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("dead"), MANY);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* ---- At least once. */

#define KEPT                                                                                       \
    "dead-letter-exchange=dlx dead-letter-routing-key=dead dead-letter-strategy=at-least-once "    \
    "overflow=reject-publish"

static uint64_t unsettled(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_dlx, info.messages_unacknowledged);
    return info.messages_unacknowledged;
}

START_TEST(kept_without_route)
{
    declare("q", "d", KEPT);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    get_and_reject("q"); /* no exchange */
    ck_assert_uint_eq(unsettled("q"), 1);
    do_exchange(&h, "A1", "dlx", "direct", "d");
    harness_pass(&h, 60); /* no binding */
    ck_assert_uint_eq(unsettled("q"), 1);
    declare("dead", "d", "");
    do_bind(&h, "A1", "dlx", "dead", "dead");
    harness_pass(&h, 60);
    ck_assert_uint_eq(unsettled("q"), 0);
    expect_got("dead", "A1 got one left 0");
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

/* A queue that refuses the letter but dead-letters it in turn has taken it: the letter is not sent
 * again. */
START_TEST(not_kept_when_passed_on)
{
    declare("last", "d", "");
    do_exchange(&h, "A1", "dlx", "direct", "d");
    declare("dead", "d", "max-length=0 overflow=reject-publish-dlx dead-letter-exchange=end");
    do_bind(&h, "A1", "dlx", "dead", "dead");
    do_exchange(&h, "A1", "end", "fanout", "d");
    do_bind(&h, "A1", "end", "last", "");
    declare("q", "d", KEPT);
    do_publish(&h, "A1", "", "q", "one", "p");
    get_and_reject("q");
    harness_pass(&h, 60);
    ck_assert_uint_eq(unsettled("q"), 0);
    harness_pass(&h, 10000);
    ck_assert_uint_eq(depth("last"), 1);
}
END_TEST

START_TEST(kept_while_refused)
{
    declare("dead", "d", "max-length=2 overflow=reject-publish");
    do_exchange(&h, "A1", "dlx", "fanout", "d");
    do_bind(&h, "A1", "dlx", "dead", "");
    declare("q", "d", KEPT " message-ttl=10");
    for (int i = 0; i < 5; i++)
        do_publish(&h, "A1", "", "q", "m", "p");
    harness_pass(&h, 10);
    ck_assert_uint_eq(depth("dead"), 2);
    ck_assert_uint_eq(unsettled("q"), 3);
    expect_got("dead", "A1 got m left 1");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(unsettled("q"), 2);
    expect_got("dead", "A1 got m left 1");
    expect_got("dead", "A1 got m left 0");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(unsettled("q"), 0);
    ck_assert_uint_eq(depth("dead"), 2);
}
END_TEST

/* A commit does not wait until a dead letter that is held has been taken. */
START_TEST(kept_of_a_transaction)
{
    declare("q", "d", KEPT);
    publish_many("q", 1);
    harness_sync(&h);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, false);
    harness_take(&h);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    harness_sync(&h);
    expect(&h, "A1 ok commit\n");
    ck_assert_uint_eq(unsettled("q"), 1);
}
END_TEST

START_TEST(kept_over_a_crash)
{
    declare("q", "d", KEPT);
    publish_many("q", 2);
    get_and_reject("q");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(depth("q"), 2); /* ready again */
    get_and_reject("q");
    do_delete(&h, "A1", "q", ""); /* the held messages go with the queue */
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost) > h.now.steady_ms, true);
    harness_pass(&h, 5000);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

/* With overflow drop-head a queue cannot keep messages until they are taken: its strategy is
 * at-most-once. */
START_TEST(kept_needs_refusal)
{
    declare("q", "d", "dead-letter-exchange=dlx dead-letter-strategy=at-least-once");
    do_publish(&h, "A1", "", "q", "one", "p");
    get_and_reject("q");
    ck_assert_uint_eq(unsettled("q"), 0);
}
END_TEST

/* Many messages are held, on disk: a try costs little, and they leave when a queue takes them. */
START_TEST(many_kept)
{
    declare("q", "d", KEPT " message-ttl=10");
    do_exchange(&h, "A1", "dlx", "fanout", "d");
    h.quiet = true;
    publish_many("q", MANY * 3);
    for (int i = 0; i < 40; i++) {
        harness_pass(&h, 10);
        harness_sync(&h);
    }
    ck_assert_uint_eq(unsettled("q"), MANY * 3);
    ck_assert_uint_lt(resident("q"), MANY * 100);
    declare("dead", "d", "");
    do_bind(&h, "A1", "dlx", "dead", "");
    for (int i = 0; i < 100; i++) {
        harness_pass(&h, 10);
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("dead"), MANY * 3);
    ck_assert_uint_eq(unsettled("q"), 0);
    harness_crash(&h);
    ck_assert_uint_eq(depth("dead"), MANY * 3);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* Many queues hold messages: each is tried in its turn, a few in one call. */
START_TEST(many_keep)
{
    char name[20];
    h.quiet = true;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "q%d", i);
        declare(name, "", KEPT);
        do_publish(&h, "A1", "", name, "m", "");
        get_and_reject(name);
    }
    harness_pass(&h, 5000);
    declare("dead", "", "");
    do_exchange(&h, "A1", "dlx", "fanout", "");
    do_bind(&h, "A1", "dlx", "dead", "");
    harness_pass(&h, 60);
    ck_assert_uint_eq(depth("dead"), 300);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dead_letter_disk");
    add_case(suite, "disk",
             (const TTest *const[]){rejected_on_disk, rejected_in_a_transaction, NULL});
    add_case(suite, "at least once",
             (const TTest *const[]){kept_without_route, not_kept_when_passed_on, kept_while_refused,
                                    kept_of_a_transaction, kept_over_a_crash, kept_needs_refusal,
                                    many_kept, many_keep, NULL});
    TCase *crash = tcase_create("crash");
    tcase_add_checked_fixture(crash, setup, teardown);
    tcase_add_loop_test(crash, crash_between, 0, 8);
    tcase_add_loop_test(crash, gone_while_waiting, 0, 4);
    suite_add_tcase(suite, crash);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
