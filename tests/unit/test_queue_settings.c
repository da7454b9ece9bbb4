/* What a queue's arguments, a policy and an operator policy say together. */
#include "../../src/broker/settings.h"

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
