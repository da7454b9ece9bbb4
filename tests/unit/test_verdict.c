/* Definitions that are checked without a vhost: the reasons are those of the commands, and nothing
 * is made. */
#include "leveret/broker/verdict.h"

#include <check.h>
#include <stdlib.h>

#include "leveret/wire/table.h"

static const struct verdict_vhost in_vhost = {{(const uint8_t *)"v", 1}, QUEUE_CLASSIC};

static struct text arguments;
static struct command command;
static struct verdict verdict;

static void setup(void)
{
    arguments = (struct text){0};
    command = (struct command){0};
}

static void teardown(void)
{
    text_free(&arguments);
}

static void judged(enum status status, const char *text)
{
    ck_assert_int_eq(verdict_of(&command, &in_vhost, &verdict), status);
    ck_assert_str_eq(verdict.text, text);
}

static void queue(const char *name)
{
    command.type = COMMAND_QUEUE_DECLARE;
    command.u.queue_declare.name = bytes_of_text(name);
    command.u.queue_declare.arguments = text_bytes(&arguments);
    command.u.queue_declare.durable = true;
}

START_TEST(queues)
{
    queue("q");
    judged(STATUS_OK, "");
    queue("");
    judged(STATUS_PRECONDITION_FAILED, "a queue cannot have an empty name");
    queue("amq.gen-x");
    judged(STATUS_ACCESS_REFUSED, "queue name 'amq.gen-x' contains reserved prefix 'amq.*'");
    command.u.queue_declare.server_named = true;
    judged(STATUS_OK, "");
    command.u.queue_declare.server_named = false;
    queue("amq.rabbitmq.reply-to");
    judged(STATUS_NOT_FOUND, "no queue 'amq.rabbitmq.reply-to' in vhost 'v'");
}
END_TEST

/* The vhost's default type holds for a declaration that does not say its type, as with a command.
 */
START_TEST(queues_default_type)
{
    static const struct verdict_vhost quorum = {{(const uint8_t *)"v", 1}, QUEUE_QUORUM};
    table_put_i64(&arguments, "x-max-priority", 5);
    queue("q");
    judged(STATUS_OK, "");
    ck_assert_int_eq(verdict_of(&command, &quorum, &verdict), STATUS_PRECONDITION_FAILED);
    command.u.queue_declare.auto_delete = true;
    ck_assert_int_eq(verdict_of(&command, &quorum, &verdict), STATUS_OK);
}
END_TEST

START_TEST(queues_arguments)
{
    table_put_i64(&arguments, "x-message-ttl", -1);
    queue("q");
    judged(STATUS_PRECONDITION_FAILED,
           "invalid arg 'x-message-ttl' for queue 'q' in vhost 'v': {value_negative,-1}");
    arguments.len = 0;
    table_put_string(&arguments, "x-max-length", bytes_of_text("10"));
    queue("q");
    judged(STATUS_PRECONDITION_FAILED, "invalid arg 'x-max-length' for queue 'q' in vhost 'v': "
                                       "\"expected integer, got longstr\"");
    arguments.len = 0;
    table_put_string(&arguments, "x-queue-type", bytes_of_text("stream"));
    queue("q");
    judged(STATUS_NOT_IMPLEMENTED, "queue type 'stream' of queue 'q'");
    arguments.len = 0;
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    queue("q");
    judged(STATUS_OK, "");
    command.u.queue_declare.durable = false;
    judged(STATUS_PRECONDITION_FAILED, "invalid property 'non-durable' for queue 'q' in vhost 'v'");
    table_put_i64(&arguments, "x-max-priority", 5);
    queue("q");
    judged(STATUS_PRECONDITION_FAILED, "invalid arg 'x-max-priority' for queue 'q' in vhost 'v' of "
                                       "queue type rabbit_quorum_queue");
}
END_TEST

static void exchange(const char *name, const char *type)
{
    command.type = COMMAND_EXCHANGE_DECLARE;
    command.u.exchange_declare.name = bytes_of_text(name);
    command.u.exchange_declare.type = bytes_of_text(type);
    command.u.exchange_declare.arguments = text_bytes(&arguments);
}

START_TEST(exchanges)
{
    exchange("x", "topic");
    judged(STATUS_OK, "");
    exchange("x", "x-jms-topic");
    judged(STATUS_PRECONDITION_FAILED, "unknown exchange type 'x-jms-topic'");
    exchange("", "direct");
    judged(STATUS_ACCESS_REFUSED, "operation not permitted on the default exchange");
    exchange("amq.mine", "direct");
    judged(STATUS_ACCESS_REFUSED, "exchange name 'amq.mine' contains reserved prefix 'amq.*'");
    exchange("x", "x-delayed-message");
    judged(STATUS_PRECONDITION_FAILED,
           "Invalid argument, 'x-delayed-type' must be an existing exchange type");
    ck_assert_str_eq(verdict_predeclared_type(bytes_of_text("amq.match")), "headers");
    ck_assert_ptr_null(verdict_predeclared_type(bytes_of_text("amq.other")));
}
END_TEST

static void policy(const char *pattern, const char *key, int64_t value)
{
    arguments.len = 0;
    table_put_i64(&arguments, key, value);
    command.type = COMMAND_POLICY_PUT;
    command.u.policy.name = bytes_of_text("p");
    command.u.policy.pattern = bytes_of_text(pattern);
    command.u.policy.definition = text_bytes(&arguments);
}

START_TEST(policies)
{
    policy("^q", "max-length", 3);
    judged(STATUS_OK, "");
    policy("^q", "max-length", -3);
    judged(STATUS_PRECONDITION_FAILED, "-3 is not a valid maximum length");
    policy("^q", "foo", 1);
    judged(STATUS_PRECONDITION_FAILED, "[{<<\"foo\">>,1}] are not recognised policy settings");
    policy("(", "max-length", 3);
    ck_assert_int_eq(verdict_of(&command, &in_vhost, &verdict), STATUS_PRECONDITION_FAILED);
    ck_assert_ptr_nonnull(strstr(verdict.text, "pattern should be regular expression"));
}
END_TEST

static enum status bind(const char *type, const char *key)
{
    const struct verdict_source source = {bytes_of_text(type), text_bytes(&arguments)};
    return verdict_of_binding(&source, bytes_of_text(key), bytes_of("", 0), &verdict);
}

START_TEST(bindings)
{
    ck_assert_int_eq(bind("topic", "a.#"), STATUS_OK);
    ck_assert_int_eq(bind("x-consistent-hash", "10"), STATUS_OK);
    ck_assert_int_eq(bind("x-consistent-hash", "10000"), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(verdict.text, "The binding key must not be greater than 4096");
    table_put_string(&arguments, "x-delayed-type", bytes_of_text("x-consistent-hash"));
    ck_assert_int_eq(bind("x-delayed-message", "0"), STATUS_PRECONDITION_FAILED);
    ck_assert_str_eq(verdict.text, "The binding key must be greater than 0");
    ck_assert_int_eq(bind("x-delayed-message", "1"), STATUS_OK);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verdict");
    TCase *tests = tcase_create("verdict");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, queues);
    tcase_add_test(tests, queues_arguments);
    tcase_add_test(tests, queues_default_type);
    tcase_add_test(tests, exchanges);
    tcase_add_test(tests, policies);
    tcase_add_test(tests, bindings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
