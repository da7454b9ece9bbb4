/* Loads without messages: idle connections, and objects made and deleted again. Thread: the main
 * thread. */
#ifndef LEVERET_PERF_ROUNDS_H
#define LEVERET_PERF_ROUNDS_H

#include "options.h"

/* Each function returns the program's exit status. */
int rounds_idle(const struct options *options);
int rounds_churn(const struct options *options);

#endif
