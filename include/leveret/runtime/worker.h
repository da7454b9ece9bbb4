/* Workers: threads that run a loop each. Thread: the main thread. */
#ifndef LEVERET_RUNTIME_WORKER_H
#define LEVERET_RUNTIME_WORKER_H

#include "leveret/runtime/loop.h"

/* The number of workers; workers_new refuses more with LIMIT. */
#define WORKERS_MAX 256u

struct workers;

/* Makes count loops (1 to WORKERS_MAX); their threads start with workers_start. Errors: as
 * loop_new, LIMIT. */
MUST_USE enum status workers_new(unsigned count, struct workers **out);
/* Errors: IO (the system gives no thread). */
MUST_USE enum status workers_start(struct workers *workers);
/* Stops the loops and joins the threads. */
void workers_stop(struct workers *workers);
void workers_free(struct workers **workers);

unsigned workers_count(const struct workers *workers);
struct loop *workers_loop(const struct workers *workers, unsigned index);

#endif
