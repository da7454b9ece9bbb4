/* Messages in the order of their due times: a binary heap of small entries. Of two messages that
 * are due at the same time the one with the longer delay comes first, since it was published first.
 * Thread: the vhost's owner. */
#ifndef BROKER_DUE_H
#define BROKER_DUE_H

#include <stddef.h>
#include <stdint.h>

struct bucket;

struct due {
    uint64_t due_ms;   /* wall clock */
    uint32_t delay_ms; /* UINT32_MAX: this long or longer */
    uint32_t order;    /* the level of the bucket: of equal times the lower level comes first */
    uint64_t seq;      /* in the bucket's lane; DUE_STREAM: see there */
    struct bucket *bucket;
};
/* The seq of an entry that stands for all messages of its bucket, from the head on. */
#define DUE_STREAM UINT64_MAX

/* All zeros: it is empty. */
struct due_heap {
    struct due *at;
    size_t count, room;
};
void due_free(struct due_heap *heap);
void due_push(struct due_heap *heap, const struct due *due);
/* Takes the first entry out; there must be one. */
struct due due_pop(struct due_heap *heap);

/* The first entry, or NULL; valid until the heap changes. */
static inline const struct due *due_first(const struct due_heap *heap)
{
    return heap->count ? &heap->at[0] : NULL;
}

#endif
