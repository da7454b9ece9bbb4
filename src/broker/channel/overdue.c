/* Tags of overdue deliveries, in a sorted array: see overdue.h. */
#include "broker/channel/overdue.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

/* Tags that there is room for at first; the room doubles when it is full. */
#define ROOM_MIN 16u
/* The bit of a mark whose tag was taken. */
#define TAKEN UINT64_C(1)

void overdue_free(struct overdue *overdue)
{
    free(overdue->marks);
    *overdue = (struct overdue){0};
}

static int by_tag(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort(struct overdue *overdue)
{
    if (overdue->unsorted)
        qsort(overdue->marks + overdue->from, overdue->count - overdue->from,
              sizeof *overdue->marks, by_tag);
    overdue->unsorted = false;
}

/* Drops the marks at the front whose tags were taken. */
static void trim(struct overdue *overdue)
{
    while (overdue->from < overdue->count && overdue->marks[overdue->from] & TAKEN)
        overdue->from++;
    if (overdue->from == overdue->count)
        overdue_free(overdue);
}

static void make_room(struct overdue *overdue)
{
    if (overdue->from == 0 && overdue->count == OVERDUE_MAX) {
        sort(overdue);
        overdue->from = overdue->count / 4; /* many at once, so that the array is seldom moved */
    }
    if (overdue->from) {
        overdue->count -= overdue->from;
        memmove(overdue->marks, overdue->marks + overdue->from,
                overdue->count * sizeof *overdue->marks);
        overdue->from = 0;
        return;
    }
    overdue->room = overdue->room ? overdue->room * 2 : ROOM_MIN;
    overdue->marks = mem_need_array(overdue->marks, overdue->room, sizeof *overdue->marks);
}

void overdue_note(struct overdue *overdue, uint64_t tag)
{
    if (overdue->count == overdue->room)
        make_room(overdue);
    uint64_t mark = tag * 2;
    overdue->unsorted |=
        overdue->count > overdue->from && overdue->marks[overdue->count - 1] > mark;
    overdue->marks[overdue->count++] = mark;
}

/* The index of the first mark with this tag or a higher one. */
static size_t place_of(struct overdue *overdue, uint64_t tag)
{
    size_t low = overdue->from, high = overdue->count;
    sort(overdue);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (overdue->marks[middle] / 2 < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool overdue_take(struct overdue *overdue, uint64_t tag)
{
    size_t at = place_of(overdue, tag);
    if (at == overdue->count || overdue->marks[at] != tag * 2)
        return false;
    overdue->marks[at] |= TAKEN;
    trim(overdue);
    return true;
}

void overdue_take_upto(struct overdue *overdue, uint64_t tag)
{
    if (overdue->from == overdue->count)
        return;
    overdue->from = place_of(overdue, tag + 1);
    trim(overdue);
}
