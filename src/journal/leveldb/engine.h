/* The engine: the LevelDB journal of one vhost. These files together are the engine:
 *
 *   engine.c    the owner's side: filling batches, handing them over, reporting
 *   commit.c    the writer's side: writing a batch, trying again
 *   encode.c    from a batch to bytes, for segments and for the database
 *   page_in.c   reading chunks back: the owner asks and reports
 *   page_read.c reading chunks back: the reader reads
 *   relocate.c  moving chunks, to empty segments and to make one block of many
 *   paged.c     transient messages on disk
 *   recovery.c  reading all that is stored, at start
 *   recount.c   reading the sizes of a chunk's messages when its index does not have them
 *   space.c     room on the disk, and giving back what is dead (space.h)
 *
 * Thread: the vhost's owner. Fields under lock: any. `writing`: the writer while a batch is in
 * flight. A function that runs on another thread than the owner says so. */
#ifndef LEVERET_JOURNAL_ENGINE_H
#define LEVERET_JOURNAL_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "journal/leveldb/batch.h"
#include "journal/leveldb/database.h"
#include "journal/leveldb/io_count.h"
#include "journal/leveldb/threads.h"
#include "leveret/journal/journal_leveldb.h"

struct engine;
struct spill;
struct page_place;

/* A batch, with the job that gives its messages back on another thread. */
struct flight {
    struct batch batch;
    struct job let_go;
    struct engine *engine;
    STAILQ_ENTRY(flight) link;
};
STAILQ_HEAD(flight_list, flight);

/* A chunk that is to be read. The owner prepares it, the reader fills it, the owner reports it. */
struct page_request {
    TAILQ_ENTRY(page_request) link; /* in the order asked */
    struct job job;
    struct engine *engine;
    struct journal_lane *lane; /* for the owner only; NULL: the lane was dropped */
    uint64_t lane_id, chunk;
    uint64_t expected[JOURNAL_CHUNK_WORDS]; /* slots of durable messages that must be read */
    bool in_database;                       /* some of those may be in the database */
    uint64_t first_block, last_block; /* the first and the last block there that may have them */
    struct extent *extents;           /* the blocks in segments */
    size_t extent_count;
    struct record_body_ref *bodies; /* the bodies stored apart, in segments */
    size_t body_count;
    uint64_t transient[JOURNAL_CHUNK_WORDS]; /* slots of transient messages */
    struct page_place *places;               /* where the transient messages are */
    size_t place_count;
    struct journal_entry slots[JOURNAL_CHUNK_SLOTS]; /* message NULL: not read yet, or not wanted */
    enum status status;
    char *error;
    uint64_t read_bytes; /* what was read of the files for it; for the reader only */
    uint64_t moves;      /* engine->moves when the request was prepared */
    bool waits;          /* it is not with the reader: a batch is moving what it wants */
    bool told;           /* its lane was reported as stalled; for the owner only */
    unsigned tries;      /* how often it could not be read just now; for the reader only */
    enum status stalled; /* why it could not be read just now; OK: it could so far. Under lock */
    bool done;           /* the reader has finished it. Under lock */
};
TAILQ_HEAD(page_request_list, page_request);

/* Transient messages that are being stored (paged.c). */
struct page_out;
TAILQ_HEAD(page_out_list, page_out);

/* How the last write ended: the writer tells the owner. */
struct write_outcome {
    bool due; /* a write has ended, and the owner has not taken this yet */
    enum status status;
    char *error;
};

/* The segment that is being written. */
struct segment_output {
    uint32_t number; /* 0: no segment is open */
    int fd;
    uint64_t offset;      /* where in the file gathered goes */
    uint64_t end;         /* the end of the last place that was written */
    struct text gathered; /* bytes that are not written yet */
};

/* What the writer has for one journal. */
struct writer_state {
    struct job job, retry;
    struct database_batch *encoded;
    struct text buffer;
    struct segment_output output;
    uint32_t segment_known; /* the newest segment whose name is on disk: the directory was synced */
    uint64_t encoded_bytes, segment_bytes;
    uint64_t handed_over_ns;
    enum status status;  /* of the last write */
    unsigned failures;   /* failed writes in a row; for the owner only */
    bool begin_database; /* the next write has to write the version record too */
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
    struct flight *filling, *flying; /* flying: NULL while no batch is being written */
    struct flight_list spare;
    uint64_t filling_number, committed, reported; /* numbers of batches */
    bool awaited; /* an answer waits for the filling batch (journal_await) */
    struct lane_list lanes;
    struct page_request_list page_requests;
    struct page_out_list page_outs;
    struct relocation *relocation;
    uint64_t moves; /* how often a chunk has been moved so far */
    struct spill *spill;
    struct writer_state writing;
    unsigned stalls;    /* page requests whose lane was reported as stalled */
    enum status health; /* as last told by health() */
    bool refused;       /* recovery failed: nothing may be written */

    struct database *database; /* set once, before anything is read from it; NULL: not made yet */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under lock: */
    unsigned jobs; /* jobs of all kinds that are queued or running */
    struct write_outcome outcome;
    struct flight_list let_go; /* flights whose messages have been given back */
    bool retry_due;            /* the pause after a failed write is over */
    bool stall_due;            /* a request cannot be read, and the owner has not told of it yet */
    bool database_ready;       /* the housekeeper may use the database */
    bool full;                 /* a write ended with NO_SPACE, and health() has not been OK since */
    bool space_returned;       /* the disk has room again */
    bool closing;              /* engine_free has begun */

    struct space *space;
    atomic_uint_fast64_t sync_us; /* microseconds that a small synced write takes, as an average */
    /* Figures. Any thread. */
    atomic_uint_fast64_t batches, syncs_failed, bytes_written, blocks_written, pages_in, pages_out,
        commit_us_sum;
    struct io_count reads, writes, syncs;
};

/* ---- engine.c */
/* To be called before a job is queued, and as the last thing that the job does. Any thread. */
void engine_job_begins(struct engine *engine);
void engine_job_ends(struct engine *engine);
/* Waits until no job is queued or running. */
void engine_await_jobs(struct engine *engine);
/* Wakes the owner, unless the journal is being closed. Any thread. */
void engine_wake(struct engine *engine);
/* Frees a chunk that has neither messages nor an index record and that no batch has noted. */
void engine_tidy_chunk(struct stored_chunk *chunk);

/* ---- commit.c */
void commit_begin(struct engine *engine);
void commit_end(struct engine *engine);
/* Gives the flying batch to a writer. */
void commit_start(struct engine *engine);
/* After a failed write: sets retry_due after a pause, and wakes the owner. */
void commit_retry_later(struct engine *engine);

/* ---- encode.c */
/* Encodes the flying batch into writing.encoded; writes and syncs its segments. The writer. Errors:
 * NO_SPACE, IO (errno). */
MUST_USE enum status encode_batch(struct engine *engine);
void encode_end(struct engine *engine);

/* ---- page_in.c */
/* Reads a chunk for the core; page_in_report reports it. */
void page_in_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk);
/* Reads a chunk for the engine itself. It is not reported: ask page_in_is_done. */
struct page_request *page_in_request(struct engine *engine, struct journal_lane *lane,
                                     uint64_t chunk);
bool page_in_is_done(const struct page_request *request);
void page_in_free(struct page_request **request);
/* To be called when a batch is committed: requests that waited for it go on. */
void page_in_go_on(struct engine *engine);
/* Reports the requests that are done, in the order in which they were made. */
void page_in_report(struct engine *engine);
void page_in_forget_lane(struct engine *engine, const struct journal_lane *lane);

/* ---- page_read.c */
/* The job of a page request. The reader. */
void page_read_run(struct job *job);
/* Decodes a block of transient messages into those slots of a request that are in wanted. The
 * reader. Errors: CORRUPT, NO_MEMORY. */
MUST_USE enum status page_read_block(struct page_request *request, struct bytes key,
                                     struct bytes value, const uint64_t *wanted);

/* ---- relocate.c */
void relocate_begin(struct engine *engine);
void relocate_end(struct engine *engine); /* while no job is under way */
/* Begins to move a chunk, or goes on with that, if it is worth it. At the end of journal_poll. */
void relocate_look(struct engine *engine);
/* Whether relocate_look has something to do. */
bool relocate_is_due(const struct engine *engine);
void relocate_forget_lane(struct engine *engine, const struct journal_lane *lane);

/* ---- paged.c: transient messages on disk */
void paged_out_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk,
                     const struct journal_entry *entries, size_t count);
/* Reports the page-outs that are done. */
void paged_out_report(struct engine *engine);
void paged_settle(struct engine *engine, struct journal_lane *lane, uint64_t seq);
/* Notes in the request which of the chunk's transient messages are stored, and where. Those that
 * are still being stored are put into its slots at once. */
void paged_prepare(struct engine *engine, struct page_request *request, struct stored_chunk *chunk);
/* Whether the slot holds a transient message that is not settled. */
bool paged_is_live(const struct stored_chunk *chunk, unsigned slot);
/* The size of that message's body. */
uint64_t paged_body_bytes(const struct stored_chunk *chunk, unsigned slot);
/* Reads the transient messages of a request. The reader. */
void paged_read(struct page_request *request);
/* Gives back the request's uses of files. */
void paged_done(struct page_request *request);
void paged_drop_lane(struct engine *engine, struct journal_lane *lane);
void paged_begin(struct engine *engine);
void paged_end(struct engine *engine);

/* ---- recount.c */
/* At recovery: reads the chunk's blocks and sets its sizes, which are all zeros. Errors: IO,
 * NO_MEMORY; CORRUPT: a live message is in no sound block. */
MUST_USE enum status recount_chunk(struct engine *engine, struct stored_chunk *chunk);

/* ---- recovery.c */
/* journal_recover. */
MUST_USE enum status recovery_run(struct engine *engine, const struct journal_recovery *recovery,
                                  char **error);

#endif
