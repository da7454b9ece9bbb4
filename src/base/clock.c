/* The system's clocks. */
#include "leveret/base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t which)
{
    struct timespec at;
    clock_gettime(which, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

uint64_t clock_steady_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_steady_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000u;
}

uint64_t clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000u;
}
