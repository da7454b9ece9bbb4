/* The ring of unsettled deliveries, against a plain list. */
#include <check.h>
#include <stdlib.h>

#include "broker/channel/unsettled.h"
#include "leveret/base/random.h"

static struct lane *const some_lane = (struct lane *)8; /* never dereferenced */

static void add(struct unsettled *u, uint64_t tag)
{
    struct unsettled_entry entry = {.tag = tag, .seq = tag * 10, .lane = some_lane};
    unsettled_add(u, &entry);
}

START_TEST(takes_by_tag)
{
    struct unsettled u = {0};
    struct unsettled_entry entry;
    ck_assert(!unsettled_take(&u, 1, &entry));
    ck_assert(!unsettled_take_first(&u, UINT64_MAX, &entry));
    for (uint64_t tag = 5; tag < 15; tag++)
        add(&u, tag * 3); /* with gaps */
    ck_assert(unsettled_has(&u, 15));
    ck_assert(!unsettled_has(&u, 16));
    ck_assert(!unsettled_has(&u, 14));
    ck_assert(!unsettled_has(&u, 43));
    ck_assert(unsettled_take(&u, 30, &entry));
    ck_assert_uint_eq(entry.seq, 300);
    ck_assert(!unsettled_take(&u, 30, &entry));
    ck_assert(unsettled_take_first(&u, 18, &entry));
    ck_assert_uint_eq(entry.tag, 15);
    ck_assert(unsettled_take_first(&u, 18, &entry));
    ck_assert(!unsettled_take_first(&u, 18, &entry));
    ck_assert_uint_eq(u.live, 7);
    unsettled_free(&u);
}
END_TEST

START_TEST(one_old_delivery_costs_no_memory)
{
    struct unsettled u = {0};
    struct unsettled_entry entry;
    add(&u, 1);
    for (uint64_t tag = 2; tag < 100000; tag++) {
        add(&u, tag);
        ck_assert(unsettled_take(&u, tag, &entry));
    }
    ck_assert_uint_le(u.room, 64);
    ck_assert(unsettled_take(&u, 1, &entry));
    ck_assert_uint_eq(u.live, 0);
    unsettled_free(&u);
}
END_TEST

START_TEST(restores_in_order)
{
    struct unsettled u = {0};
    struct unsettled_entry taken[3], entry;
    uint32_t at = 0;
    for (uint64_t tag = 1; tag <= 8; tag++)
        add(&u, tag);
    ck_assert(unsettled_take(&u, 2, &taken[0]));
    ck_assert(unsettled_take(&u, 5, &taken[1]));
    ck_assert(unsettled_take(&u, 8, &taken[2]));
    ck_assert(unsettled_take(&u, 6, &entry));
    unsettled_restore(&u, taken, 3);
    uint64_t expected[] = {1, 2, 3, 4, 5, 7, 8};
    for (unsigned i = 0; i < 7; i++)
        ck_assert_uint_eq(unsettled_next(&u, &at)->tag, expected[i]);
    ck_assert_ptr_null(unsettled_next(&u, &at));
    unsettled_free(&u);
}
END_TEST

START_TEST(agrees_with_a_list)
{
    enum { TAGS = 20000 };
    static bool out[TAGS + 1];
    struct random_stream stream = {99};
    struct unsettled u = {0};
    struct unsettled_entry entry;
    uint64_t next = 1, low = 1;
    unsigned live = 0;
    while (next < TAGS) {
        uint64_t what = random_next(&stream) % 10;
        while (low < next && !out[low])
            low++;
        uint64_t tag = low + random_next(&stream) % (next - low + 1);
        if (what < 5) {
            next += random_next(&stream) % 4 == 0; /* a gap */
            out[next] = true;
            add(&u, next++);
            live++;
        } else if (what < 9) {
            if (unsettled_has(&u, tag) != out[tag] || unsettled_take(&u, tag, &entry) != out[tag])
                ck_abort_msg("tag %llu", (unsigned long long)tag);
            live -= out[tag];
            out[tag] = false;
        } else if (unsettled_take_first(&u, tag, &entry)) {
            if (entry.tag != low || !out[low])
                ck_abort_msg("first %llu", (unsigned long long)entry.tag);
            out[low] = false;
            live--;
        }
        if (u.live != live)
            ck_abort_msg("live %u, not %u", u.live, live);
    }
    unsettled_free(&u);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unsettled");
    TCase *tests = tcase_create("unsettled");
    tcase_add_test(tests, takes_by_tag);
    tcase_add_test(tests, one_old_delivery_costs_no_memory);
    tcase_add_test(tests, restores_in_order);
    tcase_add_test(tests, agrees_with_a_list);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
