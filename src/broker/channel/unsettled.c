/* Unsettled deliveries, in a ring: see unsettled.h. */
#include "broker/channel/unsettled.h"

#include "leveret/base/mem.h"

/* Entries that a channel has room for at first. */
#define ROOM_MIN 16u

void unsettled_free(struct unsettled *u)
{
    free(u->entries);
    *u = (struct unsettled){0};
}

static struct unsettled_entry *at(const struct unsettled *u, uint32_t index)
{
    return &u->entries[(u->head + index) & (u->room - 1)];
}

/* Makes room for count_needed more entries: drops the settled ones, and doubles the room until the
 * others take at most about two thirds of it. */
static void make_room(struct unsettled *u, uint32_t count_needed)
{
    uint32_t room = u->room ? u->room : ROOM_MIN;
    while (room < u->live + count_needed + u->live / 2)
        room *= 2;
    struct unsettled_entry *entries = mem_need_array(NULL, room, sizeof *entries);
    uint32_t count = 0;
    for (uint32_t i = 0; i < u->count; i++)
        if (at(u, i)->lane)
            entries[count++] = *at(u, i);
    free(u->entries);
    u->entries = entries;
    u->head = 0;
    u->count = count;
    u->room = room;
}

void unsettled_add(struct unsettled *u, const struct unsettled_entry *entry)
{
    if (u->count == u->room)
        make_room(u, 1);
    *at(u, u->count++) = *entry;
    u->live++;
}

/* The index of the unsettled entry with this tag, or u->count. */
static uint32_t find(const struct unsettled *u, uint64_t tag)
{
    if (u->count == 0)
        return 0;
    uint64_t first = at(u, 0)->tag;
    if (tag < first)
        return u->count;
    uint64_t guess = tag - first;
    uint32_t high = guess < u->count ? (uint32_t)guess + 1 : u->count;
    if (guess < u->count && at(u, (uint32_t)guess)->tag == tag)
        return at(u, (uint32_t)guess)->lane ? (uint32_t)guess : u->count;
    uint32_t low = 0; /* tags grow by at least 1 for each index: the entry is not after the guess */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at(u, middle)->tag < tag)
            low = middle + 1;
        else
            high = middle;
    }
    return low < u->count && at(u, low)->tag == tag && at(u, low)->lane ? low : u->count;
}

/* Drops the settled entries at the front. */
static void trim(struct unsettled *u)
{
    while (u->count && !at(u, 0)->lane) {
        u->head = (u->head + 1) & (u->room - 1);
        u->count--;
    }
}

bool unsettled_has(const struct unsettled *u, uint64_t tag)
{
    return find(u, tag) < u->count;
}

uint64_t unsettled_first(struct unsettled *u)
{
    trim(u);
    return u->count ? at(u, 0)->tag : UINT64_MAX;
}

bool unsettled_take(struct unsettled *u, uint64_t tag, struct unsettled_entry *out)
{
    uint32_t index = find(u, tag);
    if (index == u->count)
        return false;
    *out = *at(u, index);
    at(u, index)->lane = NULL;
    u->live--;
    trim(u);
    return true;
}

bool unsettled_take_first(struct unsettled *u, uint64_t upto, struct unsettled_entry *out)
{
    trim(u);
    if (u->count == 0 || at(u, 0)->tag > upto)
        return false;
    *out = *at(u, 0);
    at(u, 0)->lane = NULL;
    u->live--;
    trim(u);
    return true;
}

bool unsettled_take_wanted(struct unsettled *u, uint64_t after,
                           bool (*wanted)(const struct unsettled_entry *entry),
                           struct unsettled_entry *out)
{
    uint32_t low = 0, high = u->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (at(u, middle)->tag <= after)
            low = middle + 1;
        else
            high = middle;
    }
    const struct unsettled_entry *entry;
    while ((entry = unsettled_next(u, &low)))
        if (wanted(entry))
            return unsettled_take(u, entry->tag, out);
    return false;
}

void unsettled_restore(struct unsettled *u, const struct unsettled_entry *back, size_t count)
{
    struct unsettled merged = {0};
    uint32_t i = 0;
    size_t j = 0;
    make_room(&merged, (uint32_t)(u->live + count + 1));
    while (i < u->count || j < count) {
        const struct unsettled_entry *entry;
        if (i < u->count && !at(u, i)->lane) {
            i++;
            continue;
        }
        if (j == count || (i < u->count && at(u, i)->tag < back[j].tag))
            entry = at(u, i++);
        else
            entry = &back[j++];
        unsettled_add(&merged, entry);
    }
    unsettled_free(u);
    *u = merged;
}

const struct unsettled_entry *unsettled_next(const struct unsettled *u, uint32_t *index)
{
    while (*index < u->count) {
        const struct unsettled_entry *entry = at(u, (*index)++);
        if (entry->lane)
            return entry;
    }
    return NULL;
}
