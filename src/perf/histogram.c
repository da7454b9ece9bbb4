/* Reading histograms; recording is inline in the header. */
#include "histogram.h"

/* The value in the middle of a bucket's range. */
static uint64_t bucket_value(unsigned bucket)
{
    unsigned row = bucket / HISTOGRAM_STEPS, step = bucket % HISTOGRAM_STEPS;
    if (row == 0)
        return step;
    unsigned shift = row - 1;
    return ((uint64_t)(HISTOGRAM_STEPS + step) << shift) + ((uint64_t)1 << shift) / 2;
}

void histogram_add(struct histogram_sum *sum, const struct histogram *histogram)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        sum->counts[i] += n;
        sum->total += n;
    }
}

void histogram_subtract(struct histogram_sum *sum, const struct histogram_sum *earlier)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->counts[i] -= earlier->counts[i];
    sum->total -= earlier->total;
}

uint64_t histogram_quantile(const struct histogram_sum *sum, double part)
{
    if (sum->total == 0)
        return 0;
    double want = part * (double)sum->total;
    uint64_t seen = 0;
    unsigned last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (!sum->counts[i])
            continue;
        seen += sum->counts[i];
        last = i;
        if ((double)seen >= want)
            break;
    }
    return bucket_value(last);
}
