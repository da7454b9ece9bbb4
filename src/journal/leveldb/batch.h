/* A batch: what one synced write applies. The vhost's owner fills it and closes it; a closed batch
 * has all that is to be written, and does not need the lanes. A writer thread encodes and writes
 * it.
 *
 * A batch that could not be written comes back to the owner. The owner takes out what has been
 * settled meanwhile and adds the next batch to it; both are then one write.
 *
 * Thread: the vhost's owner; the writer while the batch is in flight. batch_let_go: any. */
#ifndef LEVERET_JOURNAL_BATCH_H
#define LEVERET_JOURNAL_BATCH_H

#include "journal/leveldb/record.h"
#include "journal/leveldb/stored_lane.h"
#include "leveret/base/text.h"

/* Bytes of a body. A larger body is stored apart from its block. */
#define JOURNAL_BODY_APART_MIN (128ul * 1024)
/* Bytes of a body. A larger body is stored apart when a second lane gets the same message. */
#define JOURNAL_BODY_SHARED_MIN 4096u
/* A batch with this many bytes of blocks and bodies, for each microsecond that a sync takes, writes
 * them into a segment. A segment costs a second sync, and saves two further writes of the bytes:
 * into LevelDB's table, and at its compaction. */
#define JOURNAL_SEGMENT_PER_US 128u
/* Bytes. The product of JOURNAL_SEGMENT_PER_US and the sync's time is kept within these bounds. */
#define JOURNAL_SEGMENT_LEAST (64u * 1024u)
#define JOURNAL_SEGMENT_MOST  (1024u * 1024u)
/* Bytes of a block. A smaller block goes into the database even when its batch writes a segment. */
#define JOURNAL_SEGMENT_BLOCK 4096u
/* Blocks of a chunk in segments. A chunk with this many gets its further blocks in the database,
 * because more extents would make its index long. */
#define JOURNAL_EXTENTS_MAX 32u
/* Blocks of a chunk. A chunk with this many is stored anew as one block once it is complete. */
#define JOURNAL_MERGE_BLOCKS 32u

/* An appended message. */
struct pending {
    uint64_t seq, expires_ms;
    struct message *message; /* NULL: settled before it was written */
    uint64_t body_id;        /* of a body stored apart; 0: the body is in the block */
};

/* The messages of a run that are in one chunk. They make one block. */
struct group {
    uint64_t chunk_number;
    struct stored_chunk *chunk; /* while the batch fills */
    uint64_t start_seq; /* of a closed batch: the block's key; UINT64_MAX: there is no block */
    size_t first, end;  /* the group's part of the run's entries */
    uint32_t live;      /* how many of them are not settled */
    uint64_t bytes;     /* what those take in the block */
    struct segment_place place; /* of a closed batch: where in a segment the block goes; segment 0:
                                   into the database */
};

/* The messages that one batch adds to one lane. */
struct run {
    STAILQ_ENTRY(run) link;
    struct journal_lane *lane; /* for the owner only; NULL: the lane was dropped */
    struct run *older;         /* the next older run of the lane that is in flight */
    bool moves;                /* the messages are those of a stored chunk, to be stored anew
                                  (relocate.c) */
    uint64_t lane_id;
    struct pending *entries;
    size_t count, room;
    struct group *groups;
    size_t group_count, group_room;
};
STAILQ_HEAD(run_list, run);

/* An index record to be written, or erased. */
struct index_update {
    struct record_index index;
    size_t refs_from, extents_from; /* where its body references and extents begin in the batch's
                                       lists */
    size_t sizes_from, sizes_len;   /* its encoded sizes, in the batch's text sizes */
    bool erase;                     /* the record is erased */
};

/* The records of a dropped lane that still take bytes on the disk. */
struct dead_lane {
    uint64_t lane_id;
    struct dead_range range;
};

struct lane_update {
    uint64_t lane_id, delivered_seq;
    bool erase; /* the lane's record is erased */
};

struct block_erase {
    uint64_t lane_id, start_seq;
};

/* A body stored apart that is to be written or erased. */
struct body_update {
    uint64_t body_id, body_bytes;
    struct message *message;    /* has the body; NULL: the body is erased */
    bool moved;                 /* the body moves to another place, and this holds the message;
                                   otherwise an entry of this batch holds it */
    struct segment_place place; /* where in a segment the body goes; segment 0: into the database */
    struct body *body;          /* for the owner, while the batch fills */
};

/* A list that grows, and adding to it: LIST_ADD returns the place of a new last element. */
#define BATCH_LIST(type)                                                                           \
    struct {                                                                                       \
        type *at;                                                                                  \
        size_t count, room;                                                                        \
    }

#define LIST_ADD(list)                                                                             \
    ((list).count == (list).room                                                                   \
         ? (void)((list).at = mem_need_array((list).at, (list).room = (list).room * 2 + 16,        \
                                             sizeof *(list).at))                                   \
         : (void)0,                                                                                \
     &(list).at[(list).count++])

struct batch {
    struct batch_maker *maker;
    uint64_t number;
    uint64_t bytes;         /* memory of the messages that it holds */
    uint64_t payload_bytes; /* what its blocks and bodies will take on the disk */
    struct run_list runs;
    struct text definitions;
    BATCH_LIST(struct body_update) bodies;
    BATCH_LIST(struct block_erase) block_erases;
    /* While it fills: */
    BATCH_LIST(struct stored_chunk *) chunks; /* those that were touched; NULL: freed since */
    BATCH_LIST(struct journal_lane *) lanes;  /* likewise */
    bool touched; /* something was added, even if nothing is left of it */
    /* Once it is closed: */
    BATCH_LIST(struct index_update) indexes;
    BATCH_LIST(struct record_body_ref) refs;
    BATCH_LIST(struct record_extent) extents;
    struct text sizes;
    struct segment_list dead_segments; /* to be removed once the batch is written */
    BATCH_LIST(struct lane_update) lane_updates;
};

/* What all batches of a journal share. */
struct batch_maker {
    struct run_list spare_runs;
    size_t spare_count;
    uint64_t body_id_next;
    /* The last large message appended. When the next lane gets it too, both share one body. */
    struct {
        struct message *message; /* no reference: it is only compared, while its entry is there */
        struct run *run;
        size_t place;      /* of its entry in the run */
        struct body *body; /* NULL: the body is in the block */
    } last;
    struct segments segments;
    BATCH_LIST(struct chunk_address) merge; /* complete chunks of many small blocks */
    uint64_t segment_min; /* the payload_bytes with which a batch's blocks go into a segment */
    /* Records that were erased and still take bytes on the disk (space.c). */
    struct dead_range dead_bodies;
    BATCH_LIST(struct dead_lane) dead_lanes; /* dropped ones */
    uint64_t stored_bytes, dead_bytes; /* in the database: of live records, and of erased ones */
};

void batch_maker_init(struct batch_maker *maker);
void batch_maker_free(struct batch_maker *maker);

void batch_init(struct batch *batch, struct batch_maker *maker);
/* Empties the batch. Its runs go to the maker, and lists that are not too long keep their memory.
 */
void batch_clear(struct batch *batch);
/* Empties the batch and frees all its memory. */
void batch_free(struct batch *batch);
/* Gives back the messages of a batch that is written and detached from its lanes. Any thread. */
void batch_let_go(struct batch *batch);

/* ---- Filling. */

void batch_put(struct batch *batch, struct bytes key, struct bytes value);
void batch_erase(struct batch *batch, struct bytes key);
void batch_append(struct batch *batch, struct journal_lane *lane, uint64_t seq, uint64_t expires_ms,
                  struct message *message);
/* Settles a durable message. Returns false when no such message is alive. */
bool batch_settle(struct batch *batch, struct journal_lane *lane, uint64_t seq);
void batch_delivered(struct batch *batch, struct journal_lane *lane, uint64_t seq);
/* Stores the live messages of a stored chunk anew. It takes over the message references in entries.
 * No batch that is not written may have messages of the chunk. */
void batch_move_chunk(struct batch *batch, struct stored_chunk *chunk,
                      const struct journal_entry *entries, size_t count);
/* Stores a body anew that lies in a segment; message has the body. */
void batch_move_body(struct batch *batch, struct body *body, struct message *message);
/* Whether a batch that is not written yet has messages of the chunk. */
bool batch_has_chunk(const struct stored_chunk *chunk);
/* Erases all that the lane has stored. The lane may be freed afterwards. */
void batch_drop_lane(struct batch *batch, struct journal_lane *lane);

/* To be called after recovery: erases the blocks that begin behind the last live slot. The lane's
 * next message may get the seq behind that slot. Of two blocks that hold the same seq, the one that
 * begins later counts, so no old block may be left that begins later than a new one. */
void batch_trim_chunk(struct batch *batch, struct stored_chunk *chunk);

/* Notes that the chunk's index, or the lane's record, may have to be written. */
void batch_touch_chunk(struct batch *batch, struct stored_chunk *chunk);
void batch_touch_lane(struct batch *batch, struct journal_lane *lane);
/* Erases a body that no message uses any more, or does not write it at all; frees *body. */
void batch_end_body(struct batch *batch, struct body **body);

/* ---- Closing (plan.c). */

/* Decides what will be written, and where. The lanes then know the batch only by its runs
 * (lane->flying). Returns false when there is nothing to write. */
bool batch_close(struct batch *batch);
/* Takes out of a closed batch that could not be written what has been settled since. */
void batch_prune(struct batch *batch);
/* Adds the closed batch later to the closed batch, which takes later's number; later is then empty.
 */
void batch_absorb(struct batch *batch, struct batch *later);

/* Calls each() for all definitions, in the order in which they were changed. value.at NULL: it is
 * erased. */
void batch_each_definition(const struct batch *batch,
                           void (*each)(void *context, struct bytes key, struct bytes value),
                           void *context);

#endif
