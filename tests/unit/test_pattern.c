/* Regular expressions: what matches, what is refused, and what gives up. */
#include <check.h>
#include <stdlib.h>

#include "leveret/base/pattern.h"

static enum pattern_result match(const char *text, const struct pattern_options *options,
                                 struct bytes name)
{
    struct pattern *pattern;
    ck_assert_int_eq(pattern_new(bytes_of_text(text), options, &pattern, NULL), STATUS_OK);
    enum pattern_result result = pattern_match(pattern, name);
    ck_assert_int_eq(pattern_matches(pattern, name), result == PATTERN_MATCH);
    pattern_free(&pattern);
    ck_assert_ptr_null(pattern);
    return result;
}

START_TEST(matches)
{
    static const struct pattern_options caseless = {.caseless = true};
    static const struct {
        const char *text, *name;
        bool matches, caseless;
    } cases[] = {
        {"^a", "abc", true, false},
        {"^a", "ba", false, false},
        {"b", "abc", true, false},
        {"", "abc", true, false},
        {"", "", true, false},
        {"^$", "", true, false},
        {"^$", "a", false, false},
        {"A", "abc", false, false},
        {"A", "abc", true, true},
        {"^a.c$", "abc", true, false},
        {"(?i)A", "abc", true, false},
        {"^(?!amq\\.).*", "amq.x", false, false},
        {"^(?!amq\\.).*", "x", true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(match(cases[i].text, cases[i].caseless ? &caseless : NULL,
                            bytes_of_text(cases[i].name)) ==
                          (cases[i].matches ? PATTERN_MATCH : PATTERN_NO_MATCH),
                      "%s on %s", cases[i].text, cases[i].name);
    ck_assert_int_eq(match("^.$", NULL, bytes_of("\xff", 1)), PATTERN_MATCH); /* bytes, not UTF-8 */
    ck_assert_int_eq(match("a", NULL, (struct bytes){0}), PATTERN_NO_MATCH);
    ck_assert(!pattern_matches(NULL, bytes_of_text("a")));
}
END_TEST

START_TEST(refused)
{
    static const char *const cases[] = {"(", "a)", "[", "*", "(*UTF)a", "\\C"};
    struct pattern *pattern;
    struct pattern_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(pattern_new(bytes_of_text(cases[i]), NULL, &pattern, &error),
                         STATUS_MALFORMED);
        ck_assert_ptr_null(pattern);
        ck_assert(error.reason[0]);
        ck_assert_int_eq(pattern_new(bytes_of_text(cases[i]), NULL, &pattern, NULL),
                         STATUS_MALFORMED);
    }
    ck_assert_int_eq(pattern_new(bytes_of_text("a("), NULL, &pattern, &error), STATUS_MALFORMED);
    ck_assert_str_eq(error.reason, "missing closing parenthesis");
    ck_assert_uint_eq(error.at, 2);
    char *longer = malloc(PATTERN_LEN_MAX + 1);
    memset(longer, 'a', PATTERN_LEN_MAX + 1);
    ck_assert_int_eq(pattern_new(bytes_of(longer, PATTERN_LEN_MAX + 1), NULL, &pattern, &error),
                     STATUS_LIMIT);
    ck_assert_int_eq(pattern_new(bytes_of(longer, PATTERN_LEN_MAX), NULL, &pattern, &error),
                     STATUS_OK);
    pattern_free(&pattern);
    free(longer);
}
END_TEST

START_TEST(gives_up)
{
    static const struct pattern_options few = {.steps_max = 1000};
    struct bytes name = bytes_of_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    ck_assert_int_eq(match("^(a+)+$", NULL, name), PATTERN_GAVE_UP);
    ck_assert_int_eq(match("^(a+)+$", &few, name), PATTERN_GAVE_UP);
    ck_assert_int_eq(match("^a+b$", &few, name), PATTERN_MATCH);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pattern");
    TCase *tests = tcase_create("pattern");
    tcase_add_test(tests, matches);
    tcase_add_test(tests, refused);
    tcase_add_test(tests, gives_up);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
