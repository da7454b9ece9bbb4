/* Conversations with a session: what a client sends, and what it is told. */
#include <check.h>
#include <stdlib.h>

#include "leveret/wire/frame.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "scarce.h"
#include "session_harness.h"

static struct harness *h;
static struct connection *c;

static void set_up(void)
{
    h = harness_new();
    c = harness_connect(h);
}

static void tear_down(void)
{
    harness_free(&h);
}

static void log_in(void)
{
    harness_log_in(h, c);
    ck_assert_str_eq(harness_told(c), "0 connection.start\n"
                                      "0 connection.tune\n"
                                      "0 connection.open-ok\n"
                                      "1 channel.open-ok\n");
}

static void send_plain(uint16_t channel, enum method_id id)
{
    const struct method m = {.id = id};
    harness_send(h, c, channel, &m);
}

static void declare(const char *queue, bool durable)
{
    const struct method m = {
        .id = METHOD_QUEUE_DECLARE,
        .u.queue_declare = {.queue = bytes_of_text(queue), .durable = durable}};
    harness_send(h, c, 1, &m);
}

static void consume(const char *queue, const char *tag, bool no_ack)
{
    const struct method m = {.id = METHOD_BASIC_CONSUME,
                             .u.basic_consume = {.queue = bytes_of_text(queue),
                                                 .consumer_tag = bytes_of_text(tag),
                                                 .no_ack = no_ack}};
    harness_send(h, c, 1, &m);
}

/* ---- Handshake. */

START_TEST(wrong_protocol_header_is_answered_with_the_right_one)
{
    harness_feed(h, c, BYTES_LITERAL("AMQP\x00\x01\x00\x00"));
    struct text *output = harness_output(c);
    ck_assert_uint_eq(output->len, PROTOCOL_HEADER_BYTES);
    ck_assert_mem_eq(output->at, protocol_header, PROTOCOL_HEADER_BYTES);
    harness_break(h, c);
    ck_assert(harness_closed(c));
}
END_TEST

START_TEST(wrong_password_is_refused_with_403)
{
    harness_feed(h, c, bytes_of(protocol_header, PROTOCOL_HEADER_BYTES));
    harness_told(c);
    const struct method m = {.id = METHOD_CONNECTION_START_OK,
                             .u.connection_start_ok = {.client_properties = BYTES_LITERAL(
                                                           "\x0c"
                                                           "capabilitiesF\x00\x00\x00\x1f"
                                                           "\x1c"
                                                           "authentication_failure_closet\x01"),
                                                       .mechanism = BYTES_LITERAL("PLAIN"),
                                                       .response = BYTES_LITERAL("\0guest\0wrong"),
                                                       .locale = BYTES_LITERAL("en_US")}};
    harness_send(h, c, 0, &m);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 403 ACCESS_REFUSED - Login was refused using "
                     "authentication mechanism PLAIN. For details see the broker logfile.\n");
    send_plain(0, METHOD_CONNECTION_CLOSE_OK);
    ck_assert(harness_closed(c));
}
END_TEST

START_TEST(method_out_of_order_is_503)
{
    harness_feed(h, c, bytes_of(protocol_header, PROTOCOL_HEADER_BYTES));
    harness_told(c);
    const struct method open = {.id = METHOD_CONNECTION_OPEN,
                                .u.connection_open = {.virtual_host = BYTES_LITERAL("/")}};
    harness_send(h, c, 0, &open);
    ck_assert_str_eq(harness_told(c), "0 connection.close 503 COMMAND_INVALID - connection.open is "
                                      "not expected now\n");
}
END_TEST

/* ---- Channels. */

START_TEST(channel_is_opened_once_and_must_be_open)
{
    log_in();
    send_plain(1, METHOD_CHANNEL_OPEN);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 504 CHANNEL_ERROR - second 'channel.open' seen\n");
}
END_TEST

START_TEST(unopened_channel_is_504)
{
    log_in();
    send_plain(2, METHOD_TX_SELECT);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 504 CHANNEL_ERROR - expected 'channel.open'\n");
}
END_TEST

START_TEST(failed_channel_leaves_others_working_and_can_be_opened_again)
{
    log_in();
    send_plain(2, METHOD_CHANNEL_OPEN);
    harness_told(c);
    const struct method passive = {
        .id = METHOD_QUEUE_DECLARE,
        .u.queue_declare = {.queue = BYTES_LITERAL("none"), .passive = true}};
    harness_send(h, c, 1, &passive);
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 404 NOT_FOUND - no queue 'none' in vhost '/'\n");
    declare("dropped", false); /* on channel 1, before close-ok */
    ck_assert_str_eq(harness_told(c), "");
    send_plain(2, METHOD_TX_SELECT);
    ck_assert_str_eq(harness_told(c), "2 tx.select-ok\n");
    send_plain(1, METHOD_CHANNEL_CLOSE_OK);
    send_plain(1, METHOD_CHANNEL_OPEN);
    ck_assert_str_eq(harness_told(c), "1 channel.open-ok\n");
}
END_TEST

START_TEST(channel_max_is_530)
{
    log_in();
    for (uint16_t i = 2; i <= 16; i++)
        send_plain(i, METHOD_CHANNEL_OPEN);
    harness_told(c);
    send_plain(17, METHOD_CHANNEL_OPEN);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 530 NOT_ALLOWED - number of channels opened (16) has "
                     "reached the negotiated channel_max (16)\n");
}
END_TEST

/* ---- Messages. */

/* Connections as they are keep what they have; one in the middle of its handshake may answer what
 * it was offered. */
START_TEST(other_limits_are_for_handshakes_to_come)
{
    struct connection *midway = harness_connect(h), *late = harness_connect(h);
    const struct method start_ok = {
        .id = METHOD_CONNECTION_START_OK,
        .u.connection_start_ok = {.mechanism = BYTES_LITERAL("PLAIN"),
                                  .response = BYTES_LITERAL("\0guest\0guest"),
                                  .locale = BYTES_LITERAL("en_US")}};
    const struct method tune_ok = {
        .id = METHOD_CONNECTION_TUNE_OK,
        .u.connection_tune_ok = {.channel_max = 16, .frame_max = 131072}};
    const struct method open = {.id = METHOD_CONNECTION_OPEN,
                                .u.connection_open = {.virtual_host = BYTES_LITERAL("/")}};
    log_in();
    harness_feed(h, midway, bytes_of(protocol_header, PROTOCOL_HEADER_BYTES));
    harness_send(h, midway, 0, &start_ok);
    harness_options(h)->channel_max = 8;
    harness_options(h)->message_bytes_max = 4;
    sessions_set_limits(harness_sessions(h), harness_options(h));
    harness_settle(h);
    harness_send(h, midway, 0, &tune_ok);
    harness_send(h, midway, 0, &open);
    ck_assert_str_eq(harness_told(midway), "0 connection.start\n"
                                           "0 connection.tune\n"
                                           "0 connection.open-ok\n");
    send_plain(10, METHOD_CHANNEL_OPEN);
    ck_assert_str_eq(harness_told(c), "10 channel.open-ok\n");
    harness_publish(h, c, 10, "", "nowhere", "hello", 0);
    ck_assert_str_eq(harness_told(c),
                     "10 channel.close 406 PRECONDITION_FAILED - message size 5 is "
                     "larger than configured max size 4\n");
    harness_log_in(h, late); /* wants 16 channels */
    const char *told = harness_told(late);
    ck_assert_msg(strstr(told, "negotiated channel_max = 16 is higher than the maximum allowed "
                               "value (8)") != NULL,
                  "%s", told);
}
END_TEST

START_TEST(publish_reaches_a_consumer)
{
    log_in();
    declare("q", false);
    consume("q", "tag", true);
    harness_publish(h, c, 1, "", "q", "hello", 0);
    ck_assert_str_eq(harness_told(c), "1 queue.declare-ok q 0 0\n"
                                      "1 basic.consume-ok\n"
                                      "1 basic.deliver tag 1\n"
                                      "header\n"
                                      "body hello\n");
}
END_TEST

/* A large body and a message with reply-to, which is copied. Without memory the connection that
 * published has 506, and others go on. */
START_TEST(no_memory_is_506)
{
    static char body[20001];
    unsigned failures = 0;
    memset(body, 'x', sizeof body - 1);
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        tear_down();
        set_up();
        struct connection *other = harness_connect(h);
        log_in();
        declare("q", false);
        consume("q", "tag", true);
        consume("amq.rabbitmq.reply-to", "replies", true);
        harness_log_in(h, other);
        harness_told(c);
        harness_told(other);
        struct text frames = {0};
        const struct properties properties = {.present = PROPERTY_REPLY_TO,
                                              .reply_to = BYTES_LITERAL("amq.rabbitmq.reply-to")};
        const struct basic_publish publish = {.routing_key = BYTES_LITERAL("q")};
        harness_add_publish(&frames, 1, &publish, bytes_of_text(body), 0);
        harness_add_content(&frames, 1, &publish, &properties, BYTES_LITERAL("hidden"));
        scarce_begin(nth);
        harness_feed(h, c, text_bytes(&frames));
        failed = scarce_end();
        failures += failed;
        const char *told = harness_told(c);
        ck_assert_msg(failed == (strstr(told, "0 connection.close 506 RESOURCE_ERROR - out of "
                                              "memory\n") != NULL) &&
                          failed == (strstr(told, "body hidden\n") == NULL),
                      "%u: %s", nth, told);
        harness_publish(h, other, 1, "", "q", "on", 0);
        ck_assert_str_eq(harness_told(other), "");
        text_free(&frames);
    }
    ck_assert_uint_gt(failures, 4);
}
END_TEST

START_TEST(confirms_merge_and_returns_come_first)
{
    log_in();
    declare("q", true);
    send_plain(1, METHOD_CONFIRM_SELECT);
    harness_told(c);
    harness_publish(h, c, 1, "", "nowhere", "", 2);
    ck_assert_str_eq(harness_told(c), "1 basic.return 312\nheader\n1 basic.ack 1\n");
    harness_publish(h, c, 1, "", "q", "stored", 2);
    ck_assert_str_eq(harness_told(c), "1 basic.ack 2\n");
}
END_TEST

START_TEST(unknown_delivery_tag_is_406)
{
    log_in();
    const struct method ack = {.id = METHOD_BASIC_ACK, .u.basic_ack = {.delivery_tag = 7}};
    harness_send(h, c, 1, &ack);
    ck_assert_str_eq(harness_told(c),
                     "1 channel.close 406 PRECONDITION_FAILED - unknown delivery tag 7\n");
}
END_TEST

START_TEST(unsettled_messages_return_when_the_channel_closes)
{
    log_in();
    declare("q", false);
    consume("q", "tag", false);
    harness_publish(h, c, 1, "", "q", "again", 0);
    harness_told(c);
    send_plain(1, METHOD_CHANNEL_CLOSE);
    ck_assert_str_eq(harness_told(c), "1 channel.close-ok\n");
    send_plain(1, METHOD_CHANNEL_OPEN);
    consume("q", "other", true);
    ck_assert_str_eq(harness_told(c), "1 channel.open-ok\n"
                                      "1 basic.consume-ok\n"
                                      "1 basic.deliver other 1 redelivered\n"
                                      "header\n"
                                      "body again\n");
}
END_TEST

START_TEST(content_out_of_order_is_505)
{
    log_in();
    const struct method publish = {.id = METHOD_BASIC_PUBLISH,
                                   .u.basic_publish = {.routing_key = BYTES_LITERAL("q")}};
    harness_send(h, c, 1, &publish);
    send_plain(1, METHOD_TX_SELECT);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 505 UNEXPECTED_FRAME - expected content header for class "
                     "60, got non content header frame instead\n");
}
END_TEST

START_TEST(heartbeat_on_a_channel_is_505)
{
    log_in();
    harness_feed(h, c, BYTES_LITERAL("\x08\x00\x01\x00\x00\x00\x00\xce"));
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 505 UNEXPECTED_FRAME - type 8, all octets = <<>>\n");
}
END_TEST

START_TEST(bad_frame_end_is_501)
{
    log_in();
    harness_feed(h, c, BYTES_LITERAL("\x08\x00\x00\x00\x00\x00\x00\xcd"));
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 501 FRAME_ERROR - type 8, all octets = <<>>: "
                     "{invalid_frame_end_marker,205}\n");
    harness_settle(h);
    ck_assert(harness_closed(c));
}
END_TEST

START_TEST(content_on_channel_zero_is_505)
{
    log_in();
    harness_feed(h, c,
                 BYTES_LITERAL("\x03\x00\x00\x00\x00\x00\x03"
                               "abc\xce"));
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 505 UNEXPECTED_FRAME - type 3, all octets "
                     "= <<\"abc\">>\n");
}
END_TEST

START_TEST(frames_that_are_too_short_are_501)
{
    log_in();
    harness_feed(h, c, BYTES_LITERAL("\x01\x00\x01\x00\x00\x00\x03\x00\x14\x00\xce"));
    ck_assert_str_eq(harness_told(c), "0 connection.close 501 FRAME_ERROR - type 1, all octets = "
                                      "<<0,20,0>>: unknown_frame\n");
}
END_TEST

START_TEST(flow_off_is_540)
{
    log_in();
    const struct method on = {.id = METHOD_CHANNEL_FLOW, .u.channel_flow = {.active = true}};
    const struct method off = {.id = METHOD_CHANNEL_FLOW, .u.channel_flow = {.active = false}};
    harness_send(h, c, 1, &on);
    ck_assert_str_eq(harness_told(c), "1 channel.flow-ok\n");
    harness_send(h, c, 1, &off);
    ck_assert_str_eq(harness_told(c), "0 connection.close 540 NOT_IMPLEMENTED - active=false\n");
}
END_TEST

START_TEST(reused_consumer_tag_is_530)
{
    log_in();
    declare("q", false);
    consume("q", "tag", true);
    harness_told(c);
    consume("q", "tag", true);
    ck_assert_str_eq(harness_told(c),
                     "0 connection.close 530 NOT_ALLOWED - attempt to reuse consumer tag 'tag'\n");
}
END_TEST

START_TEST(frames_in_pieces_make_no_difference)
{
    log_in();
    declare("q", false);
    consume("q", "tag", true);
    harness_told(c);
    struct text input = {0};
    text_add(&input,
             "\x01\0\x01\0\0\0\x0a\0\x3c\0\x28\0\0\0\x01q\0\xce" /* basic.publish "" "q" */
             "\x02\0\x01\0\0\0\x0e\0\x3c\0\0\0\0\0\0\0\0\0\x03\0\0\xce"
             "\x03\0\x01\0\0\0\x02"
             "ab\xce"
             "\x03\0\x01\0\0\0\x01"
             "c\xce",
             18 + 22 + 10 + 9);
    for (size_t i = 0; i < input.len; i++)
        harness_feed(h, c, bytes_of(input.at + i, 1));
    text_free(&input);
    ck_assert_str_eq(harness_told(c), "1 basic.deliver tag 1\nheader\nbody abc\n");
}
END_TEST

START_TEST(queue_deleted_under_a_consumer_cancels_it)
{
    log_in();
    declare("q", false);
    consume("q", "tag", true);
    harness_told(c);
    const struct method m = {.id = METHOD_QUEUE_DELETE,
                             .u.queue_delete = {.queue = BYTES_LITERAL("q")}};
    harness_send(h, c, 1, &m);
    ck_assert_str_eq(harness_told(c), "1 basic.cancel tag\n1 queue.delete-ok\n");
}
END_TEST

START_TEST(socket_refused_for_memory_leaves_the_quota)
{
    struct quota *sockets = harness_options(h)->sockets;
    struct account *account = node_account(harness_options(h)->node);
    uint64_t left = account_limit_bytes(account, ACCOUNT_CONNECTIONS) -
                    account_bytes(account, ACCOUNT_CONNECTIONS);
    unsigned open = atomic_load(&sockets->open);
    ck_assert(account_take(account, ACCOUNT_CONNECTIONS, left));
    ck_assert(quota_take(sockets));
    sessions_accept(harness_sessions(h), -1, NULL);
    harness_settle(h);
    ck_assert_uint_eq(atomic_load(&sockets->open), open);
    account_add(account, ACCOUNT_CONNECTIONS, -(int64_t)left);
}
END_TEST

START_TEST(connection_close_is_answered_when_the_core_has_let_go)
{
    log_in();
    const struct method exclusive = {
        .id = METHOD_QUEUE_DECLARE,
        .u.queue_declare = {.queue = BYTES_LITERAL("mine"), .exclusive = true}};
    harness_send(h, c, 1, &exclusive);
    harness_told(c);
    const struct method m = {.id = METHOD_CONNECTION_CLOSE,
                             .u.connection_close = {.reply_code = 200}};
    harness_send(h, c, 0, &m);
    ck_assert_str_eq(harness_told(c), "0 connection.close-ok\n");
    ck_assert(harness_closed(c));
    struct connection *other = harness_connect(h);
    harness_log_in(h, other);
    harness_told(other);
    const struct method passive = {
        .id = METHOD_QUEUE_DECLARE,
        .u.queue_declare = {.queue = BYTES_LITERAL("mine"), .passive = true}};
    harness_send(h, other, 1, &passive);
    ck_assert_str_eq(harness_told(other),
                     "1 channel.close 404 NOT_FOUND - no queue 'mine' in vhost '/'\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("conversations");
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, wrong_protocol_header_is_answered_with_the_right_one);
    tcase_add_test(tc, wrong_password_is_refused_with_403);
    tcase_add_test(tc, method_out_of_order_is_503);
    tcase_add_test(tc, channel_is_opened_once_and_must_be_open);
    tcase_add_test(tc, unopened_channel_is_504);
    tcase_add_test(tc, failed_channel_leaves_others_working_and_can_be_opened_again);
    tcase_add_test(tc, channel_max_is_530);
    tcase_add_test(tc, other_limits_are_for_handshakes_to_come);
    tcase_add_test(tc, publish_reaches_a_consumer);
    tcase_add_test(tc, no_memory_is_506);
    tcase_add_test(tc, confirms_merge_and_returns_come_first);
    tcase_add_test(tc, unknown_delivery_tag_is_406);
    tcase_add_test(tc, unsettled_messages_return_when_the_channel_closes);
    tcase_add_test(tc, content_out_of_order_is_505);
    tcase_add_test(tc, heartbeat_on_a_channel_is_505);
    tcase_add_test(tc, bad_frame_end_is_501);
    tcase_add_test(tc, content_on_channel_zero_is_505);
    tcase_add_test(tc, frames_that_are_too_short_are_501);
    tcase_add_test(tc, flow_off_is_540);
    tcase_add_test(tc, reused_consumer_tag_is_530);
    tcase_add_test(tc, frames_in_pieces_make_no_difference);
    tcase_add_test(tc, queue_deleted_under_a_consumer_cancels_it);
    tcase_add_test(tc, socket_refused_for_memory_leaves_the_quota);
    tcase_add_test(tc, connection_close_is_answered_when_the_core_has_let_go);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
