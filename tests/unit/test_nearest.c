/* Nearest names. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/nearest.h"

static void expect_nearest(const char *name, const char *wanted)
{
    static const char *const names[] = {"list_queues", "list_users", "get", "set_policy"};
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        nearest_consider(&nearest, names[i]);
    ck_assert_str_eq(nearest.found, wanted);
}

START_TEST(near_names)
{
    expect_nearest("list_queus", "list_queues");   /* left out */
    expect_nearest("list_queuess", "list_queues"); /* put in */
    expect_nearest("list_qeueus", "list_queues");  /* swapped */
    expect_nearest("list_users", "list_users");
    expect_nearest("gte", "get");
}
END_TEST

START_TEST(far_names)
{
    expect_nearest("frobnicate", "");
    expect_nearest("", "");
    expect_nearest("x", "");
    char name[NEAREST_NAME_BYTES_MAX + 2];
    memset(name, 'l', sizeof name);
    name[sizeof name - 1] = '\0';
    expect_nearest(name, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("nearest");
    TCase *tests = tcase_create("nearest");
    tcase_add_test(tests, near_names);
    tcase_add_test(tests, far_names);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
