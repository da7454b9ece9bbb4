/* What the core keeps over restarts and crashes, and paging. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/number.h"

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

static void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
}

START_TEST(definitions_come_back)
{
    do_exchange(&h, "A1", "x", "topic", "d");
    do_exchange(&h, "A1", "y", "topic", "");
    do_declare(&h, "A1", "q", "d");
    do_declare(&h, "A1", "gone", "d");
    do_declare(&h, "A1", "t", "");
    do_declare(&h, "A1", "e", "dx");
    do_bind(&h, "A1", "x", "q", "a.#");
    do_bind(&h, "A1", "x", "gone", "a.#");
    do_bind(&h, "A1", "y", "q", "a.#");
    do_publish(&h, "A1", "x", "a.b", "one", "p");
    do_delete(&h, "A1", "gone", "");
    harness_sync(&h);
    restart();
    do_publish(&h, "A1", "x", "a.b", "two", "");
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 one left 1\nA1 got t2 two left 0\nA1 empty\n");
    static const char *const gone[] = {"gone", "t", "e"};
    for (int i = 0; i < 3; i++) {
        char line[100];
        do_declare(&h, "A1", gone[i], "p");
        snprintf(line, sizeof line, "A1 fail declare NOT_FOUND no queue '%s' in vhost '/'\n",
                 gone[i]);
        expect(&h, line);
        do_close(&h, "A1");
        do_open(&h, "A1");
        harness_take(&h);
    }
    do_publish(&h, "A1", "y", "a.b", "no", "");
    expect(&h, "A1 fail publish NOT_FOUND no exchange 'y' in vhost '/'\n");
}
END_TEST

START_TEST(what_was_not_synced_is_gone)
{
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "transient", "");
    harness_sync(&h);
    do_publish(&h, "A1", "", "q", "two", "p");
    harness_turn(&h);
    do_declare(&h, "A1", "r", "d");
    restart();
    do_declare(&h, "A1", "q", "p");
    do_declare(&h, "A1", "r", "p");
    expect(&h, "A1 ok declare q 1 0\nA1 fail declare NOT_FOUND no queue 'r' in vhost '/'\n");
}
END_TEST

START_TEST(redelivered_is_told_after_a_restart)
{
    do_declare(&h, "A1", "q", "d");
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 4; i++)
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "p");
    harness_sync(&h);
    do_ack(&h, "A1", 1, false); /* not synced, so a comes back after the crash */
    restart();
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_sync(&h);
    expect(&h, "A1 ok consume c1\nA1 deliver c1 t1 a redelivered\nA1 deliver c1 t2 b redelivered\n"
               "A1 deliver c1 t3 c\nA1 deliver c1 t4 d\n");
    harness_sync(&h);
    restart();
    do_publish(&h, "A1", "", "q", "new", "p"); /* its place is above those of all older messages */
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 new left 0\nA1 empty\n");
}
END_TEST

/* ---- Paging. */

static void publish_numbers(const char *queue, unsigned from, unsigned to, bool persistent)
{
    for (unsigned i = from; i < to; i++) {
        char body[16];
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", queue, body, persistent ? "p" : "");
        if (i % 1000 == 999)
            harness_sync(&h);
    }
    harness_sync(&h);
}

struct in_order {
    unsigned next, redelivered;
    uint64_t last_tag, bytes;
};

static void check_order(void *context, char peer, const struct event *event)
{
    struct in_order *state = context;
    (void)peer;
    struct message *message = event->type == EVENT_DELIVER ? event->u.deliver.message
                              : event->type == EVENT_REPLY ? event->got.message
                                                           : NULL;
    if (!message)
        return;
    char body[32] = {0};
    struct bytes piece = message_body_piece(message, 0);
    memcpy(body, piece.at, piece.len);
    uint64_t number;
    ck_assert(number_read(body, UINT32_MAX, &number));
    ck_assert_uint_eq(number, state->next);
    state->next++;
    if (event->type == EVENT_DELIVER) {
        state->last_tag = event->u.deliver.tag;
        state->redelivered += event->u.deliver.redelivered;
        state->bytes += delivery_bytes(message);
    }
}

static void drain(const char *queue, unsigned count, bool acks)
{
    struct in_order state = {0};
    h.watch = check_order;
    h.watch_context = &state;
    h.quiet = true;
    do_consume(&h, "A1", queue, 1, acks ? "a" : "", 0);
    for (unsigned turns = 0; state.next < count && turns < 10000; turns++) {
        harness_sync(&h);
        if (acks && state.last_tag)
            do_ack(&h, "A1", 0, true);
        do_credit(&h, "A1", (uint32_t)state.bytes);
        state.bytes = 0;
    }
    ck_assert_uint_eq(state.next, count);
    if (acks)
        do_ack(&h, "A1", 0, true);
    h.watch = NULL;
    h.quiet = false;
    harness_sync(&h);
}

static struct queue_info info(const char *queue)
{
    struct queue_info found = {0};
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &found));
    return found;
}

START_TEST(deep_durable_queues_leave_memory)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 20000, true);
    ck_assert_uint_lt(info("q").messages_ram, 9 * 512);
    ck_assert_uint_eq(info("q").messages_ready, 20000);
    drain("q", 20000, true);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    ck_assert_uint_eq(info("q").messages_unacknowledged, 0);
    restart();
    ck_assert_uint_eq(info("q").messages_ready, 0);
}
END_TEST

START_TEST(a_backlog_is_read_after_a_restart)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 10000, true);
    restart();
    ck_assert_uint_eq(info("q").messages_ready, 10000);
    ck_assert_uint_eq(info("q").messages_ram, 0);
    publish_numbers("q", 10000, 12000, true);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    expect(&h, ""); /* the message is read from disk first */
    harness_sync(&h);
    expect(&h, "A1 got t1 0 left 11999\nA1 got t2 1 left 11998\n");
    do_nack(&h, "A1", 0, true, true);
    drain("q", 12000, false);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(gets_wait_and_end_with_their_channel)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 10, true);
    restart();
    do_open(&h, "A2");
    do_open(&h, "A3");
    harness_take(&h);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A2", "q", "a");
    do_close(&h, "A1");
    harness_sync(&h);
    expect(&h, "A1 ok close\nA2 got t1 0 left 9\n");
    restart();
    do_open(&h, "A2");
    harness_take(&h);
    do_get(&h, "A1", "q", "a");
    do_delete(&h, "A2", "q", "");
    harness_sync(&h);
    expect(&h, "A1 fail get NOT_FOUND no queue 'q' in vhost '/'\nA2 ok delete 10\n");
}
END_TEST

START_TEST(transient_messages_page_out_when_memory_is_short)
{
    harness_close(&h);
    h.resident_bytes_max = 1 << 20;
    setup();
    do_declare(&h, "A1", "q", "");
    publish_numbers("q", 0, 30000, false);
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 2 << 20);
    ck_assert_uint_eq(info("q").messages_ready, 30000);
    drain("q", 30000, true);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    restart();
    do_declare(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

/* A page-out that failed is tried again only after a pause, whatever else happens meanwhile. */
START_TEST(a_page_out_that_fails_is_tried_again_after_a_pause)
{
    harness_close(&h);
    h.resident_bytes_max = 1 << 20;
    setup();
    do_declare(&h, "A1", "q", "");
    journal_memory_fail_pages(h.journal, STATUS_NO_SPACE);
    publish_numbers("q", 0, 20000, false);
    for (unsigned i = 0; i < 100; i++)
        harness_sync(&h);
    ck_assert_uint_gt(h.pages_out_failed, 0);
    ck_assert_uint_le(h.pages_out_failed, 16);
    ck_assert_uint_eq(h.pages_out, 0);
    ck_assert_uint_gt(vhost_resident_bytes(h.vhost), 1 << 20);
    unsigned failed = h.pages_out_failed;
    harness_pass(&h, 1000);
    for (unsigned i = 0; i < 100; i++)
        harness_sync(&h);
    ck_assert_uint_gt(h.pages_out_failed, failed);
    ck_assert_uint_le(h.pages_out_failed, 32);
    journal_memory_fail_pages(h.journal, STATUS_OK);
    harness_pass(&h, 1000);
    for (unsigned i = 0; i < 10; i++)
        harness_sync(&h);
    ck_assert_uint_gt(h.pages_out, 0);
    ck_assert_uint_le(vhost_resident_bytes(h.vhost), 1 << 20);
    drain("q", 20000, true);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(mixed_chunks_page_out_whole)
{
    harness_close(&h);
    h.resident_bytes_max = 1 << 20;
    setup();
    do_declare(&h, "A1", "q", "d");
    for (unsigned i = 0; i < 20000; i++) {
        char body[16];
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", "q", body, i % 3 ? "" : "p");
        if (i % 500 == 0)
            harness_sync(&h);
    }
    harness_sync(&h);
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 2 << 20);
    drain("q", 20000, true);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(many_unsettled_leave_memory_and_come_back)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 10000, true);
    h.quiet = true;
    struct in_order state = {0};
    h.watch = check_order;
    h.watch_context = &state;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 50; i++) {
        harness_sync(&h);
        do_credit(&h, "A1", (uint32_t)state.bytes);
        state.bytes = 0;
    }
    ck_assert_uint_eq(state.next, 10000);
    ck_assert_uint_eq(info("q").messages_unacknowledged, 10000);
    ck_assert_uint_lt(info("q").messages_ram, 9 * 512);
    do_cancel(&h, "A1", 1);
    for (unsigned tag = 10000; tag > 5000; tag--)
        do_nack(&h, "A1", tag, false, true);
    do_nack(&h, "A1", 0, true, true);
    h.watch = NULL;
    drain("q", 10000, true);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(a_queue_is_purged_wherever_its_messages_are)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 10000, true);
    do_get(&h, "A1", "q", "a");
    harness_take(&h);
    do_purge(&h, "A1", "q");
    harness_sync(&h);
    expect(&h, "A1 ok purge 9999\n");
    do_nack(&h, "A1", 1, false, true);
    do_publish(&h, "A1", "", "q", "last", "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t2 0 left 1 redelivered\nA1 got t3 last left 0\n");
    harness_sync(&h);
    restart();
    ck_assert_uint_eq(info("q").messages_ready, 0);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    publish_numbers("q", 0, 10000, true); /* none is unsettled: the purge replaces the lane */
    restart();
    do_open(&h, "A2");
    harness_take(&h);
    do_get(&h, "A1", "q", "a"); /* the message is read from disk first */
    do_purge(&h, "A2", "q");
    do_publish(&h, "A2", "", "q", "new", "p");
    do_get(&h, "A2", "q", "a");
    expect(&h, "A2 ok purge 10000\nA1 empty\nA2 got t1 new left 0\n");
    harness_sync(&h);
    expect(&h, "");
    restart();
    ck_assert_uint_eq(info("q").messages_ready, 1);
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 new left 0 redelivered\n");
}
END_TEST

START_TEST(an_unreadable_page_fails_the_queue)
{
    do_declare(&h, "A1", "q", "d");
    publish_numbers("q", 0, 10, true);
    restart();
    do_open(&h, "A2");
    do_open(&h, "A3");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_get(&h, "A2", "q", "a");
    harness_take(&h);
    /* The test makes the journal's report itself: a page of the queue's lane without messages. */
    h.break_pages = true;
    harness_sync(&h);
    h.break_pages = false;
    expect(&h, "A1 cancelled c1\nA2 fail get INTERNAL_ERROR stored messages of queue 'q' in vhost "
               "'/' cannot be read, see the log\n");
    do_consume(&h, "A3", "q", 1, "a", 0);
    expect(&h, "A3 fail consume INTERNAL_ERROR stored messages of queue 'q' in vhost '/' cannot be "
               "read, see the log\n");
    ck_assert(info("q").failed);
    ck_assert_uint_eq(info("q").messages_ready, 10);
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    expect(&h, "A1 ok delete 10\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_disk");
    TCase *tests = tcase_create("core_disk");
    tcase_set_timeout(tests, 1200);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, definitions_come_back);
    tcase_add_test(tests, what_was_not_synced_is_gone);
    tcase_add_test(tests, redelivered_is_told_after_a_restart);
    tcase_add_test(tests, deep_durable_queues_leave_memory);
    tcase_add_test(tests, a_backlog_is_read_after_a_restart);
    tcase_add_test(tests, gets_wait_and_end_with_their_channel);
    tcase_add_test(tests, transient_messages_page_out_when_memory_is_short);
    tcase_add_test(tests, a_page_out_that_fails_is_tried_again_after_a_pause);
    tcase_add_test(tests, mixed_chunks_page_out_whole);
    tcase_add_test(tests, many_unsettled_leave_memory_and_come_back);
    tcase_add_test(tests, a_queue_is_purged_wherever_its_messages_are);
    tcase_add_test(tests, an_unreadable_page_fails_the_queue);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
