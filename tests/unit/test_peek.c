/* Peek: messages are shown, and nothing changes. */
#include <stdio.h>

#include "core_harness.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "B1");
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

/* Publishes the numbers from..upto-1. */
static void publish_numbers(unsigned from, unsigned upto, const char *flags)
{
    char body[16];
    for (unsigned i = from; i < upto; i++) {
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", "q", body, flags);
    }
    harness_sync(&h);
}

static void peek(unsigned states, uint64_t offset, uint32_t count)
{
    do_peek(&h, "B1", "q", states, false, offset, count);
    harness_sync(&h);
}

static void restart(void)
{
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    do_open(&h, "B1");
    harness_take(&h);
}

START_TEST(shows_from_the_head_and_from_the_tail)
{
    publish_numbers(0, 5, "p");
    peek(MESSAGE_STATE_READY, 0, 2);
    expect(&h, "B1 peeked 0 0 ready\nB1 peeked 1 1 ready\nB1 ok peek\n");
    peek(MESSAGE_STATE_READY, 3, 10);
    expect(&h, "B1 peeked 3 3 ready\nB1 peeked 4 4 ready\nB1 ok peek\n");
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, true, 1, 2);
    expect(&h, "B1 peeked 3 3 ready\nB1 peeked 2 2 ready\nB1 ok peek\n");
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, true, 4, 3);
    expect(&h, "B1 peeked 0 0 ready\nB1 ok peek\n");
    peek(MESSAGE_STATE_READY, 5, 1);
    expect(&h, "B1 ok peek\n");
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, true, 5, 1);
    expect(&h, "B1 ok peek\n");
}
END_TEST

START_TEST(changes_nothing)
{
    struct queue_info before, after;
    publish_numbers(0, 3, "p");
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &before));
    peek(MESSAGE_STATE_ALL, 0, 10);
    harness_take(&h);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &after));
    ck_assert_uint_eq(before.messages_ready, after.messages_ready);
    ck_assert_uint_eq(before.messages_unacknowledged, after.messages_unacknowledged);
    ck_assert_uint_eq(before.messages_ready_returned, after.messages_ready_returned);
    ck_assert_uint_eq(before.messages_ready_ram, after.messages_ready_ram);
    ck_assert_uint_eq(before.ram_bytes, after.ram_bytes);
    ck_assert_uint_eq(before.memory_bytes, after.memory_bytes);
    ck_assert_uint_eq(before.idle_since_wall_ms, after.idle_since_wall_ms);
    ck_assert_uint_eq(before.disk_reads, after.disk_reads);
    ck_assert_uint_eq(before.disk_writes, after.disk_writes);
    ck_assert_mem_eq(&before.rates, &after.rates, sizeof before.rates);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 0 left 2\n");
}
END_TEST

START_TEST(tells_who_has_an_unacked_message)
{
    do_consume(&h, "A1", "q", 1, "a", 0);
    publish_numbers(0, 1, "p");
    do_cancel(&h, "A1", 1);
    publish_numbers(1, 3, "p");
    do_get(&h, "B1", "q", "a");
    harness_take(&h);
    peek(MESSAGE_STATE_UNACKED, 0, 10);
    expect(&h, "B1 peeked 0 0 unacked by peer A1 tag t1\n"
               "B1 peeked 1 1 unacked by peer B1  t1\nB1 ok peek\n");
    peek(MESSAGE_STATE_ALL, 1, 10);
    expect(&h, "B1 peeked 1 1 unacked by peer B1  t1\nB1 peeked 2 2 ready\nB1 ok peek\n");
    peek(MESSAGE_STATE_READY, 0, 10);
    expect(&h, "B1 peeked 0 2 ready\nB1 ok peek\n");
    do_nack(&h, "B1", 1, false, true);
    peek(MESSAGE_STATE_READY, 0, 10);
    expect(&h, "B1 peeked 0 1 ready redelivered\nB1 peeked 1 2 ready\nB1 ok peek\n");
}
END_TEST

START_TEST(reads_from_disk_and_leaves_it_there)
{
    struct queue_info info;
    publish_numbers(0, 3000, "p");
    restart();
    size_t before = vhost_resident_bytes(h.vhost);
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 2000, 1);
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "B1 peeked 2000 2000 ready\nB1 ok peek\n");
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), before);
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 510, 4);
    harness_sync(&h);
    expect(&h, "B1 peeked 510 510 ready\nB1 peeked 511 511 ready\nB1 peeked 512 512 ready\n"
               "B1 peeked 513 513 ready\nB1 ok peek\n");
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &info));
    ck_assert_uint_eq(info.disk_reads, 0);
}
END_TEST

START_TEST(a_chunk_that_is_read_for_a_consumer_serves_both)
{
    publish_numbers(0, 600, "p");
    restart();
    do_get(&h, "A1", "q", "");
    do_peek(&h, "B1", "q", MESSAGE_STATE_ALL, false, 0, 2);
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "B1 peeked 0 0 ready\nB1 peeked 1 1 ready\nB1 ok peek\nA1 got t1 0 left 599\n");
}
END_TEST

START_TEST(a_queue_that_is_purged_meanwhile_shows_nothing)
{
    publish_numbers(0, 10, "p");
    restart();
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 0, 10);
    do_purge(&h, "A1", "q");
    harness_sync(&h);
    harness_pass(&h, 10);
    expect(&h, "A1 ok purge 10\nB1 ok peek\n");
}
END_TEST

START_TEST(a_queue_that_is_deleted_meanwhile_fails_the_peek)
{
    publish_numbers(0, 10, "p");
    restart();
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 0, 10);
    do_delete(&h, "A1", "q", "");
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    harness_pass(&h, 10);
    expect(&h, "A1 ok delete 10\nA1 ok declare q 0 0\n"
               "B1 fail peek NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

START_TEST(a_channel_that_ends_meanwhile_drops_the_peek)
{
    publish_numbers(0, 10, "p");
    restart();
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 0, 10);
    do_close(&h, "B1");
    harness_sync(&h);
    expect(&h, "B1 ok close\n");
    do_open(&h, "B1");
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 0, 1);
    harness_detach(&h, 'B');
    harness_sync(&h);
    expect(&h, "B1 ok open\nB detached\n");
}
END_TEST

START_TEST(a_damaged_page_is_told_and_nothing_is_lost)
{
    publish_numbers(0, 10, "p");
    restart();
    h.break_pages = true;
    do_peek(&h, "B1", "q", MESSAGE_STATE_READY, false, 0, 1);
    harness_sync(&h);
    expect(&h, "B1 fail peek INTERNAL_ERROR stored messages of queue 'q' in vhost '/' cannot be "
               "read, see the log\n");
    h.break_pages = false;
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    expect(&h, "A1 got t1 0 left 9\n");
}
END_TEST

START_TEST(lanes_are_shown_in_the_order_of_their_priorities)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-max-priority", 5);
    do_declare_args(&h, "A1", "p", "d", &arguments);
    text_free(&arguments);
    do_publish(&h, "A1", "", "p", "plain", "");
    do_publish_priority(&h, "A1", "p", "three", 3, "");
    do_publish_priority(&h, "A1", "p", "five", 5, "");
    harness_sync(&h);
    harness_take(&h);
    do_peek(&h, "B1", "p", MESSAGE_STATE_READY, false, 0, 10);
    expect(&h, "B1 peeked 0 five ready\nB1 peeked 1 three ready\nB1 peeked 2 plain ready\n"
               "B1 ok peek\n");
    do_peek(&h, "B1", "p", MESSAGE_STATE_READY, true, 0, 2);
    expect(&h, "B1 peeked 2 plain ready\nB1 peeked 1 three ready\nB1 ok peek\n");
}
END_TEST

/* The place of the message at a position. */
static struct message_place places[3];

static void note_place(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    if (event->type == EVENT_PEEKED && event->u.peeked.peeked->position < 3)
        places[event->u.peeked.peeked->position] = event->u.peeked.peeked->place;
}

static void peek_from(struct message_place from, uint64_t offset, uint32_t count)
{
    struct command command = {.type = COMMAND_PEEK, .channel = 1};
    command.u.peek.queue = bytes_of_text("q");
    command.u.peek.states = MESSAGE_STATE_READY;
    command.u.peek.from = from;
    command.u.peek.offset = offset;
    command.u.peek.count = count;
    harness_do(&h, 'B', &command);
    harness_sync(&h);
}

static void drop(struct message_place place)
{
    struct command command = {.type = COMMAND_DROP_MESSAGE, .channel = 1};
    command.u.drop_message.queue = bytes_of_text("q");
    command.u.drop_message.place = place;
    harness_do(&h, 'B', &command);
    harness_sync(&h);
}

START_TEST(a_place_names_a_message_until_it_leaves)
{
    publish_numbers(0, 3, "p");
    h.watch = note_place;
    peek(MESSAGE_STATE_READY, 0, 3);
    h.watch = NULL;
    restart();
    peek_from(places[1], 0, 5);
    expect(&h, "B1 peeked 1 1 ready\nB1 peeked 2 2 ready\nB1 ok peek\n");
    peek_from(places[1], 1, 5);
    expect(&h, "B1 peeked 2 2 ready\nB1 ok peek\n");
    drop(places[1]);
    expect(&h, "B1 ok drop\n");
    peek_from(places[1], 0, 5);
    expect(&h, "B1 peeked 1 2 ready\nB1 ok peek\n");
    drop(places[1]);
    expect(&h, "B1 fail drop NOT_FOUND the message is not in queue 'q' in vhost '/' any more\n");
}
END_TEST

START_TEST(a_message_that_is_out_is_not_dropped)
{
    publish_numbers(0, 2, "p");
    h.watch = note_place;
    peek(MESSAGE_STATE_READY, 0, 3);
    do_get(&h, "A1", "q", "a");
    harness_take(&h);
    drop(places[0]);
    expect(&h, "B1 fail drop RESOURCE_LOCKED the message in queue 'q' in vhost '/' has been "
               "delivered and waits for its acknowledgement, or is being dead-lettered\n");
    restart();
    peek(MESSAGE_STATE_READY, 0, 3);
    expect(&h, "B1 peeked 0 0 ready redelivered\nB1 peeked 1 1 ready\nB1 ok peek\n");
}
END_TEST

START_TEST(a_dropped_message_does_not_come_back)
{
    publish_numbers(0, 2, "p");
    h.watch = note_place;
    peek(MESSAGE_STATE_READY, 0, 3);
    restart();
    drop(places[0]); /* it is not in memory */
    restart();
    peek(MESSAGE_STATE_READY, 0, 3);
    expect(&h, "B1 peeked 0 1 ready\nB1 ok peek\n");
}
END_TEST

START_TEST(too_many_are_refused)
{
    peek(MESSAGE_STATE_READY, 0, PEEK_MAX + 1);
    expect(&h, "B1 fail peek PRECONDITION_FAILED at most 1000 messages can be looked at "
               "together\n");
}
END_TEST

START_TEST(work_is_done_in_portions)
{
    h.quiet = true;
    publish_numbers(0, 1000, "");
    for (unsigned i = 0; i < 1000; i++)
        do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    h.quiet = false;
    harness_take(&h);
    unsigned before = (unsigned)h.portions;
    h.now.steady_ms++;
    peek(MESSAGE_STATE_UNACKED, 0, 1000);
    ck_assert_uint_gt(h.portions, before);
    const char *lines = harness_take(&h);
    ck_assert_ptr_nonnull(strstr(lines, "B1 peeked 999 999 unacked by peer A1  t1000\nB1 ok peek"));
}
END_TEST

static void setup_small_portions(void)
{
    h.portion = 100;
    setup();
}

int main(void)
{
    Suite *suite = suite_create("peek");
    TCase *tests = tcase_create("peek");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, shows_from_the_head_and_from_the_tail);
    tcase_add_test(tests, changes_nothing);
    tcase_add_test(tests, tells_who_has_an_unacked_message);
    tcase_add_test(tests, reads_from_disk_and_leaves_it_there);
    tcase_add_test(tests, a_chunk_that_is_read_for_a_consumer_serves_both);
    tcase_add_test(tests, a_queue_that_is_purged_meanwhile_shows_nothing);
    tcase_add_test(tests, a_queue_that_is_deleted_meanwhile_fails_the_peek);
    tcase_add_test(tests, a_channel_that_ends_meanwhile_drops_the_peek);
    tcase_add_test(tests, a_damaged_page_is_told_and_nothing_is_lost);
    tcase_add_test(tests, lanes_are_shown_in_the_order_of_their_priorities);
    tcase_add_test(tests, a_place_names_a_message_until_it_leaves);
    tcase_add_test(tests, a_message_that_is_out_is_not_dropped);
    tcase_add_test(tests, a_dropped_message_does_not_come_back);
    tcase_add_test(tests, too_many_are_refused);
    suite_add_tcase(suite, tests);
    TCase *portions = tcase_create("portions");
    tcase_add_checked_fixture(portions, setup_small_portions, teardown);
    tcase_add_test(portions, work_is_done_in_portions);
    suite_add_tcase(suite, portions);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
