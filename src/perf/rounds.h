/* Loads that are not messages: idle connections, and things made and unmade. Thread: main's. */
#ifndef LEVERET_PERF_ROUNDS_H
#define LEVERET_PERF_ROUNDS_H

#include "options.h"

/* Each returns the program's exit status. */
int rounds_idle(const struct options *options);
int rounds_churn(const struct options *options);

#endif
