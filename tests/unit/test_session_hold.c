/* What a session does while the vhost's gate is shut: publishes are held, all else goes on. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "leveret/wire/frame.h"
#include "node_internal.h"
#include "session_harness.h"

static struct harness *h;
static struct connection *c;
static struct text frames;

static void set_up(void)
{
    h = harness_new();
    c = harness_connect(h);
    harness_log_in(h, c);
    const struct method declare = {.id = METHOD_QUEUE_DECLARE,
                                   .u.queue_declare = {.queue = BYTES_LITERAL("q")}};
    harness_send(h, c, 1, &declare);
    harness_told(c);
}

static void tear_down(void)
{
    text_free(&frames);
    harness_free(&h);
}

static void alarm_rises(void)
{
    harness_set_memory_max(h, 0);
}

static void alarm_ends(void)
{
    harness_set_memory_max(h, UINT64_MAX);
}

static void send_plain(uint16_t channel, enum method_id id)
{
    const struct method m = {.id = id};
    harness_send(h, c, channel, &m);
}

static void publish(const char *body)
{
    harness_publish(h, c, 1, "", "q", body, 0);
}

static void ask(uint16_t channel, const char *queue)
{
    const struct method m = {.id = METHOD_QUEUE_DECLARE,
                             .u.queue_declare = {.queue = bytes_of_text(queue), .passive = true}};
    harness_send(h, c, channel, &m);
}

static void get(void)
{
    const struct method m = {.id = METHOD_BASIC_GET, .u.basic_get = {.queue = BYTES_LITERAL("q")}};
    harness_send(h, c, 1, &m);
}

static void ack(uint64_t tag)
{
    const struct method m = {.id = METHOD_BASIC_ACK, .u.basic_ack = {.delivery_tag = tag}};
    harness_send(h, c, 1, &m);
}

static void open_second_channel(void)
{
    send_plain(2, METHOD_CHANNEL_OPEN);
    ck_assert_str_eq(harness_told(c), "2 channel.open-ok\n");
}

#define BLOCKED   "0 connection.blocked\n"
#define UNBLOCKED "0 connection.unblocked\n"

START_TEST(first_publish_of_a_connection_is_held)
{
    alarm_rises();
    ck_assert_str_eq(harness_told(c), "");
    publish("one");
    ck_assert_str_eq(harness_told(c), BLOCKED);
    publish("two");
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 0 0\n");
    alarm_ends();
    ck_assert_str_eq(harness_told(c), UNBLOCKED);
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 2 0\n");
}
END_TEST

START_TEST(who_has_published_is_told_at_once)
{
    publish("one");
    ck_assert_str_eq(harness_told(c), "");
    alarm_rises();
    ck_assert_str_eq(harness_told(c), BLOCKED);
    alarm_ends();
    ck_assert_str_eq(harness_told(c), UNBLOCKED);
}
END_TEST

START_TEST(what_frees_memory_passes_on_the_same_channel)
{
    publish("one");
    alarm_rises();
    harness_told(c);
    publish("two");
    get();
    ck_assert_str_eq(harness_told(c), "1 basic.get-ok\nheader\nbody one\n");
    ack(1);
    send_plain(1, METHOD_BASIC_QOS);
    ck_assert_str_eq(harness_told(c), "1 basic.qos-ok\n");
    get();
    ck_assert_str_eq(harness_told(c), "1 basic.get-empty\n");
    alarm_ends();
    harness_told(c);
    get();
    ck_assert_str_eq(harness_told(c), "1 basic.get-ok\nheader\nbody two\n");
}
END_TEST

START_TEST(what_depends_on_the_publish_waits_and_all_behind_it)
{
    open_second_channel();
    alarm_rises();
    publish("one");
    const struct method purge = {.id = METHOD_QUEUE_PURGE,
                                 .u.queue_purge = {.queue = BYTES_LITERAL("q")}};
    harness_send(h, c, 1, &purge);
    get();
    ck_assert_str_eq(harness_told(c), BLOCKED);
    ask(2, "q");
    ck_assert_str_eq(harness_told(c), "2 queue.declare-ok q 0 0\n");
    alarm_ends();
    ck_assert_str_eq(harness_told(c), UNBLOCKED "1 queue.purge-ok\n1 basic.get-empty\n");
}
END_TEST

START_TEST(closes_are_answered_and_drop_what_is_held)
{
    alarm_rises();
    publish("one");
    send_plain(1, METHOD_CHANNEL_CLOSE);
    ck_assert_str_eq(harness_told(c), BLOCKED "1 channel.close-ok\n");
    open_second_channel();
    harness_publish(h, c, 2, "", "q", "two", 0);
    send_plain(0, METHOD_CONNECTION_CLOSE);
    ck_assert_str_eq(harness_told(c), "0 connection.close-ok\n");
    alarm_ends();
    c = harness_connect(h);
    harness_log_in(h, c);
    harness_told(c);
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 0 0\n");
}
END_TEST

START_TEST(rest_of_a_content_is_held)
{
    uint8_t body[9000] = {0};
    const struct basic_publish p = {.routing_key = BYTES_LITERAL("q")};
    harness_add_publish(&frames, 1, &p, bytes_of(body, sizeof body), 0);
    /* All but the body's frame, then the gate is shut. */
    size_t before = frames.len - sizeof body - FRAME_OVERHEAD_BYTES;
    harness_feed(h, c, bytes_of(frames.at, before));
    alarm_rises();
    harness_feed(h, c, bytes_of(frames.at + before, frames.len - before));
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), BLOCKED "1 queue.declare-ok q 0 0\n");
    alarm_ends();
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), UNBLOCKED "1 queue.declare-ok q 1 0\n");
}
END_TEST

START_TEST(order_of_what_is_held_is_kept)
{
    alarm_rises();
    for (int i = 0; i < 20; i++) {
        char body[] = {(char)('a' + i), '\0'};
        publish(body);
    }
    alarm_ends();
    harness_told(c);
    for (int i = 0; i < 20; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "1 basic.get-ok\nheader\nbody %c\n", 'a' + i);
        get();
        ck_assert_str_eq(harness_told(c), wanted);
    }
}
END_TEST

START_TEST(confirms_count_what_was_held)
{
    send_plain(1, METHOD_CONFIRM_SELECT);
    alarm_rises();
    harness_told(c);
    publish("one");
    publish("two");
    ck_assert_str_eq(harness_told(c), BLOCKED);
    alarm_ends();
    ck_assert_str_eq(harness_told(c), UNBLOCKED "1 basic.ack 2 multiple\n");
}
END_TEST

START_TEST(transaction_that_holds_messages_is_rolled_back)
{
    send_plain(1, METHOD_TX_SELECT);
    publish("one");
    harness_told(c);
    alarm_rises();
    publish("two");
    const char *told = harness_told(c);
    ck_assert_msg(strstr(told, "1 channel.close 406 PRECONDITION_FAILED - transaction rolled back"),
                  "%s", told);
    send_plain(1, METHOD_CHANNEL_CLOSE_OK);
    open_second_channel();
    ask(2, "q");
    ck_assert_str_eq(harness_told(c), "2 queue.declare-ok q 0 0\n");
}
END_TEST

START_TEST(transaction_commits_during_an_alarm)
{
    send_plain(1, METHOD_TX_SELECT);
    publish("one");
    alarm_rises();
    harness_told(c);
    send_plain(1, METHOD_TX_COMMIT);
    ck_assert_str_eq(harness_told(c), "1 tx.commit-ok\n");
    /* One whose first publish is held holds no memory: it waits. */
    publish("two");
    send_plain(1, METHOD_TX_COMMIT);
    ck_assert_str_eq(harness_told(c), "");
    alarm_ends();
    ck_assert_str_eq(harness_told(c), UNBLOCKED "1 tx.commit-ok\n");
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 2 0\n");
}
END_TEST

START_TEST(rollback_drops_what_is_held)
{
    send_plain(1, METHOD_TX_SELECT);
    alarm_rises();
    publish("one");
    harness_told(c);
    send_plain(1, METHOD_TX_ROLLBACK);
    ck_assert_str_eq(harness_told(c), "1 tx.rollback-ok\n");
    alarm_ends();
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), UNBLOCKED "1 queue.declare-ok q 0 0\n");
}
END_TEST

static struct home *home_of_root(void)
{
    return node_find_home(harness_options(h)->node, BYTES_LITERAL("/"));
}

/* As if the journal were behind, until the next call into the core finds that it is not. */
static void journal_falls_behind(void)
{
    atomic_store(&home_of_root()->gate, GATE_BUSY);
}

static void publish_as(int delivery_mode)
{
    harness_publish(h, c, 1, "", "q", "one", delivery_mode);
}

START_TEST(journal_that_is_behind_holds_persistent_messages_only)
{
    send_plain(1, METHOD_CONFIRM_SELECT);
    harness_told(c);
    journal_falls_behind();
    publish_as(1);
    ck_assert_str_eq(harness_told(c), "1 basic.ack 1\n");
    journal_falls_behind();
    publish_as(2);
    publish_as(1); /* not before the other */
    ck_assert_str_eq(harness_told(c), "");
    home_weigh_gate(home_of_root());
    harness_settle(h);
    ck_assert_str_eq(harness_told(c), "1 basic.ack 3 multiple\n");
}
END_TEST

START_TEST(close_waits_for_a_journal_that_is_behind)
{
    journal_falls_behind();
    publish_as(2);
    send_plain(0, METHOD_CONNECTION_CLOSE);
    ck_assert_str_eq(harness_told(c), "");
    home_weigh_gate(home_of_root());
    harness_settle(h);
    ck_assert_str_eq(harness_told(c), "0 connection.close-ok\n");
    c = harness_connect(h);
    harness_log_in(h, c);
    harness_told(c);
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 1 0\n");
}
END_TEST

START_TEST(held_bytes_are_bounded_and_counted)
{
    static uint8_t body[60000];
    const struct basic_publish p = {.routing_key = BYTES_LITERAL("q")};
    struct account *account = node_account(harness_options(h)->node);
    alarm_rises();
    for (int i = 0; i < 20; i++)
        harness_add_publish(&frames, 1, &p, bytes_of(body, sizeof body), 0);
    harness_feed(h, c, text_bytes(&frames));
    uint64_t held = account_bytes(account, ACCOUNT_READERS);
    ck_assert_uint_gt(held, 200u << 10);
    ck_assert_uint_lt(held, 400u << 10);
    alarm_ends();
    harness_settle(h);
    harness_told(c);
    ask(1, "q");
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 20 0\n");
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_READERS), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session hold");
    TCase *tests = tcase_create("hold");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, first_publish_of_a_connection_is_held);
    tcase_add_test(tests, who_has_published_is_told_at_once);
    tcase_add_test(tests, what_frees_memory_passes_on_the_same_channel);
    tcase_add_test(tests, what_depends_on_the_publish_waits_and_all_behind_it);
    tcase_add_test(tests, closes_are_answered_and_drop_what_is_held);
    tcase_add_test(tests, rest_of_a_content_is_held);
    tcase_add_test(tests, order_of_what_is_held_is_kept);
    tcase_add_test(tests, confirms_count_what_was_held);
    tcase_add_test(tests, transaction_that_holds_messages_is_rolled_back);
    tcase_add_test(tests, transaction_commits_during_an_alarm);
    tcase_add_test(tests, rollback_drops_what_is_held);
    tcase_add_test(tests, journal_that_is_behind_holds_persistent_messages_only);
    tcase_add_test(tests, close_waits_for_a_journal_that_is_behind);
    tcase_add_test(tests, held_bytes_are_bounded_and_counted);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
