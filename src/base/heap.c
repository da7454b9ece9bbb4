/* The binary heap; node->place is the node's index, from 1 up. */
#include "leveret/base/heap.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

void heap_free(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}

static void put(struct heap *heap, size_t place, struct heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void sift(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    while (place > 1 && heap->nodes[place / 2 - 1]->key > node->key) {
        put(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;
        if (child > heap->count)
            break;
        if (child < heap->count && heap->nodes[child]->key < heap->nodes[child - 1]->key)
            child++;
        if (heap->nodes[child - 1]->key >= node->key)
            break;
        put(heap, place, heap->nodes[child - 1]);
        place = child;
    }
    put(heap, place, node);
}

void heap_set(struct heap *heap, struct heap_node *node, uint64_t key)
{
    node->key = key;
    if (!node->place) {
        if (heap->count == heap->room) {
            heap->room = heap->room ? heap->room * 2 : 16;
            heap->nodes = mem_need_array(heap->nodes, heap->room, sizeof *heap->nodes);
        }
        put(heap, ++heap->count, node);
    }
    sift(heap, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (!node->place)
        return;
    CHECK(node->place <= heap->count && heap->nodes[node->place - 1] == node);
    struct heap_node *last = heap->nodes[--heap->count];
    if (last != node) {
        put(heap, node->place, last);
        sift(heap, last);
    }
    node->place = 0;
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
