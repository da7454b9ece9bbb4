/* The queue of bytes that a connection has to write.
 *
 * Normal course: output_reserve finds room in the tail block; output_commit lengthens the last
 * segment, so that a turn's many small frames are one segment; output_append adds a segment that
 * points into a message. Flushing gathers segments and consumes the bytes that the kernel took; a
 * block goes back to the pool when all of its bytes have gone. Segments lie in arrays that are
 * small blocks of the same pool. The pool hands out the block that came back last, which is still
 * in the cache. What can go wrong: a reservation does not fit a large block: it gets a block of its
 * own. No memory: mem_need aborts; the owners of connections bound what they queue. */
#include "output.h"

#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Bytes of a block, with its head. Most connections write a few frames at a time: a small block
 * will do for them. A reservation above LARGE_BYTES gets a block that is freed after use. */
#define SMALL_BYTES 4096u
#define LARGE_BYTES (64u * 1024 + 64)
/* Free blocks that a pool keeps: 4 MiB of small ones, 8 MiB of large ones. It frees any more. */
#define SMALL_KEPT_MAX 1024u
#define LARGE_KEPT_MAX 128u

struct output_block {
    struct output_block *next; /* in the pool */
    uint32_t capacity;         /* bytes in data */
    uint32_t filled;           /* bytes committed since it was taken from the pool */
    uint32_t pending;          /* bytes of these that are not consumed yet */
    _Alignas(16) uint8_t data[];
};

/* Bytes that lie in a block (then message is NULL) or in a message (then block is NULL). */
struct output_segment {
    const uint8_t *at;
    size_t len;
    struct output_block *block;
    struct message *message;
};

/* An array of segments, which fills a small block. */
struct output_segments {
    struct output_segments *next;
    uint32_t from, to; /* the part of all that is in use */
    struct output_segment all[];
};
/* Segments of one such array. For one more another is taken. */
#define SEGMENTS_MAX                                                                               \
    ((uint32_t)((SMALL_BYTES - sizeof(struct output_block) - sizeof(struct output_segments)) /     \
                sizeof(struct output_segment)))

static struct output_block *take_block(struct output_pool *pool, size_t bytes)
{
    struct output_block *block;
    if (bytes <= SMALL_BYTES) {
        bytes = SMALL_BYTES;
        block = pool->small;
        if (block) {
            pool->small = block->next;
            pool->small_count--;
        }
    } else if (bytes <= LARGE_BYTES) {
        bytes = LARGE_BYTES;
        block = pool->large;
        if (block) {
            pool->large = block->next;
            pool->large_count--;
        }
    } else {
        block = NULL;
    }
    if (!block) {
        block = mem_need_array(NULL, bytes, 1); /* unlike mem_need, not zeroed */
        block->capacity = (uint32_t)(bytes - sizeof *block);
        pool->allocated_bytes += bytes;
    }
    block->filled = block->pending = 0;
    return block;
}

static void give_block(struct output_pool *pool, struct output_block *block)
{
    size_t bytes = block->capacity + sizeof *block;
    if (bytes == SMALL_BYTES && pool->small_count < SMALL_KEPT_MAX) {
        block->next = pool->small;
        pool->small = block;
        pool->small_count++;
    } else if (bytes == LARGE_BYTES && pool->large_count < LARGE_KEPT_MAX) {
        block->next = pool->large;
        pool->large = block;
        pool->large_count++;
    } else {
        pool->allocated_bytes -= bytes;
        free(block);
    }
}

static void free_list(struct output_block *block)
{
    while (block) {
        struct output_block *next = block->next;
        free(block);
        block = next;
    }
}

void output_pool_clear(struct output_pool *pool)
{
    free_list(pool->small);
    free_list(pool->large);
    *pool = (struct output_pool){0};
}

/* ---- Segments */

static struct output_segment *last_segment(const struct output *output)
{
    const struct output_segments *segments = output->last;
    return segments && segments->from < segments->to ? &output->last->all[segments->to - 1] : NULL;
}

static struct output_segments *segments_in(struct output_block *block)
{
    return (struct output_segments *)(void *)block->data;
}

static struct output_segment *add_segment(struct output *output, struct output_pool *pool)
{
    struct output_segments *segments = output->last;
    if (!segments || segments->to == SEGMENTS_MAX) {
        segments = segments_in(take_block(pool, SMALL_BYTES));
        segments->next = NULL;
        segments->from = segments->to = 0;
        if (output->last)
            output->last->next = segments;
        else
            output->first = segments;
        output->last = segments;
    }
    return &segments->all[segments->to++];
}

static void give_first_segments(struct output *output, struct output_pool *pool)
{
    struct output_segments *segments = output->first;
    output->first = segments->next;
    if (!output->first)
        output->last = NULL;
    give_block(pool, (struct output_block *)(void *)((uint8_t *)segments -
                                                     offsetof(struct output_block, data)));
}

/* ---- Filling */

uint8_t *output_reserve(struct output *output, struct output_pool *pool, size_t bytes)
{
    struct output_block *tail = output->tail;
    if (tail && bytes <= tail->capacity - tail->filled)
        return tail->data + tail->filled;
    CHECK(bytes <= UINT32_MAX / 2);
    /* A full tail block stays with the segments that point into it. */
    if (tail && tail->pending == 0)
        give_block(pool, tail);
    size_t wanted = bytes + sizeof *tail;
    if (wanted < LARGE_BYTES && (tail || output->was_large))
        wanted = LARGE_BYTES;
    if (tail)
        output->was_large = true;
    output->tail = take_block(pool, wanted);
    return output->tail->data;
}

void output_commit(struct output *output, struct output_pool *pool, size_t bytes)
{
    struct output_block *tail = output->tail;
    if (bytes == 0)
        return;
    CHECK(tail && bytes <= tail->capacity - tail->filled);
    struct output_segment *last = last_segment(output);
    if (last && last->block == tail) {
        last->len += bytes;
    } else {
        struct output_segment *segment = add_segment(output, pool);
        *segment = (struct output_segment){tail->data + tail->filled, bytes, tail, NULL};
    }
    tail->filled += (uint32_t)bytes;
    tail->pending += (uint32_t)bytes;
    output->bytes += bytes;
}

void output_append(struct output *output, struct output_pool *pool, struct message *message,
                   struct bytes bytes)
{
    if (bytes.len == 0)
        return;
    struct output_segment *segment = add_segment(output, pool);
    *segment = (struct output_segment){bytes.at, bytes.len, NULL, message_ref(message)};
    output->bytes += bytes.len;
}

/* ---- Emptying */

int output_gather(const struct output *output, struct iovec *parts, int max, size_t *bytes)
{
    int count = 0;
    size_t sum = 0;
    for (const struct output_segments *segments = output->first; segments && count < max;
         segments = segments->next)
        for (uint32_t i = segments->from; i < segments->to && count < max; i++) {
            const struct output_segment *segment = &segments->all[i];
            parts[count++] = (struct iovec){(void *)(size_t)segment->at, segment->len};
            sum += segment->len;
        }
    *bytes = sum;
    return count;
}

/* Takes len bytes from the front of a segment. */
static void consume_segment(struct output *output, struct output_pool *pool,
                            struct output_segment *segment, size_t len)
{
    segment->at += len;
    segment->len -= len;
    struct output_block *block = segment->block;
    if (block) {
        block->pending -= (uint32_t)len;
        if (block->pending == 0 && block != output->tail)
            give_block(pool, block);
    } else if (segment->len == 0) {
        message_unref(&segment->message);
    }
}

void output_consume(struct output *output, struct output_pool *pool, size_t bytes)
{
    CHECK(bytes <= output->bytes);
    output->bytes -= bytes;
    while (bytes > 0) {
        struct output_segments *segments = output->first;
        struct output_segment *segment = &segments->all[segments->from];
        size_t len = bytes < segment->len ? bytes : segment->len;
        bytes -= len;
        consume_segment(output, pool, segment, len);
        if (segment->len == 0 && ++segments->from == segments->to)
            give_first_segments(output, pool);
    }
    struct output_block *tail = output->tail;
    if (output->bytes == 0 && tail) {
        output->was_large = output->was_large && tail->filled > SMALL_BYTES;
        output->tail = NULL;
        give_block(pool, tail);
    }
}

void output_clear(struct output *output, struct output_pool *pool)
{
    output_consume(output, pool, output->bytes);
    if (output->tail) /* reserved, never committed */
        give_block(pool, output->tail);
    *output = (struct output){0};
}
