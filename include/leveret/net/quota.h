/* A quota of sockets: how many of a kind are open, and how many may be, so that some of the
 * process's descriptors are left for the disk.
 *
 * Thread: any. */
#ifndef LEVERET_NET_QUOTA_H
#define LEVERET_NET_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>

struct quota {
    atomic_uint open, max; /* max may change at any time; sockets that are open stay so */
};

/* Counts a socket that was accepted. Returns false, counting nothing, when max are open already:
 * the caller has to close it. */
static inline bool quota_take(struct quota *quota)
{
    unsigned max = atomic_load_explicit(&quota->max, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&quota->open, 1, memory_order_relaxed) < max)
        return true;
    atomic_fetch_sub_explicit(&quota->open, 1, memory_order_relaxed);
    return false;
}

/* A socket that was counted has been closed. quota may be NULL: then nothing is counted. */
static inline void quota_give(struct quota *quota)
{
    if (quota)
        atomic_fetch_sub_explicit(&quota->open, 1, memory_order_relaxed);
}

#endif
