/* A lane's bookkeeping: which of its chunks hold something, and which of their slots are alive.
 * In memory it is all that a deep queue costs the journal: some 250 bytes for each 512 messages.
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_STORED_LANE_H
#define LEVERET_JOURNAL_STORED_LANE_H

#include <sys/queue.h>

#include "journal/leveldb/stored_chunk.h"
#include "leveret/base/map.h"
#include "leveret/journal/journal.h"

struct run;

/* Numbers (of chunks, or of bodies) from first up to but without end, among which are records that
 * are erased but still take bytes on the disk. All zeros: none. */
struct dead_range {
    uint64_t first, end, bytes;
};

static inline void dead_range_add(struct dead_range *range, uint64_t number, uint64_t bytes)
{
    if (range->end == 0 || number < range->first)
        range->first = number;
    if (number >= range->end)
        range->end = number + 1;
    range->bytes += bytes;
}

struct journal_lane {
    LIST_ENTRY(journal_lane) link;
    uint64_t id;
    struct map chunks; /* by number */
    struct stored_chunk *tail,
        *recent;                  /* the last one appended to, the last one looked up; or NULL */
    struct run *moving;           /* in the filling batch: a chunk of it that is moved, or NULL */
    struct run *filling, *flying; /* its messages not on disk yet; flying: newest first */
    uint64_t last_seq;            /* the highest appended */
    uint64_t delivered, delivered_written;
    struct dead_range dead; /* its chunks that are dead on disk */
    size_t indexed_chunks;  /* chunks with an index record */
    size_t touched_at;      /* 1-based place in the filling batch's list, or 0 */
    bool record_stored;     /* the lane's record was handed over */
};
LIST_HEAD(lane_list, journal_lane);

/* A chunk by its lane and number. */
struct chunk_address {
    struct journal_lane *lane; /* NULL: the lane was dropped */
    uint64_t chunk;
};

struct journal_lane *stored_lane_new(uint64_t id);
/* Frees with all chunks; their bodies must be gone. */
void stored_lane_free(struct journal_lane **lane);

struct stored_chunk *stored_lane_find(struct journal_lane *lane, uint64_t number); /* or NULL */
struct stored_chunk *stored_lane_find_or_add(struct journal_lane *lane, uint64_t number);
/* Takes the chunk out and frees it. */
void stored_lane_remove(struct stored_chunk *chunk);

#endif
