/* Ranges: the samples that a request asks for, by "lengths_age" and "lengths_incr" and the like.
 * Thread: any. */
#ifndef LEVERET_ADMIN_RANGES_H
#define LEVERET_ADMIN_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/status.h"

/* Samples that a range may have; a request for more is answered 400. */
#define RANGE_SAMPLES_MAX 10000u

enum range_kind {
    RANGE_LENGTHS, /* lengths of queues */
    RANGE_RATES,   /* message_stats */
    RANGE_DATA,    /* bytes of connections */
    RANGE_NODE,    /* the node's figures, and what comes and goes */
    RANGE_KINDS
};

struct sample_range {
    uint32_t age_s, incr_s; /* incr_s 0: no samples are asked for */
};

struct sample_ranges {
    struct sample_range of[RANGE_KINDS];
};

/* The query's parameters of a kind: "lengths_age" … */
extern const char *const range_age_names[RANGE_KINDS], *const range_incr_names[RANGE_KINDS];

/* Reads a range from the texts of the two parameters, NULL where one is missing. Errors: MALFORMED:
 * one of them is missing or no number, the increment is 0, or there would be too many samples. */
MUST_USE enum status range_read(const char *age, const char *incr, struct sample_range *out);

/* How many samples the range has; 0: none is asked for. */
static inline size_t range_count(const struct sample_range *range)
{
    return range->incr_s ? range->age_s / range->incr_s + 1 : 0;
}
/* When its last sample is, given the end of the last interval that was sampled: a multiple of
 * incr_s. In milliseconds. */
static inline uint64_t range_last_ms(const struct sample_range *range, uint64_t end_ms)
{
    uint64_t step_ms = range->incr_s * UINT64_C(1000);
    return end_ms / step_ms * step_ms;
}

#endif
