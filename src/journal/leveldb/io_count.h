/* Counts of reads, writes and syncs of a journal's files, with the bytes and the time that they
 * took (struct journal_io). Thread: any. */
#ifndef LEVERET_JOURNAL_IO_COUNT_H
#define LEVERET_JOURNAL_IO_COUNT_H

#include <stdatomic.h>

#include "leveret/base/clock.h"

struct io_count {
    atomic_uint_fast64_t count, bytes, us;
};

/* Counts one operation that began at begin_ns (clock_steady_ns) and is over now. */
static inline void io_count_add(struct io_count *io, uint64_t begin_ns, uint64_t bytes)
{
    atomic_fetch_add_explicit(&io->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&io->bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&io->us, (clock_steady_ns() - begin_ns) / 1000, memory_order_relaxed);
}

/* Copies the count; the pointers may be NULL. */
static inline void io_count_get(const struct io_count *io, uint64_t *count, uint64_t *bytes,
                                uint64_t *us)
{
    *count = atomic_load_explicit(&io->count, memory_order_relaxed);
    if (bytes)
        *bytes = atomic_load_explicit(&io->bytes, memory_order_relaxed);
    *us = atomic_load_explicit(&io->us, memory_order_relaxed);
}

#endif
