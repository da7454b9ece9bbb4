/* What a connection has to write: bytes in blocks of the worker's pool, and references into
 * messages, in order. An empty output holds no memory. For the files of net/ only.
 *
 * Thread: the worker's loop. */
#ifndef LEVERET_NET_OUTPUT_H
#define LEVERET_NET_OUTPUT_H

#include <stdbool.h>
#include <sys/uio.h>

#include "leveret/base/message.h"

struct output_block;
struct output_segments;

/* Free blocks, which a worker's connections share. An empty pool is all zeros. */
struct output_pool {
    struct output_block *small, *large;
    size_t small_count, large_count;
    size_t allocated_bytes; /* of all blocks, both free ones and those in outputs */
};
/* Frees the free blocks. */
void output_pool_clear(struct output_pool *pool);

/* An empty output is all zeros. */
struct output {
    size_t bytes;                         /* in all */
    struct output_segments *first, *last; /* NULL when empty */
    struct output_block *tail;            /* being filled */
    bool
        was_large; /* the last output did not fit a small block: the next begins with a large one */
};

/* Reserves room for bytes in one piece. Never NULL; valid until the next call. */
uint8_t *output_reserve(struct output *output, struct output_pool *pool, size_t bytes);
/* Makes the first bytes of the reserved room a part of the output. */
void output_commit(struct output *output, struct output_pool *pool, size_t bytes);
/* Appends bytes that lie in a message, and holds a reference to it until they have been consumed.
 */
void output_append(struct output *output, struct output_pool *pool, struct message *message,
                   struct bytes bytes);

/* Fills at most max parts with the beginning of the output. Returns how many, and the sum of their
 * bytes in *bytes. */
int output_gather(const struct output *output, struct iovec *parts, int max, size_t *bytes);
/* Drops the first bytes, which have been written. */
void output_consume(struct output *output, struct output_pool *pool, size_t bytes);
/* Drops everything. */
void output_clear(struct output *output, struct output_pool *pool);

#endif
