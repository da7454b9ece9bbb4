/* A histogram of times with three significant digits over the whole range: buckets grow with the
 * value (128 to each power of two), so that recording is a shift and an addition.
 *
 * Thread: one thread records; any may read meanwhile (the counts are relaxed atomics). */
#ifndef LEVERET_PERF_HISTOGRAM_H
#define LEVERET_PERF_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_STEP_BITS 7u
#define HISTOGRAM_STEPS     (1u << HISTOGRAM_STEP_BITS)
/* The longest time is 2^40 ns, 18 minutes; longer ones count as that. */
#define HISTOGRAM_BITS_MAX 40u
#define HISTOGRAM_BUCKETS  ((HISTOGRAM_BITS_MAX - HISTOGRAM_STEP_BITS + 1u) * HISTOGRAM_STEPS)

struct histogram {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS];
};

/* A sum of histograms, to read from; all zeros when empty. */
struct histogram_sum {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
};

/* The bucket of a time, and the shortest time in a bucket; nanoseconds. */
static inline unsigned histogram_bucket(uint64_t ns)
{
    if (ns < HISTOGRAM_STEPS)
        return (unsigned)ns;
    unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - HISTOGRAM_STEP_BITS;
    if (shift + HISTOGRAM_STEP_BITS >= HISTOGRAM_BITS_MAX)
        return HISTOGRAM_BUCKETS - 1;
    return (shift + 1) * HISTOGRAM_STEPS + (unsigned)((ns >> shift) - HISTOGRAM_STEPS);
}

static inline void histogram_record(struct histogram *histogram, uint64_t ns, uint64_t times)
{
    _Atomic uint64_t *count = &histogram->counts[histogram_bucket(ns)];
    uint64_t old = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, old + times, memory_order_relaxed);
}

/* Adds the present counts of a histogram to sum. */
void histogram_add(struct histogram_sum *sum, const struct histogram *histogram);
/* Subtracts an earlier sum of the same histograms. */
void histogram_subtract(struct histogram_sum *sum, const struct histogram_sum *earlier);
/* The time that the given part (0 to 1) of the entries does not exceed, in ns; 0 when empty. */
uint64_t histogram_quantile(const struct histogram_sum *sum, double part);

#endif
