/* The machine's resources: what a control group leaves of the cores. */
#include <check.h>
#include <stdlib.h>

#include "machine.h"

START_TEST(shares)
{
    ck_assert_uint_eq(machine_share(8, 0, 100000), 8); /* no limit */
    ck_assert_uint_eq(machine_share(8, 200000, 0), 8);
    ck_assert_uint_eq(machine_share(8, 200000, 100000), 2);
    ck_assert_uint_eq(machine_share(8, 250000, 100000), 3);
    ck_assert_uint_eq(machine_share(8, 10000, 100000), 1);
    ck_assert_uint_eq(machine_share(2, 800000, 100000), 2);
    ck_assert_uint_eq(machine_share(2, UINT64_MAX, 1), 2);
}
END_TEST

START_TEST(this_machine)
{
    ck_assert_uint_ge(machine_cores(), 1);
    ck_assert_uint_gt(machine_memory_bytes(), 1 << 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, shares);
    tcase_add_test(tcase, this_machine);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
