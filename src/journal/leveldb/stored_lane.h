/* A lane's bookkeeping: the chunks that hold its messages. It is all the memory that a deep queue
 * costs the journal: about 250 bytes for each 512 messages.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_STORED_LANE_H
#define LEVERET_JOURNAL_STORED_LANE_H

#include <sys/queue.h>

#include "journal/leveldb/stored_chunk.h"
#include "leveret/base/map.h"
#include "leveret/journal/journal.h"

struct run;

/* A range of numbers (of chunks, or of bodies), from first up to but without end. Records with such
 * numbers were erased and still take bytes on the disk. All zeros: there are none. */
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
    struct map chunks;           /* by number */
    struct stored_chunk *tail;   /* the chunk last appended to; NULL: none, or it is gone */
    struct stored_chunk *recent; /* the chunk last looked up; NULL: likewise */
    struct run *moving;          /* in the filling batch: a chunk that is moved; NULL: none */
    struct run *filling;         /* in the filling batch: the messages appended; NULL: none */
    struct run *flying; /* in batches that are not on disk: their runs, newest first; NULL: none */
    uint64_t last_seq;  /* the highest seq appended */
    uint64_t delivered, delivered_written; /* the highest seq that may have been delivered: as
                                              noted, and as written */
    struct dead_range dead;                /* its chunks that are dead on disk */
    size_t indexed_chunks;                 /* chunks that have an index record */
    size_t touched_at;  /* its place in the filling batch's list, from 1 on; 0: none */
    bool record_stored; /* it has a lane record, or a batch that writes one has been closed */
};
LIST_HEAD(lane_list, journal_lane);

/* A chunk by its lane and number. */
struct chunk_address {
    struct journal_lane *lane; /* NULL: the lane was dropped */
    uint64_t chunk;
};

struct journal_lane *stored_lane_new(uint64_t id);
/* Frees the lane with all its chunks, whose bodies must be gone. */
void stored_lane_free(struct journal_lane **lane);

struct stored_chunk *stored_lane_find(struct journal_lane *lane, uint64_t number); /* or NULL */
struct stored_chunk *stored_lane_find_or_add(struct journal_lane *lane, uint64_t number);
/* Takes the chunk out of its lane and frees it. */
void stored_lane_remove(struct stored_chunk *chunk);

#endif
