/* The messages of a lane of the memory journal: entries ascending by seq, with holes (message NULL)
 * where something was settled. One thread. */
#ifndef LEVERET_JOURNAL_SHELF_H
#define LEVERET_JOURNAL_SHELF_H

#include "leveret/journal/journal.h"

struct shelf {
    struct journal_entry *at;
    size_t first, end, room; /* used: first … end */
};

/* The place of seq, or where it would be. */
size_t shelf_find(const struct shelf *shelf, uint64_t seq);
/* Puts the entry in its place; takes a reference. An entry that is there already is left alone. */
void shelf_add(struct shelf *shelf, const struct journal_entry *entry);
void shelf_remove(struct shelf *shelf, uint64_t seq);
void shelf_free(struct shelf *shelf);

#endif
