/* Delivery limits and counts over restarts. */
#include <stdio.h>

#include "delivery_limit_fixture.h"

/* ---- Restart. */

START_TEST(counts_survive_a_restart)
{
    declare("q", "quorum", 2);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", ""); /* a quorum queue keeps transient messages, too */
    do_publish(&h, "A1", "", "q", "three", "p");
    harness_sync(&h);
    get_and_return("q", "A1 got t1 one left 2\n", 1);
    harness_sync(&h);
    get_and_return("q", "A1 got t2 one left 2 redelivered count 1\n", 2);
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t1 one left 2 redelivered count 2\nA1 got t2 two left 1\n"
               "A1 got t3 three left 0\n");
    do_nack(&h, "A1", 3, false, true);
    do_nack(&h, "A1", 1, false, true); /* once too often */
    harness_sync(&h);
    restart(); /* unsettled deliveries come back, too */
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "dead", "");
    harness_sync(&h);
    expect(&h, "A1 got t1 two left 1 redelivered count 1\n"
               "A1 got t2 three left 0 redelivered count 1\nA1 got t3 one left 0\n");
    do_ack(&h, "A1", 1, false);
    do_ack(&h, "A1", 2, false);
    harness_sync(&h);
    restart();
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

static void get_one(const char *queue)
{
    do_get(&h, "A1", queue, "a");
    harness_sync(&h); /* the message is read back */
}

static void killed(void)
{
    restart();
    harness_pass(&h, 0); /* messages that are to be dead-lettered are read */
    harness_sync(&h);
}

START_TEST(a_limit_holds_over_kills)
{
    declare("q", "quorum", 1);
    do_publish(&h, "A1", "", "q", "poison", "p");
    get_one("q");
    expect(&h, "A1 got t1 poison left 0\n");
    killed(); /* while the message is unsettled */
    get_one("q");
    expect(&h, "A1 got t1 poison left 0 redelivered count 1\n");
    killed();
    get_one("q");
    get_one("dead");
    expect(&h, "A1 empty\nA1 got t1 poison left 0\n");
}
END_TEST

START_TEST(restarts_without_a_delivery_count_nothing)
{
    declare("q", "quorum", 2);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    do_publish(&h, "A1", "", "q", "three", "p");
    for (int i = 0; i < 3; i++)
        get_one("q");
    do_nack(&h, "A1", 1, false, true);
    do_nack(&h, "A1", 3, false, true);
    killed(); /* while "two" is unsettled */
    get_one("q");
    get_one("q");
    get_one("q");
    harness_take(&h);
    do_nack(&h, "A1", 1, false, true);
    do_nack(&h, "A1", 3, false, true);
    do_nack(&h, "A1", 2, false, true);
    do_publish(&h, "A1", "", "q", "new", "p");
    harness_sync(&h);
    for (int i = 0; i < 5; i++)
        killed();
    harness_take(&h);
    for (int i = 0; i < 4; i++)
        get_one("q");
    expect(&h, "A1 got t1 one left 3 redelivered count 2\n"
               "A1 got t2 two left 2 redelivered count 2\n"
               "A1 got t3 three left 1 redelivered count 2\nA1 got t4 new left 0\n");
}
END_TEST

/* A message above its limit for which no queue takes the dead letter is not delivered again either.
 */
START_TEST(what_exceeded_its_limit_stays_dead)
{
    struct text arguments = {0};
    struct queue_info info;
    table_put_i64(&arguments, "x-delivery-limit", 1);
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text("not yet"));
    table_put_string(&arguments, "x-dead-letter-strategy", bytes_of_text("at-least-once"));
    table_put_string(&arguments, "x-overflow", bytes_of_text("reject-publish"));
    do_declare_args(&h, "A1", "q", "d", &arguments);
    text_free(&arguments);
    do_publish(&h, "A1", "", "q", "poison", "p");
    harness_sync(&h);
    harness_take(&h);
    get_and_return("q", "A1 got t1 poison left 0\n", 1);
    get_and_return("q", "A1 got t2 poison left 0 redelivered count 1\n", 2);
    harness_sync(&h);
    for (int i = 0; i < 3; i++) {
        killed();
        get_one("q");
        expect(&h, "A1 empty\n");
        ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &info));
        ck_assert_uint_eq(info.messages_dlx, 1);
    }
    do_exchange(&h, "A1", "not yet", "fanout", "d");
    do_bind(&h, "A1", "not yet", "dead", "");
    harness_pass(&h, 2000);
    harness_sync(&h);
    harness_take(&h);
    get_one("dead");
    expect(&h, "A1 got t1 poison left 0\n");
}
END_TEST

/* Several chunks, most of whose messages were returned; the messages then leave in all possible
 * ways. */
START_TEST(counts_go_with_their_messages)
{
    enum { COUNT = 2000 };
    declare("q", "quorum", 5);
    do_qos(&h, "A1", 0, false);
    for (int i = 0; i < COUNT; i++) {
        char body[20];
        snprintf(body, sizeof body, "m%d", i);
        do_publish(&h, "A1", "", "q", body, "p");
        if (i % 100 == 99)
            harness_sync(&h);
    }
    do_consume(&h, "A2", "q", 1, "a", 0);
    harness_sync(&h);
    do_close(&h, "A2"); /* all its deliveries come back */
    do_open(&h, "A2");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m0 left 1999 redelivered count 1\n");
    do_ack(&h, "A1", 1, false);
    do_purge(&h, "A1", "q");
    harness_sync(&h);
    restart();
    do_publish(&h, "A1", "", "q", "new", "p");
    harness_sync(&h);
    get_and_return("q", "A1 got t1 new left 0\n", 1);
    harness_sync(&h);
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    restart();
    declare("q", "quorum", 5);
    do_publish(&h, "A1", "", "q", "newer", "p");
    get_and_return("q", "A1 got t1 newer left 0\n", 1);
}
END_TEST

/* When its messages have gone, a queue takes as much memory as before. */
START_TEST(nothing_is_left_behind)
{
    struct queue_info before, after;
    declare("q", "quorum", 100);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &before));
    for (uint64_t tag = 1; tag <= 5000; tag++) {
        do_publish(&h, "A1", "", "q", "m", "p");
        do_get(&h, "A1", "q", "a");
        do_nack(&h, "A1", tag * 2 - 1, false, true);
        do_get(&h, "A1", "q", "a");
        do_ack(&h, "A1", tag * 2, false);
        if (tag % 10 == 0)
            harness_sync(&h);
        harness_take(&h);
    }
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &after));
    ck_assert_uint_lt(after.memory_bytes, before.memory_bytes + 1024);
    harness_sync(&h);
    restart();
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delivery_limit_restart");
    TCase *tests = tcase_create("delivery_limit");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, counts_survive_a_restart);
    tcase_add_test(tests, a_limit_holds_over_kills);
    tcase_add_test(tests, restarts_without_a_delivery_count_nothing);
    tcase_add_test(tests, what_exceeded_its_limit_stays_dead);
    tcase_add_test(tests, counts_go_with_their_messages);
    tcase_add_test(tests, nothing_is_left_behind);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
