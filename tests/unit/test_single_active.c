/* x-single-active-consumer: which consumer is active, which follows, and what happens to the
 * deliveries of one that ends. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
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

static void declare(const char *queue, const char *flags)
{
    struct text arguments = {0};
    table_put_bool(&arguments, "x-single-active-consumer", true);
    do_declare_args(&h, "A1", queue, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

static void declare_quorum(const char *queue)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    table_put_bool(&arguments, "x-single-active-consumer", true);
    do_declare_args(&h, "A1", queue, "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

static void publish(const char *queue, const char *bodies)
{
    for (; *bodies; bodies++) {
        char body[] = {*bodies, 0};
        do_publish(&h, "A1", "", queue, body, "");
    }
}

START_TEST(one_consumer_gets_all)
{
    declare("q", "");
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "B1", "q", 2, "a", 9); /* has a higher priority, but came later */
    publish("q", "abc");
    expect(&h, "A1 ok qos\nA1 ok consume c1\nB1 ok consume c2\nA1 deliver c1 t1 a\n"
               "A1 deliver c1 t2 b\n");
    do_ack(&h, "A1", 1, false);
    expect(&h, "A1 deliver c1 t3 c\n");
}
END_TEST

START_TEST(the_next_follows_when_it_is_cancelled)
{
    declare("q", "");
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A2", "q", 2, "a", -1);
    do_consume(&h, "B1", "q", 3, "a", 5);
    do_consume(&h, "A2", "q", 4, "a", 5);
    publish("q", "abc");
    harness_take(&h);
    do_cancel(&h, "A1", 1); /* a and b stay unsettled on its channel */
    expect(&h, "A1 ok cancel c1\nB1 deliver c3 t1 c\n");
    publish("q", "d");
    do_nack(&h, "A1", 1, false, true);
    expect(&h, "B1 deliver c3 t2 d\nB1 deliver c3 t3 a redelivered\n");
    do_ack(&h, "A1", 2, false);
    do_close(&h, "B1"); /* the messages go in their order to the next of the same priority */
    expect(&h, "B1 ok close\nA2 deliver c4 t1 a redelivered\nA2 deliver c4 t2 c redelivered\n"
               "A2 deliver c4 t3 d redelivered\n");
    do_cancel(&h, "A2", 4);
    publish("q", "e");
    expect(&h, "A2 ok cancel c4\nA2 deliver c2 t4 e\n");
    do_cancel(&h, "A2", 2);
    publish("q", "f");
    expect(&h, "A2 ok cancel c2\n");
    do_open(&h, "B1");
    do_consume(&h, "B1", "q", 9, "a", 0);
    expect(&h, "B1 ok open\nB1 ok consume c9\nB1 deliver c9 t1 f\n");
}
END_TEST

START_TEST(one_that_waits_may_leave)
{
    declare("q", "a");
    do_consume(&h, "A1", "q", 1, "", 0);
    do_consume(&h, "A2", "q", 2, "", 0);
    do_consume(&h, "B1", "q", 3, "", 0);
    do_cancel(&h, "A2", 2);
    publish("q", "a");
    do_cancel(&h, "A1", 1);
    publish("q", "b");
    harness_detach(&h, 'B'); /* the last one: the queue is auto-delete */
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok consume c1\nA2 ok consume c2\nB1 ok consume c3\nA2 ok cancel c2\n"
               "A1 deliver c1 t1 a\nA1 ok cancel c1\nB1 deliver c3 t1 b\nB detached\n"
               "A1 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

START_TEST(a_connection_goes_with_several_of_them)
{
    declare("q", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A1", "q", 2, "a", 0);
    do_consume(&h, "A2", "q", 3, "a", 0);
    do_consume(&h, "B1", "q", 4, "a", -3);
    publish("q", "abc");
    harness_take(&h);
    harness_detach(&h, 'A');
    /* Those that leave with it may have been active for no time at all: nobody is served before
     * the end. */
    expect(&h, "A detached\nB1 deliver c4 t1 a redelivered\nB1 deliver c4 t2 b redelivered\n"
               "B1 deliver c4 t3 c redelivered\n");
}
END_TEST

START_TEST(a_blocked_one_stays_active)
{
    declare("q", "");
    do_qos(&h, "A1", 1, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "B1", "q", 2, "a", 0);
    publish("q", "ab");
    expect(&h, "A1 ok qos\nA1 ok consume c1\nB1 ok consume c2\nA1 deliver c1 t1 a\n");
    do_ack(&h, "A1", 7, false); /* the channel fails */
    expect(&h, "A1 fail ack PRECONDITION_FAILED unknown delivery tag 7\n"
               "B1 deliver c2 t1 a redelivered\nB1 deliver c2 t2 b\n");
}
END_TEST

START_TEST(it_begins_when_the_client_knows_of_it)
{
    declare("q", "d");
    publish("q", "a");
    do_exchange(&h, "B1", "x", "fanout",
                "d"); /* its answer, and all after it, waits for the disk */
    do_consume(&h, "B1", "q", 1, "a", 0);
    do_consume(&h, "A1", "q", 2, "a", 0);
    do_exchange(&h, "A2", "y", "fanout", "d");
    do_consume(&h, "A2", "q", 3, "a", 7);
    expect(&h, "A1 ok consume c2\n");
    harness_detach(&h, 'B'); /* was active and never knew; c3 is next and does not know either */
    expect(&h, "B detached\n");
    harness_sync(&h);
    expect(&h, "A2 ok exchange\nA2 ok consume c3\nA2 deliver c3 t1 a\n");
}
END_TEST

START_TEST(nobody_has_it_for_himself)
{
    declare("q", "");
    do_consume(&h, "A1", "q", 1, "x", 0);
    expect(&h, "A1 fail consume ACCESS_REFUSED queue 'q' in vhost '/' in exclusive use\n");
}
END_TEST

START_TEST(lists_who_is_active)
{
    struct consumer_info consumers[4];
    struct queue_info queue;
    uint64_t after = 0;
    declare("q", "");
    do_declare(&h, "A1", "plain", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "B1", "q", 2, "a", 0);
    do_consume(&h, "B1", "plain", 3, "ax", 0);
    ck_assert_uint_eq(vhost_list_consumers(h.vhost, &after, consumers, 4), 3);
    ck_assert(consumers[0].active && consumers[0].single_active);
    ck_assert(!consumers[1].active && !consumers[1].single_active);
    ck_assert(consumers[2].active && !consumers[2].single_active);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &queue));
    ck_assert_uint_eq(queue.consumers, 2);
    ck_assert(bytes_equal_text(queue.single_active_consumer, "tag"));
    ck_assert_uint_eq(queue.exclusive_consumer.len, 0);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("plain"), &queue));
    ck_assert_uint_eq(queue.single_active_consumer.len, 0);
    ck_assert(bytes_equal_text(queue.exclusive_consumer, "tag"));
    do_cancel(&h, "A1", 1);
    after = 0;
    ck_assert_uint_eq(vhost_list_consumers(h.vhost, &after, consumers, 4), 2);
    ck_assert(consumers[0].active && consumers[0].single_active);
    do_cancel(&h, "B1", 2);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &queue));
    ck_assert_uint_eq(queue.single_active_consumer.len, 0);
}
END_TEST

START_TEST(all_are_told_when_the_queue_goes)
{
    declare("q", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "B1", "q", 2, "a", 0);
    publish("q", "ab");
    harness_take(&h);
    do_delete(&h, "A2", "q", "");
    expect(&h, "A1 cancelled c1\nB1 cancelled c2\nA2 ok delete 0\n");
    do_ack(&h, "A1", 0, true);
    expect(&h, "");
}
END_TEST

/* ---- Quorum queues: a better one takes over. */

START_TEST(a_better_one_takes_over_what_is_not_out)
{
    declare_quorum("q");
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish("q", "abc");
    do_consume(&h, "B1", "q", 2, "a", 5);
    expect(&h, "A1 ok qos\nA1 ok consume c1\nA1 deliver c1 t1 a\nA1 deliver c1 t2 b\n"
               "B1 ok consume c2\n");
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true); /* the last: to the one that has taken over */
    expect(&h, "B1 deliver c2 t1 b redelivered acquired 1\nB1 deliver c2 t2 c\n");
    do_cancel(&h, "B1", 2);
    publish("q", "d");
    expect(&h, "B1 ok cancel c2\nA1 deliver c1 t3 d\n"); /* it waited */
}
END_TEST

START_TEST(a_better_one_takes_over_at_once_when_nothing_is_out)
{
    declare_quorum("q");
    declare_quorum("r");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A2", "q", 2, "a", 0); /* no better */
    do_consume(&h, "B1", "q", 3, "a", 1);
    publish("q", "a");
    do_consume(&h, "A1", "r", 4, "", -5); /* needs no acks: nothing is ever out */
    publish("r", "b");
    do_consume(&h, "B1", "r", 5, "", -4);
    publish("r", "c");
    expect(&h, "A1 ok consume c1\nA2 ok consume c2\nB1 ok consume c3\nB1 deliver c3 t1 a\n"
               "A1 ok consume c4\nA1 deliver c4 t1 b\nB1 ok consume c5\nB1 deliver c5 t2 c\n");
}
END_TEST

START_TEST(the_best_of_those_that_wait_takes_over)
{
    declare_quorum("q");
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish("q", "ab");
    do_consume(&h, "A2", "q", 2, "a", 5);
    do_consume(&h, "B1", "q", 3, "a", 7);
    harness_take(&h);
    do_ack(&h, "A1", 1, false);
    publish("q", "c");
    expect(&h, "");
    do_ack(&h, "A1", 2, false);
    expect(&h, "B1 deliver c3 t1 c\n");
    do_close(&h, "B1"); /* its message and its place go to the next best */
    expect(&h, "B1 ok close\nA2 deliver c2 t1 c redelivered count 1\n");
}
END_TEST

START_TEST(one_that_faded_goes_on_when_the_better_one_is_gone)
{
    declare_quorum("q");
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish("q", "ab");
    do_consume(&h, "B1", "q", 2, "a", 5);
    do_cancel(&h, "B1", 2);
    harness_take(&h);
    publish("q", "c");
    do_ack(&h, "A1", 1, false);
    expect(&h, ""); /* as in RabbitMQ it has faded all the same */
    do_ack(&h, "A1", 2, false);
    expect(&h, "A1 deliver c1 t3 c\n");
    publish("q", "d");
    expect(&h, "A1 deliver c1 t4 d\n");
}
END_TEST

START_TEST(one_that_faded_may_leave)
{
    declare_quorum("q");
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish("q", "ab");
    do_consume(&h, "B1", "q", 2, "a", 5);
    harness_take(&h);
    do_cancel(&h, "A1", 1);
    publish("q", "c");
    expect(&h, "A1 ok cancel c1\nB1 deliver c2 t1 c\n");
    do_nack(&h, "A1", 0, true, true);
    expect(&h, "B1 deliver c2 t2 a redelivered acquired 1\n"
               "B1 deliver c2 t3 b redelivered acquired 1\n");
}
END_TEST

/* Its deliveries are acknowledged in a transaction: they are out until the commit. */
START_TEST(a_transaction_holds_up_who_takes_over)
{
    declare_quorum("q");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish(&h, "A2", "", "q", "a", "");
    do_consume(&h, "B1", "q", 2, "a", 5);
    do_publish(&h, "A2", "", "q", "b", "");
    do_ack(&h, "A1", 1, false);
    expect(&h, "A1 ok tx-select\nA1 ok consume c1\nA1 deliver c1 t1 a\nB1 ok consume c2\n");
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    harness_sync(&h);
    expect(&h, "B1 deliver c2 t1 b\nA1 ok commit\n");
}
END_TEST

START_TEST(lists_who_fades_as_active)
{
    struct consumer_info infos[3];
    uint64_t after = 0;
    declare_quorum("q");
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish("q", "a");
    do_consume(&h, "B1", "q", 2, "a", 5);
    ck_assert_uint_eq(vhost_list_consumers(h.vhost, &after, infos, 3), 2);
    ck_assert(infos[0].active && infos[0].single_active);
    ck_assert(!infos[1].active && !infos[1].single_active);
    do_ack(&h, "A1", 1, false);
    after = 0;
    ck_assert_uint_eq(vhost_list_consumers(h.vhost, &after, infos, 3), 2);
    ck_assert(!infos[0].active && !infos[0].single_active);
    ck_assert(infos[1].active && infos[1].single_active);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("single_active");
    TCase *tests = tcase_create("single_active");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, one_consumer_gets_all);
    tcase_add_test(tests, the_next_follows_when_it_is_cancelled);
    tcase_add_test(tests, one_that_waits_may_leave);
    tcase_add_test(tests, a_connection_goes_with_several_of_them);
    tcase_add_test(tests, a_blocked_one_stays_active);
    tcase_add_test(tests, it_begins_when_the_client_knows_of_it);
    tcase_add_test(tests, nobody_has_it_for_himself);
    tcase_add_test(tests, lists_who_is_active);
    tcase_add_test(tests, all_are_told_when_the_queue_goes);
    tcase_add_test(tests, a_better_one_takes_over_what_is_not_out);
    tcase_add_test(tests, a_better_one_takes_over_at_once_when_nothing_is_out);
    tcase_add_test(tests, the_best_of_those_that_wait_takes_over);
    tcase_add_test(tests, one_that_faded_goes_on_when_the_better_one_is_gone);
    tcase_add_test(tests, one_that_faded_may_leave);
    tcase_add_test(tests, a_transaction_holds_up_who_takes_over);
    tcase_add_test(tests, lists_who_fades_as_active);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
