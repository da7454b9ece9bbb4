/* Tracks: see track.h. A row consists of numbers of 7 bits a byte, the lowest first, where the top
 * bit says that more follow: the ticks since the row before (0 in the first row), a mask of the
 * columns that differ, and for each of those the difference, with its sign in the lowest bit. The
 * first row is the difference from zeros. */
#include "admin/history/track.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Bytes of a number of 64 bits, and of the longest row. */
#define NUMBER_BYTES_MAX 10u
#define ROW_BYTES_MAX    ((2 + TRACK_COLUMNS_MAX) * NUMBER_BYTES_MAX)
/* Bytes that a track has room for at first. */
#define ROOM_MIN 64u

void track_free(struct track *track)
{
    free(track->bytes);
    *track = (struct track){0};
}

/* ---- Numbers. */

static uint8_t *put(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static uint64_t get(const struct track *track, uint32_t *at)
{
    uint64_t number = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = track->bytes[(*at)++];
        number |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return number;
}

/* A difference with its sign in the lowest bit, so that small falls are short as well. */
static uint64_t fold(uint64_t difference)
{
    return difference << 1 ^ (difference >> 63 ? ~UINT64_C(0) : 0);
}

static uint64_t unfold(uint64_t folded)
{
    return folded >> 1 ^ (folded & 1 ? ~UINT64_C(0) : 0);
}

/* ---- Rows. */

/* Writes a row; returns its end. */
static uint8_t *put_row(uint8_t *at, uint64_t gap, const uint64_t *differences, unsigned columns)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < columns; i++)
        if (differences[i])
            mask |= UINT64_C(1) << i;
    at = put(put(at, gap), mask);
    for (unsigned i = 0; i < columns; i++)
        if (differences[i])
            at = put(at, fold(differences[i]));
    return at;
}

/* Adds the differences of the row at *at to values; returns the row's gap. */
static uint64_t get_row(const struct track *track, uint32_t *at, uint64_t *values)
{
    uint64_t gap = get(track, at);
    for (uint64_t mask = get(track, at); mask; mask &= mask - 1)
        values[__builtin_ctzll(mask)] += unfold(get(track, at));
    return gap;
}

static void make_room(struct track *track, uint32_t bytes)
{
    uint32_t used = track->to - track->from;
    if (track->room - track->to >= bytes)
        return;
    if (track->from && track->room - used >= bytes && track->from >= track->room / 2) {
        memmove(track->bytes, track->bytes + track->from, used);
    } else {
        uint32_t room = (used + bytes) + (used + bytes) / 4;
        uint8_t *grown = mem_need(room < ROOM_MIN ? ROOM_MIN : room);
        if (used)
            memcpy(grown, track->bytes + track->from, used);
        free(track->bytes);
        track->bytes = grown;
        track->room = room < ROOM_MIN ? ROOM_MIN : room;
    }
    track->last_row -= track->from;
    track->from = 0;
    track->to = used;
}

void track_add(struct track *track, uint64_t tick, const uint64_t *before, const uint64_t *values,
               unsigned columns)
{
    uint64_t differences[TRACK_COLUMNS_MAX];
    uint8_t row[ROW_BYTES_MAX];
    bool first = track_is_empty(track), any = first;
    CHECK(columns <= TRACK_COLUMNS_MAX && (first || tick > track->last_tick));
    for (unsigned i = 0; i < columns; i++) {
        differences[i] = values[i] - (first ? 0 : before[i]);
        any |= differences[i] != 0;
    }
    if (!any)
        return;
    uint32_t len =
        (uint32_t)(put_row(row, first ? 0 : tick - track->last_tick, differences, columns) - row);
    make_room(track, len);
    memcpy(track->bytes + track->to, row, len);
    track->last_row = track->to;
    track->to += len;
    track->last_tick = tick;
    if (first)
        track->first_tick = tick;
}

/* Merges the first two rows into one, at the place where the second one ends. That one is never
 * longer than both: a sum has at most one byte more than the longer of its two parts. */
static void merge_first(struct track *track, uint32_t second, uint32_t end)
{
    uint64_t values[TRACK_COLUMNS_MAX] = {0};
    uint8_t row[ROW_BYTES_MAX];
    uint32_t at = track->from;
    (void)get_row(track, &at, values);
    uint64_t gap = get_row(track, &at, values);
    uint32_t len = (uint32_t)(put_row(row, 0, values, TRACK_COLUMNS_MAX) - row);
    CHECK(len <= end - track->from);
    if (track->last_row == second)
        track->last_row = end - len;
    track->from = end - len;
    memcpy(track->bytes + track->from, row, len);
    track->first_tick += gap;
}

void track_drop(struct track *track, uint64_t tick)
{
    while (!track_is_empty(track) && track->last_row != track->from) {
        uint64_t ignored[TRACK_COLUMNS_MAX] = {0};
        uint32_t at = track->from;
        (void)get_row(track, &at, ignored);
        uint32_t second = at;
        if (track->first_tick + get_row(track, &at, ignored) > tick)
            return;
        merge_first(track, second, at);
    }
}

/* ---- Reading. */

static void look_ahead(struct track_cursor *cursor)
{
    uint32_t at = cursor->at;
    cursor->next_tick =
        at == cursor->track->to ? UINT64_MAX : cursor->tick + get(cursor->track, &at);
}

void track_read(const struct track *track, struct track_cursor *cursor)
{
    CHECK(!track_is_empty(track));
    *cursor = (struct track_cursor){.track = track, .at = track->from, .tick = track->first_tick};
    (void)get_row(track, &cursor->at, cursor->values);
    look_ahead(cursor);
}

void track_read_to(struct track_cursor *cursor, uint64_t tick)
{
    while (cursor->next_tick <= tick) {
        cursor->tick += get_row(cursor->track, &cursor->at, cursor->values);
        look_ahead(cursor);
    }
}

void track_growth(const struct track *track, uint64_t *growth, unsigned columns)
{
    uint64_t row[TRACK_COLUMNS_MAX] = {0};
    uint32_t at = track->last_row;
    if (!track_is_empty(track) && track->last_row != track->from)
        (void)get_row(track, &at, row);
    memcpy(growth, row, columns * sizeof *growth);
}
