/* x-delivery-limit: which returns count, which headers a consumer gets, what a restart keeps. */
#include <stdlib.h>

#include "delivery_limit_fixture.h"

START_TEST(a_message_comes_back_so_often)
{
    declare("q", "quorum", 2);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    get_and_return("q", "A1 got t1 one left 1\n", 1);
    get_and_return("q", "A1 got t2 one left 1 redelivered count 1\n", 2);
    get_and_return("q", "A1 got t3 one left 1 redelivered count 2\n", 3);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 got t4 two left 0\nA1 got t5 one left 0\n");
}
END_TEST

START_TEST(every_way_back_counts)
{
    declare("q", NULL, 10); /* a classic queue may have a limit, too */
    do_publish(&h, "A1", "", "q", "m", "p");
    do_consume(&h, "A2", "q", 1, "a", 0);
    expect(&h, "A2 ok consume c1\nA2 deliver c1 t1 m\n");
    do_nack(&h, "A2", 1, false, true);
    expect(&h, "A2 deliver c1 t2 m redelivered count 1\n");
    do_plain(&h, "A2", COMMAND_RECOVER);
    expect(&h, "A2 ok recover\nA2 deliver c1 t3 m redelivered count 2\n");
    do_cancel(&h, "A2", 1); /* its deliveries do not come back by that */
    do_close(&h, "A2");
    do_get(&h, "A1", "q", "a");
    expect(&h, "A2 ok cancel c1\nA2 ok close\nA1 got t1 m left 0 redelivered count 3\n");
    harness_attach(&h, 'B');
    do_open(&h, "B1");
    do_nack(&h, "A1", 1, false, true);
    do_consume(&h, "B1", "q", 1, "a", 0);
    expect(&h, "B1 ok open\nB1 ok consume c1\nB1 deliver c1 t1 m redelivered count 4\n");
    do_ack(&h, "B1", 9, false); /* fails the channel */
    do_get(&h, "A1", "q", "a");
    expect(&h, "B1 fail ack PRECONDITION_FAILED unknown delivery tag 9\n"
               "A1 got t2 m left 0 redelivered count 5\n");
    harness_detach(&h, 'A');
    do_open(&h, "A1");
    do_consume(&h, "A1", "q", 1, "", 0); /* without acks: the message cannot come back */
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A detached\nA1 ok open\nA1 ok consume c1\n"
               "A1 deliver c1 t1 m redelivered count 6\nA1 ok declare q 0 1\n");
}
END_TEST

START_TEST(only_queues_that_ask_for_it_count)
{
    declare("q", NULL, -2);
    do_publish(&h, "A1", "", "q", "m", "p");
    for (uint64_t tag = 1; tag <= 30; tag++) {
        do_get(&h, "A1", "q", "a");
        do_nack(&h, "A1", tag, false, true);
    }
    harness_take(&h);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t31 m left 0 redelivered\n");
}
END_TEST

START_TEST(quorum_queues_count_to_twenty)
{
    declare("q", "quorum", -2);
    declare("free", "quorum", -1);
    do_publish(&h, "A1", "", "q", "m", "p");
    do_publish(&h, "A1", "", "free", "f", "p");
    uint64_t tag = 1;
    return_times("q", 30, &tag); /* handed back: does not count for the default limit */
    reject_times("q", 20, &tag);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t51 m left 0 redelivered count 20 acquired 50\n");
    do_reject(&h, "A1", tag++, true);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 empty\nA1 got t52 m left 0\n");
    tag++;
    for (int i = 0; i < 50; i++, tag++) {
        do_get(&h, "A1", "free", "a");
        do_nack(&h, "A1", tag, false, true);
    }
    harness_take(&h);
    do_get(&h, "A1", "free", "a");
    expect(&h, "A1 got t103 f left 0 redelivered acquired 50\n");
}
END_TEST

/* A quorum queue counts all returns, and failures separately. */
static void every_kind_of_return(const char *queue)
{
    do_publish(&h, "A1", "", queue, "m", "p");
    do_consume(&h, "A2", queue, 1, "a", 0);
    do_nack(&h, "A2", 1, false, true);
    do_nack(&h, "A2", 0, true, true);
    do_plain(&h, "A2", COMMAND_RECOVER);
    harness_take(&h);
    do_reject(&h, "A2", 4, true);
    do_cancel(&h, "A2", 1);
    do_close(&h, "A2");
    do_open(&h, "A2");
    harness_attach(&h, 'B');
    do_open(&h, "B1");
    do_get(&h, "B1", queue, "a");
    harness_detach(&h, 'B');
    harness_sync(&h);
}

START_TEST(what_consumers_hand_back_is_no_failure)
{
    static const char *const rest[] = {"A2 deliver c1 t5 m redelivered count 4\n"
                                       "A2 ok cancel c1\nA2 ok close\nA2 ok open\nB1 ok open\n"
                                       "B1 got t1 m left 0 redelivered count 5\nB detached\n",
                                       "A2 deliver c1 t5 m redelivered count 1 acquired 4\n"
                                       "A2 ok cancel c1\nA2 ok close\nA2 ok open\nB1 ok open\n"
                                       "B1 got t1 m left 0 redelivered count 2 acquired 5\n"
                                       "B detached\n"};
    declare("said", "quorum", 10);
    declare("unsaid", "quorum", -2);
    every_kind_of_return("said");
    expect(&h, rest[0]);
    every_kind_of_return("unsaid");
    expect(&h, rest[1]);
    get_and_return("said", "A1 got t1 m left 0 redelivered count 6\n", 1);
    get_and_return("unsaid", "A1 got t2 m left 0 redelivered count 3 acquired 6\n", 2);
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "said", "a");
    harness_sync(&h);
    do_get(&h, "A1", "unsaid", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m left 0 redelivered count 7\n"
               "A1 got t2 m left 0 redelivered count 3 acquired 7\n");
    restart(); /* both are unsettled, and come back as failures */
    do_get(&h, "A1", "unsaid", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m left 0 redelivered count 4 acquired 8\n");
}
END_TEST

static void only_failures(void)
{
    harness_close(&h);
    h.dialect.delivery_count = COUNT_FAILURES;
    setup();
}

/* quorum_queue.delivery_count = failures. */
START_TEST(only_failures_count_if_so_chosen)
{
    uint64_t tag = 1;
    only_failures();
    declare("q", "quorum", 2);
    do_publish(&h, "A1", "", "q", "m", "p");
    return_times("q", 30, &tag);
    reject_times("q", 2, &tag);
    get_and_return("q", "A1 got t33 m left 0 redelivered count 2 acquired 32\n", tag++);
    reject_times("q", 1, &tag);
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 got t35 m left 0\n");
}
END_TEST

/* A record of an older broker, which counted one kind of return only. */
START_TEST(counts_of_an_older_broker_are_read)
{
    uint8_t key[17] = {'n'}, value[7] = {1};
    uint64_t tag = 1;
    declare("q", "quorum", -2);
    do_publish(&h, "A1", "", "q", "m", "p");
    return_times("q", 1, &tag);
    harness_sync(&h);
    /* Lanes are numbered from 1: "dead", "q". Their first chunk is 1. */
    key[8] = 2;
    key[16] = 1;
    value[6] = 7; /* slot 0: seven returns */
    journal_put(h.journal, bytes_of(key, sizeof key), bytes_of(value, sizeof value));
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m left 0 redelivered count 7\n");
}
END_TEST

static void dead_letters_by_policy(bool on)
{
    struct text definition = {0};
    table_put_string(&definition, "dead-letter-exchange", bytes_of_text(""));
    table_put_string(&definition, "dead-letter-routing-key", bytes_of_text("dead"));
    struct command c = {.type = on ? COMMAND_POLICY_PUT : COMMAND_POLICY_DELETE, .channel = 1};
    c.u.policy.name = bytes_of_text("p");
    c.u.policy.pattern = bytes_of_text(".*");
    c.u.policy.definition = text_bytes(&definition);
    c.u.policy.target = POLICY_QUEUES;
    harness_do(&h, 'A', &c);
    text_free(&definition);
    harness_sync(&h);
    harness_take(&h);
}

static uint64_t shown_limit(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.delivery_limit;
}

/* A quorum queue without x-delivery-limit and without a dead-letter exchange has no limit: the
 * message stays, and its returns are counted. */
START_TEST(without_a_limit_or_dead_letters_it_stays)
{
    uint64_t tag = 1;
    declare_quorum("q", NULL);
    ck_assert_uint_eq(shown_limit("q"), QUEUE_DELIVERY_UNLIMITED);
    do_publish(&h, "A1", "", "q", "m", "p");
    return_times("q", 100, &tag);
    get_and_return("q", "A1 got t101 m left 0 redelivered acquired 100\n", tag++);
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m left 0 redelivered acquired 101\n");
}
END_TEST

START_TEST(dead_letters_that_come_by_policy_limit)
{
    uint64_t tag = 1;
    declare_quorum("q", NULL);
    do_publish(&h, "A1", "", "q", "m", "p");
    reject_times("q", 15, &tag);
    dead_letters_by_policy(true);
    ck_assert_uint_eq(shown_limit("q"), 20);
    reject_times("q", 3, &tag);
    dead_letters_by_policy(false);
    ck_assert_uint_eq(shown_limit("q"), QUEUE_DELIVERY_UNLIMITED);
    reject_times("q", 10, &tag);
    return_times("q", 5, &tag);
    dead_letters_by_policy(true);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t34 m left 0 redelivered count 28 acquired 33\n");
    do_reject(&h, "A1", tag++, true);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 empty\nA1 got t35 m left 0\n");
}
END_TEST

/* A dead-letter exchange that does not exist drops what is sent to it. That must not happen to a
 * message because of a limit that the client did not set. */
START_TEST(a_dead_letter_exchange_that_is_missing_drops_nothing)
{
    uint64_t tag = 1;
    declare_quorum("q", "later");
    do_publish(&h, "A1", "", "q", "m", "p");
    return_times("q", 40, &tag);
    get_and_return("q", "A1 got t41 m left 0 redelivered acquired 40\n", tag++);
}
END_TEST

START_TEST(limits_are_shown)
{
    declare("two", NULL, 2);
    declare("plain", NULL, -2);
    declare("free", "quorum", -1);
    declare("twenty", "quorum", -2);
    ck_assert_uint_eq(shown_limit("two"), 2);
    ck_assert_uint_eq(shown_limit("plain"), QUEUE_DELIVERY_UNCOUNTED);
    ck_assert_uint_eq(shown_limit("free"), QUEUE_DELIVERY_UNLIMITED);
    ck_assert_uint_eq(shown_limit("twenty"), 20);
}
END_TEST

START_TEST(none_may_come_back)
{
    declare("q", "quorum", 0);
    do_publish(&h, "A1", "", "q", "m", "p");
    get_and_return("q", "A1 got t1 m left 0\n", 1);
    do_declare(&h, "A1", "q", "p");
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 ok declare q 0 0\nA1 got t2 m left 0\n");
}
END_TEST

START_TEST(a_header_of_the_publishers_own_is_replaced)
{
    struct text headers = {0}, encoded = {0};
    declare("q", "quorum", 5);
    table_put_i32(&headers, "x-delivery-count", 77);
    struct properties properties = {.present = PROPERTY_HEADERS, .headers = text_bytes(&headers)};
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(""), bytes_of_text("q"), text_bytes(&encoded), 0);
    message->has_headers = true;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    text_free(&headers);
    text_free(&encoded);
    get_and_return("q", "A1 got t1 (empty) left 0 count 77 not acquired\n", 1);
    get_and_return("q", "A1 got t2 (empty) left 0 redelivered count 1\n", 2);
}
END_TEST

/* ---- Queues of type quorum. */

static void refused(const char *flags, const char *argument, const char *line)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    if (argument)
        table_put_i32(&arguments, argument, 1);
    do_declare_args(&h, "A1", "r", flags, &arguments);
    text_free(&arguments);
    expect(&h, line);
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
}

START_TEST(quorum_queues_refuse)
{
    refused("", NULL,
            "A1 fail declare PRECONDITION_FAILED invalid property 'non-durable' for queue "
            "'r' in vhost '/'\n");
    refused("dx", NULL,
            "A1 fail declare PRECONDITION_FAILED invalid property 'exclusive-owner' for "
            "queue 'r' in vhost '/'\n");
    refused("da", NULL,
            "A1 fail declare PRECONDITION_FAILED invalid property 'auto-delete' for "
            "queue 'r' in vhost '/'\n");
    refused("ds", NULL,
            "A1 fail declare PRECONDITION_FAILED Cannot declare a server-named queue for "
            "type rabbit_quorum_queue\n");
    refused("d", "x-max-priority",
            "A1 fail declare PRECONDITION_FAILED invalid arg 'x-max-priority' "
            "for queue 'r' in vhost '/' of queue type rabbit_quorum_queue\n");
    refused("d", "x-queue-version",
            "A1 fail declare PRECONDITION_FAILED invalid arg 'x-queue-version'"
            " for queue 'r' in vhost '/' of queue type rabbit_quorum_queue\n");
}
END_TEST

START_TEST(quorum_queues_keep_all)
{
    declare("q", "quorum", -2);
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "q", "m", "");
    vhost_flush(h.vhost, h.now);
    expect(&h, "A1 ok confirm-select\n"); /* the confirm waits for the disk */
    harness_sync(&h);
    expect(&h, "A1 confirm 1\n");
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 m left 0\n");
}
END_TEST

START_TEST(a_single_active_quorum_queue_gives_nothing_to_get)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    table_put_bool(&arguments, "x-single-active-consumer", true);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 fail get RESOURCE_LOCKED cannot obtain access to locked queue 'q' in vhost '/'. "
               "basic.get operations are not supported by quorum queues with single active "
               "consumer\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("delivery_limit");
    TCase *tests = tcase_create("delivery_limit");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_message_comes_back_so_often);
    tcase_add_test(tests, every_way_back_counts);
    tcase_add_test(tests, only_queues_that_ask_for_it_count);
    tcase_add_test(tests, quorum_queues_count_to_twenty);
    tcase_add_test(tests, what_consumers_hand_back_is_no_failure);
    tcase_add_test(tests, only_failures_count_if_so_chosen);
    tcase_add_test(tests, counts_of_an_older_broker_are_read);
    tcase_add_test(tests, without_a_limit_or_dead_letters_it_stays);
    tcase_add_test(tests, dead_letters_that_come_by_policy_limit);
    tcase_add_test(tests, a_dead_letter_exchange_that_is_missing_drops_nothing);
    tcase_add_test(tests, limits_are_shown);
    tcase_add_test(tests, none_may_come_back);
    tcase_add_test(tests, a_header_of_the_publishers_own_is_replaced);
    tcase_add_test(tests, quorum_queues_refuse);
    tcase_add_test(tests, quorum_queues_keep_all);
    tcase_add_test(tests, a_single_active_quorum_queue_gives_nothing_to_get);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
