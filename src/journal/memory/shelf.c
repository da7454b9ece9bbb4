/* See shelf.h. */
#include "journal/memory/shelf.h"

#include "leveret/base/mem.h"

size_t shelf_find(const struct shelf *shelf, uint64_t seq)
{
    size_t low = shelf->first, high = shelf->end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (shelf->at[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void shelf_make_room(struct shelf *shelf)
{
    if (shelf->end < shelf->room)
        return;
    if (shelf->first > shelf->room / 2) {
        memmove(shelf->at, shelf->at + shelf->first,
                (shelf->end - shelf->first) * sizeof *shelf->at);
        shelf->end -= shelf->first;
        shelf->first = 0;
        return;
    }
    shelf->room = shelf->room ? shelf->room * 2 : 16;
    shelf->at = mem_need_array(shelf->at, shelf->room, sizeof *shelf->at);
}

void shelf_add(struct shelf *shelf, const struct journal_entry *entry)
{
    size_t place = shelf_find(shelf, entry->seq);
    if (place < shelf->end && shelf->at[place].seq == entry->seq) {
        if (!shelf->at[place].message) {
            shelf->at[place] = *entry;
            message_ref(entry->message);
        }
        return;
    }
    shelf_make_room(shelf);
    place = shelf_find(shelf, entry->seq);
    memmove(shelf->at + place + 1, shelf->at + place, (shelf->end - place) * sizeof *shelf->at);
    shelf->at[place] = *entry;
    message_ref(entry->message);
    shelf->end++;
}

void shelf_remove(struct shelf *shelf, uint64_t seq)
{
    size_t place = shelf_find(shelf, seq);
    if (place == shelf->end || shelf->at[place].seq != seq)
        return;
    message_unref(&shelf->at[place].message);
    while (shelf->first < shelf->end && !shelf->at[shelf->first].message)
        shelf->first++;
    if (shelf->first == shelf->end)
        shelf->first = shelf->end = 0;
}

void shelf_free(struct shelf *shelf)
{
    for (size_t i = shelf->first; i < shelf->end; i++)
        message_unref(&shelf->at[i].message);
    free(shelf->at);
    *shelf = (struct shelf){0};
}
