/* A quota of sockets: how many of a kind are open, and how many may be, so that others of the
 * process's descriptors are left for the disk. Any thread. */
#ifndef LEVERET_NET_QUOTA_H
#define LEVERET_NET_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>

struct quota {
    atomic_uint open, max; /* max may change at any time; what is open already stays */
};

/* Counts a socket that has been accepted. False, counting nothing: there are as many as may be, and
 * it is to be closed. */
static inline bool quota_take(struct quota *quota)
{
    unsigned max = atomic_load_explicit(&quota->max, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&quota->open, 1, memory_order_relaxed) < max)
        return true;
    atomic_fetch_sub_explicit(&quota->open, 1, memory_order_relaxed);
    return false;
}

/* A socket of it has been closed. quota may be NULL: nothing is counted. */
static inline void quota_give(struct quota *quota)
{
    if (quota)
        atomic_fetch_sub_explicit(&quota->open, 1, memory_order_relaxed);
}

#endif
