/* Conversations with a session: clients that do not wait for answers, names, and who may what. */
#include <check.h>
#include <stdlib.h>

#include "leveret/wire/frame.h"
#include "session_harness.h"

static struct harness *h;
static struct connection *c;
static struct text frames;

static void set_up(void)
{
    h = harness_new();
    c = harness_connect(h);
}

static void tear_down(void)
{
    text_free(&frames);
    harness_free(&h);
}

static void log_in(void)
{
    harness_log_in(h, c);
    harness_told(c);
}

static void add_plain(uint16_t channel, enum method_id id)
{
    const struct method m = {.id = id};
    harness_add_method(&frames, channel, &m);
}

static void add_publish(const char *exchange, const char *key, size_t body_bytes, bool mandatory)
{
    static uint8_t body[65536];
    const struct basic_publish publish = {.exchange = bytes_of_text(exchange),
                                          .routing_key = bytes_of_text(key),
                                          .mandatory = mandatory};
    ck_assert_uint_le(body_bytes, sizeof body);
    harness_add_publish(&frames, 1, &publish, bytes_of(body, body_bytes), 0);
}

static struct method declaration(const char *queue)
{
    return (struct method){.id = METHOD_QUEUE_DECLARE,
                           .u.queue_declare = {.queue = bytes_of_text(queue), .exclusive = true}};
}

static void add_declare(const char *queue, bool durable)
{
    struct method m = declaration(queue);
    m.u.queue_declare.durable = durable;
    m.u.queue_declare.exclusive = false;
    harness_add_method(&frames, 1, &m);
}

/* Sends all that was added in one go. */
static void feed(void)
{
    harness_feed(h, c, text_bytes(&frames));
    frames.len = 0;
}

static void send_plain(uint16_t channel, enum method_id id)
{
    const struct method m = {.id = id};
    harness_send(h, c, channel, &m);
}

static void get(const char *queue)
{
    const struct method m = {.id = METHOD_BASIC_GET,
                             .u.basic_get = {.queue = bytes_of_text(queue)}};
    harness_send(h, c, 1, &m);
}

static void consume(const char *queue, bool no_ack)
{
    const struct method m = {.id = METHOD_BASIC_CONSUME,
                             .u.basic_consume = {.queue = bytes_of_text(queue),
                                                 .consumer_tag = BYTES_LITERAL("tag"),
                                                 .no_ack = no_ack}};
    harness_send(h, c, 1, &m);
}

/* ---- Without waiting. */

START_TEST(long_backlog_goes_on_after_the_channel_was_opened_anew)
{
    log_in();
    add_declare("q", true); /* waits for the disk */
    for (int i = 0; i < 5; i++)
        add_publish("", "q", 8000, false);
    add_plain(1, METHOD_CHANNEL_CLOSE);
    add_plain(1, METHOD_CHANNEL_OPEN);
    for (int i = 0; i < 5; i++)
        add_publish("", "q", 8000, false);
    add_plain(1, METHOD_BASIC_QOS);
    feed();
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 0 0\n"
                                      "1 channel.close-ok\n"
                                      "1 channel.open-ok\n"
                                      "1 basic.qos-ok\n");
    send_plain(1, METHOD_BASIC_QOS);
    ck_assert_str_eq(harness_told(c), "1 basic.qos-ok\n");
}
END_TEST

START_TEST(long_backlog_of_a_failing_channel_is_dropped)
{
    log_in();
    add_declare("q", true);
    add_publish("none", "", 0, false);
    for (int i = 0; i < 10; i++)
        add_publish("", "q", 60000, false);
    feed();
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 0 0\n"
                                      "1 channel.close 404 NOT_FOUND - no exchange 'none' in vhost "
                                      "'/'\n");
    add_plain(1, METHOD_CHANNEL_CLOSE_OK);
    add_plain(1, METHOD_CHANNEL_OPEN);
    feed();
    ck_assert_str_eq(harness_told(c), "1 channel.open-ok\n");
}
END_TEST

START_TEST(publishes_right_before_close_are_told_of)
{
    log_in();
    send_plain(1, METHOD_CONFIRM_SELECT);
    harness_told(c);
    add_publish("", "nowhere", 0, true);
    add_publish("", "nowhere", 0, false);
    add_plain(1, METHOD_CHANNEL_CLOSE);
    feed();
    ck_assert_str_eq(harness_told(c), "1 basic.return 312\n"
                                      "header\n"
                                      "1 basic.ack 2 multiple\n"
                                      "1 channel.close-ok\n");
}
END_TEST

/* What a client is told of its publishes comes in the order in which it sent them. */
START_TEST(confirms_leave_before_a_return_that_follows)
{
    log_in();
    add_declare("q", false);
    feed();
    send_plain(1, METHOD_CONFIRM_SELECT);
    harness_told(c);
    add_publish("", "q", 0, true);
    add_publish("", "q", 0, true);
    add_publish("", "nowhere", 0, true);
    add_publish("", "q", 0, true);
    add_publish("", "nowhere", 0, true);
    feed();
    ck_assert_str_eq(harness_told(c), "1 basic.ack 2 multiple\n"
                                      "1 basic.return 312\n"
                                      "header\n"
                                      "1 basic.ack 4 multiple\n"
                                      "1 basic.return 312\n"
                                      "header\n"
                                      "1 basic.ack 5\n");
}
END_TEST

START_TEST(closes_that_cross_are_both_answered)
{
    log_in();
    add_publish("none", "", 0, false);
    add_plain(1, METHOD_CHANNEL_CLOSE);
    add_plain(1, METHOD_CHANNEL_CLOSE_OK);
    add_plain(1, METHOD_CHANNEL_OPEN);
    add_plain(1, METHOD_BASIC_QOS);
    feed();
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 404 NOT_FOUND - no exchange 'none' in vhost '/'\n"
                     "1 channel.close-ok\n"
                     "1 channel.open-ok\n"
                     "1 basic.qos-ok\n");
}
END_TEST

START_TEST(close_ok_of_a_channel_that_is_not_there_is_504)
{
    log_in();
    send_plain(2, METHOD_CHANNEL_CLOSE_OK);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 504 CHANNEL_ERROR - expected 'channel.open'\n");
}
END_TEST

START_TEST(methods_in_the_wrong_place_are_refused)
{
    log_in();
    send_plain(1, METHOD_BASIC_QOS_OK);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 503 COMMAND_INVALID - unimplemented method\n");
    c = harness_connect(h);
    log_in();
    send_plain(0, METHOD_BASIC_QOS);
    ck_assert_str_eq(harness_told(c), "0 connection.close 504 CHANNEL_ERROR - unexpected method in "
                                      "connection state running\n");
    c = harness_connect(h);
    log_in();
    harness_feed(h, c, BYTES_LITERAL("\x03\x00\x05\x00\x00\x00\x00\xce"));
    ck_assert_str_eq(harness_told(c), "0 connection.close 505 UNEXPECTED_FRAME - expected method "
                                      "frame, got non method frame instead\n");
}
END_TEST

START_TEST(who_does_not_read_what_it_gets_is_not_read)
{
    log_in();
    add_declare("q", false);
    for (int i = 0; i < 3; i++)
        add_publish("", "q", 10, false);
    feed();
    harness_told(c);
    harness_hold_output(h, c, 16 << 20);
    get("q"); /* this one pauses the connection */
    get("q");
    const char *told = strstr(harness_told(c), "1 basic.get-ok\n");
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_null(strstr(told + 1, "1 basic.get-ok\n"));
    harness_hold_output(h, c, 0);
    ck_assert_ptr_nonnull(strstr(harness_told(c), "1 basic.get-ok\n"));
}
END_TEST

START_TEST(who_does_not_read_what_it_gets_gets_no_more_of_its_backlog)
{
    const struct method m = {.id = METHOD_BASIC_GET, .u.basic_get = {.queue = BYTES_LITERAL("q")}};
    log_in();
    harness_hold_output(h, c, 16 << 20);
    add_declare("q", true); /* waits for the disk */
    for (int i = 0; i < 2; i++)
        add_publish("", "q", 10, false);
    for (int i = 0; i < 2; i++)
        harness_add_method(&frames, 1, &m);
    feed();
    const char *told = harness_told(c); /* any answer counts */
    ck_assert_ptr_nonnull(strstr(told, "1 queue.declare-ok"));
    ck_assert_ptr_null(strstr(told, "1 basic.get-ok\n"));
    harness_hold_output(h, c, 0);
    told = strstr(harness_told(c), "1 basic.get-ok\n");
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_nonnull(strstr(told + 1, "1 basic.get-ok\n"));
}
END_TEST

START_TEST(ticket_is_given_to_whom_asks)
{
    log_in();
    send_plain(1, METHOD_ACCESS_REQUEST);
    ck_assert_str_eq(harness_told(c), "1 access.request-ok\n");
}
END_TEST

/* ---- Names. */

START_TEST(line_ends_do_not_belong_to_names)
{
    log_in();
    struct method m = declaration("li\r\nne");
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok line 0 0\n");
    const struct method bind = {.id = METHOD_QUEUE_BIND,
                                .u.queue_bind = {.queue = BYTES_LITERAL("line\n"),
                                                 .exchange = BYTES_LITERAL("amq.\rdirect"),
                                                 .routing_key = BYTES_LITERAL("a\nb")}};
    harness_send(h, c, 1, &bind);
    harness_publish(h, c, 1, "amq.direct", "a\nb", "kept", 0);
    ck_assert_str_eq(harness_told(c), "1 queue.bind-ok\n");
    get("li\nne");
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 404 NOT_FOUND - no queue 'li\nne' in vhost '/'\n");
}
END_TEST

START_TEST(unnamed_queue_is_known_without_waiting_for_its_name)
{
    log_in();
    struct method m = declaration("\r\n");
    m.u.queue_declare.no_wait = true;
    harness_add_method(&frames, 1, &m);
    const struct method purge = {.id = METHOD_QUEUE_PURGE};
    harness_add_method(&frames, 1, &purge);
    feed();
    ck_assert_str_eq(harness_told(c), "1 queue.purge-ok\n");
}
END_TEST

START_TEST(exclusive_queue_is_the_same_durable_or_not)
{
    log_in();
    struct method m = declaration("mine");
    harness_send(h, c, 1, &m);
    m.u.queue_declare.durable = true;
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok mine 0 0\n1 queue.declare-ok mine 0 0\n");
}
END_TEST

/* ---- Permissions. */

static void log_in_limited(const char *configure, const char *write, const char *read)
{
    bool created;
    char *error = NULL;
    struct auth *auth = harness_auth(h);
    ck_assert_int_eq(auth_put_user(auth, "lim", "pw", NULL, NULL, "", &created), STATUS_OK);
    ck_assert_int_eq(
        auth_put_permission(auth, "lim", "/", configure, write, read, &created, &error), STATUS_OK);
    harness_log_in_as(h, c, BYTES_LITERAL("\0lim\0pw"));
    harness_told(c);
}

START_TEST(permission_is_asked_for_the_name_that_was_made)
{
    log_in_limited("^amq\\.gen-.{22}$", "", "");
    struct method m = declaration("");
    harness_send(h, c, 1, &m);
    const char *told = harness_told(c);
    ck_assert_ptr_eq(strstr(told, "1 queue.declare-ok amq.gen-"), told);
}
END_TEST

START_TEST(default_exchange_is_named_in_a_refusal)
{
    log_in_limited("", "", "");
    harness_publish(h, c, 1, "", "q", "", 0);
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 403 ACCESS_REFUSED - write access to exchange "
                     "'amq.default' in vhost '/' refused for user 'lim'\n");
}
END_TEST

START_TEST(what_nobody_may_is_refused_as_such)
{
    log_in_limited("", "", "");
    const struct method m = {.id = METHOD_EXCHANGE_DELETE,
                             .u.exchange_delete = {.exchange = BYTES_LITERAL("amq.direct")}};
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 channel.close 403 ACCESS_REFUSED - deletion of system "
                                      "exchange 'amq.direct' in vhost '/' not allowed\n");
}
END_TEST

/* A passive declaration tells counts and probes names: some right on the name is
 * needed, whichever. */
START_TEST(passive_declarations_need_a_right)
{
    static const char *const rights[][3] = {
        {"^(q|x)$", "", ""}, {"", "^(q|x)$", ""}, {"", "", "^(q|x)$"}};
    const char *const *right = rights[_i];
    log_in_limited(right[0], right[1], right[2]);
    struct method m = declaration("q");
    m.u.queue_declare.passive = true;
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 404 NOT_FOUND - no queue 'q' in vhost '/'\n");
    m.u.queue_declare.queue = BYTES_LITERAL("other");
    const struct method open = {.id = METHOD_CHANNEL_OPEN},
                        close_ok = {.id = METHOD_CHANNEL_CLOSE_OK},
                        exchange = {.id = METHOD_EXCHANGE_DECLARE,
                                    .u.exchange_declare = {.exchange = BYTES_LITERAL("amq.fanout"),
                                                           .passive = true}};
    harness_send(h, c, 1, &close_ok);
    harness_send(h, c, 1, &open);
    harness_send(h, c, 2, &open);
    harness_told(c);
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 channel.close 403 ACCESS_REFUSED - configure access to "
                                      "queue 'other' in vhost '/' refused for user 'lim'\n");
    harness_send(h, c, 2, &exchange);
    ck_assert_str_eq(harness_told(c), "2 channel.close 403 ACCESS_REFUSED - configure access to "
                                      "exchange 'amq.fanout' in vhost '/' refused for user "
                                      "'lim'\n");
}
END_TEST

START_TEST(passive_declarations_of_nothing_are_told_so)
{
    log_in_limited("", "", "");
    struct method m = declaration("");
    m.u.queue_declare.passive = true;
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 channel.close 404 NOT_FOUND - no queue '' in vhost '/'\n");
}
END_TEST

START_TEST(refusals_name_the_right)
{
    log_in_limited(".*", "", "");
    const struct method bind = {.id = METHOD_QUEUE_BIND,
                                .u.queue_bind = {.queue = BYTES_LITERAL("q"),
                                                 .exchange = BYTES_LITERAL("amq.fanout")}},
                        get = {.id = METHOD_BASIC_GET,
                               .u.basic_get = {.queue = BYTES_LITERAL("q")}},
                        open = {.id = METHOD_CHANNEL_OPEN};
    harness_send(h, c, 1, &bind);
    ck_assert_str_eq(harness_told(c), "1 channel.close 403 ACCESS_REFUSED - write access to queue "
                                      "'q' in vhost '/' refused for user 'lim'\n");
    harness_send(h, c, 2, &open);
    harness_told(c);
    harness_send(h, c, 2, &get);
    ck_assert_str_eq(harness_told(c), "2 channel.close 403 ACCESS_REFUSED - read access to queue "
                                      "'q' in vhost '/' refused for user 'lim'\n");
}
END_TEST

START_TEST(direct_replies_need_no_permission)
{
    log_in_limited("", "", "");
    consume("amq.rabbitmq.reply-to", true);
    ck_assert_str_eq(harness_told(c), "1 basic.consume-ok\n");
    struct method m = declaration("amq.rabbitmq.reply-to");
    m.u.queue_declare.passive = true;
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok amq.rabbitmq.reply-to 0 1\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session order");
    TCase *tc = tcase_create("conversations");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, long_backlog_goes_on_after_the_channel_was_opened_anew);
    tcase_add_test(tc, long_backlog_of_a_failing_channel_is_dropped);
    tcase_add_test(tc, publishes_right_before_close_are_told_of);
    tcase_add_test(tc, confirms_leave_before_a_return_that_follows);
    tcase_add_test(tc, closes_that_cross_are_both_answered);
    tcase_add_test(tc, close_ok_of_a_channel_that_is_not_there_is_504);
    tcase_add_test(tc, methods_in_the_wrong_place_are_refused);
    tcase_add_test(tc, who_does_not_read_what_it_gets_is_not_read);
    tcase_add_test(tc, who_does_not_read_what_it_gets_gets_no_more_of_its_backlog);
    tcase_add_test(tc, ticket_is_given_to_whom_asks);
    tcase_add_test(tc, line_ends_do_not_belong_to_names);
    tcase_add_test(tc, unnamed_queue_is_known_without_waiting_for_its_name);
    tcase_add_test(tc, exclusive_queue_is_the_same_durable_or_not);
    tcase_add_test(tc, permission_is_asked_for_the_name_that_was_made);
    tcase_add_test(tc, default_exchange_is_named_in_a_refusal);
    tcase_add_test(tc, what_nobody_may_is_refused_as_such);
    tcase_add_loop_test(tc, passive_declarations_need_a_right, 0, 3);
    tcase_add_test(tc, passive_declarations_of_nothing_are_told_so);
    tcase_add_test(tc, refusals_name_the_right);
    tcase_add_test(tc, direct_replies_need_no_permission);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
