/* Growable text, statuses, random names: the small modules of base/. */
#include <check.h>
#include <stdlib.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

START_TEST(text_grows)
{
    struct text text = {0};
    ck_assert_uint_eq(text_bytes(&text).len, 0);
    text_add(&text, NULL, 0);
    for (unsigned i = 0; i < 1000; i++)
        text_printf(&text, "%u,", i % 10);
    ck_assert_uint_eq(text.len, 2000);
    text_add_bytes(&text, BYTES_LITERAL("end"));
    ck_assert(bytes_start_with(text_bytes(&text), "0,1,2,3,4,5,6,7,8,9,0,"));
    ck_assert_mem_eq(text.at + 2000, "end", 3);
    uint8_t *at = text_reserve(&text, 5000);
    memset(at, 'x', 5000);
    ck_assert_uint_eq(text.len, 2003); /* the caller says how much it wrote */
    text.len += 5000;
    ck_assert_int_eq(text.at[7002], 'x');
    text_free(&text);
    ck_assert_ptr_null(text.at);
    text_add(&text, "again", 5);
    ck_assert(bytes_equal_text(text_bytes(&text), "again"));
    text_free(&text);
}
END_TEST

START_TEST(numbers)
{
    uint64_t n = 7;
    const char *text = "12 kB";
    ck_assert_ptr_eq(number_scan(text, &n), text + 2);
    ck_assert_uint_eq(n, 12);
    ck_assert(number_read("18446744073709551615", UINT64_MAX, &n));
    ck_assert_uint_eq(n, UINT64_MAX);
    ck_assert(number_read("0065535", UINT16_MAX, &n));
    ck_assert_uint_eq(n, UINT16_MAX);
    const char *const wrong[] = {"",   " 1",  "+1",    "-1",
                                 "1 ", "0x1", "65536", "18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!number_read(wrong[i], UINT16_MAX, &n), "%s", wrong[i]);
    ck_assert_uint_eq(n, UINT16_MAX);
    ck_assert(number_of_line("VmRSS:\t   123 kB\n", "VmRSS", &n) && n == 123);
    ck_assert(!number_of_line("VmRSSx: 123", "VmRSS", &n));
    ck_assert(!number_of_line("VmRSS: many", "VmRSS", &n));
    uint64_t some[2];
    ck_assert_uint_eq(number_file("/proc/self/statm", some, 2), 2);
    ck_assert_uint_ge(some[0], some[1]);
    ck_assert_uint_eq(number_file("/proc/self/comm", some, 2), 0);
    ck_assert_uint_eq(number_file("/no/such/file", some, 2), 0);
}
END_TEST

START_TEST(bytes_compare)
{
    ck_assert(bytes_equal((struct bytes){0}, BYTES_LITERAL("")));
    ck_assert(!bytes_equal(BYTES_LITERAL("a"), BYTES_LITERAL("")));
    ck_assert(!bytes_equal(BYTES_LITERAL("a"), BYTES_LITERAL("b")));
    ck_assert(bytes_start_with(BYTES_LITERAL("amq.x"), "amq."));
    ck_assert(!bytes_start_with(BYTES_LITERAL("amq"), "amq."));
    ck_assert(bytes_start_with(BYTES_LITERAL("a"), ""));
}
END_TEST

START_TEST(every_status_has_words)
{
    ck_assert_str_eq(status_name(STATUS_OK), "OK");
    ck_assert_str_eq(status_name(STATUS_NOT_FOUND), "NOT_FOUND");
    for (int s = 0; s < STATUS_COUNT; s++) {
        ck_assert_uint_gt(strlen(status_name((enum status)s)), 0);
        ck_assert_uint_gt(strlen(status_text((enum status)s)), 0);
    }
}
END_TEST

START_TEST(names)
{
    struct random_stream one = {1}, same = {1}, other = {2};
    char a[RANDOM_NAME_LEN + 1], b[RANDOM_NAME_LEN + 1], c[RANDOM_NAME_LEN + 1];
    random_name(&one, a);
    random_name(&same, b);
    random_name(&other, c);
    ck_assert_uint_eq(strlen(a), RANDOM_NAME_LEN);
    ck_assert_str_eq(a, b); /* a seed gives the same names */
    ck_assert_str_ne(a, c);
    ck_assert_uint_eq(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                      RANDOM_NAME_LEN);
    uint8_t first[32], second[32];
    random_bytes(first, sizeof first);
    random_bytes(second, sizeof second);
    ck_assert_mem_ne(first, second, sizeof first);
}
END_TEST

START_TEST(clocks)
{
    uint64_t ns = clock_steady_ns(), ms = clock_steady_ms();
    ck_assert_uint_ge(clock_steady_ns(), ns);
    ck_assert_uint_ge(ms, ns / 1000000);
    ck_assert_uint_gt(clock_wall_ms(), 1700000000000u); /* milliseconds, after 2023 */
}
END_TEST

START_TEST(memory)
{
    uint8_t *zeroed = mem_need(100);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(zeroed[i], 0);
    free(zeroed);
    void *none = mem_need_array(mem_need(1), 0, 8);
    ck_assert_ptr_nonnull(none);
    free(none);
    char *copy = mem_need_text("abcdef", 3);
    ck_assert_str_eq(copy, "abc");
    free(copy);
    copy = mem_need_text(NULL, 0);
    ck_assert_str_eq(copy, "");
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tc = tcase_create("all");
    tcase_add_test(tc, text_grows);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, bytes_compare);
    tcase_add_test(tc, every_status_has_words);
    tcase_add_test(tc, names);
    tcase_add_test(tc, clocks);
    tcase_add_test(tc, memory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
