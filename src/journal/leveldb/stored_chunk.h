/* A chunk's bookkeeping: which of its slots hold a message, and where on the disk its blocks and
 * bodies are.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_STORED_CHUNK_H
#define LEVERET_JOURNAL_STORED_CHUNK_H

#include "journal/leveldb/segments.h"
#include "journal/sizes.h"
#include "journal/slots.h"
#include "leveret/journal/journal.h"

struct paged;

/* A body kept apart, because it is large or several lanes hold it. Freed with its last use. */
struct body {
    uint64_t id, bytes;
    struct segment_place place; /* or in the database */
    uint32_t uses;              /* live slots that refer to it */
    bool stored;                /* handed over for writing */
    uint64_t moved_in; /* the batch that moves it to its place; readable once that is committed */
};

struct body_use {
    struct body *body;
    uint16_t slot;
};

/* A block in a segment, which begins with this slot. */
struct extent {
    struct segment_place place;
    uint16_t slot;
};

struct stored_chunk {
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

/* Frees the chunk; no batch may have noted it, and its bodies and transient messages must be gone.
 */
void stored_chunk_free(struct stored_chunk *chunk);

void stored_chunk_add_extent(struct stored_chunk *chunk, struct segment_place place, uint16_t slot);

void stored_chunk_use_body(struct stored_chunk *chunk, uint16_t slot, struct body *body);
/* Ends the use of a slot, if there is one; the body whose last use it was is returned (the caller
 * frees it), else NULL. */
struct body *stored_chunk_unuse_body(struct stored_chunk *chunk, uint16_t slot);

#endif
