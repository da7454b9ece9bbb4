/* A track: the samples of one object at one resolution, packed. A sample is a row of numbers at a
 * tick, and a tick is one sampling interval. The first row is kept whole; each later row is kept as
 * its difference from the row before, and a row that would be equal to the one before is not kept.
 * So a busy object takes about 15 bytes a row, and an idle one nothing. Thread: one at a time. */
#ifndef LEVERET_ADMIN_TRACK_H
#define LEVERET_ADMIN_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers that a row may have. */
#define TRACK_COLUMNS_MAX 24u

struct track {
    uint8_t *bytes;          /* rows, from bytes[from] up to bytes[to] */
    uint32_t from, to, room; /* room: bytes allocated */
    uint32_t last_row;       /* where the last row begins; equal to from: it is the first row */
    uint64_t first_tick, last_tick; /* of the first and the last row */
};

/* An empty track is all zeros. */
void track_free(struct track *track);
static inline bool track_is_empty(const struct track *track)
{
    return track->from == track->to;
}

/* Adds a row. before: the values of the last row, NULL when the track is empty. tick: above that of
 * the last row. A row without a difference is not kept. */
void track_add(struct track *track, uint64_t tick, const uint64_t *before, const uint64_t *values,
               unsigned columns);
/* Drops rows from the front as long as the row behind them is not after the tick: the value at that
 * tick, and at all later ones, can still be read. */
void track_drop(struct track *track, uint64_t tick);

/* Reads the rows, from the first one on. */
struct track_cursor {
    const struct track *track;
    uint32_t at;                        /* where the next row begins */
    uint64_t tick, next_tick;           /* of the row that was read last, and of the next one;
                                           next_tick is UINT64_MAX when there is none */
    uint64_t values[TRACK_COLUMNS_MAX]; /* the row that was read last */
};
/* Begins to read, and reads the first row. The track must have one, and must not change meanwhile.
 */
void track_read(const struct track *track, struct track_cursor *cursor);
/* Reads the rows up to this tick. */
void track_read_to(struct track_cursor *cursor, uint64_t tick);
/* Fills growth with how much each number of the last row is above that of the row before, modulo
 * 2^64; with 0 when the last row is the first one. */
void track_growth(const struct track *track, uint64_t *growth, unsigned columns);

#endif
