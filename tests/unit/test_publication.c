/* What a publisher may send (publication.h), and which names and arguments the core takes
 * (command/command_gate.c). */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/broker/publication.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static uint8_t long_name[NAME_BYTES_MAX + 1];
#define LONG  bytes_of(long_name, sizeof long_name)
#define FULL  bytes_of(long_name, NAME_BYTES_MAX)
#define SHORT BYTES_LITERAL("x")

static void fill_name(void)
{
    memset(long_name, 'n', sizeof long_name);
}

/* ---- publication_message. */

static struct message *message;
static char why[PUBLICATION_WHY_MAX];

static void free_message(void)
{
    message_unref(&message);
}

static enum status make(const struct properties *properties, struct bytes exchange,
                        struct bytes routing_key)
{
    struct text encoded = {0};
    properties_encode(properties, &encoded);
    const struct publication publication = {
        .exchange = exchange,
        .routing_key = routing_key,
        .properties = text_bytes(&encoded),
        .body_bytes = 10,
        .body_bytes_max = 10,
        .user = "guest",
    };
    message_unref(&message);
    enum status status = publication_message(&publication, &message, why);
    text_free(&encoded);
    ck_assert_int_eq(message != NULL, status == STATUS_OK);
    return status;
}

START_TEST(a_message_knows_what_the_core_asks)
{
    struct text headers = {0};
    table_put_i32(&headers, "a", 1);
    const struct properties all = {
        .present = PROPERTY_DELIVERY_MODE | PROPERTY_PRIORITY | PROPERTY_EXPIRATION |
                   PROPERTY_USER_ID | PROPERTY_HEADERS,
        .delivery_mode = 2,
        .priority = 7,
        .expiration = BYTES_LITERAL("+60000"),
        .user_id = BYTES_LITERAL("guest"),
        .headers = text_bytes(&headers),
    };
    ck_assert_int_eq(make(&all, FULL, FULL), STATUS_OK);
    ck_assert(message->persistent && message->has_headers);
    ck_assert_uint_eq(message->priority, 7);
    ck_assert_uint_eq(message->ttl_ms, 60000);
    ck_assert(bytes_equal(message_exchange(message), FULL));
    ck_assert(bytes_equal(message_routing_key(message), FULL));
    const struct properties none = {0};
    ck_assert_int_eq(make(&none, SHORT, bytes_of("", 0)), STATUS_OK);
    ck_assert(!message->persistent && !message->has_headers);
    ck_assert_uint_eq(message->ttl_ms, MESSAGE_NO_TTL);
    text_free(&headers);
}
END_TEST

/* Only delivery mode 2 makes a message persistent. */
START_TEST(any_delivery_mode_is_taken)
{
    for (unsigned mode = 0; mode <= UINT8_MAX; mode++) {
        const struct properties properties = {.present = PROPERTY_DELIVERY_MODE,
                                              .delivery_mode = (uint8_t)mode};
        struct properties kept;
        ck_assert_int_eq(make(&properties, SHORT, SHORT), STATUS_OK);
        ck_assert_int_eq(message->persistent, mode == 2);
        ck_assert_int_eq(properties_decode(message_properties(message), &kept), STATUS_OK);
        ck_assert_uint_eq(kept.delivery_mode, mode);
    }
}
END_TEST

START_TEST(wrong_properties_are_refused)
{
    const struct {
        struct properties properties;
        const char *why;
    } cases[] = {
        {{.present = PROPERTY_EXPIRATION, .expiration = BYTES_LITERAL("")},
         "invalid expiration '': no_integer"},
        {{.present = PROPERTY_EXPIRATION, .expiration = BYTES_LITERAL("soon")},
         "invalid expiration 'soon': no_integer"},
        {{.present = PROPERTY_EXPIRATION, .expiration = BYTES_LITERAL("12x")},
         "invalid expiration '12x': {leftover_string,\"x\"}"},
        {{.present = PROPERTY_EXPIRATION, .expiration = BYTES_LITERAL("-1")},
         "invalid expiration '-1': {value_negative,-1}"},
        {{.present = PROPERTY_EXPIRATION, .expiration = BYTES_LITERAL("315360000001")},
         "invalid expiration '315360000001': {value_too_large,315360000001}"},
        {{.present = PROPERTY_EXPIRATION,
          .expiration = BYTES_LITERAL("99999999999999999999999999999999999999")},
         "invalid expiration '99999999999999999999999999999999999999': {value_too_large,"
         "99999999999999999999999999999999999999}"},
        {{.present = PROPERTY_USER_ID, .user_id = BYTES_LITERAL("other")},
         "user_id property set to 'other' but authenticated user was 'guest'"},
        {{.present = PROPERTY_USER_ID, .user_id = BYTES_LITERAL("guest\0")},
         "user_id property set to 'guest"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(make(&cases[i].properties, SHORT, SHORT), STATUS_PRECONDITION_FAILED);
        ck_assert_msg(strncmp(why, cases[i].why, strlen(cases[i].why)) == 0, "%s instead of %s",
                      why, cases[i].why);
    }
}
END_TEST

START_TEST(long_texts_in_reasons_are_cut)
{
    char digits[NAME_BYTES_MAX];
    memset(digits, '9', sizeof digits);
    const struct properties properties = {.present = PROPERTY_EXPIRATION,
                                          .expiration = bytes_of(digits, sizeof digits)};
    ck_assert_int_eq(make(&properties, SHORT, SHORT), STATUS_PRECONDITION_FAILED);
    ck_assert_uint_lt(strlen(why), PUBLICATION_WHY_MAX);
}
END_TEST

START_TEST(names_and_sizes_have_limits)
{
    const struct properties none = {0};
    ck_assert_int_eq(make(&none, LONG, SHORT), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(why, "exchange name is longer than 255 bytes");
    ck_assert_int_eq(make(&none, SHORT, LONG), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(why, "routing key is longer than 255 bytes");
    ck_assert_ptr_null(message_new(LONG, SHORT, BYTES_LITERAL("\0\0"), 0));
    ck_assert_ptr_null(message_new(SHORT, LONG, BYTES_LITERAL("\0\0"), 0));
    const struct publication large = {.properties = BYTES_LITERAL("\0\0"),
                                      .body_bytes = 11,
                                      .body_bytes_max = 10,
                                      .user = "guest"};
    ck_assert_int_eq(publication_message(&large, &message, why), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(why, "message size 11 is larger than configured max size 10");
    ck_assert_ptr_null(message);
}
END_TEST

START_TEST(properties_that_cannot_be_read_are_malformed)
{
    const struct bytes wrong[] = {
        BYTES_LITERAL(""),
        BYTES_LITERAL("\x80"),
        BYTES_LITERAL("\x10\0"),
        BYTES_LITERAL("\0\0\0"),
        BYTES_LITERAL("\x20\0\0\0\0\x09"),
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct publication publication = {.properties = wrong[i], .user = "guest"};
        ck_assert_int_eq(publication_message(&publication, &message, why), STATUS_MALFORMED);
        ck_assert_ptr_null(message);
    }
}
END_TEST

/* ---- command_gate. */

static struct harness h;

static void setup(void)
{
    fill_name();
    harness_open(&h);
    do_open(&h, "A1");
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

/* The command fails its channel with this reason; then a new channel is opened. */
static void refused(struct command command, const char *reason)
{
    char line[200];
    command.channel = channel_of("A1");
    harness_do(&h, 'A', &command);
    harness_sync(&h);
    const char *taken = harness_take(&h);
    snprintf(line, sizeof line, "PRECONDITION_FAILED %s\n", reason);
    ck_assert_msg(strstr(taken, line), "%s instead of %s", taken, line);
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_sync(&h);
    harness_take(&h);
}

START_TEST(names_above_255_bytes_do_not_enter)
{
    static const enum command_type binds[] = {COMMAND_QUEUE_BIND, COMMAND_QUEUE_UNBIND,
                                              COMMAND_EXCHANGE_BIND, COMMAND_EXCHANGE_UNBIND};
    refused((struct command){.type = COMMAND_QUEUE_DECLARE, .u.queue_declare.name = LONG},
            "queue name is longer than 255 bytes");
    refused((struct command){.type = COMMAND_EXCHANGE_DECLARE,
                             .u.exchange_declare = {.name = LONG, .type = SHORT}},
            "exchange name is longer than 255 bytes");
    refused((struct command){.type = COMMAND_EXCHANGE_DECLARE,
                             .u.exchange_declare = {.name = SHORT, .type = LONG}},
            "exchange type is longer than 255 bytes");
    refused((struct command){.type = COMMAND_CONSUME,
                             .u.consume = {.queue = BYTES_LITERAL("q"), .tag = LONG}},
            "consumer tag is longer than 255 bytes");
    for (size_t i = 0; i < sizeof binds / sizeof *binds; i++) {
        struct command command = {.type = binds[i],
                                  .u.bind = {.source = BYTES_LITERAL("amq.direct"),
                                             .destination = BYTES_LITERAL("q"),
                                             .routing_key = LONG}};
        refused(command, "routing key is longer than 255 bytes");
        command.u.bind.routing_key = SHORT;
        command.u.bind.source = LONG;
        refused(command, "source name is longer than 255 bytes");
        command.u.bind.source = SHORT;
        command.u.bind.destination = LONG;
        refused(command, "destination name is longer than 255 bytes");
    }
}
END_TEST

START_TEST(names_of_255_bytes_enter)
{
    struct command command = {.type = COMMAND_QUEUE_DECLARE,
                              .channel = channel_of("A1"),
                              .u.queue_declare = {.name = FULL, .durable = true}};
    harness_do(&h, 'A', &command);
    command = (struct command){.type = COMMAND_QUEUE_BIND,
                               .channel = channel_of("A1"),
                               .u.bind = {.source = BYTES_LITERAL("amq.direct"),
                                          .destination = FULL,
                                          .routing_key = FULL}};
    harness_do(&h, 'A', &command);
    harness_sync(&h);
    ck_assert_ptr_null(strstr(harness_take(&h), "fail"));
    harness_crash(&h);
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, FULL, &info));
}
END_TEST

START_TEST(malformed_arguments_do_not_enter)
{
    const struct bytes cut = BYTES_LITERAL("\x05"
                                           "a");
    refused((struct command){.type = COMMAND_QUEUE_DECLARE,
                             .u.queue_declare = {.name = SHORT, .arguments = cut}},
            "malformed arguments");
    refused(
        (struct command){.type = COMMAND_EXCHANGE_DECLARE,
                         .u.exchange_declare = {.name = SHORT, .type = SHORT, .arguments = cut}},
        "malformed arguments");
    refused((struct command){.type = COMMAND_QUEUE_BIND,
                             .u.bind = {.source = BYTES_LITERAL("amq.direct"),
                                        .destination = BYTES_LITERAL("q"),
                                        .arguments = cut}},
            "malformed arguments");
    refused((struct command){.type = COMMAND_CONSUME,
                             .u.consume = {.queue = BYTES_LITERAL("q"), .arguments = cut}},
            "malformed arguments");
}
END_TEST

int main(void)
{
    const TTest *const message_tests[] = {
        a_message_knows_what_the_core_asks, any_delivery_mode_is_taken,
        wrong_properties_are_refused,       long_texts_in_reasons_are_cut,
        names_and_sizes_have_limits,        properties_that_cannot_be_read_are_malformed,
    };
    const TTest *const gate_tests[] = {
        names_above_255_bytes_do_not_enter,
        names_of_255_bytes_enter,
        malformed_arguments_do_not_enter,
    };
    Suite *suite = suite_create("publication");
    TCase *messages = tcase_create("message"), *gate = tcase_create("gate");
    tcase_add_checked_fixture(messages, fill_name, free_message);
    tcase_add_checked_fixture(gate, setup, teardown);
    for (size_t i = 0; i < sizeof message_tests / sizeof *message_tests; i++)
        tcase_add_test(messages, message_tests[i]);
    for (size_t i = 0; i < sizeof gate_tests / sizeof *gate_tests; i++)
        tcase_add_test(gate, gate_tests[i]);
    suite_add_tcase(suite, messages);
    suite_add_tcase(suite, gate);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
