/* Tracks and series against plain arrays of every value. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "admin/history/series.h"
#include "leveret/base/random.h"

enum { COLUMNS = 5, TICKS = 4000 };

static uint64_t model[TICKS][COLUMNS]; /* what the numbers were at each tick */

/* Changes some of the numbers: by little, by much, down, or not at all. */
static void change(struct random_stream *random, uint64_t *values)
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        uint64_t kind = random_next(random) % 8;
        if (kind == 0)
            values[i] += random_next(random) % 100;
        else if (kind == 1)
            values[i] += random_next(random) % 100000000;
        else if (kind == 2)
            values[i] -= values[i] ? random_next(random) % values[i] : 0;
        else if (kind == 3 && i == 4)
            values[i] = random_next(random);
    }
}

START_TEST(a_track_keeps_every_row)
{
    struct random_stream random = {11};
    struct track track = {0};
    uint64_t values[COLUMNS] = {0};
    for (uint64_t tick = 10; tick < 1000; tick++) {
        if (random_next(&random) % 3)
            change(&random, values);
        memcpy(model[tick], values, sizeof values);
        track_add(&track, tick, tick == 10 ? NULL : model[tick - 1], values, COLUMNS);
        uint64_t growth[COLUMNS];
        track_growth(&track, growth, COLUMNS);
        for (unsigned i = 0; i < COLUMNS && track.last_tick == tick && tick > 10; i++)
            ck_assert_uint_eq(growth[i], values[i] - model[tick - 1][i]);
        uint64_t keep = 10 + random_next(&random) % (tick - 9);
        if (random_next(&random) % 50 == 0)
            track_drop(&track, keep);
        struct track_cursor cursor;
        track_read(&track, &cursor);
        for (uint64_t at = track.first_tick; at <= tick; at++) {
            track_read_to(&cursor, at);
            ck_assert_mem_eq(cursor.values, model[at], sizeof values);
        }
    }
    track_free(&track);
}
END_TEST

START_TEST(dropping_keeps_the_value_at_the_tick)
{
    struct track track = {0};
    struct track_cursor cursor;
    uint64_t before[1] = {0}, values[1] = {0};
    for (uint64_t tick = 1; tick <= 100; tick++) {
        values[0] = tick * 1000;
        track_add(&track, tick, tick == 1 ? NULL : before, values, 1);
        before[0] = values[0];
    }
    track_drop(&track, 60);
    ck_assert_uint_eq(track.first_tick, 60);
    track_read(&track, &cursor);
    ck_assert_uint_eq(cursor.values[0], 60000);
    track_read_to(&cursor, 73);
    ck_assert_uint_eq(cursor.values[0], 73000);
    track_drop(&track, 500); /* the last row stays: it is the value ever since */
    ck_assert_uint_eq(track.first_tick, 100);
    track_read(&track, &cursor);
    track_read_to(&cursor, 1000);
    ck_assert_uint_eq(cursor.values[0], 100000);
    track_free(&track);
}
END_TEST

START_TEST(an_idle_object_adds_nothing)
{
    struct track track = {0};
    uint64_t values[COLUMNS] = {7, 0, 3, 0, 0};
    track_add(&track, 1, NULL, values, COLUMNS);
    uint32_t bytes = track.to - track.from;
    for (uint64_t tick = 2; tick < 100; tick++)
        track_add(&track, tick, values, values, COLUMNS);
    ck_assert_uint_eq(track.to - track.from, bytes);
    ck_assert_uint_eq(track.last_tick, 1);
    track_free(&track);
}
END_TEST

static const struct retention retention = {3, {{1, 50}, {12, 240}, {60, 1800}}};

/* Returns true when a series may tell this for a tick: the value at the multiple of a track's step
 * below it, for a track that is no coarser than the finest one that must still have it. */
static bool is_right(const uint64_t *told, uint64_t tick, uint64_t first, uint64_t now)
{
    for (unsigned i = 0; i < retention.tracks; i++) {
        uint64_t step = retention.of[i].step, border = tick / step * step;
        if (border < first)
            return true; /* what was before the first sample is another test's matter */
        if (memcmp(told, model[border], sizeof model[border]) == 0)
            return true;
        if (now - tick + step <= retention.of[i].keep + 1)
            return false;
    }
    return true;
}

START_TEST(a_series_tells_each_resolution)
{
    struct random_stream random = {5};
    const uint64_t first = 100, born_ms = (first - 1) * SERIES_TICK_MS + 1;
    struct series *series = series_new(&retention, COLUMNS, born_ms);
    uint64_t values[COLUMNS] = {0}, zeros[COLUMNS] = {0}, out[600 * COLUMNS];
    for (uint64_t tick = first; tick < TICKS; tick++) {
        bool idle = tick / 100 % 3 == 2; /* long times without a change */
        if (!idle && random_next(&random) % 4)
            change(&random, values);
        memcpy(model[tick], values, sizeof values);
        if (tick == first || memcmp(values, model[tick - 1], sizeof values) != 0)
            (void)series_add(series, tick, 5000, zeros, values);
        if (tick % 7 || series->tick == 0)
            continue;
        uint64_t from = tick > first + 599 ? tick - 599 : first;
        size_t count = (size_t)(tick - from + 1);
        series_read(series, from * SERIES_TICK_MS, SERIES_TICK_MS, count, out);
        for (uint64_t at = from; at <= tick; at++) {
            const uint64_t *told = &out[(at - from) * COLUMNS];
            if (at >= series->tick)
                ck_assert_mem_eq(told, model[at], sizeof values);
            else
                ck_assert(is_right(told, at, first, series->tick));
        }
    }
    series_read(series, born_ms - 1, 1000, 1, out);
    ck_assert_mem_eq(out, zeros, sizeof zeros);
    series_free(&series);
}
END_TEST

START_TEST(a_busy_series_is_small)
{
    static const struct retention detailed = {2, {{1, 121}, {12, 732}}};
    struct series *series = series_new(&detailed, 19, 1);
    uint64_t values[19] = {0}, zeros[19] = {0};
    for (uint64_t tick = 1; tick < 3000; tick++) {
        values[0] += 5000; /* 1,000 messages a second in and out */
        values[3] += 4990 + tick % 20;
        values[8] += 4990 + tick % 20;
        values[11] += 4990 + tick % 20;
        values[15] = tick % 100;
        values[17] = tick % 100;
        ck_assert(series_add(series, tick, 5000, zeros, values));
    }
    ck_assert_uint_lt(series_bytes(series), 5500);
    series_free(&series);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("track");
    TCase *tcase = tcase_create("track");
    tcase_add_test(tcase, a_track_keeps_every_row);
    tcase_add_test(tcase, dropping_keeps_the_value_at_the_tick);
    tcase_add_test(tcase, an_idle_object_adds_nothing);
    tcase_add_test(tcase, a_series_tells_each_resolution);
    tcase_add_test(tcase, a_busy_series_is_small);
    tcase_set_timeout(tcase, 600);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
