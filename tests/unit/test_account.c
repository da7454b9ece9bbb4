/* The account of memory: sums, limits of kinds, a budget that changes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/account.h"

START_TEST(adds_up)
{
    struct account *account = account_new(1000000);
    account_add(account, ACCOUNT_MESSAGES, 700);
    account_add(account, ACCOUNT_MESSAGES, -200);
    account_add(account, ACCOUNT_BINDINGS, 30);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_MESSAGES), 500);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_CONSUMERS), 0);
    ck_assert_uint_eq(account_total_bytes(account), 530);
    account_free(&account);
    ck_assert_ptr_null(account);
}
END_TEST

START_TEST(never_below_zero)
{
    struct account *account = account_new(1000);
    account_add(account, ACCOUNT_WRITERS, -5);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_WRITERS), 0);
    ck_assert_uint_eq(account_total_bytes(account), 0);
    account_free(&account);
}
END_TEST

START_TEST(takes_up_to_the_limit)
{
    struct account *account = account_new(8000);
    uint64_t limit = account_limit_bytes(account, ACCOUNT_HASH_RINGS);
    ck_assert_uint_eq(limit, 1000);
    ck_assert(account_take(account, ACCOUNT_HASH_RINGS, limit - 1));
    ck_assert(!account_take(account, ACCOUNT_HASH_RINGS, 2));
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_HASH_RINGS), limit - 1);
    ck_assert(account_take(account, ACCOUNT_HASH_RINGS, 1));
    ck_assert(!account_take(account, ACCOUNT_HASH_RINGS, 1));
    account_add(account, ACCOUNT_HASH_RINGS, -1);
    ck_assert(account_take(account, ACCOUNT_HASH_RINGS, 1));
    /* Another kind is not touched. */
    ck_assert(account_take(account, ACCOUNT_CONSUMERS, 1));
    account_free(&account);
}
END_TEST

START_TEST(hostile_sizes)
{
    struct account *account = account_new(UINT64_MAX);
    ck_assert(!account_take(account, ACCOUNT_READERS, UINT64_MAX));
    ck_assert(!account_take(account, ACCOUNT_MESSAGES, UINT64_MAX));
    ck_assert_uint_le(account_limit_bytes(account, ACCOUNT_MESSAGES), INT64_MAX);
    ck_assert_uint_eq(account_total_bytes(account), 0);
    account_set_budget(account, 0);
    ck_assert(!account_take(account, ACCOUNT_MESSAGES, 1));
    account_free(&account);
}
END_TEST

START_TEST(budget_changes)
{
    struct account *account = account_new(100);
    ck_assert(!account_take(account, ACCOUNT_MESSAGES, 200));
    account_set_budget(account, 1000);
    ck_assert_uint_eq(account_budget_bytes(account), 1000);
    ck_assert(account_take(account, ACCOUNT_MESSAGES, 200));
    account_set_budget(account, 100);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_MESSAGES), 200);
    ck_assert(!account_take(account, ACCOUNT_MESSAGES, 1));
    account_free(&account);
}
END_TEST

START_TEST(tells_what_has_changed)
{
    struct account *account = account_new(1000);
    uint64_t mine = 0, others = 0;
    account_tell(account, ACCOUNT_READERS, &mine, 30);
    account_tell(account, ACCOUNT_READERS, &others, 500);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_READERS), 530);
    account_tell(account, ACCOUNT_READERS, &mine, 10);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_READERS), 510);
    account_tell(account, ACCOUNT_READERS, &mine, 0);
    account_tell(account, ACCOUNT_READERS, &others, 0);
    ck_assert_uint_eq(account_total_bytes(account), 0);
    account_free(&account);
}
END_TEST

START_TEST(nothing_is_counted_without_an_account)
{
    uint64_t told = 0;
    account_tell(NULL, ACCOUNT_MESSAGES, &told, 1);
    ck_assert_uint_eq(told, 1);
    account_add(NULL, ACCOUNT_MESSAGES, 1);
    ck_assert(account_take(NULL, ACCOUNT_MESSAGES, UINT64_MAX));
}
END_TEST

START_TEST(kinds_have_names)
{
    for (unsigned a = 0; a < ACCOUNT_KIND_COUNT; a++)
        for (unsigned b = 0; b < a; b++)
            ck_assert_str_ne(account_kind_name((enum account_kind)a),
                             account_kind_name((enum account_kind)b));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("account");
    TCase *tests = tcase_create("account");
    tcase_add_test(tests, adds_up);
    tcase_add_test(tests, never_below_zero);
    tcase_add_test(tests, takes_up_to_the_limit);
    tcase_add_test(tests, hostile_sizes);
    tcase_add_test(tests, budget_changes);
    tcase_add_test(tests, tells_what_has_changed);
    tcase_add_test(tests, nothing_is_counted_without_an_account);
    tcase_add_test(tests, kinds_have_names);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
