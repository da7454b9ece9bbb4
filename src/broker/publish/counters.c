/* Sums of counters. See counters.h. */
#include "leveret/broker/counters.h"

const uint64_t counted_size_bytes[COUNTED_SIZES - 1] = {
    100, 1000, 10000, 100000, 1000000, 10000000, 50000000, 100000000,
};

static void add_words(uint64_t *sum, const uint64_t *more, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += more[i];
}

void counters_add_rates(struct rates *sum, const struct rates *more)
{
    add_words((uint64_t *)(void *)sum, (const uint64_t *)(const void *)more,
              sizeof *sum / sizeof(uint64_t));
}

void counters_add(struct counters *sum, const struct counters *more)
{
    add_words((uint64_t *)(void *)sum, (const uint64_t *)(const void *)more,
              sizeof *sum / sizeof(uint64_t));
}
