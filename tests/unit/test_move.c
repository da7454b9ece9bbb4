/* Moving messages: portions, targets, dead letters that go back, refusals, restarts. */
#include <stdio.h>

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static struct command move; /* what the next move_on sends */
static bool all_done;       /* true: the last one said that all is done */

static void note(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    if (event->type == EVENT_MOVED)
        all_done = event->u.moved.moved->done;
}

static void setup(void)
{
    harness_open(&h);
    h.watch = note;
    do_open(&h, "A1");
    do_open(&h, "B1");
    do_declare(&h, "A1", "q", "d");
    do_declare(&h, "A1", "to", "d");
    harness_sync(&h);
    harness_take(&h);
    move = (struct command){.type = COMMAND_MOVE, .channel = 1};
    move.u.move.queue = bytes_of_text("q");
    move.u.move.to_queue = bytes_of_text("to");
    move.u.move.count = 1000;
}

static void teardown(void)
{
    harness_close(&h);
}

static void send_move(void)
{
    harness_do(&h, 'B', &move);
    harness_sync(&h);
}

static void publish_numbers(unsigned from, unsigned upto)
{
    char body[16];
    for (unsigned i = from; i < upto; i++) {
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", "q", body, "p");
    }
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

static void expect_depth(const char *queue, uint64_t ready)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_ready, ready);
    ck_assert_uint_eq(info.messages_unacknowledged, 0);
}

static void declare_limited(const char *queue, int max_length, const char *dead_letters_to)
{
    struct text arguments = {0};
    if (max_length >= 0) {
        table_put_i32(&arguments, "x-max-length", max_length);
        table_put_string(&arguments, "x-overflow", bytes_of_text("reject-publish"));
    }
    if (dead_letters_to) {
        table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
        table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text(dead_letters_to));
    }
    do_declare_args(&h, "A1", queue, "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

START_TEST(moves_all_in_order_and_tells_what_it_did)
{
    publish_numbers(0, 3);
    send_move();
    expect(&h, "B1 moved 3 left 0 done\nB1 ok move\n");
    expect_depth("q", 0);
    for (unsigned i = 0; i < 3; i++)
        do_get(&h, "A1", "to", "");
    expect(&h, "A1 got t1 0 left 2\nA1 got t2 1 left 1\nA1 got t3 2 left 0\n");
    send_move();
    expect(&h, "B1 moved 0 left 0 done\nB1 ok move\n");
}
END_TEST

START_TEST(a_portion_is_no_larger_than_asked_and_new_messages_stay)
{
    publish_numbers(0, 5);
    move.u.move.count = 2;
    send_move();
    expect(&h, "B1 moved 2 left 3\nB1 ok move\n");
    publish_numbers(5, 7);
    send_move();
    expect(&h, "B1 moved 2 left 1\nB1 ok move\n");
    send_move();
    expect(&h, "B1 moved 1 left 0 done\nB1 ok move\n");
    expect_depth("q", 2);
    expect_depth("to", 5);
}
END_TEST

START_TEST(what_is_out_with_a_consumer_is_not_moved)
{
    publish_numbers(0, 2);
    do_get(&h, "A1", "q", "a");
    harness_take(&h);
    send_move();
    expect(&h, "B1 moved 1 left 0 done\nB1 ok move\n");
    do_ack(&h, "A1", 1, false);
    expect_depth("q", 0);
}
END_TEST

START_TEST(both_places_survive_a_crash)
{
    publish_numbers(0, 1500);
    restart();
    do { /* the chunks have to be read */
        send_move();
    } while (!all_done);
    harness_take(&h);
    restart();
    expect_depth("q", 0);
    expect_depth("to", 1500);
}
END_TEST

START_TEST(a_crash_before_the_disk_has_it_leaves_all_in_the_queue)
{
    publish_numbers(0, 3);
    harness_do(&h, 'B', &move);
    expect(&h, "B1 moved 3 left 0 done\n"); /* the reply waits for the disk */
    harness_crash(&h);
    expect_depth("q", 3);
    expect_depth("to", 0);
}
END_TEST

START_TEST(a_full_target_blocks_and_nothing_is_lost)
{
    declare_limited("small", 1, "to");
    move.u.move.to_queue = bytes_of_text("small");
    publish_numbers(0, 3);
    send_move();
    expect(&h, "B1 moved 1 left 2 blocked\nB1 ok move\n");
    send_move();
    expect(&h, "B1 moved 0 left 2 blocked\nB1 ok move\n");
    expect_depth("q", 2);
    expect_depth("to", 0);
    do_get(&h, "A1", "small", "");
    harness_take(&h);
    send_move();
    expect(&h, "B1 moved 1 left 1 blocked\nB1 ok move\n");
}
END_TEST

START_TEST(a_full_queue_behind_an_exchange_blocks_too)
{
    declare_limited("small", 1, NULL);
    do_exchange(&h, "A1", "x", "fanout", "");
    do_bind(&h, "A1", "x", "small", "");
    harness_take(&h);
    move.u.move.target = MOVE_TO_EXCHANGE;
    move.u.move.exchange = bytes_of_text("x");
    publish_numbers(0, 2);
    send_move();
    expect(&h, "B1 moved 1 left 1 blocked\nB1 ok move\n");
    do_bind(&h, "A1", "x", "to", "");
    harness_take(&h);
    send_move();
    expect(&h, "B1 moved 1 left 0 done\nB1 ok move\n");
    expect_depth("to", 1);
}
END_TEST

START_TEST(an_exchange_without_another_queue_keeps_the_message)
{
    do_exchange(&h, "A1", "x", "fanout", "");
    harness_take(&h);
    move.u.move.target = MOVE_TO_EXCHANGE;
    move.u.move.exchange = bytes_of_text("x");
    publish_numbers(0, 1);
    send_move();
    expect(&h, "B1 moved 0 left 0 skipped no route 1 done\nB1 ok move\n");
    do_bind(&h, "A1", "x", "q", "");
    do_close(&h, "B1");
    do_open(&h, "B1");
    harness_take(&h);
    send_move();
    expect(&h, "B1 moved 0 left 0 skipped same queue 1 done\nB1 ok move\n");
    expect_depth("q", 1);
}
END_TEST

START_TEST(targets_that_are_not_there_keep_the_messages)
{
    publish_numbers(0, 2);
    move.u.move.to_queue = bytes_of_text("none");
    send_move();
    expect(&h, "B1 moved 0 left 0 skipped no queue 2 done\nB1 ok move\n");
    do_close(&h, "B1");
    do_open(&h, "B1");
    harness_take(&h);
    move.u.move.target = MOVE_TO_EXCHANGE;
    move.u.move.exchange = bytes_of_text("none");
    send_move();
    expect(&h, "B1 moved 0 left 0 skipped no exchange 2 done\nB1 ok move\n");
    expect_depth("q", 2);
}
END_TEST

START_TEST(dead_letters_go_back_to_their_source)
{
    declare_limited("work", -1, "q");
    do_publish(&h, "A1", "", "work", "job", "p");
    do_publish(&h, "A1", "", "q", "no letter", "p");
    do_get(&h, "A1", "work", "a");
    do_reject(&h, "A1", 1, false);
    harness_sync(&h);
    harness_take(&h);
    move.u.move.target = MOVE_TO_SOURCE;
    send_move();
    expect(&h, "B1 moved 1 left 0 skipped no dead letter 1 done\nB1 ok move\n");
    expect_depth("work", 1);
    expect_depth("q", 1);
    do_get(&h, "A1", "work", "");
    expect(&h, "A1 got t2 job left 0\n");
}
END_TEST

START_TEST(dead_letters_go_back_to_their_exchange_and_keys)
{
    do_exchange(&h, "A1", "x", "topic", "d");
    declare_limited("work", -1, "q");
    do_bind(&h, "A1", "x", "work", "jobs.#");
    do_publish(&h, "A1", "x", "jobs.one", "job", "p");
    do_get(&h, "A1", "work", "a");
    do_reject(&h, "A1", 1, false);
    harness_sync(&h);
    harness_take(&h);
    do_bind(&h, "A1", "x", "to", "jobs.one");
    harness_sync(&h);
    harness_take(&h);
    move.u.move.target = MOVE_TO_ORIGIN;
    send_move();
    expect(&h, "B1 moved 1 left 0 done\nB1 ok move\n");
    expect_depth("work", 1);
    expect_depth("to", 1);
    expect_depth("q", 0);
}
END_TEST

START_TEST(a_dry_move_moves_nothing)
{
    publish_numbers(0, 2);
    move.u.move.dry = true;
    send_move();
    expect(&h, "B1 moved 2 left 0 done\nB1 ok move\n");
    expect_depth("q", 2);
    expect_depth("to", 0);
}
END_TEST

START_TEST(one_message_can_be_moved_alone)
{
    publish_numbers(0, 3);
    move.u.move.only = (struct message_place){0, 513};
    send_move();
    expect(&h, "B1 moved 1 left 0 done\nB1 ok move\n");
    do_get(&h, "A1", "to", "");
    expect(&h, "A1 got t1 1 left 0\n");
}
END_TEST

START_TEST(a_queue_that_goes_ends_the_move)
{
    publish_numbers(0, 3);
    move.u.move.count = 1;
    send_move();
    do_delete(&h, "A1", "q", "");
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    harness_take(&h);
    send_move();
    expect(&h, "B1 fail move NOT_FOUND queue 'q' in vhost '/' has been deleted\n");
}
END_TEST

START_TEST(a_queue_that_was_purged_has_nothing_to_move)
{
    h.quiet = true;
    publish_numbers(0, 6000);
    h.quiet = false;
    move.u.move.count = 1;
    send_move();
    do_purge(&h, "A1", "q");
    publish_numbers(0, 10);
    harness_take(&h);
    send_move();
    expect(&h, "B1 moved 0 left 0 done\nB1 ok move\n");
    expect_depth("q", 10);
}
END_TEST

START_TEST(a_channel_that_ends_leaves_the_rest)
{
    publish_numbers(0, 3);
    restart();
    harness_do(&h, 'B', &move);
    do_close(&h, "B1");
    harness_sync(&h);
    expect(&h, "B1 ok close\n");
    expect_depth("q", 3);
}
END_TEST

START_TEST(a_damaged_page_fails_the_move_and_keeps_the_messages)
{
    publish_numbers(0, 3);
    restart();
    h.break_pages = true;
    send_move();
    expect(&h, "B1 fail move INTERNAL_ERROR stored messages of queue 'q' in vhost '/' cannot be "
               "read, see the log\n");
    h.break_pages = false;
    expect_depth("q", 3);
}
END_TEST

/* ---- The form of a moved message. */

static struct message *seen;

static void keep_got(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    if (event->type == EVENT_REPLY && event->got.message) {
        message_unref(&seen);
        seen = message_ref(event->got.message);
    }
}

START_TEST(a_moved_message_says_how_often_and_keeps_the_rest)
{
    struct properties properties;
    struct field field;
    publish_numbers(0, 1);
    send_move();
    do_close(&h, "B1");
    do_open(&h, "B1");
    move.u.move.queue = bytes_of_text("to");
    move.u.move.to_queue = bytes_of_text("q");
    send_move();
    h.watch = keep_got;
    do_get(&h, "A1", "q", "");
    ck_assert_ptr_nonnull(seen);
    ck_assert(bytes_equal_text(message_routing_key(seen), "q"));
    ck_assert_int_eq(properties_decode(message_properties(seen), &properties), STATUS_OK);
    ck_assert(table_find(properties.headers, "x-redriven", &field));
    ck_assert_int_eq(field.value.integer, 2);
    ck_assert_uint_eq(properties.delivery_mode, 2);
    message_unref(&seen);
}
END_TEST

static void publish_expiring(const char *queue, const char *expiration)
{
    struct message *plain = harness_message("", queue, "job", 3, true);
    struct properties properties = {.present = PROPERTY_EXPIRATION | PROPERTY_DELIVERY_MODE,
                                    .delivery_mode = 2,
                                    .expiration = bytes_of_text(expiration)};
    struct text encoded = {0};
    struct command publish = {.type = COMMAND_PUBLISH, .channel = 1};
    properties_encode(&properties, &encoded);
    publish.u.publish.message = message_with_properties(plain, text_bytes(&encoded));
    text_free(&encoded);
    message_unref(&plain);
    harness_do(&h, 'A', &publish);
}

START_TEST(an_expiration_is_restored_when_asked)
{
    struct properties properties;
    declare_limited("work", -1, "q");
    publish_expiring("work", "60000");
    do_get(&h, "A1", "work", "a");
    do_reject(&h, "A1", 1, false);
    harness_sync(&h);
    harness_take(&h);
    move.u.move.restore_expiration = true;
    send_move();
    h.watch = keep_got;
    do_get(&h, "A1", "to", "");
    ck_assert_ptr_nonnull(seen);
    ck_assert_int_eq(properties_decode(message_properties(seen), &properties), STATUS_OK);
    ck_assert(bytes_equal_text(properties.expiration, "60000"));
    ck_assert_uint_eq(seen->ttl_ms, 60000);
    message_unref(&seen);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("move");
    TCase *tests = tcase_create("move");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, moves_all_in_order_and_tells_what_it_did);
    tcase_add_test(tests, a_portion_is_no_larger_than_asked_and_new_messages_stay);
    tcase_add_test(tests, what_is_out_with_a_consumer_is_not_moved);
    tcase_add_test(tests, both_places_survive_a_crash);
    tcase_add_test(tests, a_crash_before_the_disk_has_it_leaves_all_in_the_queue);
    tcase_add_test(tests, a_full_target_blocks_and_nothing_is_lost);
    tcase_add_test(tests, a_full_queue_behind_an_exchange_blocks_too);
    tcase_add_test(tests, an_exchange_without_another_queue_keeps_the_message);
    tcase_add_test(tests, targets_that_are_not_there_keep_the_messages);
    tcase_add_test(tests, dead_letters_go_back_to_their_source);
    tcase_add_test(tests, dead_letters_go_back_to_their_exchange_and_keys);
    tcase_add_test(tests, a_dry_move_moves_nothing);
    tcase_add_test(tests, one_message_can_be_moved_alone);
    tcase_add_test(tests, a_queue_that_goes_ends_the_move);
    tcase_add_test(tests, a_queue_that_was_purged_has_nothing_to_move);
    tcase_add_test(tests, a_channel_that_ends_leaves_the_rest);
    tcase_add_test(tests, a_damaged_page_fails_the_move_and_keeps_the_messages);
    tcase_add_test(tests, a_moved_message_says_how_often_and_keeps_the_rest);
    tcase_add_test(tests, an_expiration_is_restored_when_asked);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
