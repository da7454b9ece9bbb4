/* The roster against a plain array. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "leveret/base/random.h"
#include "leveret/base/roster.h"

START_TEST(against_an_array)
{
    enum { OBJECTS = 3000 };
    static int objects[OBJECTS + 1];
    static bool there[OBJECTS + 1];
    struct roster roster = {0};
    struct random_stream random = {7};
    uint64_t made = 0;
    size_t count = 0;

    while (made < OBJECTS) {
        if (random_next(&random) % 5 < 3) {
            made++;
            ck_assert_uint_eq(roster_add(&roster, &objects[made]), made);
            there[made] = true;
            count++;
        } else if (made) {
            uint64_t number = 1 + random_next(&random) % made;
            roster_remove(&roster, number);
            count -= there[number];
            there[number] = false;
        }
        ck_assert_uint_eq(roster_count(&roster), count);
        uint64_t after = made ? random_next(&random) % (made + 1) : 0, expected = after + 1;
        void *object = roster_next(&roster, &after);
        while (expected <= made && !there[expected])
            expected++;
        if (expected > made) {
            ck_assert_ptr_null(object);
        } else {
            ck_assert_ptr_eq(object, &objects[expected]);
            ck_assert_uint_eq(after, expected);
        }
    }
    roster_remove(&roster, 0);
    roster_remove(&roster, made + 1);
    uint64_t after = UINT64_MAX;
    ck_assert_ptr_null(roster_next(&roster, &after));
    roster_free(&roster);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roster");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, against_an_array);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
