/* Acknowledgement time-outs that cancel a consumer: which deliveries go back, what goes on, what a
 * late acknowledgement does. test_core_time.c has time-outs that fail the channel. */
#include <stdio.h>
#include <stdlib.h>

#include "broker/channel/overdue.h"
#include "core_harness.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    h.notify_cancel = true;
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    do_open(&h, "B1");
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

/* limit: x-delivery-limit; below 0: the argument is left out. */
static void declare(const char *queue, const char *type, int32_t limit)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text(type));
    if (limit >= 0)
        table_put_i32(&arguments, "x-delivery-limit", limit);
    do_declare_args(&h, "B1", queue, "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

static void consume(const char *who, const char *queue, uint32_t consumer, int32_t timeout_ms)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-consumer-timeout", timeout_ms);
    do_consume_args(&h, who, queue, consumer, "a", &arguments);
    text_free(&arguments);
}

/* Publishes messages whose bodies are one letter each. */
static void publish(const char *queue, const char *bodies)
{
    for (; *bodies; bodies++) {
        char body[] = {*bodies, 0};
        do_publish(&h, "B1", "", queue, body, "");
    }
}

/* ---- Tags. */

START_TEST(each_tag_is_taken_once)
{
    struct overdue overdue = {0};
    static const uint64_t tags[] = {3, 7, 8, 20, 5, 6};
    ck_assert(!overdue_take(&overdue, 3));
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        overdue_note(&overdue, tags[i]);
    ck_assert(!overdue_take(&overdue, 4) && !overdue_take(&overdue, 21));
    ck_assert(overdue_take(&overdue, 6) && !overdue_take(&overdue, 6));
    ck_assert(overdue_take(&overdue, 3) && !overdue_take(&overdue, 3));
    overdue_take_upto(&overdue, 7);
    ck_assert(!overdue_take(&overdue, 5) && !overdue_take(&overdue, 7));
    overdue_note(&overdue, 2);
    ck_assert(overdue_take(&overdue, 20) && overdue_take(&overdue, 8));
    ck_assert(overdue_take(&overdue, 2));
    ck_assert_ptr_null(overdue.marks); /* nothing is left behind */
    overdue_take_upto(&overdue, UINT64_MAX / 2);
}
END_TEST

START_TEST(so_many_tags_are_kept)
{
    struct overdue overdue = {0};
    for (uint64_t tag = 1; tag <= 3 * OVERDUE_MAX; tag++) {
        overdue_note(&overdue, tag);
        ck_assert_uint_le(overdue.room, OVERDUE_MAX);
    }
    ck_assert(!overdue_take(&overdue, 1));
    for (uint64_t tag = 2 * OVERDUE_MAX + OVERDUE_MAX / 2; tag <= 3 * OVERDUE_MAX; tag++)
        ck_assert(overdue_take(&overdue, tag));
    overdue_take_upto(&overdue, 3 * OVERDUE_MAX);
    ck_assert_ptr_null(overdue.marks);
}
END_TEST

/* ---- Consumers. */

static void loses_its_subscription(const char *type, const char *mark)
{
    char lines[400];
    declare("q", type, -1);
    declare("r", type, -1);
    do_qos(&h, "A1", 2, false);
    consume("A1", "q", 1, 10000);
    consume("A1", "r", 2, 1000000);
    do_consume(&h, "A2", "q", 3, "a", -1);
    publish("q", "ab");
    publish("r", "x");
    harness_take(&h);
    harness_pass(&h, 5000);
    do_ack(&h, "A1", 1, false);
    publish("q", "c"); /* not overdue, but goes back with the consumer's overdue delivery */
    harness_take(&h);
    harness_pass(&h, 4000);
    expect(&h, "");
    harness_pass(&h, 3000);
    snprintf(
        lines, sizeof lines,
        "A1 cancelled c1\nA2 deliver c3 t1 b redelivered%s\nA2 deliver c3 t2 c redelivered%s\n",
        mark, mark);
    expect(&h, lines);
    do_ack(&h, "A1", 3, false); /* a delivery of the other consumer */
    publish("r", "y");
    publish("q", "d");
    expect(&h, "A1 deliver c2 t5 y\nA2 deliver c3 t3 d\n");
    do_cancel(&h, "A1", 2);
    do_consume(&h, "A1", "q", 1, "a", 9); /* the client may consume again */
    publish("q", "e");
    expect(&h, "A1 ok cancel c2\nA1 ok consume c1\nA1 deliver c1 t6 e\n");
}

START_TEST(a_consumer_loses_its_subscription)
{
    loses_its_subscription("quorum", " acquired 1");
    harness_close(&h);
    setup();
    loses_its_subscription("classic", "");
}
END_TEST

START_TEST(late_acknowledgements_have_no_effect)
{
    declare("q", "quorum", -1);
    consume("A1", "q", 1, 10000);
    publish("q", "abcd");
    harness_pass(&h, 12000);
    harness_take(&h);
    do_ack(&h, "A1", 2, false);
    do_nack(&h, "A1", 1, false, true);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "B1 ok declare q 4 0\n");
    do_consume(&h, "A1", "q", 2, "a", 0);
    expect(&h, "A1 ok consume c2\nA1 deliver c2 t5 a redelivered acquired 1\n"
               "A1 deliver c2 t6 b redelivered acquired 1\n"
               "A1 deliver c2 t7 c redelivered acquired 1\n"
               "A1 deliver c2 t8 d redelivered acquired 1\n");
    do_ack(&h, "A1", 5, true); /* 3 and 4 among them */
    harness_sync(&h);
    do_ack(&h, "A1", 3, false);
    expect(&h, "A1 fail ack PRECONDITION_FAILED unknown delivery tag 3\n");
    do_declare(&h, "B1", "q", "p");
    expect(&h, "B1 ok declare q 3 0\n");
}
END_TEST

START_TEST(a_late_acknowledgement_counts_once)
{
    declare("q", "quorum", -1);
    consume("A1", "q", 1, 10000);
    publish("q", "a");
    harness_pass(&h, 12000);
    harness_take(&h);
    do_ack(&h, "A1", 1, false);
    expect(&h, "");
    do_ack(&h, "A1", 1, false);
    expect(&h, "A1 fail ack PRECONDITION_FAILED unknown delivery tag 1\n");
}
END_TEST

/* A delivery that goes back for a time-out is handed back, which is no failure. It counts for a
 * delivery limit that was set, not for the default one. */
START_TEST(a_time_out_counts_like_a_nack)
{
    declare("q", "quorum", 1);
    consume("A1", "q", 1, 10000);
    publish("q", "a");
    harness_pass(&h, 12000);
    consume("A1", "q", 2, 10000);
    expect(&h, "A1 ok consume c1\nA1 deliver c1 t1 a\nA1 cancelled c1\nA1 ok consume c2\n"
               "A1 deliver c2 t2 a redelivered count 1\n");
    harness_pass(&h, 12000);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "A1 cancelled c2\nB1 ok declare q 0 0\n");
}
END_TEST

START_TEST(the_next_single_active_consumer_follows)
{
    struct text arguments = {0};
    table_put_bool(&arguments, "x-single-active-consumer", true);
    do_declare_args(&h, "B1", "q", "", &arguments);
    text_free(&arguments);
    do_qos(&h, "A1", 2, false);
    consume("A1", "q", 1, 10000);
    consume("A2", "q", 2, 1000000);
    publish("q", "abc");
    harness_take(&h);
    harness_pass(&h, 12000);
    expect(&h, "A1 cancelled c1\nA2 deliver c2 t1 a redelivered\nA2 deliver c2 t2 b redelivered\n"
               "A2 deliver c2 t3 c\n");
}
END_TEST

START_TEST(an_auto_delete_queue_goes_with_its_last_consumer)
{
    do_declare(&h, "B1", "q", "a");
    consume("A1", "q", 1, 10000);
    publish("q", "ab");
    harness_take(&h);
    harness_pass(&h, 12000);
    do_ack(&h, "A1", 2, true);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "A1 cancelled c1\nB1 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

#define TIMED_OUT                                                                                  \
    "PRECONDITION_FAILED delivery acknowledgement on channel 1 timed out. Timeout value used: "    \
    "10000 ms. This timeout value can be configured, see consumers doc guide to learn more\n"

/* There is no consumer to cancel, or the client cannot be told of it: the channel fails. */
START_TEST(some_lose_their_channel)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-consumer-timeout", 10000);
    do_declare_args(&h, "B1", "q", "", &arguments);
    text_free(&arguments);
    publish("q", "a");
    do_get(&h, "A1", "q", "a");
    harness_take(&h);
    harness_pass(&h, 12000);
    expect(&h, "A1 fail none " TIMED_OUT);
    do_close(&h, "A1");
    do_open(&h, "A1");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_cancel(&h, "A1", 1);
    harness_take(&h);
    harness_pass(&h, 12000);
    expect(&h, "A1 fail none " TIMED_OUT);
    h.notify_cancel = false;
    do_open(&h, "C1");
    do_consume(&h, "C1", "q", 1, "a", 0);
    harness_take(&h);
    harness_pass(&h, 12000);
    expect(&h, "C1 fail none " TIMED_OUT);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "B1 ok declare q 1 0\n");
}
END_TEST

/* When a channel fails for a time-out, its other deliveries come back because it ends, which is a
 * failure. */
START_TEST(what_is_not_overdue_fails_with_the_channel)
{
    declare("q", "quorum", -1);
    declare("r", "quorum", -1);
    h.notify_cancel = false;
    do_open(&h, "C1");
    consume("C1", "q", 1, 10000);
    consume("C1", "r", 2, 1000000);
    publish("q", "a");
    publish("r", "b");
    harness_pass(&h, 12000);
    harness_take(&h);
    do_get(&h, "B1", "q", "");
    do_get(&h, "B1", "r", "");
    expect(&h,
           "B1 got t1 a left 0 redelivered acquired 1\nB1 got t2 b left 0 redelivered count 1\n");
}
END_TEST

/* A consumer is cancelled, and in the same moment its channel fails for a message that it got by
 * basic.get: all deliveries of the consumer go back for the time-out, those that are not overdue,
 * too. */
START_TEST(what_a_cancelled_consumer_held_has_not_failed)
{
    declare("q", "quorum", -1);
    struct text arguments = {0};
    table_put_i32(&arguments, "x-consumer-timeout", 12000);
    do_declare_args(&h, "B1", "r", "", &arguments);
    text_free(&arguments);
    do_qos(&h, "A1", 2, false);
    consume("A1", "q", 1, 10000);
    publish("q", "a");
    publish("r", "x");
    do_get(&h, "A1", "r", "a");
    h.now.steady_ms += 5000; /* no tick before both are over */
    publish("q", "b");
    h.now.steady_ms += 8000;
    harness_take(&h);
    harness_pass(&h, 0);
    ck_assert_ptr_nonnull(strstr(harness_take(&h), "A1 cancelled c1\nA1 fail none "));
    do_get(&h, "B1", "q", "");
    do_get(&h, "B1", "q", "");
    expect(&h, "B1 got t1 a left 1 redelivered acquired 1\n"
               "B1 got t2 b left 0 redelivered acquired 1\n");
}
END_TEST

START_TEST(channels_fail_if_so_chosen)
{
    harness_close(&h);
    h.dialect.consumer_timeout = TIMEOUT_CLOSES;
    setup();
    declare("q", "quorum", -1);
    consume("A1", "q", 1, 10000);
    publish("q", "a");
    harness_take(&h);
    harness_pass(&h, 12000);
    expect(&h, "A1 fail none " TIMED_OUT);
}
END_TEST

/* A delivery was acknowledged in a transaction, which is rolled back after the time-out. */
START_TEST(a_rollback_brings_back_what_is_overdue)
{
    do_declare(&h, "B1", "q", "");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    consume("A1", "q", 1, 10000);
    publish("q", "ab");
    do_ack(&h, "A1", 1, false);
    harness_take(&h);
    harness_pass(&h, 12000);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "A1 cancelled c1\nB1 ok declare q 1 0\n");
    do_plain(&h, "A1", COMMAND_TX_ROLLBACK);
    harness_pass(&h, 12000);
    do_declare(&h, "B1", "q", "p");
    expect(&h, "A1 ok rollback\nB1 ok declare q 2 0\n");
}
END_TEST

/* Many deliveries go back in portions, and keep their order; the channel may be closed meanwhile.
 */
static void many(bool close)
{
    enum { COUNT = 3000 };
    harness_close(&h);
    h.portion = 100;
    setup();
    do_declare(&h, "B1", "q", "");
    consume("A1", "q", 1, 10000);
    for (int i = 0; i < COUNT; i++) {
        char body[20];
        snprintf(body, sizeof body, "%d", i);
        do_publish(&h, "B1", "", "q", body, "");
    }
    do_credit(&h, "A1", 1 << 20);
    do_consume(&h, "A2", "q", 2, "a", -1);
    do_qos(&h, "A2", 0, false);
    harness_take(&h);
    h.now.steady_ms += 12000;
    for (int i = 0; i < 3; i++)
        vhost_tick(h.vhost, h.now);
    expect(&h, "A1 cancelled c1\n"); /* no message is delivered until all are back */
    if (close)
        do_close(&h, "A1");
    harness_pass(&h, 0);
    const char *at = harness_take(&h);
    for (int i = 0; i < COUNT; i++) {
        char line[60];
        snprintf(line, sizeof line, "A2 deliver c2 t%d %d redelivered\n", i + 1, i);
        at = strstr(at, line);
        ck_assert_msg(at != NULL, "no %s", line);
    }
    if (!close) {
        do_ack(&h, "A1", 0, true);
        expect(&h, "");
    }
}

START_TEST(many_go_back_in_portions)
{
    many(false);
}
END_TEST

START_TEST(the_channel_is_closed_meanwhile)
{
    many(true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overdue");
    TCase *tests = tcase_create("overdue");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, each_tag_is_taken_once);
    tcase_add_test(tests, so_many_tags_are_kept);
    tcase_add_test(tests, a_consumer_loses_its_subscription);
    tcase_add_test(tests, late_acknowledgements_have_no_effect);
    tcase_add_test(tests, a_late_acknowledgement_counts_once);
    tcase_add_test(tests, a_time_out_counts_like_a_nack);
    tcase_add_test(tests, the_next_single_active_consumer_follows);
    tcase_add_test(tests, an_auto_delete_queue_goes_with_its_last_consumer);
    tcase_add_test(tests, some_lose_their_channel);
    tcase_add_test(tests, what_is_not_overdue_fails_with_the_channel);
    tcase_add_test(tests, what_a_cancelled_consumer_held_has_not_failed);
    tcase_add_test(tests, channels_fail_if_so_chosen);
    tcase_add_test(tests, a_rollback_brings_back_what_is_overdue);
    tcase_add_test(tests, many_go_back_in_portions);
    tcase_add_test(tests, the_channel_is_closed_meanwhile);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
