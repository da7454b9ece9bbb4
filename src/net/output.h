/* What a connection has to write: bytes in blocks of the worker's pool, and references into
 * messages, in order. Only for src/net.
 *
 * Thread: the worker's. An empty output holds no memory. */
#ifndef LEVERET_NET_OUTPUT_H
#define LEVERET_NET_OUTPUT_H

#include <stdbool.h>
#include <sys/uio.h>

#include "leveret/base/message.h"

struct output_block;
struct output_segments;

/* Blocks that are free, shared by a worker's connections. */
struct output_pool {
    struct output_block *small, *large;
    size_t small_count, large_count;
    size_t allocated_bytes; /* of all blocks that there are: free ones, and those in outputs */
};
/* An empty pool is all zeros. */
void output_pool_clear(struct output_pool *pool);

struct output {
    size_t bytes;                         /* in all */
    struct output_segments *first, *last; /* NULL when empty */
    struct output_block *tail;            /* being filled */
    bool was_large; /* the last filling did not fit a small block: begin with a large one */
};
/* An empty output is all zeros. */

/* Room for bytes in one piece, never NULL; valid until the next call. */
uint8_t *output_reserve(struct output *output, struct output_pool *pool, size_t bytes);
/* The first bytes of what was reserved are part of the output now. */
void output_commit(struct output *output, struct output_pool *pool, size_t bytes);
/* Takes a reference on message until the bytes, which lie in it, have been consumed. */
void output_append(struct output *output, struct output_pool *pool, struct message *message,
                   struct bytes bytes);

/* Fills at most max parts with what comes first; returns how many, and their sum in *bytes. */
int output_gather(const struct output *output, struct iovec *parts, int max, size_t *bytes);
/* The first bytes have been written. */
void output_consume(struct output *output, struct output_pool *pool, size_t bytes);
/* Drops everything. */
void output_clear(struct output *output, struct output_pool *pool);

#endif
