/* The roster against a plain array; and sorting of arguments, which is as small. */
#include <check.h>
#include <stdlib.h>

#include "../../src/broker/arguments.h"
#include "../../src/broker/roster.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

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

START_TEST(sorted)
{
    struct text one = {0}, two = {0}, scratch = {0};
    static const char *const in_order[] = {"", "a", "aa", "b"};
    static const int mixed[] = {2, 3, 0, 1};
    for (int i = 0; i < 4; i++) {
        table_put_i32(&one, in_order[i], i);
        table_put_i32(&two, in_order[mixed[i]], mixed[i]);
    }
    table_put_i32(&one, "b", 9); /* of one key twice the order stays */
    table_put_i32(&two, "b", 9);
    struct bytes same = arguments_sorted(text_bytes(&one), &scratch);
    ck_assert_ptr_eq(same.at, one.at);
    ck_assert(bytes_equal(arguments_sorted(text_bytes(&two), &scratch), text_bytes(&one)));
    ck_assert_uint_eq(arguments_sorted((struct bytes){0}, &scratch).len, 0);
    text_free(&one);
    text_free(&two);
    text_free(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("roster");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, against_an_array);
    tcase_add_test(tc, sorted);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
