/* The figures that are counted under load.
 *
 * Thread: each load thread writes its own; main reads them all meanwhile (relaxed atomics: a figure
 * may be a moment old, none is torn). */
#ifndef LEVERET_PERF_FIGURES_H
#define LEVERET_PERF_FIGURES_H

#include "histogram.h"

enum figure {
    FIGURE_SENT, /* messages whose last byte the kernel has taken */
    FIGURE_CONFIRMED,
    FIGURE_NACKED,
    FIGURE_RETURNED,
    FIGURE_RECEIVED, /* messages that were received completely */
    FIGURE_REDELIVERED,
    FIGURE_BLOCKED, /* connection.blocked notices */
    FIGURE_COUNT
};

struct figures {
    _Atomic uint64_t counts[FIGURE_COUNT];
    struct histogram latency;         /* from publishing to delivery */
    struct histogram confirm_latency; /* from publishing to the confirm */
};

static inline void figure_add(struct figures *figures, enum figure figure, uint64_t n)
{
    uint64_t old = atomic_load_explicit(&figures->counts[figure], memory_order_relaxed);
    atomic_store_explicit(&figures->counts[figure], old + n, memory_order_relaxed);
}

/* The sums of all threads' figures at one moment. */
struct figures_sum {
    uint64_t at_ns;
    uint64_t counts[FIGURE_COUNT];
    struct histogram_sum latency, confirm_latency;
};

#endif
