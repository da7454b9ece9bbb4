/* The heap of messages by due time: see due.h. */
#include "broker/delay/due.h"

#include <stdbool.h>
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Entries that a heap has room for at first; the room doubles when it is full. */
#define ROOM_MIN 16u

static bool before(const struct due *a, const struct due *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    if (a->delay_ms != b->delay_ms)
        return a->delay_ms > b->delay_ms;
    if (a->order != b->order)
        return a->order < b->order;
    return a->seq < b->seq;
}

void due_free(struct due_heap *heap)
{
    free(heap->at);
    *heap = (struct due_heap){0};
}

void due_push(struct due_heap *heap, const struct due *due)
{
    if (heap->count == heap->room) {
        heap->room = heap->room ? heap->room * 2 : ROOM_MIN;
        heap->at = mem_need_array(heap->at, heap->room, sizeof *heap->at);
    }
    size_t hole = heap->count++;
    while (hole && before(due, &heap->at[(hole - 1) / 2])) {
        heap->at[hole] = heap->at[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap->at[hole] = *due;
}

struct due due_pop(struct due_heap *heap)
{
    CHECK(heap->count);
    struct due first = heap->at[0], last = heap->at[--heap->count];
    size_t hole = 0, child;
    while ((child = 2 * hole + 1) < heap->count) {
        if (child + 1 < heap->count && before(&heap->at[child + 1], &heap->at[child]))
            child++;
        if (!before(&heap->at[child], &last))
            break;
        heap->at[hole] = heap->at[child];
        hole = child;
    }
    heap->at[hole] = last;
    if (heap->count == 0)
        due_free(heap); /* gives the memory back that a burst left */
    return first;
}
