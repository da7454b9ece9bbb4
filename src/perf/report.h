/* Prints the results of a run, as lines for a person and as JSON for a program. Thread: the main
 * thread. */
#ifndef LEVERET_PERF_REPORT_H
#define LEVERET_PERF_REPORT_H

#include "figures.h"
#include "options.h"
#include "process.h"

struct report {
    const struct options *options;
    double seconds;         /* length of the load without the warm-up */
    double publish_seconds; /* until the broker had taken the last publish */
    double receive_seconds; /* until the last delivery, or the end of the time */
    const struct figures_sum *figures;
    double load_cpu_s; /* CPU time of leveret-perf's load threads */
    bool have_broker;
    /* The broker's cost at the beginning and the end. */
    struct process_cost broker_before, broker_after;
};

/* Prints one line for the interval between two sums. */
void report_live(const struct report *report, double at_s, const struct figures_sum *before,
                 const struct figures_sum *after);
/* Prints the result of a load: text, and JSON where the options ask for it. Errors: IO. */
MUST_USE enum status report_load(const struct report *report);

/* The result of idle connections or churn: count objects in seconds. */
struct report_rounds {
    const char *what; /* "connections", "queues" … */
    uint64_t count;
    const struct histogram_sum *latency; /* time of a round; NULL: not measured */
};
MUST_USE enum status report_rounds(const struct report *report, const struct report_rounds *rounds);

#endif
