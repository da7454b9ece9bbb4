/* Messages in order of their due time: a binary heap of small entries. Of two that are due at the
 * same time the one that was published first goes first, which is the one with the longer delay.
 * Thread: the vhost's owner. */
#ifndef BROKER_DUE_H
#define BROKER_DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bucket;

struct due {
    uint64_t due_ms;   /* wall clock */
    uint32_t delay_ms; /* UINT32_MAX: so long or longer */
    uint32_t order;    /* of those with the same times: the order of their buckets */
    uint64_t seq;      /* in the bucket's lane; DUE_STREAM: all of the bucket, from the head */
    struct bucket *bucket;
};
#define DUE_STREAM UINT64_MAX

/* An empty one is all zeros. */
struct due_heap {
    struct due *at;
    size_t count, room;
};
void due_free(struct due_heap *heap);
void due_push(struct due_heap *heap, const struct due *due);
/* Takes the first out; there must be one. */
struct due due_pop(struct due_heap *heap);

/* The first, or NULL; valid until the heap changes. */
static inline const struct due *due_first(const struct due_heap *heap)
{
    return heap->count ? &heap->at[0] : NULL;
}

#endif
