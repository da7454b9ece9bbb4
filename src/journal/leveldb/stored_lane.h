/* A lane's bookkeeping: which of its chunks hold something, and which of their slots are alive.
 * In memory it is all that a deep queue costs the journal: some 250 bytes for each 512 messages.
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_STORED_LANE_H
#define LEVERET_JOURNAL_STORED_LANE_H

#include <sys/queue.h>

#include "journal/leveldb/segments.h"
#include "journal/sizes.h"
#include "leveret/base/map.h"
#include "leveret/journal/journal.h"

struct run;
struct paged;

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

/* A body kept apart, because it is large or several lanes hold it. Freed with its last use. */
struct body {
    uint64_t id, bytes;
    struct place place; /* or in the database */
    uint32_t uses;      /* live slots that refer to it */
    bool stored;        /* handed over for writing */
    uint64_t moved_in;  /* the batch that moves it to its place; readable once that is committed */
};

struct body_use {
    struct body *body;
    uint16_t slot;
};

/* A block in a segment, which begins with this slot. */
struct extent {
    struct place place;
    uint16_t slot;
};

struct chunk {
    struct journal_lane *lane;
    uint64_t number;
    uint64_t live[JOURNAL_CHUNK_WORDS];   /* appended and not settled */
    uint64_t starts[JOURNAL_CHUNK_WORDS]; /* where blocks in the database begin */
    struct extent *extents;               /* blocks in segments, in the order written */
    struct sizes sizes;                   /* of the bodies of what is alive */
    uint64_t stored_bytes;                /* of the blocks in the database */
    struct body_use *uses;                /* slots ascending */
    struct paged *paged;                  /* transient messages, or NULL (paged.h) */
    size_t touched_at;                    /* 1-based place in the filling batch's list, or 0 */
    uint64_t moved_in; /* the batch that moves its blocks; readable once that is committed */
    uint16_t live_count, use_count, use_room, extent_count, extent_room;
    bool any_expires;
    bool dirty;   /* its index record must be written again */
    bool indexed; /* an index record was handed over */
};

struct journal_lane {
    LIST_ENTRY(journal_lane) link;
    uint64_t id;
    struct map chunks;            /* by number */
    struct chunk *tail, *recent;  /* the last one appended to, the last one looked up; or NULL */
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

struct journal_lane *lane_new(uint64_t id);
/* Frees with all chunks; their bodies must be gone. */
void journal_lane_free(struct journal_lane **lane);

struct chunk *lane_find(struct journal_lane *lane, uint64_t number); /* or NULL */
struct chunk *lane_find_or_add(struct journal_lane *lane, uint64_t number);
/* Takes the chunk out and frees it. */
void lane_remove(struct chunk *chunk);

void chunk_add_extent(struct chunk *chunk, struct place place, uint16_t slot);

void chunk_use_body(struct chunk *chunk, uint16_t slot, struct body *body);
/* Ends the use of a slot, if there is one; the body whose last use it was is returned (the caller
 * frees it), else NULL. */
struct body *chunk_unuse_body(struct chunk *chunk, uint16_t slot);

static inline bool slot_is_set(const uint64_t *words, unsigned slot)
{
    return words[slot / 64] >> (slot % 64) & 1;
}

static inline void slot_set(uint64_t *words, unsigned slot)
{
    words[slot / 64] |= (uint64_t)1 << (slot % 64);
}

static inline void slot_clear(uint64_t *words, unsigned slot)
{
    words[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

static inline bool slots_any(const uint64_t *words)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        any |= words[i];
    return any != 0;
}

static inline unsigned slots_count(const uint64_t *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        count += (unsigned)__builtin_popcountll(words[i]);
    return count;
}

/* The first set slot at or after from; JOURNAL_CHUNK_SLOTS: none. */
unsigned slots_next(const uint64_t *words, unsigned from);

#endif
