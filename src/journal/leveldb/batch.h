/* A batch: what one synced write applies. It fills on the vhost's owner, is closed there (from then
 * on it needs nothing of the lanes any more) and is encoded and written by a writer thread.
 *
 * A batch that could not be written comes back to the owner, which takes out what has been settled
 * meanwhile and lets it absorb the next one. Both are then one write. */
#ifndef LEVERET_JOURNAL_BATCH_H
#define LEVERET_JOURNAL_BATCH_H

#include "journal/leveldb/record.h"
#include "journal/leveldb/stored_lane.h"
#include "leveret/base/text.h"

/* Bodies above this are kept apart … */
#define JOURNAL_BODY_APART_MIN (128ul * 1024)
/* … and those above this are as soon as a second lane gets the same message. */
#define JOURNAL_BODY_SHARED_MIN 4096u
/* A batch with so much in blocks and bodies puts them into a segment: between these bounds, as many
 * bytes as the disk would write twice more (LevelDB's table and compaction) in the time of the
 * second sync that a segment costs. */
#define JOURNAL_SEGMENT_LEAST (64u * 1024u)
#define JOURNAL_SEGMENT_MOST  (1024u * 1024u)
/* Smaller blocks stay in the database even then, and so do those of a chunk with many extents: they
 * would make its index long. */
#define JOURNAL_SEGMENT_BLOCK 4096u
#define JOURNAL_EXTENTS_MAX   32u
/* A chunk with so many blocks is worth merging once it is complete. */
#define JOURNAL_MERGE_BLOCKS   32u
#define JOURNAL_SEGMENT_PER_US 128u /* bytes for each microsecond of a sync */

/* An appended message. */
struct pending {
    uint64_t seq, expires_ms;
    struct message *message; /* NULL: settled before it was written */
    uint64_t body_id;        /* 0: in the block */
};

/* The messages of a run that lie in one chunk: one block. */
struct group {
    uint64_t chunk_number;
    struct stored_chunk *chunk; /* the owner's */
    uint64_t start_seq;         /* the block's key, once closed; UINT64_MAX: no block */
    size_t first, end;          /* places in entries */
    uint32_t live;              /* not settled */
    uint64_t bytes;             /* what the live ones take in the block */
    struct segment_place place; /* once closed: where in a segment the block goes, if it does */
};

/* What one batch adds to one lane. */
struct run {
    STAILQ_ENTRY(run) link;
    struct journal_lane *lane; /* the owner's; NULL: dropped */
    struct run *older;         /* the lane's next older run in flight */
    bool moves;                /* a stored chunk's messages, to be stored anew (relocate.c) */
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
    size_t refs_from, extents_from; /* its body references and extents, in the batch's lists */
    size_t sizes_from, sizes_len;   /* the sizes of its messages, encoded, in the batch's text */
    bool erase;
};

/* What is dead of a lane that was dropped. */
struct dead_lane {
    uint64_t lane_id;
    struct dead_range range;
};

struct lane_update {
    uint64_t lane_id, delivered_seq;
    bool erase;
};

struct block_erase {
    uint64_t lane_id, start_seq;
};

/* A body to be written (message not NULL) or erased. */
struct body_update {
    uint64_t body_id, body_bytes;
    struct message *message; /* held by an entry of this batch, or, when moved, by this */
    bool moved;
    struct segment_place place; /* where in a segment it goes, if it does */
    struct body *body;          /* the owner's, until the batch is closed */
};

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
    uint64_t bytes;         /* message memory held */
    uint64_t payload_bytes; /* what blocks and bodies will take */
    struct run_list runs;
    struct text definitions;
    BATCH_LIST(struct body_update) bodies;
    BATCH_LIST(struct block_erase) block_erases;
    /* The owner's, while it fills: */
    BATCH_LIST(struct stored_chunk *) chunks; /* touched; NULL: gone */
    BATCH_LIST(struct journal_lane *) lanes;
    bool touched; /* something was done, even if nothing is left of it */
    /* Made by batch_close: */
    BATCH_LIST(struct index_update) indexes;
    BATCH_LIST(struct record_body_ref) refs;
    BATCH_LIST(struct record_extent) extents;
    struct text sizes;
    struct segment_list dead_segments; /* to be removed once it is written */
    BATCH_LIST(struct lane_update) lane_updates;
};

/* Where filling batches get what they need, and the last message appended, for sharing its body. */
struct batch_maker {
    struct run_list spare_runs;
    size_t spare_count;
    uint64_t body_id_next;
    struct {
        struct message *message; /* compared only, while its entry is there */
        struct run *run;
        size_t place;
        struct body *body;
    } last;
    struct segments segments;
    BATCH_LIST(struct chunk_address) merge; /* complete chunks of many small blocks */
    uint64_t segment_min; /* a batch's payload_bytes from which it goes to a segment */
    /* What is dead on disk and not compacted away yet (space.c), and what is alive there. */
    struct dead_range dead_bodies;
    BATCH_LIST(struct dead_lane) dead_lanes; /* dropped ones */
    uint64_t stored_bytes, dead_bytes;
};

void batch_maker_init(struct batch_maker *maker);
void batch_maker_free(struct batch_maker *maker);

void batch_init(struct batch *batch, struct batch_maker *maker);
/* Lets go of all that it holds, keeping runs for the maker and some room. */
void batch_clear(struct batch *batch);
/* Frees everything. */
void batch_free(struct batch *batch);
/* Lets go of the messages of a batch that is done and detached from its lanes. Any thread. */
void batch_let_go(struct batch *batch);

/* ---- Filling. The owner. */
void batch_put(struct batch *batch, struct bytes key, struct bytes value);
void batch_erase(struct batch *batch, struct bytes key);
void batch_append(struct batch *batch, struct journal_lane *lane, uint64_t seq, uint64_t expires_ms,
                  struct message *message);
/* Settles a durable message. Returns whether it was alive. */
bool batch_settle(struct batch *batch, struct journal_lane *lane, uint64_t seq);
void batch_delivered(struct batch *batch, struct journal_lane *lane, uint64_t seq);
/* Stores what is alive of a stored chunk anew: entries, with a reference each that is taken; none
 * of its messages may be in a batch already. */
void batch_move_chunk(struct batch *batch, struct stored_chunk *chunk,
                      const struct journal_entry *entries, size_t count);
void batch_move_body(struct batch *batch, struct body *body, struct message *message);
/* Whether some of the chunk's messages are in a batch that is not written yet. */
bool batch_has_chunk(const struct stored_chunk *chunk);
/* Everything durable of the lane goes; the lane itself may be freed afterwards. */
void batch_drop_lane(struct batch *batch, struct journal_lane *lane);

/* After recovery: lets go of blocks that begin behind the last slot alive. The lane's seqs may go
 * on right behind that slot, and of two blocks that hold the same seq the one that begins later
 * counts. */
void batch_trim_chunk(struct batch *batch, struct stored_chunk *chunk);

/* For plan.c: notes a chunk, a lane; the last use of a body has gone, so it is erased, or not
 * written at all. */
void batch_touch_chunk(struct batch *batch, struct stored_chunk *chunk);
void batch_touch_lane(struct batch *batch, struct journal_lane *lane);
void batch_end_body(struct batch *batch, struct body **body);

/* ---- Closing. The owner. */

/* Makes the plan and detaches the batch from its lanes, but for runs (lane->flying). Returns
 * whether there is something to write. */
bool batch_close(struct batch *batch);
/* Takes settled messages out of a closed batch that could not be written. */
void batch_prune(struct batch *batch);
/* Appends the closed batch later to the closed batch, and takes its number; later is left empty. */
void batch_absorb(struct batch *batch, struct batch *later);

/* Calls for each definition in turn; value.at NULL: erased. */
void batch_each_definition(const struct batch *batch,
                           void (*each)(void *context, struct bytes key, struct bytes value),
                           void *context);

#endif
