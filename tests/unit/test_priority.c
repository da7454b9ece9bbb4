/* Priority queues: order, places, restart, paging, expiry, and what they cost. */
#include <stdio.h>

#include "priority_fixture.h"

START_TEST(the_highest_comes_first)
{
    declare("q", "", 5);
    expect(&h, "A1 ok declare q 0 0\n");
    publish("a", 1, "");
    publish("b", 5, "");
    publish("c", 0, "");
    publish("d", 255, ""); /* counts as the queue's highest priority */
    publish("e", 1, "");
    do_publish(&h, "A1", "", "q", "f", ""); /* without a priority: counts as the lowest */
    publish("g", 5, "");
    expect_all("bdgaecf");
}
END_TEST

START_TEST(without_the_argument_it_says_nothing)
{
    do_declare(&h, "A1", "q", "");
    harness_take(&h);
    publish("a", 1, "");
    publish("b", 9, "");
    expect_all("ab");
    declare("z", "", 0);
    harness_take(&h);
    do_publish_priority(&h, "A1", "z", "a", 1, "");
    do_publish_priority(&h, "A1", "z", "b", 9, "");
    do_get(&h, "A1", "z", "");
    expect(&h, "A1 got t3 a left 1\n");
}
END_TEST

START_TEST(declared_again_it_has_to_be_the_same)
{
    declare("q", "", 5);
    declare("q", "", 5);
    declare("q", "", 6);
    expect(&h, "A1 ok declare q 0 0\nA1 ok declare q 0 0\nA1 fail declare PRECONDITION_FAILED "
               "inequivalent arg 'x-max-priority' for queue 'q' in vhost '/': received '6' but "
               "current is '5'\n");
}
END_TEST

START_TEST(requeued_ones_take_their_places)
{
    declare("q", "", 9);
    publish("a", 1, "");
    publish("b", 5, "");
    publish("c", 5, "");
    publish("d", 1, "");
    for (int i = 0; i < 4; i++)
        do_get(&h, "A1", "q", "a");
    harness_take(&h);
    publish("e", 5, "");
    publish("f", 3, "");
    do_nack(&h, "A1", 4, false, true);
    do_nack(&h, "A1", 2, false, true);
    do_nack(&h, "A1", 3, false, true);
    do_nack(&h, "A1", 1, false, true);
    expect_all("bcefad");
}
END_TEST

START_TEST(consumers_with_room_get_the_highest)
{
    declare("q", "", 9);
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    harness_take(&h);
    publish("a", 1, "");
    publish("b", 2, "");
    publish("c", 3, "");
    publish("d", 9, "");
    publish("e", 3, "");
    expect(&h, "A1 deliver c1 t1 a\nA1 deliver c1 t2 b\n");
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true); /* b is behind c now */
    expect(&h, "A1 deliver c1 t3 d\nA1 deliver c1 t4 c\n");
    do_ack(&h, "A1", 0, true);
    expect(&h, "A1 deliver c1 t5 e\nA1 deliver c1 t6 b redelivered\n");
}
END_TEST

START_TEST(a_restart_keeps_priorities)
{
    declare("q", "d", 255);
    harness_take(&h);
    publish("a", 1, "p");
    publish("b", 255, "p");
    publish("c", 0, "p");
    publish("x", 200, "");
    publish("d", 128, "p");
    publish("e", 1, "p");
    harness_sync(&h);
    restart();
    publish("f", 64, "p");
    publish("g", 255, "p");
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 b left 6\n");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    expect_all("bgdfaec");
    harness_sync(&h);
    restart();
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

/* After a restart the lane's old chunk takes no more messages: that it is closed must not hide the
 * messages that come next. */
START_TEST(a_level_goes_on_after_a_restart)
{
    declare("q", "d", 9);
    harness_take(&h);
    publish("a", 5, "p");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    publish("b", 0, "p");
    publish("c", 5, "p");
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t1 a left 0\nA1 got t2 c left 1\n");
}
END_TEST

START_TEST(many_queues_find_their_lanes_again)
{
    char name[20];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", i);
        if (i % 2)
            declare(name, "d", i + 1);
        else
            do_declare(&h, "A1", name, "d");
        for (uint8_t priority = 0; priority < 50; priority = (uint8_t)(priority + 7)) {
            char body[20];
            snprintf(body, sizeof body, "%d-%u", i, priority);
            do_publish_priority(&h, "A1", name, body, priority, "p");
        }
    }
    harness_sync(&h);
    restart();
    for (int i = 0; i < 40; i++) {
        char line[100];
        snprintf(name, sizeof name, "q%d", i);
        do_get(&h, "A1", name, "");
        harness_sync(&h);
        /* Messages above the maximum are one level: the first published of them is its head. */
        int head = 0;
        while (i % 2 && head < 49 && head < i + 1)
            head += 7;
        snprintf(line, sizeof line, "A1 got t%d %d-%d left 7\n", i + 1, i, head);
        expect(&h, line);
    }
}
END_TEST

/* ---- Expiry. */

START_TEST(only_the_head_expires)
{
    declare("q", "", 9);
    struct message *message = harness_message("", "q", "a", 1, false);
    harness_prioritise(&message, 1);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    publish("b", 5, "");
    harness_take(&h);
    harness_pass(&h, 1000);
    ck_assert_uint_eq(info().messages_ready, 2); /* a has expired, but waits behind b */
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 b left 1\nA1 empty\n");
}
END_TEST

/* The highest level becomes empty in a way that does not look for the next head: the first message
 * of the level below is the head then, and expires in time. */
START_TEST(a_new_head_below_an_empty_level_expires)
{
    declare("q", "", 9);
    publish("a", 9, "");
    publish("b", 0, "");
    do_get(&h, "A1", "q", "");
    struct message *message = harness_message("", "q", "c", 1, false);
    harness_prioritise(&message, 4);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    harness_take(&h);
    harness_pass(&h, 100);
    ck_assert_uint_eq(info().messages_ready, 1);
    expect_all("b");
}
END_TEST

/* A level that is on record without a message is read back before the one with the head. */
START_TEST(a_head_that_expires_is_found_after_a_restart)
{
    declare("q", "d", 9);
    struct message *message = harness_message("", "q", "a", 1, true);
    harness_prioritise(&message, 1);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    publish("b", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    restart();
    ck_assert_uint_eq(info().messages_ready, 1);
    harness_sync(&h);
    harness_pass(&h, 100);
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

START_TEST(deep_ones_leave_memory)
{
    declare("q", "d", 255);
    fill(200000, "p"); /* some 800 in each lane: most have a closed chunk */
    ck_assert_uint_eq(info().messages_ready, 200000);
    ck_assert_uint_lt(info().messages_ram, 120000); /* open chunks, and those at the head */
    restart();
    ck_assert_uint_eq(info().messages_ready, 200000);
    ck_assert_uint_eq(info().messages_ram, 0);
    drain(200000);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    restart();
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

START_TEST(transient_ones_page_out_when_memory_is_short)
{
    harness_close(&h);
    h.resident_bytes_max = 1 << 20;
    setup();
    declare("q", "", 7);
    fill(30000, "");
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 4 << 20);
    struct queue_info before = info();
    ck_assert_uint_eq(before.messages_ready, 30000);
    /* All above 7 are one level, so the order is another one: only the count is checked. */
    unsigned count = 0;
    h.quiet = true;
    while (info().messages_ready) {
        do_get(&h, "A1", "q", "");
        harness_sync(&h);
        count++;
    }
    ck_assert_uint_eq(count, 30000);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(a_higher_one_does_not_wait_for_the_disk)
{
    declare("q", "d", 9);
    publish("a", 1, "p");
    harness_sync(&h);
    restart();
    do_qos(&h, "A1", 1, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    expect(&h, "A1 ok qos\nA1 ok consume c1\n"); /* a is being read from disk */
    publish("b", 5, "p");
    expect(&h, "A1 deliver c1 t1 b\n");
    do_ack(&h, "A1", 1, false);
    harness_sync(&h);
    expect(&h, "A1 deliver c1 t2 a\n");
}
END_TEST

START_TEST(purged_whether_many_or_few)
{
    declare("q", "d", 255);
    fill(6000, "p");
    do_purge(&h, "A1", "q");
    publish("a", 3, "p");
    publish("b", 200, "p");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 b left 1\n");
    publish("c", 7, "p");
    do_purge(&h, "A1", "q");
    do_nack(&h, "A1", 1, false, true);
    expect(&h, "A1 ok purge 2\n");
    harness_sync(&h);
    restart();
    expect_all("b");
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    harness_take(&h);
    restart();
    declare("q", "d", 255);
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

START_TEST(unsettled_ones_outlive_their_queue)
{
    declare("q", "", 9);
    publish("a", 9, "");
    publish("b", 4, "");
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    do_delete(&h, "A1", "q", "");
    do_nack(&h, "A1", 1, false, true);
    do_ack(&h, "A1", 2, false);
    harness_take(&h);
}
END_TEST

/* ---- Cost. */

START_TEST(levels_cost_memory_when_they_are_used)
{
    declare("q", "d", 255);
    ck_assert_uint_lt(info().memory_bytes, 4096);
    publish("a", 100, "p");
    publish("b", 200, "p");
    ck_assert_uint_lt(info().memory_bytes, 8192);
    do_declare(&h, "A1", "plain", "d");
    struct queue_info plain;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("plain"), &plain));
    ck_assert_uint_lt(plain.memory_bytes, 1280);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("priority");
    TCase *tests = tcase_create("priority");
    tcase_set_timeout(tests, 1200);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_highest_comes_first);
    tcase_add_test(tests, without_the_argument_it_says_nothing);
    tcase_add_test(tests, declared_again_it_has_to_be_the_same);
    tcase_add_test(tests, requeued_ones_take_their_places);
    tcase_add_test(tests, consumers_with_room_get_the_highest);
    tcase_add_test(tests, a_restart_keeps_priorities);
    tcase_add_test(tests, a_level_goes_on_after_a_restart);
    tcase_add_test(tests, many_queues_find_their_lanes_again);
    tcase_add_test(tests, only_the_head_expires);
    tcase_add_test(tests, a_new_head_below_an_empty_level_expires);
    tcase_add_test(tests, a_head_that_expires_is_found_after_a_restart);
    tcase_add_test(tests, deep_ones_leave_memory);
    tcase_add_test(tests, transient_ones_page_out_when_memory_is_short);
    tcase_add_test(tests, a_higher_one_does_not_wait_for_the_disk);
    tcase_add_test(tests, purged_whether_many_or_few);
    tcase_add_test(tests, unsettled_ones_outlive_their_queue);
    tcase_add_test(tests, levels_cost_memory_when_they_are_used);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
