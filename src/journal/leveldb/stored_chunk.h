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

/* A body that is stored apart from its block, because it is large or several lanes have it. It is
 * freed with its last use. */
struct body {
    uint64_t id, bytes;
    struct segment_place place; /* segment 0: in the database */
    uint32_t uses;              /* live slots whose message has this body */
    bool stored;                /* a batch that writes it has been closed */
    uint64_t moved_in; /* the batch that moves it to its place; it can be read there once that is
                          committed */
};

/* A live slot whose message has a body that is stored apart. */
struct body_use {
    struct body *body;
    uint16_t slot;
};

/* A block in a segment. */
struct extent {
    struct segment_place place;
    uint16_t slot; /* of its first message */
};

struct stored_chunk {
    struct journal_lane *lane;
    uint64_t number;
    uint64_t live[JOURNAL_CHUNK_WORDS];   /* slots of durable messages that are not settled */
    uint64_t starts[JOURNAL_CHUNK_WORDS]; /* slots with which blocks in the database begin */
    struct extent *extents;               /* blocks in segments, in the order written */
    struct sizes sizes;                   /* of the bodies of live messages */
    uint64_t stored_bytes;                /* bytes of the blocks in the database */
    struct body_use *uses;                /* slots ascending */
    struct paged *paged;                  /* transient messages (paged.c); NULL: none */
    size_t touched_at; /* its place in the filling batch's list, from 1 on; 0: none */
    uint64_t
        moved_in; /* the batch that moves its blocks; they can be read once that is committed */
    uint16_t live_count, use_count, use_room, extent_count, extent_room;
    bool any_expires; /* a message expires, or one did since the chunk was empty */
    bool dirty;       /* its index record must be written again */
    bool indexed;     /* it has an index record, or a batch that writes one has been closed */
};

/* Frees the chunk; no batch may have noted it, and its bodies and transient messages must be gone.
 */
void stored_chunk_free(struct stored_chunk *chunk);

void stored_chunk_add_extent(struct stored_chunk *chunk, struct segment_place place, uint16_t slot);

/* Notes that the message in the slot has this body. */
void stored_chunk_use_body(struct stored_chunk *chunk, uint16_t slot, struct body *body);
/* Ends the slot's use of a body, if it has one. Returns the body when that was its last use (the
 * caller frees it), NULL otherwise. */
struct body *stored_chunk_unuse_body(struct stored_chunk *chunk, uint16_t slot);

#endif
