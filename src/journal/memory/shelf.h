/* The messages of a lane of the memory journal: entries with ascending seqs. An entry whose message
 * was settled may still be there; its message is then NULL.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_SHELF_H
#define LEVERET_JOURNAL_SHELF_H

#include "leveret/journal/journal.h"

struct shelf {
    struct journal_entry *at;
    size_t first, end, room; /* entries from first up to but without end are in use */
};

/* The place of the entry with this seq, or the place where it would be. */
size_t shelf_find(const struct shelf *shelf, uint64_t seq);
/* Adds an entry, with a reference of its own to the message. Does nothing when the shelf already
 * has a message with this seq. */
void shelf_add(struct shelf *shelf, const struct journal_entry *entry);
void shelf_remove(struct shelf *shelf, uint64_t seq);
void shelf_free(struct shelf *shelf);

#endif
