/* Policies that are refused, each with its text. */
#include <stdlib.h>

#include "policy_fixture.h"

/* ---- Refusals. */

struct wrong {
    bool operator_policy;
    const char *key, *text; /* text NULL: number */
    int64_t number;
    const char *why;
};

static const struct wrong wrongs[] = {
    {false, "message-ttl", NULL, -1, "-1 is not a valid message TTL"},
    {false, "message-ttl", "x", 0, "<<\"x\">> is not a valid message TTL"},
    {false, "expires", NULL, 0, "0 is not a valid queue expiry"},
    {false, "max-length", NULL, -1, "-1 is not a valid maximum length"},
    {false, "overflow", "x", 0, "<<\"x\">> is not a valid overflow value"},
    {false, "dead-letter-exchange", NULL, 3, "3 is not a valid dead letter exchange name"},
    {false, "alternate-exchange", NULL, 3, "3 is not a valid alternate exchange name"},
    {false, "queue-mode", "x", 0, "<<\"x\">> is not a valid queue-mode value"},
    {false, "ha-mode", "exactly", 0, "ha-mode=\"exactly\" takes an integer, none given"},
    {false, "ha-sync-mode", "automatic", 0,
     "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"},
    {false, "foo", NULL, 1, "[{<<\"foo\">>,1}] are not recognised policy settings"},
    {true, "overflow", "x", 0, "<<\"x\">> is not a valid overflow value"},
    {true, "queue-mode", "lazy", 0,
     "[{<<\"queue-mode\">>,<<\"lazy\">>}] are not recognised policy settings"},
    {false, "target-group-size", NULL, -3, "-3 is not a valid qq target count value"},
    {true, "target-group-size", "a", 0, "<<\"a\">> is not a valid qq target count value"},
    {false, "stream-filter-size-bytes", NULL, 15,
     "15 is not a valid filter size. Valid range is 16-255"},
    {false, "stream-filter-size-bytes", NULL, 256,
     "256 is not a valid filter size. Valid range is 16-255"},
    {true, "stream-filter-size-bytes", NULL, 16,
     "[{<<\"stream-filter-size-bytes\">>,16}] are not recognised policy settings"},
    {false, "consumer-disconnected-timeout", NULL, -1,
     "-1 is not a valid consumer disconnected timeout"},
    {true, "consumer-disconnected-timeout", NULL, 1000,
     "[{<<\"consumer-disconnected-timeout\">>,1000}] are not recognised policy settings"},
    {false, "delivery-limit", "a", 0, "<<\"a\">> is not a valid delivery limit"},
    {false, "delayed-retry-type", "all", 0,
     "<<\"all\">> is not a delayed retry type that is supported: only disabled is"},
    {true, "delayed-retry-type", "failed", 0,
     "<<\"failed\">> is not a delayed retry type that is supported: only disabled is"},
    {false, "delayed-retry-min", NULL, 100,
     "100 is not taken as delayed-retry-min: delayed retry is not supported"},
    {true, "delayed-retry-max", NULL, 100,
     "100 is not taken as delayed-retry-max: delayed retry is not supported"},
};

START_TEST(test_refusals)
{
    struct harness h;
    struct text definition = {0}, expected = {0};
    const struct wrong *wrong = &wrongs[_i];
    open_broker(&h);
    if (wrong->text)
        word(&definition, wrong->key, wrong->text);
    else
        number(&definition, wrong->key, wrong->number);
    put(&h, &(struct put){.operator_policy = wrong->operator_policy}, "p", "q", &definition);
    text_printf(&expected, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\n%s\n\n%c",
                wrong->why, '\0');
    expect(&h, (const char *)expected.at);
    text_free(&expected);
    harness_close(&h);
}
END_TEST

START_TEST(test_bad_patterns)
{
    struct harness h;
    struct text definition = {0};
    open_broker(&h);
    put_number(&h, "p", "(", 0, "max-length", 1);
    expect(&h, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\npattern should be "
               "regular expression but is invalid: {\"missing closing parenthesis\",1}\n\n");
    do_open(&h, "A2");
    harness_take(&h);
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
    put(&h, &(struct put){0}, "p", "q", &definition);
    expect(&h, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\nno policy "
               "provided\n\n");
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
    clear(&h, true, "p");
    expect(&h, "A1 fail policy-delete NOT_FOUND no operator policy 'p' in vhost '/'\n");
    /* A pattern that backtracks without end does not match. */
    do_declare(&h, "A2", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "");
    do_close(&h, "A1");
    do_open(&h, "A1");
    put_number(&h, "p", "^(a+)+$", 0, "max-length", 1);
    expect_queue(&h, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "/");
    harness_close(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_refused");
    TCase *t = tcase_create("policy");
    tcase_add_loop_test(t, test_refusals, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(t, test_bad_patterns);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
