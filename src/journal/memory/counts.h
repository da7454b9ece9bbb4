/* What is alive in the chunks of a lane and how large it is, for the memory journal: slots and
 * sizes.h for each chunk, as the LevelDB journal has them in stored_chunk.h. One thread. */
#ifndef LEVERET_JOURNAL_COUNTS_H
#define LEVERET_JOURNAL_COUNTS_H

#include "leveret/base/map.h"
#include "leveret/journal/journal.h"

struct counts {
    struct map chunks; /* by number; a chunk in which nothing is alive is not there */
};

void counts_free(struct counts *counts);
/* Counts a message, unless it is counted already. */
void counts_add(struct counts *counts, uint64_t seq, uint64_t body_bytes);
/* Ends that; returns whether it was counted. */
bool counts_remove(struct counts *counts, uint64_t seq);
/* Whether the message is counted; *body_bytes is set if so. */
bool counts_find(const struct counts *counts, uint64_t seq, uint64_t *body_bytes);
/* A chunk in which something is alive, as it comes back from disk: its sizes are encoded and
 * decoded. Sets live and returns the sum. */
uint64_t counts_restore(const struct counts *counts, uint64_t chunk,
                        uint64_t live[JOURNAL_CHUNK_WORDS]);

#endif
