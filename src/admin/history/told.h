/* What is told of an object beside its numbers: rates, and the samples that a request asks for.
 * Thread: the main thread. */
#ifndef LEVERET_ADMIN_TOLD_H
#define LEVERET_ADMIN_TOLD_H

#include "admin/history/ranges.h"
#include "admin/history/track.h"

struct told_samples {
    size_t count;     /* 0: none are asked for */
    uint64_t last_ms; /* when the newest is; each is incr_s before the next newer one */
    struct sample_range range;
    uint64_t *values; /* the oldest first: columns of them for each time */
};
struct told {
    unsigned columns;
    double rates[TRACK_COLUMNS_MAX]; /* growth in a second, over the last whole interval */
    struct told_samples of[RANGE_KINDS];
};
/* Adds what is told of one object to the sum; both were told with the same ranges and end. */
void told_add(struct told *sum, const struct told *more);
void told_free(struct told *told);

/* Sums over the samples of one column: the newest less the oldest by the age, and the mean. The
 * samples must not be none. */
double told_avg_rate(const struct told *told, enum range_kind range, unsigned column);
double told_avg(const struct told *told, enum range_kind range, unsigned column);

#endif
