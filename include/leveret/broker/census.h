/* How many queues and exchanges all vhosts of the node have together, and how many they may have.
 * Each vhost counts its own in and out. Thread: any.
 *
 * A limit is asked about before an object is made. Workers that ask at the same moment may each
 * make one, so the limit can be passed by one for each worker, as in RabbitMQ. */
#ifndef LEVERET_BROKER_CENSUS_H
#define LEVERET_BROKER_CENSUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct census {
    _Atomic uint64_t queues, exchanges;
    _Atomic uint64_t queues_max, exchanges_max; /* one more is refused; UINT64_MAX: no limit */
};

/* Adds to a count; census NULL: nothing is counted. change: how many have come, or gone when it is
 * negative. */
static inline void census_queues(struct census *census, int64_t change)
{
    if (census)
        atomic_fetch_add_explicit(&census->queues, (uint64_t)change, memory_order_relaxed);
}

static inline void census_exchanges(struct census *census, int64_t change)
{
    if (census)
        atomic_fetch_add_explicit(&census->exchanges, (uint64_t)change, memory_order_relaxed);
}

/* Whether one more would be too many; *max is then the limit. */
static inline bool census_queues_full(struct census *census, uint64_t *max)
{
    *max = census ? atomic_load_explicit(&census->queues_max, memory_order_relaxed) : UINT64_MAX;
    return *max != UINT64_MAX &&
           atomic_load_explicit(&census->queues, memory_order_relaxed) >= *max;
}

static inline bool census_exchanges_full(struct census *census, uint64_t *max)
{
    *max = census ? atomic_load_explicit(&census->exchanges_max, memory_order_relaxed) : UINT64_MAX;
    return *max != UINT64_MAX &&
           atomic_load_explicit(&census->exchanges, memory_order_relaxed) >= *max;
}

#endif
