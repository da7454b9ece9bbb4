/* Time. Any thread. The core is handed the time; only loops and programs ask. */
#ifndef LEVERET_BASE_CLOCK_H
#define LEVERET_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds and nanoseconds that only grow, from an arbitrary start. */
uint64_t clock_steady_ms(void);
uint64_t clock_steady_ns(void);
/* Milliseconds since 1970-01-01 UTC. */
uint64_t clock_wall_ms(void);

#endif
