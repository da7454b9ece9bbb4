/* The live messages of a lane and their sizes, for the memory journal: a set of slots and a struct
 * sizes for each chunk, as the LevelDB journal has them in stored_chunk.h.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_COUNTS_H
#define LEVERET_JOURNAL_COUNTS_H

#include "leveret/base/map.h"
#include "leveret/journal/journal.h"

struct counts {
    struct map chunks; /* by number; only those in which a message is alive */
};

void counts_free(struct counts *counts);
/* Counts a message. Does nothing when it is counted already. */
void counts_add(struct counts *counts, uint64_t seq, uint64_t body_bytes);
/* Takes a message out again. Returns whether it was counted. */
bool counts_remove(struct counts *counts, uint64_t seq);
/* Whether the message is counted; *body_bytes is set if so. */
bool counts_find(const struct counts *counts, uint64_t seq, uint64_t *body_bytes);
/* Encodes and decodes the sizes of a chunk, as if it came back from a disk. A message of the chunk
 * must be alive. Sets live, and returns the sum of the sizes. */
uint64_t counts_restore(const struct counts *counts, uint64_t chunk,
                        uint64_t live[JOURNAL_CHUNK_WORDS]);

#endif
