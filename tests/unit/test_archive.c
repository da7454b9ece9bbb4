/* The archive with a given clock: rates, ranges, its bound of memory, and what is forgotten. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "admin/history/archive.h"
#include "leveret/admin/admin.h"
#include "leveret/base/mem.h"

enum { COLUMNS = 3, GAUGE = 2 };
/* A tick long ago, so that ages do not reach below 0. */
#define START UINT64_C(359000000)

static struct archive_options options(uint64_t bytes_max)
{
    struct archive_options o = {.bytes_max = bytes_max};
    for (unsigned i = 0; i < ARCHIVE_POLICIES; i++)
        o.retention[i] = (struct retention){2, {{1, 121}, {12, 732}}};
    for (unsigned i = 0; i < ARCHIVE_KINDS; i++) {
        o.kinds[i].policy = RETENTION_BASIC;
        o.kinds[i].columns = COLUMNS;
        o.kinds[i].gauges = 1u << GAUGE;
    }
    return o;
}

static const struct sample_ranges no_ranges;

static struct told tell(const struct archive *archive, const struct archive_place *place,
                        const struct archive_object *object, uint64_t now_ms,
                        const struct sample_ranges *ranges)
{
    struct told told;
    const struct archive_question question = {ranges, ~0u, now_ms, archive_end_ms(place, now_ms)};
    archive_tell(archive, place, object, &question, &told);
    return told;
}

static double rate(const struct archive *archive, const struct archive_place *place,
                   const struct archive_object *object, uint64_t now_ms, unsigned column)
{
    struct told told = tell(archive, place, object, now_ms, &no_ranges);
    double rate = told.rates[column];
    told_free(&told);
    return rate;
}

/* One round that brings one object, looked at `late` milliseconds after the tick. */
static void one_round(struct archive *archive, struct archive_place *place, uint64_t tick,
                      uint64_t late_ms, const struct archive_object *object)
{
    ck_assert(archive_begin_round(archive, place, tick, false));
    if (object)
        archive_add(archive, place, object, tick * SERIES_TICK_MS + late_ms);
    archive_end_round(archive, place, tick * SERIES_TICK_MS + late_ms);
}

START_TEST(a_steady_rate_is_told_at_any_time)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    const uint64_t born_ms = START * SERIES_TICK_MS + 1234;
    uint64_t values[COLUMNS] = {0};
    struct archive_object object = {ARCHIVE_QUEUE, 7, born_ms, true, false, values, NULL};
    /* 1,000 a second; the sampler looks up to 400 ms late; observers look every 333 ms. */
    for (uint64_t ms = born_ms + 1, tick = START; ms < born_ms + 60000; ms++) {
        values[0] = ms - born_ms;
        if (ms / SERIES_TICK_MS > tick && ms % SERIES_TICK_MS == ms / SERIES_TICK_MS * 37 % 400) {
            tick = ms / SERIES_TICK_MS;
            one_round(archive, place, tick, ms % SERIES_TICK_MS, &object);
            object.sampled_before = true;
        }
        if (ms % 333 == 0)
            for (unsigned observers = 0; observers < 3; observers++)
                ck_assert_double_eq_tol(rate(archive, place, &object, ms, 0), 1000.0, 1e-6);
    }
    archive_free(&archive);
}
END_TEST

START_TEST(an_object_younger_than_an_interval)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    one_round(archive, place, START, 3, NULL);
    const uint64_t born_ms = START * SERIES_TICK_MS + 1000;
    uint64_t values[COLUMNS] = {300, 0, 50}, born[COLUMNS] = {0, 0, 20};
    struct archive_object object = {ARCHIVE_QUEUE, 1, born_ms, true, false, values, born};
    ck_assert_double_eq_tol(rate(archive, place, &object, born_ms + 1500, 0), 200.0, 1e-9);
    ck_assert_double_eq_tol(rate(archive, place, &object, born_ms + 1500, GAUGE), 20.0, 1e-9);
    ck_assert_double_eq_tol(rate(archive, NULL, &object, born_ms + 1500, 0), 200.0, 1e-9);
    /* Its first interval is as long as it has lived: 4 s. */
    one_round(archive, place, START + 1, 0, &object);
    object.sampled_before = true;
    ck_assert_double_eq_tol(rate(archive, place, &object, born_ms + 5500, 0), 75.0, 1e-9);
    ck_assert_double_eq_tol(rate(archive, place, &object, born_ms + 5500, GAUGE), 7.5, 1e-9);
    /* Nothing happens in the next one. */
    one_round(archive, place, START + 2, 0, NULL);
    ck_assert_double_eq(rate(archive, place, &object, born_ms + 9500, 0), 0.0);
    archive_free(&archive);
}
END_TEST

START_TEST(growth_after_a_pause_is_that_of_one_interval)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {10, 0, 0};
    struct archive_object object = {ARCHIVE_QUEUE, 1,   (START - 90) * SERIES_TICK_MS, true, false,
                                    values,        NULL};
    one_round(archive, place, START, 0, &object);
    object.sampled_before = true;
    for (uint64_t tick = START + 1; tick < START + 20; tick++)
        one_round(archive, place, tick, 0, NULL);
    values[0] = 110;
    one_round(archive, place, START + 20, 0, &object);
    ck_assert_double_eq_tol(rate(archive, place, &object, (START + 20) * SERIES_TICK_MS + 9, 0),
                            20.0, 1e-9);
    archive_free(&archive);
}
END_TEST

START_TEST(only_gauges_fall)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {100, 0, 100};
    struct archive_object object = {ARCHIVE_QUEUE, 1,   (START - 90) * SERIES_TICK_MS, true, false,
                                    values,        NULL};
    one_round(archive, place, START, 0, &object);
    object.sampled_before = true;
    values[0] = values[GAUGE] = 50;
    one_round(archive, place, START + 1, 0, &object);
    uint64_t now_ms = (START + 1) * SERIES_TICK_MS + 1;
    ck_assert_double_eq(rate(archive, place, &object, now_ms, 0), 0.0);
    ck_assert_double_eq_tol(rate(archive, place, &object, now_ms, GAUGE), -10.0, 1e-9);
    archive_free(&archive);
}
END_TEST

START_TEST(samples_of_a_range)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {0};
    struct archive_object object = {ARCHIVE_QUEUE, 1,   START * SERIES_TICK_MS + 1, true, false,
                                    values,        NULL};
    for (uint64_t tick = START + 1; tick <= START + 10; tick++) {
        values[0] += 5000;
        one_round(archive, place, tick, 0, &object);
        object.sampled_before = true;
    }
    struct sample_ranges ranges = {.of[RANGE_RATES] = {60, 5}, .of[RANGE_LENGTHS] = {60, 10}};
    /* The next round is due, but has not ended yet: nothing newer is told. */
    struct told told = tell(archive, place, &object, (START + 11) * SERIES_TICK_MS + 2, &ranges);
    const struct told_samples *samples = &told.of[RANGE_RATES];
    ck_assert_uint_eq(samples->count, 13);
    ck_assert_uint_eq(samples->last_ms, (START + 10) * SERIES_TICK_MS);
    for (unsigned i = 0; i < 13; i++)
        ck_assert_uint_eq(samples->values[i * COLUMNS], i < 2 ? 0 : (i - 2) * 5000);
    ck_assert_double_eq_tol(told_avg_rate(&told, RANGE_RATES, 0), 50000.0 / 60, 1e-9);
    ck_assert_double_eq_tol(told_avg(&told, RANGE_RATES, 0), 275000.0 / 13, 1e-9);
    ck_assert_uint_eq(told.of[RANGE_LENGTHS].count, 7);
    ck_assert_uint_eq(told.of[RANGE_LENGTHS].last_ms % 10000, 0);
    ck_assert_uint_eq(told.of[RANGE_DATA].count, 0);
    told_free(&told);

    /* An object that never changed has its numbers since its birth. */
    uint64_t born[COLUMNS] = {0, 0, 40}, now[COLUMNS] = {0, 0, 40};
    const struct archive_object idle = {
        ARCHIVE_QUEUE, 2, (START + 5) * SERIES_TICK_MS, false, false, now, born};
    told = tell(archive, place, &idle, (START + 10) * SERIES_TICK_MS, &ranges);
    for (unsigned i = 0; i < 13; i++)
        ck_assert_uint_eq(told.of[RANGE_RATES].values[i * COLUMNS + GAUGE], i < 7 ? 0 : 40);
    told_free(&told);
    archive_free(&archive);
}
END_TEST

START_TEST(the_bound_takes_what_changed_longest_ago)
{
    enum { OBJECTS = 1000 };
    const struct archive_options o = options(200000);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {0};
    for (uint64_t tick = START + 1; tick < START + 50; tick++) {
        ck_assert(archive_begin_round(archive, place, tick, false));
        for (uint64_t n = 1; n <= OBJECTS; n++) {
            values[0] = tick * n;
            const struct archive_object object = {
                ARCHIVE_QUEUE, n, START * SERIES_TICK_MS, true, tick > START + 1, values, NULL};
            if (n <= 100 || tick == START + 1) /* the first hundred go on changing */
                archive_add(archive, place, &object, tick * SERIES_TICK_MS);
            ck_assert_uint_le(archive_bytes(archive), o.bytes_max);
        }
        archive_end_round(archive, place, tick * SERIES_TICK_MS);
    }
    ck_assert_uint_ge(archive_series(archive), 100);
    ck_assert_uint_lt(archive_series(archive), OBJECTS);
    uint64_t now_ms = (START + 49) * SERIES_TICK_MS;
    for (uint64_t n = 1; n <= 100; n++) {
        values[0] = (START + 49) * n;
        const struct archive_object object = {
            ARCHIVE_QUEUE, n, START * SERIES_TICK_MS, true, true, values, NULL};
        ck_assert_double_eq_tol(rate(archive, place, &object, now_ms, 0), (double)n / 5, 1e-9);
    }
    archive_free(&archive);
}
END_TEST

START_TEST(what_is_gone_is_forgotten)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {1, 1, 1};
    ck_assert(archive_begin_round(archive, place, START, false));
    for (uint64_t n = 1; n <= 10; n++) {
        const struct archive_object object = {ARCHIVE_QUEUE, n, 1, true, false, values, NULL};
        archive_add(archive, place, &object, START * SERIES_TICK_MS);
    }
    archive_end_round(archive, place, START * SERIES_TICK_MS);
    ck_assert_uint_eq(archive_series(archive), 10);
    ck_assert(archive_begin_round(archive, place, START + 1, true));
    for (uint64_t n = 1; n <= 4; n++) {
        const struct archive_object object = {ARCHIVE_QUEUE, n, 1, false, true, values, NULL};
        archive_add(archive, place, &object, (START + 1) * SERIES_TICK_MS);
    }
    archive_end_round(archive, place, (START + 1) * SERIES_TICK_MS);
    ck_assert_uint_eq(archive_series(archive), 4);
    struct archive_place *other = archive_place(archive, 'v', BYTES_LITERAL("other"));
    one_round(archive, other, START + 2, 0, NULL);
    archive_end_places(archive, START + 2);
    ck_assert_uint_eq(archive_series(archive), 0);
    ck_assert_uint_eq(archive_bytes(archive), 0);
    ck_assert_ptr_eq(archive_place(archive, 'v', BYTES_LITERAL("other")), other);
    archive_free(&archive);
}
END_TEST

START_TEST(history_begins_anew)
{
    const struct archive_options o = options(1 << 20);
    struct archive *archive = archive_new(&o);
    struct archive_place *place = archive_place(archive, 'v', BYTES_LITERAL("/"));
    uint64_t values[COLUMNS] = {1000, 0, 0};
    struct archive_object object = {ARCHIVE_QUEUE, 1,   (START - 90) * SERIES_TICK_MS, true, false,
                                    values,        NULL};
    one_round(archive, place, START, 0, &object);
    object.sampled_before = true;
    const struct sample_ranges ranges = {.of[RANGE_RATES] = {20, 5}};
    archive_reset(archive, START * SERIES_TICK_MS + 1);
    values[0] = 1100;
    one_round(archive, place, START + 1, 0, &object);
    values[0] = 1200;
    one_round(archive, place, START + 2, 0, &object);
    struct told told = tell(archive, place, &object, (START + 2) * SERIES_TICK_MS, &ranges);
    const uint64_t expected[5] = {0, 0, 0, 1100, 1200};
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(told.of[RANGE_RATES].values[i * COLUMNS], expected[i]);
    ck_assert_double_eq_tol(told.rates[0], 20.0, 1e-9);
    told_free(&told);
    /* The clock is set back: the same. */
    values[0] = 1300;
    one_round(archive, place, START - 1000, 0, &object);
    ck_assert_uint_eq(archive_end_ms(place, 0), (START - 1000) * SERIES_TICK_MS);
    ck_assert(!archive_begin_round(archive, place, START - 1000, false));
    archive_free(&archive);
}
END_TEST

START_TEST(retention_of_keys)
{
    struct admin_history history;
    const uint64_t none[3] = {0}, all[3] = {5, 60, 1200}, odd[3] = {0, 128, 0};
    admin_history_default(&history);
    admin_history_set(&history, 0, none);
    ck_assert_uint_eq(history.of[0][3].step_s, 1800);
    admin_history_set(&history, 0, all);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(history.of[0][i].step_s, all[i]);
    ck_assert_uint_eq(history.of[0][2].keep_s, 86400 + 1200);
    ck_assert_uint_eq(history.of[0][2].told_s, 86400);
    ck_assert_uint_eq(history.of[0][3].step_s, 0);
    admin_history_set(&history, 1, odd); /* rates need the finest resolution in any case */
    ck_assert_uint_eq(history.of[1][0].step_s, 5);
    ck_assert_uint_eq(history.of[1][0].told_s, 0);
    ck_assert_uint_eq(history.of[1][1].step_s, 130);
    ck_assert_uint_eq(history.of[1][1].told_s, 3600);
}
END_TEST

START_TEST(ranges_are_read)
{
    static const struct {
        const char *age, *incr;
        bool good;
    } cases[] = {
        {NULL, NULL, true},    {"60", "5", true},   {"60", "100", true}, {"49995", "5", true},
        {"0", "5", true},      {"60", NULL, false}, {NULL, "5", false},  {"60", "0", false},
        {"50000", "5", false}, {"x", "5", false},   {"60", "", false},   {"-5", "5", false},
        {"60.5", "5", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample_range range;
        ck_assert_int_eq(range_read(cases[i].age, cases[i].incr, &range) == STATUS_OK,
                         cases[i].good);
        if (cases[i].good)
            ck_assert_uint_eq(
                range_count(&range),
                cases[i].age
                    ? strtoul(cases[i].age, NULL, 10) / strtoul(cases[i].incr, NULL, 10) + 1
                    : 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("archive");
    TCase *tcase = tcase_create("archive");
    tcase_add_test(tcase, a_steady_rate_is_told_at_any_time);
    tcase_add_test(tcase, an_object_younger_than_an_interval);
    tcase_add_test(tcase, growth_after_a_pause_is_that_of_one_interval);
    tcase_add_test(tcase, only_gauges_fall);
    tcase_add_test(tcase, samples_of_a_range);
    tcase_add_test(tcase, the_bound_takes_what_changed_longest_ago);
    tcase_add_test(tcase, what_is_gone_is_forgotten);
    tcase_add_test(tcase, history_begins_anew);
    tcase_add_test(tcase, retention_of_keys);
    tcase_add_test(tcase, ranges_are_read);
    tcase_set_timeout(tcase, 600);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
