/* The roster: an array that grows at its end and is compacted when half of its entries
 * are removed. */
#include "leveret/base/roster.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Objects that the first roster_add makes room for. */
#define ROOM_MIN 16u

void roster_free(struct roster *roster)
{
    free(roster->slots);
    *roster = (struct roster){0};
}

size_t roster_count(const struct roster *roster)
{
    return roster->used - roster->removed;
}

uint64_t roster_add(struct roster *roster, void *object)
{
    CHECK(object);
    if (roster->used == roster->room) {
        roster->room = roster->room ? roster->room * 2 : ROOM_MIN;
        roster->slots = mem_need_array(roster->slots, roster->room, sizeof *roster->slots);
    }
    roster->slots[roster->used++] = (struct roster_slot){++roster->last_number, object};
    return roster->last_number;
}

/* The index of the first entry whose number is at least the given one. */
static size_t place_of(const struct roster *roster, uint64_t number)
{
    size_t low = 0, high = roster->used;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roster->slots[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void close_up(struct roster *roster)
{
    size_t kept = 0;
    for (size_t i = 0; i < roster->used; i++) {
        if (roster->slots[i].object)
            roster->slots[kept++] = roster->slots[i];
    }
    roster->used = kept;
    roster->removed = 0;
    if (roster->room > ROOM_MIN && kept * 4 <= roster->room) {
        roster->room = kept * 2 > ROOM_MIN ? kept * 2 : ROOM_MIN;
        roster->slots = mem_need_array(roster->slots, roster->room, sizeof *roster->slots);
    }
}

void roster_remove(struct roster *roster, uint64_t number)
{
    size_t place = place_of(roster, number);
    if (place == roster->used || roster->slots[place].number != number ||
        !roster->slots[place].object)
        return;
    roster->slots[place].object = NULL;
    roster->removed++;
    if (roster->removed * 2 > roster->used)
        close_up(roster);
}

size_t roster_begin(const struct roster *roster, uint64_t after)
{
    return after == UINT64_MAX ? roster->used : place_of(roster, after + 1);
}

void *roster_walk(const struct roster *roster, size_t *at, uint64_t *after)
{
    while (*at < roster->used) {
        const struct roster_slot *slot = &roster->slots[(*at)++];
        if (slot->object) {
            *after = slot->number;
            return slot->object;
        }
    }
    return NULL;
}

void *roster_next(const struct roster *roster, uint64_t *after)
{
    size_t at = roster_begin(roster, *after);
    return roster_walk(roster, &at, after);
}
