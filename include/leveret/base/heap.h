/* A binary min-heap of nodes that live inside the caller's structures. Thread: one at a time. */
#ifndef LEVERET_BASE_HEAP_H
#define LEVERET_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    uint64_t key;
    size_t place; /* index in the heap from 1 up; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count, room;
};

/* An empty heap is all zeros. */
void heap_free(struct heap *heap);

/* Inserts a node or moves one that is in this heap to its new key. O(log n). */
void heap_set(struct heap *heap, struct heap_node *node, uint64_t key);
/* Removes a node; does nothing when it is in no heap. O(log n). */
void heap_remove(struct heap *heap, struct heap_node *node);
/* The node with the lowest key, or NULL. O(1). */
struct heap_node *heap_first(const struct heap *heap);

static inline bool heap_holds(const struct heap_node *node)
{
    return node->place != 0;
}

#endif
