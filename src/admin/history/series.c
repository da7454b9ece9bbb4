/* Series: see series.h. */
#include "admin/history/series.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

struct series *series_new(const struct retention *retention, unsigned columns, uint64_t born_ms)
{
    size_t head = sizeof(struct series) + retention->tracks * sizeof(struct track);
    struct series *series = mem_need(head + columns * sizeof(uint64_t));
    CHECK(columns <= TRACK_COLUMNS_MAX && retention->tracks && retention->of[0].step == 1);
    series->retention = retention;
    series->columns = (uint8_t)columns;
    series->born_ms = born_ms;
    series->values = (uint64_t *)(void *)&series->of[retention->tracks];
    return series;
}

void series_free(struct series **series)
{
    if (!*series)
        return;
    for (unsigned i = 0; i < (*series)->retention->tracks; i++)
        track_free(&(*series)->of[i]);
    free(*series);
    *series = NULL;
}

size_t series_bytes(const struct series *series)
{
    size_t bytes = sizeof *series + series->retention->tracks * sizeof(struct track) +
                   series->columns * sizeof(uint64_t);
    for (unsigned i = 0; i < series->retention->tracks; i++)
        bytes += series->of[i].room;
    return bytes;
}

/* ---- Adding. */

/* Adds a row to a coarse track, which may have it already. */
static void add_coarse(struct series *series, struct track *track, uint64_t tick,
                       const uint64_t *values)
{
    struct track_cursor cursor = {.tick = 0};
    if (!track_is_empty(track)) {
        if (track->last_tick >= tick)
            return;
        track_read(track, &cursor);
        track_read_to(&cursor, tick);
    }
    track_add(track, tick, cursor.values, values, series->columns);
}

/* The coarse tracks get what the numbers were at the multiples of their steps since the last sample
 * (they were those of that sample), and at this tick if it is one. */
static void add_to_coarse(struct series *series, uint64_t tick, const uint64_t *values)
{
    for (unsigned i = 1; i < series->retention->tracks; i++) {
        uint64_t step = series->retention->of[i].step;
        uint64_t border = (series->tick + step - 1) / step * step;
        if (series->tick && border < tick)
            add_coarse(series, &series->of[i], border, series->values);
        if (tick % step == 0)
            add_coarse(series, &series->of[i], tick, values);
    }
}

bool series_add(struct series *series, uint64_t tick, uint64_t gap_ms, const uint64_t *before,
                const uint64_t *values)
{
    size_t bytes = series->columns * sizeof *values;
    bool first = track_is_empty(&series->of[0]);
    CHECK(tick > series->tick);
    if (!first && memcmp(series->values, values, bytes) == 0)
        return false;
    if (first && before) {
        memcpy(series->values, before, bytes);
        track_add(&series->of[0], tick - 1, NULL, before, series->columns);
    }
    add_to_coarse(series, tick, values);
    track_add(&series->of[0], tick, series->values, values, series->columns);
    memcpy(series->values, values, bytes);
    series->tick = tick;
    series->gap_ms = gap_ms;
    for (unsigned i = 0; i < series->retention->tracks; i++) {
        uint64_t keep = series->retention->of[i].keep;
        track_drop(&series->of[i], tick > keep ? tick - keep : 0);
    }
    return true;
}

/* ---- Reading. */

/* The track that goes back farthest. */
static unsigned oldest(const struct series *series)
{
    unsigned found = 0;
    for (unsigned i = 1; i < series->retention->tracks; i++)
        if (!track_is_empty(&series->of[i]) &&
            series->of[i].first_tick < series->of[found].first_tick)
            found = i;
    return found;
}

void series_read(const struct series *series, uint64_t first_ms, uint64_t step_ms, size_t count,
                 uint64_t *out)
{
    unsigned columns = series->columns, at = oldest(series);
    size_t bytes = columns * sizeof *out;
    struct track_cursor cursor;
    track_read(&series->of[at], &cursor);
    for (size_t i = 0; i < count; i++, out += columns) {
        uint64_t ms = first_ms + i * step_ms, tick = ms / SERIES_TICK_MS;
        if (ms < series->born_ms) {
            memset(out, 0, bytes);
        } else if (tick >= series->tick) {
            memcpy(out, series->values, bytes);
        } else {
            while (at && !track_is_empty(&series->of[at - 1]) &&
                   series->of[at - 1].first_tick <= tick)
                track_read(&series->of[--at], &cursor);
            track_read_to(&cursor, tick);
            memcpy(out, cursor.values, bytes);
        }
    }
}
