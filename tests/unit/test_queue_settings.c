/* What a queue's arguments, a policy and an operator policy say together. */
#include "broker/policy/policy_definition.h"
#include "broker/policy/queue_settings.h"

#include <check.h>
#include <stdlib.h>

#include "leveret/wire/table.h"

static struct text arguments, policy, operator_policy, merged;
static struct refusal refusal;

static void setup(void)
{
    arguments = policy = operator_policy = merged = (struct text){0};
}

static void teardown(void)
{
    text_free(&arguments);
    text_free(&policy);
    text_free(&operator_policy);
    text_free(&merged);
}

/* All three merged. Views into merged and arguments. */
static struct queue_settings settings(void)
{
    struct queue_settings base, own, out;
    ck_assert_int_eq(queue_settings_parse(text_bytes(&arguments), bytes_of_text("q"),
                                          bytes_of_text("/"), &own, &refusal),
                     STATUS_OK);
    if (policy.len)
        ck_assert_int_eq(policy_definition_check(text_bytes(&policy), false, &refusal), STATUS_OK);
    if (operator_policy.len)
        ck_assert_int_eq(policy_definition_check(text_bytes(&operator_policy), true, &refusal),
                         STATUS_OK);
    text_free(&merged);
    merged = (struct text){0};
    policy_definition_merge(text_bytes(&policy), text_bytes(&operator_policy), &merged);
    policy_definition_settings(text_bytes(&merged), &base);
    queue_settings_merge(text_bytes(&arguments), &base, &out);
    return out;
}

/* ---- Numbers: the lowest that anybody said. */

static const struct number {
    const char *argument, *key;
    size_t at;
    bool by_operator;
} numbers[] = {
    {"x-expires", "expires", offsetof(struct queue_settings, expires_ms), true},
    {"x-message-ttl", "message-ttl", offsetof(struct queue_settings, message_ttl_ms), true},
    {"x-max-length", "max-length", offsetof(struct queue_settings, max_length), true},
    {"x-max-length-bytes", "max-length-bytes", offsetof(struct queue_settings, max_length_bytes),
     true},
    {"x-delivery-limit", "delivery-limit", offsetof(struct queue_settings, delivery_limit), true},
    {"x-consumer-timeout", "consumer-timeout", offsetof(struct queue_settings, consumer_timeout_ms),
     false},
};

/* Each of a, p and o is a value, or 0: not said. */
static uint64_t lowest(const struct number *number, int64_t a, int64_t p, int64_t o)
{
    uint64_t value;
    teardown();
    setup();
    if (a)
        table_put_i64(&arguments, number->argument, a);
    if (p)
        table_put_i64(&policy, number->key, p);
    if (o)
        table_put_i64(&operator_policy, number->key, o);
    const struct queue_settings out = settings();
    memcpy(&value, (const char *)&out + number->at, sizeof value);
    return value;
}

START_TEST(of_numbers_the_lowest)
{
    const struct number *number = &numbers[_i];
    ck_assert_uint_eq(lowest(number, 0, 0, 0), SETTING_NONE);
    ck_assert_uint_eq(lowest(number, 5, 0, 0), 5);
    ck_assert_uint_eq(lowest(number, 0, 5, 0), 5);
    ck_assert_uint_eq(lowest(number, 5, 7, 0), 5);
    ck_assert_uint_eq(lowest(number, 7, 5, 0), 5);
    if (!number->by_operator)
        return;
    ck_assert_uint_eq(lowest(number, 0, 0, 5), 5);
    ck_assert_uint_eq(lowest(number, 9, 7, 5), 5);
    ck_assert_uint_eq(lowest(number, 5, 7, 9), 5);
    ck_assert_uint_eq(lowest(number, 7, 5, 9), 5);
    ck_assert_uint_eq(lowest(number, 7, 0, 5), 5);
}
END_TEST

/* ---- All else: the argument's. */

START_TEST(of_others_the_argument)
{
    table_put_string(&policy, "overflow", bytes_of_text("reject-publish"));
    table_put_string(&policy, "dead-letter-exchange", bytes_of_text("px"));
    table_put_string(&policy, "dead-letter-routing-key", bytes_of_text("pk"));
    table_put_string(&policy, "dead-letter-strategy", bytes_of_text("at-least-once"));
    table_put_string(&policy, "queue-mode", bytes_of_text("lazy"));
    struct queue_settings out = settings();
    ck_assert_int_eq(out.overflow, OVERFLOW_REJECT_PUBLISH);
    ck_assert(bytes_equal_text(out.dead_letter_exchange, "px"));
    ck_assert(bytes_equal_text(out.dead_letter_routing_key, "pk"));
    ck_assert(out.at_least_once);
    table_put_string(&arguments, "x-overflow", bytes_of_text("drop-head"));
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-strategy", bytes_of_text("at-most-once"));
    table_put_i64(&arguments, "x-max-priority", 7);
    table_put_bool(&arguments, "x-single-active-consumer", true);
    out = settings();
    ck_assert_int_eq(out.overflow, OVERFLOW_DROP_HEAD);
    ck_assert(out.dead_letter_exchange.at && out.dead_letter_exchange.len == 0);
    ck_assert(bytes_equal_text(out.dead_letter_routing_key, "pk"));
    ck_assert(!out.at_least_once);
    ck_assert_uint_eq(out.max_priority, 7);
    ck_assert(out.single_active_consumer);
}
END_TEST

START_TEST(unlimited_is_above_every_number)
{
    const struct number *number = &numbers[4];
    ck_assert_str_eq(number->key, "delivery-limit");
    ck_assert_uint_eq(lowest(number, -1, 0, 0), SETTING_UNLIMITED);
    ck_assert_uint_eq(lowest(number, 0, -7, 0), SETTING_UNLIMITED);
    ck_assert_uint_eq(lowest(number, 0, 0, -1), SETTING_UNLIMITED);
    ck_assert_uint_eq(lowest(number, -1, -2, INT64_MIN), SETTING_UNLIMITED);
    ck_assert_uint_eq(lowest(number, -1, 7, 0), 7);
    ck_assert_uint_eq(lowest(number, 7, -1, 0), 7);
    ck_assert_uint_eq(lowest(number, 0, -1, 7), 7);
    ck_assert_uint_eq(lowest(number, 0, 7, -1), 7);
    ck_assert_uint_eq(lowest(number, 9, -1, 7), 7);
    ck_assert_uint_eq(lowest(number, 7, -1, -3), 7);
}
END_TEST

/* Of everything but limits the operator's value counts, of group sizes the larger one. */
START_TEST(operators_decide)
{
    struct field field;
    table_put_string(&policy, "overflow", bytes_of_text("drop-head"));
    table_put_i64(&policy, "queue-version", 1);
    table_put_i64(&policy, "target-group-size", 5);
    table_put_string(&operator_policy, "overflow", bytes_of_text("reject-publish"));
    table_put_i64(&operator_policy, "queue-version", 2);
    table_put_i64(&operator_policy, "target-group-size", 3);
    ck_assert_int_eq(settings().overflow, OVERFLOW_REJECT_PUBLISH);
    ck_assert(table_find(text_bytes(&merged), "queue-version", &field));
    ck_assert_int_eq(field.value.integer, 2);
    ck_assert(table_find(text_bytes(&merged), "target-group-size", &field));
    ck_assert_int_eq(field.value.integer, 5);
    /* What the operator alone says counts, too; an argument is over both. */
    policy.len = 0;
    ck_assert_int_eq(settings().overflow, OVERFLOW_REJECT_PUBLISH);
    table_put_string(&arguments, "x-overflow", bytes_of_text("drop-head"));
    ck_assert_int_eq(settings().overflow, OVERFLOW_DROP_HEAD);
}
END_TEST

/* ---- Arguments of one type of queue. */

/* value NULL: the number. Returns the refusal, "" for none. */
static const char *allowed(enum queue_type type, const char *argument, const char *value,
                           int64_t number)
{
    arguments.len = 0;
    if (value)
        table_put_string(&arguments, argument, bytes_of_text(value));
    else
        table_put_i64(&arguments, argument, number);
    enum status status = queue_settings_allowed(text_bytes(&arguments), bytes_of_text("q"),
                                                bytes_of_text("/"), type, &refusal);
    ck_assert(status == STATUS_OK || status == STATUS_PRECONDITION_FAILED);
    return status == STATUS_OK ? "" : refusal.text;
}

#define ARG(name) "invalid arg '" name "' for queue 'q' in vhost '/'"
#define OF(type)  " of queue type rabbit_" type "_queue"
#define NO_RETRY  ": delayed retry is not supported: returned messages would come back at once"
#define CQ        QUEUE_CLASSIC
#define QQ        QUEUE_QUORUM

START_TEST(arguments_belong_to_types)
{
    static const struct {
        enum queue_type type;
        const char *argument, *value;
        int64_t number;
        const char *why;
    } cases[] = {
        {CQ, "x-max-in-memory-length", NULL, 5, ARG("x-max-in-memory-length") OF("classic")},
        {QQ, "x-max-in-memory-length", NULL, 5, ""},
        {QQ, "x-max-in-memory-bytes", NULL, -1,
         ARG("x-max-in-memory-bytes") ": {value_negative,-1}"},
        {CQ, "x-quorum-initial-group-size", NULL, 1,
         ARG("x-quorum-initial-group-size") OF("classic")},
        {QQ, "x-quorum-initial-group-size", NULL, 0,
         ARG("x-quorum-initial-group-size") ": {value_zero,0}"},
        {QQ, "x-quorum-initial-group-size", NULL, 3, ""},
        {CQ, "x-queue-leader-locator", "balanced", 0, ""},
        {QQ, "x-queue-leader-locator", "foo", 0,
         ARG("x-queue-leader-locator") ": invalid_queue_locator_arg"},
        {CQ, "x-consumer-disconnected-timeout", NULL, 9,
         ARG("x-consumer-disconnected-timeout") OF("classic")},
        {QQ, "x-consumer-disconnected-timeout", NULL, 9, ""},
        {QQ, "x-consumer-disconnected-timeout", "9", 0,
         ARG("x-consumer-disconnected-timeout") ": \"expected integer, got longstr\""},
        {CQ, "x-max-age", "1D", 0, ARG("x-max-age") OF("classic")},
        {QQ, "x-stream-filter-size-bytes", NULL, 32,
         ARG("x-stream-filter-size-bytes") OF("quorum")},
        {CQ, "x-queue-mode", "lazy", 0, ""},
        {QQ, "x-queue-mode", "lazy", 0, ARG("x-queue-mode") OF("quorum")},
        {CQ, "x-delayed-retry-type", "all", 0, ARG("x-delayed-retry-type") OF("classic")},
        {QQ, "x-delayed-retry-type", "all", 0, ARG("x-delayed-retry-type") NO_RETRY},
        {QQ, "x-delayed-retry-type", NULL, 3, ARG("x-delayed-retry-type") NO_RETRY},
        {QQ, "x-delayed-retry-min", NULL, 3, ARG("x-delayed-retry-min") NO_RETRY},
        {QQ, "x-delayed-retry-max", NULL, 3, ARG("x-delayed-retry-max") NO_RETRY},
        {QQ, "x-delayed-retry-type", "disabled", 0, ""},
        {CQ, "x-unknown", NULL, 3, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(allowed(cases[i].type, cases[i].argument, cases[i].value, cases[i].number),
                         cases[i].why);
}
END_TEST

/* What is stored is read back whatever it says of newer arguments. */
START_TEST(stored_arguments_stay)
{
    struct queue_settings out;
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    table_put_string(&arguments, "x-delayed-retry-type", bytes_of_text("all"));
    table_put_string(&arguments, "x-queue-leader-locator", bytes_of_text("foo"));
    table_put_i64(&arguments, "x-quorum-initial-group-size", 0);
    table_put_string(&arguments, "x-max-age", bytes_of_text("1D"));
    ck_assert_int_eq(queue_settings_parse(text_bytes(&arguments), bytes_of_text("q"),
                                          bytes_of_text("/"), &out, &refusal),
                     STATUS_OK);
    ck_assert_int_eq(out.type, QUEUE_QUORUM);
}
END_TEST

static bool definition_good(bool operators)
{
    return policy_definition_check(text_bytes(&policy), operators, &refusal) == STATUS_OK;
}

START_TEST(policies_may_say_unlimited)
{
    struct queue_settings out;
    table_put_i64(&policy, "delivery-limit", -1);
    ck_assert(definition_good(false));
    ck_assert(definition_good(true));
    table_put_i64(&arguments, "x-delivery-limit", INT64_MIN);
    ck_assert(!queue_settings_parse(text_bytes(&arguments), bytes_of_text("q"), bytes_of_text("/"),
                                    &out, &refusal));
    ck_assert_uint_eq(out.delivery_limit, SETTING_UNLIMITED);
    policy.len = 0;
    table_put_string(&policy, "delivery-limit", bytes_of_text("-1"));
    ck_assert(!definition_good(false));
    policy.len = 0;
    table_put_i64(&policy, "max-length", -1); /* of others a negative number is still an error */
    ck_assert(!definition_good(false));
}
END_TEST

START_TEST(quorum_has_a_delivery_limit)
{
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    ck_assert_uint_eq(settings().delivery_limit, SETTING_UNLIMITED);
    ck_assert(!settings().delivery_limit_said);
    table_put_string(&policy, "dead-letter-exchange", bytes_of_text("x"));
    ck_assert_uint_eq(settings().delivery_limit, 20);
    policy.len = 0;
    ck_assert_uint_eq(settings().delivery_limit, SETTING_UNLIMITED);
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    ck_assert_uint_eq(settings().delivery_limit, 20);
    ck_assert(!settings().delivery_limit_said);
    table_put_i64(&operator_policy, "delivery-limit", -1);
    ck_assert_uint_eq(settings().delivery_limit, SETTING_UNLIMITED);
    ck_assert(settings().delivery_limit_said);
    operator_policy.len = 0;
    table_put_i64(&policy, "delivery-limit", 30);
    ck_assert_uint_eq(settings().delivery_limit, 30);
    table_put_i64(&operator_policy, "delivery-limit", 3);
    ck_assert_uint_eq(settings().delivery_limit, 3);
}
END_TEST

START_TEST(merged_definitions_are_in_order)
{
    table_put_i64(&policy, "max-length", 9);
    table_put_string(&policy, "alternate-exchange", bytes_of_text("x"));
    table_put_i64(&operator_policy, "message-ttl", 9);
    table_put_i64(&operator_policy, "expires", 9);
    (void)settings();
    static const char *const expected[] = {"alternate-exchange", "expires", "max-length",
                                           "message-ttl"};
    struct reader at = reader_of(text_bytes(&merged));
    struct bytes key;
    struct field field;
    for (size_t i = 0; i < 4; i++)
        ck_assert(table_next(&at, &key, &field) && bytes_equal_text(key, expected[i]));
    ck_assert(!table_next(&at, &key, &field));
}
END_TEST

START_TEST(some_policies_are_not_for_all_queues)
{
    ck_assert_uint_eq(policy_definition_excludes(text_bytes(&policy)), 0);
    table_put_i64(&policy, "max-length", 9);
    ck_assert_uint_eq(policy_definition_excludes(text_bytes(&policy)), 1u << QUEUE_STREAM);
    table_put_i64(&policy, "delivery-limit", 9);
    ck_assert_uint_eq(policy_definition_excludes(text_bytes(&policy)),
                      1u << QUEUE_STREAM | 1u << QUEUE_CLASSIC);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("queue_settings");
    TCase *tests = tcase_create("queue_settings");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, of_numbers_the_lowest, 0, sizeof numbers / sizeof *numbers);
    tcase_add_test(tests, of_others_the_argument);
    tcase_add_test(tests, unlimited_is_above_every_number);
    tcase_add_test(tests, policies_may_say_unlimited);
    tcase_add_test(tests, operators_decide);
    tcase_add_test(tests, arguments_belong_to_types);
    tcase_add_test(tests, stored_arguments_stay);
    tcase_add_test(tests, quorum_has_a_delivery_limit);
    tcase_add_test(tests, merged_definitions_are_in_order);
    tcase_add_test(tests, some_policies_are_not_for_all_queues);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
