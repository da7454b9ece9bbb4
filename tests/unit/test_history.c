/* Exchanges of type x-recent-history: which messages they keep, who gets them, how much memory they
 * may take. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;

static void open_with(uint64_t budget_bytes, uint32_t portion)
{
    h = (struct harness){.portion = portion};
    h.account = budget_bytes ? account_new(budget_bytes) : NULL;
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    harness_take(&h);
}

static void setup(void)
{
    open_with(0, 0);
}

static void teardown(void)
{
    struct account *account = h.account;
    harness_close(&h);
    account_free(&account);
}

/* Declares an exchange; length: x-recent-history-length; 0: the argument is left out. */
static void exchange(const char *name, int32_t length)
{
    struct text arguments = {0};
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    if (length)
        table_put_i32(&arguments, "x-recent-history-length", length);
    c.u.exchange_declare.name = bytes_of_text(name);
    c.u.exchange_declare.type = BYTES_LITERAL("x-recent-history");
    c.u.exchange_declare.arguments = text_bytes(&arguments);
    harness_do(&h, 'A', &c);
    text_free(&arguments);
}

static void publish(const char *to, const char *bodies)
{
    for (; *bodies; bodies++) {
        char body[] = {*bodies, 0};
        do_publish(&h, "A1", to, "key", body, "");
    }
}

/* Publishes a message with the header x-recent-history-no-store. */
static void publish_marked(const char *to, const char *body, const struct field *value)
{
    struct text headers = {0}, encoded = {0};
    table_put_field(&headers, BYTES_LITERAL("x-recent-history-no-store"), value);
    const struct properties p = {.present = PROPERTY_HEADERS, .headers = text_bytes(&headers)};
    properties_encode(&p, &encoded);
    struct message *m =
        message_new(bytes_of_text(to), BYTES_LITERAL("key"), text_bytes(&encoded), strlen(body));
    ck_assert(message_fill(m, NULL, (const uint8_t *)body, strlen(body)) == STATUS_OK);
    m->has_headers = true;
    struct command c = {.type = COMMAND_PUBLISH, .channel = 1};
    c.u.publish.message = m;
    harness_do(&h, 'A', &c);
    text_free(&headers);
    text_free(&encoded);
}

/* Binds a new queue to the exchange, and checks the bodies that it gets, which are one letter each.
 */
static const char *bound(const char *queue, const char *source)
{
    static char got[4096];
    char line[64];
    size_t count = 0;
    do_declare(&h, "A2", queue, "");
    do_bind(&h, "A2", source, queue, "");
    harness_take(&h);
    for (;;) {
        do_get(&h, "A2", queue, "");
        const char *answer = harness_take(&h);
        if (strcmp(answer, "A2 empty\n") == 0)
            break;
        ck_assert_int_eq(sscanf(answer, "A2 got t%*u %63s left", line), 1);
        got[count++] = line[0];
        ck_assert_uint_lt(count, sizeof got);
    }
    got[count] = '\0';
    return got;
}

START_TEST(the_last_ones_are_kept)
{
    exchange("x", 3);
    expect(&h, "A1 ok exchange\n");
    ck_assert_str_eq(bound("early", "x"), "");
    publish("x", "abcde");
    ck_assert_str_eq(bound("q", "x"), "cde");
    ck_assert_str_eq(bound("r", "x"), "cde");
    publish("x", "f");
    do_get(&h, "A2", "q", "");
    expect(&h, "A2 got t7 f left 0\n");
    ck_assert_str_eq(bound("s", "x"), "def");
}
END_TEST

START_TEST(twenty_unless_said)
{
    exchange("x", 0);
    publish("x", "abcdefghijklmnopqrstuvwxyz");
    ck_assert_str_eq(bound("q", "x"), "ghijklmnopqrstuvwxyz");
}
END_TEST

START_TEST(a_binding_that_is_there_gets_nothing_anew)
{
    exchange("x", 3);
    publish("x", "ab");
    ck_assert_str_eq(bound("q", "x"), "ab");
    do_bind(&h, "A2", "x", "q", "");
    do_get(&h, "A2", "q", "");
    expect(&h, "A2 ok bind\nA2 empty\n");
    do_bind(&h, "A2", "x", "q", "another"); /* a binding of its own */
    do_get(&h, "A2", "q", "");
    expect(&h, "A2 ok bind\nA2 got t3 a left 1\n");
}
END_TEST

START_TEST(publishers_may_ask_not_to_be_kept)
{
    const struct field yes = {.type = FIELD_BOOL, .value.integer = 1},
                       no = {.type = FIELD_BOOL, .value.integer = 0},
                       one = {.type = FIELD_I32, .value.integer = 1};
    exchange("x", 5);
    do_declare(&h, "A2", "there", "");
    do_bind(&h, "A2", "x", "there", "");
    harness_take(&h);
    publish_marked("x", "a", &yes);
    publish_marked("x", "b", &no);
    publish_marked("x", "c", &one);
    ck_assert_str_eq(bound("q", "x"), "bc");
    do_get(&h, "A2", "there", "");
    expect(&h, "A2 got t3 a left 2\n");
}
END_TEST

/* A message that no queue gets, and that is returned, is kept all the same. */
START_TEST(unrouted_messages_are_kept)
{
    exchange("x", 5);
    harness_take(&h);
    do_publish(&h, "A1", "x", "key", "a", "m");
    expect(&h, "A1 return a NO_ROUTE\n");
    ck_assert_str_eq(bound("q", "x"), "a");
}
END_TEST

START_TEST(an_exchange_gets_it_for_its_queues)
{
    exchange("x", 5);
    do_exchange(&h, "A1", "f", "fanout", "");
    do_declare(&h, "A2", "q", "");
    do_declare(&h, "A2", "r", "");
    do_bind(&h, "A2", "f", "q", "");
    do_bind(&h, "A2", "f", "r", "");
    publish("x", "ab");
    struct command c = {.type = COMMAND_EXCHANGE_BIND, .channel = 2};
    c.u.bind.source = BYTES_LITERAL("x");
    c.u.bind.destination = BYTES_LITERAL("f");
    harness_take(&h);
    harness_do(&h, 'A', &c);
    do_get(&h, "A2", "q", "");
    do_get(&h, "A2", "q", "");
    do_get(&h, "A2", "r", "");
    expect(&h, "A2 ok exchange-bind\nA2 got t1 a left 1\nA2 got t2 b left 0\nA2 got t3 a left 1\n");
}
END_TEST

/* A dead letter that is sent again and again until a queue takes it is kept once, when it is taken.
 */
START_TEST(what_is_tried_again_is_kept_once)
{
    struct text arguments = {0};
    struct queue_info info;
    exchange("x", 5);
    table_put_string(&arguments, "x-queue-type", BYTES_LITERAL("quorum"));
    table_put_string(&arguments, "x-dead-letter-exchange", BYTES_LITERAL("x"));
    table_put_string(&arguments, "x-dead-letter-strategy", BYTES_LITERAL("at-least-once"));
    table_put_string(&arguments, "x-overflow", BYTES_LITERAL("reject-publish"));
    do_declare_args(&h, "A1", "dying", "d", &arguments);
    text_free(&arguments);
    harness_sync(&h);
    do_publish(&h, "A1", "", "dying", "m", "p");
    do_get(&h, "A1", "dying", "a");
    do_nack(&h, "A1", 1, false, false);
    for (int i = 0; i < 5; i++) {
        harness_sync(&h);
        harness_pass(&h, 2000);
    }
    do_declare(&h, "A2", "first", "");
    do_bind(&h, "A2", "x", "first", "");
    harness_sync(&h);
    harness_pass(&h, 2000);
    ck_assert(vhost_find_queue(h.vhost, BYTES_LITERAL("first"), &info));
    ck_assert_uint_eq(info.messages_ready, 1);
    ck_assert_str_eq(bound("second", "x"), "m");
}
END_TEST

/* Two such exchanges are bound to each other: each message is given once, and the command ends. */
START_TEST(cycles_end)
{
    exchange("x", 5);
    exchange("y", 5);
    publish("x", "ab");
    publish("y", "c");
    struct command c = {.type = COMMAND_EXCHANGE_BIND, .channel = 2};
    c.u.bind.source = BYTES_LITERAL("x");
    c.u.bind.destination = BYTES_LITERAL("y");
    harness_do(&h, 'A', &c);
    c.u.bind.source = BYTES_LITERAL("y");
    c.u.bind.destination = BYTES_LITERAL("x");
    harness_do(&h, 'A', &c);
    ck_assert_str_eq(bound("q", "y"), "abcab");
}
END_TEST

START_TEST(deleted_with_what_it_keeps)
{
    struct command c = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    c.u.exchange_delete.name = BYTES_LITERAL("x");
    exchange("x", 5);
    publish("x", "ab");
    harness_do(&h, 'A', &c);
    exchange("x", 5);
    ck_assert_str_eq(bound("q", "x"), "");
}
END_TEST

/* After a restart the exchange is there, and its history is empty. */
START_TEST(a_restart_forgets)
{
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    c.u.exchange_declare.name = BYTES_LITERAL("x");
    c.u.exchange_declare.type = BYTES_LITERAL("x-recent-history");
    c.u.exchange_declare.durable = true;
    harness_do(&h, 'A', &c);
    publish("x", "ab");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    publish("x", "c");
    ck_assert_str_eq(bound("q", "x"), "c");
}
END_TEST

START_TEST(lengths_that_cannot_be)
{
    static const struct {
        int32_t length;
        const char *why;
    } cases[] = {
        {-1, "Invalid argument -1, 'x-recent-history-length' must be a positive integer"},
        {100001, "Invalid argument 100001, 'x-recent-history-length' may be at most 100000"},
    };
    char expected[256];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exchange("x", cases[i].length);
        snprintf(expected, sizeof expected,
                 "A1 fail exchange PRECONDITION_FAILED %s\nA1 ok close\nA1 ok open\n",
                 cases[i].why);
        do_close(&h, "A1");
        do_open(&h, "A1");
        expect(&h, expected);
    }
}
END_TEST

/* ---- Memory. */

/* When all histories together take as much memory as they may, the oldest messages are forgotten; a
 * message that is too large is routed, and not kept. */
START_TEST(memory_is_bounded)
{
    static char large[200001];
    teardown();
    open_with(1 << 20, 0); /* histories may take an eighth of it */
    exchange("x", 1000);
    memset(large, 'l', 50000);
    for (int c = 'a'; c <= 'e'; c++) {
        large[0] = (char)c;
        do_publish(&h, "A1", "x", "key", large, "");
    }
    uint64_t limit = account_limit_bytes(h.account, ACCOUNT_HISTORY);
    ck_assert_uint_le(account_bytes(h.account, ACCOUNT_HISTORY), limit);
    ck_assert_uint_ge(account_bytes(h.account, ACCOUNT_HISTORY), 100000);
    memset(large, 'l', 200000);
    do_publish(&h, "A1", "x", "key", large, "");
    ck_assert_uint_eq(account_bytes(h.account, ACCOUNT_HISTORY), 0);
    struct command c = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    c.u.exchange_delete.name = BYTES_LITERAL("x");
    publish("x", "abc");
    ck_assert_uint_gt(account_bytes(h.account, ACCOUNT_HISTORY), 0);
    harness_do(&h, 'A', &c);
    ck_assert_uint_eq(account_bytes(h.account, ACCOUNT_HISTORY), 0);
}
END_TEST

static void publish_between(struct harness *harness)
{
    harness->between = NULL; /* only once, since the publish may be done in portions, too */
    publish("x", "z");
}

/* Many messages are given in portions; a message that is published between two portions is given
 * once. */
START_TEST(long_histories_go_in_portions)
{
    static char all[301];
    teardown();
    open_with(0, 30);
    exchange("x", 300);
    for (size_t i = 0; i < 300; i++)
        all[i] = (char)('a' + i % 26);
    publish("x", all);
    uint64_t before = h.portions;
    h.between = publish_between;
    do_declare(&h, "A2", "q", "");
    do_bind(&h, "A2", "x", "q", "");
    ck_assert_uint_gt(h.portions, before + 10);
    ck_assert(h.between == NULL);
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, BYTES_LITERAL("q"), &info));
    /* The message published between two portions displaced the oldest, which had been given
     * already. */
    ck_assert_uint_eq(info.messages_ready, 301);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("history");
    TCase *t = tcase_create("history");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_last_ones_are_kept);
    tcase_add_test(t, twenty_unless_said);
    tcase_add_test(t, a_binding_that_is_there_gets_nothing_anew);
    tcase_add_test(t, publishers_may_ask_not_to_be_kept);
    tcase_add_test(t, unrouted_messages_are_kept);
    tcase_add_test(t, an_exchange_gets_it_for_its_queues);
    tcase_add_test(t, what_is_tried_again_is_kept_once);
    tcase_add_test(t, cycles_end);
    tcase_add_test(t, deleted_with_what_it_keeps);
    tcase_add_test(t, a_restart_forgets);
    tcase_add_test(t, lengths_that_cannot_be);
    tcase_add_test(t, memory_is_bounded);
    tcase_add_test(t, long_histories_go_in_portions);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
