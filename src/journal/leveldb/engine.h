/* The LevelDB journal's own structure, for the files that together are that journal:
 *
 *   engine.c    the owner's side: filling, handing over, reporting
 *   commit.c     the writer's side: writing, trying again
 *   encode.c    from a batch to bytes, in segments and in the database
 *   page_in.c   reading chunks back
 *   relocate.c  moving chunks, so that segments become empty and small blocks large
 *   paged.c     transient messages on disk
 *   recovery.c  reading all that is stored at start
 *   recount.c   what each message takes, for a chunk whose index does not say
 *   space.c     room on the disk, giving back what is dead (space.h)
 *
 * Thread: fields belong to the vhost's owner but for those under lock, and `writing`, which belongs
 * to the writer while a batch is in flight. */
#ifndef LEVERET_JOURNAL_ENGINE_H
#define LEVERET_JOURNAL_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "journal/leveldb/batch.h"
#include "journal/leveldb/database.h"
#include "journal/leveldb/threads.h"
#include "leveret/journal/journal_leveldb.h"

struct engine;
struct spill;
struct page_place;

/* A batch and what it needs to be let go of on another thread. */
struct flight {
    struct batch batch;
    struct job let_go;
    struct engine *engine;
    STAILQ_ENTRY(flight) link;
};
STAILQ_HEAD(flight_list, flight);

/* A chunk being read. */
struct page_request {
    TAILQ_ENTRY(page_request) link; /* in the order asked */
    struct job job;
    struct engine *engine;
    struct journal_lane *lane; /* the owner's; NULL: dropped */
    uint64_t lane_id, chunk;
    uint64_t expected[JOURNAL_CHUNK_WORDS]; /* slots to be found in the database */
    bool in_database;                       /* some of them may be there … */
    uint64_t first_block, last_block;       /* … in blocks with these keys */
    struct extent *extents;                 /* … or in these segments */
    size_t extent_count;
    struct record_body_ref *bodies; /* kept apart, in segments */
    size_t body_count;
    uint64_t transient[JOURNAL_CHUNK_WORDS]; /* … and in the places */
    struct page_place *places;
    size_t place_count;
    struct journal_entry slots[JOURNAL_CHUNK_SLOTS]; /* message NULL: not found (yet) */
    enum status status;
    char *error;
    uint64_t moves;      /* the engine's count when it was prepared */
    bool waits;          /* for a batch that moves what it wants */
    bool told;           /* the owner's: that it is stalled */
    unsigned tries;      /* the reader's: how often it could not be read just now */
    enum status stalled; /* under lock: why it could not be read at first; OK: it could */
    bool done;           /* under lock */
};
TAILQ_HEAD(page_request_list, page_request);

/* Transient messages of a chunk being stored (paged.c). */
struct page_out;
TAILQ_HEAD(page_out_list, page_out);

/* How the last write ended; from writer to owner. */
struct write_outcome {
    bool due;
    enum status status;
    char *error;
};

/* The segment being written to. */
struct segment_output {
    uint32_t number; /* 0: none is open */
    int fd;
    uint64_t offset; /* where gathered goes */
    uint64_t end;    /* of the places written to */
    struct text gathered;
};

struct writer_state {
    struct job job, retry;
    struct database_batch *encoded;
    struct text buffer;
    struct segment_output output;
    uint32_t segment_known; /* the directory has been synced with this one in it */
    uint64_t encoded_bytes, segment_bytes;
    uint64_t handed_over_ns;
    enum status status;  /* of the last write */
    unsigned failures;   /* in a row; the owner's */
    bool begin_database; /* the format's version is to be written too */
};

struct engine {
    struct journal head;
    struct journal_callbacks callbacks;
    struct journal_threads *threads;
    struct log *log;
    char *path;
    void (*wake)(void *context);
    void *wake_context;

    struct batch_maker maker;
    struct flight *filling, *flying; /* flying: NULL when none is being written */
    struct flight_list spare;
    uint64_t filling_number, committed, reported;
    bool awaited; /* an answer waits for the filling batch: journal_await */
    struct lane_list lanes;
    struct page_request_list page_requests;
    struct page_out_list page_outs;
    struct relocation *relocation;
    uint64_t moves; /* chunks and bodies moved so far */
    struct spill *spill;
    struct writer_state writing;
    unsigned stalls; /* page requests that cannot be read just now */
    enum status health;
    bool refused; /* recovery failed: nothing may be written */

    struct database *database; /* set once, before anything can be read from it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under lock: */
    unsigned jobs; /* queued or running, all kinds */
    struct write_outcome outcome;
    struct flight_list let_go; /* done with */
    bool retry_due;
    bool stall_due; /* a request is newly stalled */
    bool database_ready;
    bool full;           /* a write ended with NO_SPACE, and there is not plenty again yet */
    bool space_returned; /* there is plenty again */
    bool closing;

    struct space *space;
    atomic_uint_fast64_t sync_us; /* what a small synced write takes, about */
    /* Figures; any thread. */
    atomic_uint_fast64_t batches, syncs_failed, bytes_written, blocks_written, pages_in, pages_out,
        commit_us_sum;
};

/* ---- engine.c */
/* Counts a job in, before it is queued, and out, as the last thing it does. */
void engine_job_begins(struct engine *engine);
void engine_job_ends(struct engine *engine);
/* Waits until none is left. */
void engine_await_jobs(struct engine *engine);
void engine_wake(struct engine *engine);
/* Forgets a chunk in which nothing is left and that no batch has noted. */
void engine_tidy_chunk(struct stored_chunk *chunk);

/* ---- commit.c */
void commit_begin(struct engine *engine);
void commit_end(struct engine *engine);
/* Queues the flying batch, now or (retry) after a while. The owner. */
void commit_start(struct engine *engine);
void commit_retry_later(struct engine *engine);

/* ---- encode.c */
/* Encodes the flying batch into writing.encoded; segments are written and synced. The writer.
 * Errors: NO_SPACE, IO (errno). */
MUST_USE enum status encode_batch(struct engine *engine);
void encode_end(struct engine *engine);

/* ---- page_in.c */
void page_in_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk);
/* The same, not to be reported; page_in_is_done says when it has been read. */
struct page_request *page_in_request(struct engine *engine, struct journal_lane *lane,
                                     uint64_t chunk);
bool page_in_is_done(const struct page_request *request);
void page_in_free(struct page_request **request);
/* A batch was committed: requests that waited for it go on. */
void page_in_go_on(struct engine *engine);
/* Reports those that are done, in order. */
void page_in_report(struct engine *engine);
void page_in_forget_lane(struct engine *engine, const struct journal_lane *lane);
/* Decodes a block into the slots of a request that are wanted and not there yet. Reader.
 * Errors: CORRUPT, NO_MEMORY. */
MUST_USE enum status page_in_block(struct page_request *request, struct bytes key,
                                   struct bytes value, const uint64_t *wanted);

/* ---- relocate.c */
void relocate_begin(struct engine *engine);
void relocate_end(struct engine *engine); /* when no job is under way */
/* The owner, at the end of journal_poll: begins or goes on with moving a chunk, if there is cause.
 */
void relocate_look(struct engine *engine);
/* Whether there is cause that journal_poll should see to. */
bool relocate_is_due(const struct engine *engine);
void relocate_forget_lane(struct engine *engine, const struct journal_lane *lane);

/* ---- paged.c */
void paged_out_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk,
                     const struct journal_entry *entries, size_t count);
void paged_out_report(struct engine *engine);
void paged_settle(struct engine *engine, struct journal_lane *lane, uint64_t seq);
/* Notes in the request what of the chunk is stored, and takes what is still being stored. */
void paged_prepare(struct engine *engine, struct page_request *request, struct stored_chunk *chunk);
/* Whether the slot holds a transient message that is not settled. */
bool paged_is_live(const struct stored_chunk *chunk, unsigned slot);
/* The size of the body of such a message. */
uint64_t paged_body_bytes(const struct stored_chunk *chunk, unsigned slot);
/* Reads the places of a request. Reader. */
void paged_read(struct page_request *request);
void paged_done(struct page_request *request); /* lets go of the places */
void paged_drop_lane(struct engine *engine, struct journal_lane *lane);
void paged_remove_files(const char *path); /* of an earlier run */
void paged_begin(struct engine *engine);
void paged_end(struct engine *engine);

/* ---- recount.c */
/* Sets the chunk's sizes, which are all zeros, from its blocks. At recovery. Errors: IO, NO_MEMORY,
 * and CORRUPT when one of the messages is in no sound block. */
MUST_USE enum status recount_chunk(struct engine *engine, struct stored_chunk *chunk);

/* ---- recovery.c */
MUST_USE enum status recovery_run(struct engine *engine, const struct journal_recovery *recovery,
                                  char **error);

#endif
