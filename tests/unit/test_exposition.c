/* Metrics as text: both formats, and which of them a client gets. */
#include <check.h>
#include <stdlib.h>

#include "admin/metrics/exposition.h"

static const struct metric counter = {"things_total", METRIC_COUNTER, "Things"};
static const struct metric info = {"thing_info", METRIC_INFO, "A thing"};

static void check_text(struct exposition *out, const char *wanted)
{
    ck_assert_uint_eq(out->text.len, strlen(wanted));
    ck_assert_mem_eq(out->text.at, wanted, out->text.len);
    text_free(&out->text);
}

START_TEST(prometheus)
{
    struct exposition out = {.prefix = "x_"};
    exposition_family(&out, &counter);
    exposition_sample(&out, &counter, "{a=\"b\"}", UINT64_MAX);
    exposition_family(&out, &info);
    exposition_one_real(&out, "seconds", METRIC_GAUGE, "Time", 0.25);
    exposition_bound(&out, 1000000);
    exposition_end(&out);
    check_text(&out, "# HELP x_things_total Things\n# TYPE x_things_total counter\n"
                     "x_things_total{a=\"b\"} 18446744073709551615\n"
                     "# HELP x_thing_info A thing\n# TYPE x_thing_info gauge\n"
                     "# HELP x_seconds Time\n# TYPE x_seconds gauge\nx_seconds 0.250000\n1000000");
}
END_TEST

START_TEST(openmetrics)
{
    struct exposition out = {.open = true};
    exposition_family(&out, &counter);
    exposition_sample(&out, &counter, "", 7);
    exposition_family(&out, &info);
    exposition_bound(&out, 100);
    exposition_bound(&out, 50000000);
    exposition_end(&out);
    check_text(&out, "# HELP things Things\n# TYPE things counter\nthings_total 7\n"
                     "# HELP thing A thing\n# TYPE thing info\n100.05e+07# EOF\n");
}
END_TEST

START_TEST(labels)
{
    struct exposition out = {.open = false};
    exposition_label(&out, BYTES_LITERAL("a\"b\\c\nd\xc3\xa9\xff"));
    check_text(&out, "a\\\"b\\\\c\\nd\xc3\xa9\xEF\xBF\xBD");
}
END_TEST

static const struct {
    const char *accept;
    bool open;
} asked[] = {
    {NULL, false},
    {"", false},
    {"*/*", false},
    {"text/plain", false},
    {"application/openmetrics-text", true},
    {"application/openmetrics-text; version=1.0.0; charset=utf-8", true},
    {"application/openmetrics-text;version=0.0.1", false},
    {"application/openmetrics-text;q=0", false},
    {"text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.8", true},
    {"application/openmetrics-text;version=1.0.0;q=0.2, text/plain; q=0.75", false},
    {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
     true},
    {";;;,,,q=,version=", false},
};

START_TEST(accept)
{
    ck_assert_int_eq(exposition_is_open(asked[_i].accept), asked[_i].open);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("exposition");
    TCase *formats = tcase_create("formats");
    tcase_add_test(formats, prometheus);
    tcase_add_test(formats, openmetrics);
    tcase_add_test(formats, labels);
    tcase_add_loop_test(formats, accept, 0, sizeof asked / sizeof *asked);
    suite_add_tcase(suite, formats);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
