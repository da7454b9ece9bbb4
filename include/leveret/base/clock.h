/* The time. Only loops and programs ask for it: the core is told the time by its caller. Thread:
 * any. */
#ifndef LEVERET_BASE_CLOCK_H
#define LEVERET_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds and nanoseconds since an arbitrary moment. They never go back. */
uint64_t clock_steady_ms(void);
uint64_t clock_steady_ns(void);
/* Milliseconds since 1970-01-01 UTC. */
uint64_t clock_wall_ms(void);

#endif
