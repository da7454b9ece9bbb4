/* A series: the samples of one object, at several resolutions. Thread: one at a time.
 *
 * Normal course: series_add is told the object's numbers at a tick, but only when they have changed
 * since the tick before. The finest track gets each sample; a coarser one gets what the numbers
 * were at each multiple of its step. A number that is asked for comes from the finest track that
 * goes back far enough. */
#ifndef LEVERET_ADMIN_SERIES_H
#define LEVERET_ADMIN_SERIES_H

#include "admin/history/track.h"

/* A tick is so many milliseconds; tick n is at n * SERIES_TICK_MS of the wall clock. */
#define SERIES_TICK_MS 5000u

/* The resolutions that are kept, the finest first, whose step is 1. In ticks. */
#define RETENTION_TRACKS_MAX 4u
struct retention {
    unsigned tracks;
    struct {
        uint32_t step, keep;
    } of[RETENTION_TRACKS_MAX];
};

struct series {
    const struct retention *retention;
    uint64_t born_ms;  /* wall clock; the object's numbers before it are 0 */
    uint64_t tick;     /* of the last sample */
    uint64_t gap_ms;   /* how long the growth of the last sample took; 0: that is not known */
    uint8_t columns;   /* numbers of a sample */
    uint64_t *values;  /* of the last sample */
    struct track of[]; /* retention->tracks of them; behind them stands what values points to */
};

/* Makes a series without samples; retention must outlive it. Never NULL. */
struct series *series_new(const struct retention *retention, unsigned columns, uint64_t born_ms);
void series_free(struct series **series);
/* The bytes that it takes. */
size_t series_bytes(const struct series *series);

/* Adds a sample. tick: above that of the last one. gap_ms: how long ago the sample before would
 * have been taken, had it been taken at the tick before. before: for the first sample, the numbers
 * at the tick before; NULL: they are not known. Returns false, and changes nothing, when no number
 * has changed. */
bool series_add(struct series *series, uint64_t tick, uint64_t gap_ms, const uint64_t *before,
                const uint64_t *values);

/* Fills out with the numbers at `count` times, ascending from first_ms in steps of step_ms: columns
 * of them for each time. What is older than all that is kept is told as the oldest that is kept. */
void series_read(const struct series *series, uint64_t first_ms, uint64_t step_ms, size_t count,
                 uint64_t *out);

#endif
