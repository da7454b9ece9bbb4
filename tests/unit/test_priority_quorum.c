/* Priorities of quorum queues. */
#include <stdio.h>

#include "priority_fixture.h"

/* ---- Quorum queues: priorities 0 to 31 without an argument. */

START_TEST(quorum_queues_have_priorities)
{
    declare_quorum(NULL, 0);
    publish_plain("g"); /* without a priority: counts as 4 */
    publish("l", 1, "p");
    publish("h", 4, "p");
    publish("f", 5, "");
    publish("d", 9, "p");
    publish("b", 31, "p");
    publish("c", 200, "p"); /* counts as 31 */
    publish_plain("i");
    publish("m", 0, "p"); /* the lowest priority */
    publish("k", 3, "p");
    harness_sync(&h);
    expect_all("bcdfghiklm");
}
END_TEST

/* A quorum queue's messages keep their places and counts, and new ones join them. */
START_TEST(a_restart_keeps_priorities_of_quorum_queues)
{
    declare_quorum(NULL, 0);
    publish_plain("e");
    publish("a", 9, "p");
    publish("b", 9, "");
    publish("f", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    publish("c", 9, "p");
    publish("d", 8, "p");
    publish("g", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 a left 6 redelivered acquired 1\n");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    expect_all("abcdefg");
    harness_sync(&h);
    restart();
    expect_all("");
}
END_TEST

/* Until a message has a priority, the queue is stored as a broker without priorities stores it. */
START_TEST(quorum_queues_get_priorities_later)
{
    declare_quorum(NULL, 0);
    struct queue_info before = info();
    publish_plain("c");
    publish("d", 4, "p");
    ck_assert_uint_lt(info().memory_bytes, before.memory_bytes + 2048);
    harness_sync(&h);
    restart();
    publish("b", 30, "p");
    publish("e", 0, "p");
    publish("a", 31, "p");
    ck_assert_uint_lt(info().memory_bytes, before.memory_bytes + 8192);
    harness_sync(&h);
    restart();
    expect_all("abcde");
}
END_TEST

START_TEST(many_quorum_queues_find_their_lanes_again)
{
    char name[20], line[100];
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", i);
        do_declare_args(&h, "A1", name, "d", &arguments);
    }
    text_free(&arguments);
    for (uint8_t priority = 0; priority < 50; priority = (uint8_t)(priority + 7))
        for (int i = 0; i < 40; i++) { /* every third message has no priority */
            snprintf(name, sizeof name, "q%d", 39 - i);
            snprintf(line, sizeof line, "%d-%u", 39 - i, priority);
            if (i % 3)
                do_publish_priority(&h, "A1", name, line, priority, "p");
            else
                do_publish(&h, "A1", "", name, line, "p");
        }
    harness_sync(&h);
    restart();
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", 39 - i);
        do_get(&h, "A1", name, "");
        harness_sync(&h);
        snprintf(line, sizeof line, "A1 got t%d %d-%d left 7\n", i + 1, 39 - i, i % 3 ? 35 : 0);
        expect(&h, line);
    }
}
END_TEST

/* As in RabbitMQ, the head goes first: the highest priority. */
START_TEST(a_limit_drops_the_highest_of_a_quorum_queue)
{
    declare_quorum("x-max-length", 4);
    publish("e", 1, "p");
    publish_plain("c");
    publish("a", 9, "p");
    publish("b", 9, "p");
    publish_plain("d");
    publish("f", 1, "p");
    publish("g", 31, "p");
    harness_sync(&h);
    harness_take(&h);
    expect_all_of("dead", "abg");
    expect_all("cdef");
}
END_TEST

static void publish_expiring(const char *body, uint8_t priority)
{
    struct message *message = harness_message("", "q", body, 1, true);
    harness_prioritise(&message, priority);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
}

/* In a quorum queue each priority has a head that expires. */
START_TEST(the_head_of_each_priority_expires)
{
    declare_quorum(NULL, 0);
    publish_plain("d");
    publish_expiring("x", 1);
    publish("a", 9, "p");
    publish_expiring("c", 9); /* behind a message that does not expire */
    publish_expiring("y", 5);
    harness_take(&h);
    harness_pass(&h, 50);
    publish_expiring("z", 31);
    harness_pass(&h, 50);
    harness_sync(&h);
    ck_assert_uint_eq(info().messages_ready, 4);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t1 z left 3\n");
    do_nack(&h, "A1", 1, false, true);
    harness_pass(&h, 50);
    harness_sync(&h);
    expect_all_of("dead", "xyz");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t5 a left 2\n");
    harness_pass(&h, 0);
    harness_sync(&h);
    harness_take(&h);
    expect_all_of("dead", "c");
    expect_all("d");
}
END_TEST

START_TEST(heads_of_priorities_expire_after_a_restart)
{
    declare_quorum(NULL, 0);
    publish_plain("a");
    publish_expiring("x", 1);
    publish_expiring("y", 0);
    harness_sync(&h);
    restart();
    harness_sync(&h);
    harness_pass(&h, 100);
    harness_sync(&h);
    ck_assert_uint_eq(info().messages_ready, 1);
    expect_all("a");
}
END_TEST

START_TEST(quorum_queues_with_priorities_are_purged)
{
    declare_quorum(NULL, 0);
    publish_plain("x");
    fill(6000, "p");
    do_purge(&h, "A1", "q");
    publish("c", 3, "p");
    publish("a", 200, "p");
    publish_plain("b");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 a left 2\n");
    publish("d", 7, "p");
    do_purge(&h, "A1", "q");
    do_nack(&h, "A1", 1, false, true);
    expect(&h, "A1 ok purge 3\n");
    harness_sync(&h);
    restart();
    expect_all("a");
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    restart();
    declare_quorum(NULL, 0);
    expect_all("");
}
END_TEST

START_TEST(deep_quorum_queues_leave_memory)
{
    declare_quorum(NULL, 0);
    h.quiet = true;
    for (unsigned i = 1; i <= 60000; i++) { /* 0 and 4 to 9: the body says which */
        char body[20];
        unsigned priority = i % 7 ? 3 + i % 7 : 0;
        snprintf(body, sizeof body, "%u", i);
        if (priority == 4)
            publish_plain(body);
        else
            publish(body, (uint8_t)priority, "p");
        if (i % 500 == 0)
            harness_sync(&h);
    }
    harness_sync(&h);
    ck_assert_uint_lt(info().messages_ram, 12000);
    restart();
    ck_assert_uint_eq(info().messages_ready, 60000);
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (unsigned turns = 0; info().messages_ready && turns < 20000; turns++) {
        harness_sync(&h);
        do_ack(&h, "A1", 0, true);
        do_credit(&h, "A1", 1 << 20);
    }
    ck_assert_uint_eq(info().messages_ready, 0);
    do_ack(&h, "A1", 0, true);
    harness_sync(&h);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("priority_quorum");
    TCase *tests = tcase_create("priority");
    tcase_set_timeout(tests, 1200);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, quorum_queues_have_priorities);
    tcase_add_test(tests, a_restart_keeps_priorities_of_quorum_queues);
    tcase_add_test(tests, quorum_queues_get_priorities_later);
    tcase_add_test(tests, many_quorum_queues_find_their_lanes_again);
    tcase_add_test(tests, a_limit_drops_the_highest_of_a_quorum_queue);
    tcase_add_test(tests, the_head_of_each_priority_expires);
    tcase_add_test(tests, heads_of_priorities_expire_after_a_restart);
    tcase_add_test(tests, quorum_queues_with_priorities_are_purged);
    tcase_add_test(tests, deep_quorum_queues_leave_memory);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
