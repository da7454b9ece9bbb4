/* Allocation. Thread: any.
 *
 * Memory whose size an outsider decides (bodies, tables, listings) comes from mem_try and its
 * failure is an ordinary error. Bookkeeping of a known small size comes from mem_need: when even
 * that fails, the program prints a line and aborts; confirmed messages are on disk. Memory of both
 * is freed with free(). */
#ifndef LEVERET_BASE_MEM_H
#define LEVERET_BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

/* Uninitialised memory, or NULL. */
void *mem_try(size_t bytes) __attribute__((malloc, warn_unused_result));

/* As mem_need_array, but returns NULL, leaving old as it was, when there is no memory or count *
 * element_bytes overflows. */
void *mem_try_array(void *old, size_t count, size_t element_bytes)
    __attribute__((warn_unused_result));

/* Zeroed memory, never NULL. */
void *mem_need(size_t bytes) __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Grows (or shrinks) an array to count elements; never NULL, even when count is 0. New elements are
 * not initialised. Aborts on overflow of count * element_bytes. */
void *mem_need_array(void *old, size_t count, size_t element_bytes)
    __attribute__((returns_nonnull, warn_unused_result));

/* Ends the program as mem_need does: for an allocation that is too small, and made too late, to be
 * refused. */
void mem_give_up(size_t bytes) __attribute__((noreturn, cold));

/* A zero-ended copy of len bytes; never NULL. */
char *mem_need_text(const void *at, size_t len) __attribute__((malloc, returns_nonnull));

#endif
