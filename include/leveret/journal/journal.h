/* The journal of one vhost: what makes a promise keepable. An interface with two implementations,
 * LevelDB (journal_leveldb.h) and memory (journal_memory.h).
 *
 * Thread: all functions here are called on the vhost's owner, and the callbacks run on it too (from
 * journal_poll). Nothing here waits for the disk but journal_recover and journal_free.
 *
 * Words. A *lane* is one ordered sequence of stored messages; a queue has one, and one more for
 * each priority that is in use. A message's place in a lane is its *seq*, given by the queue,
 * growing. seq / JOURNAL_CHUNK_SLOTS is its *chunk*; blocks on disk never cross a chunk's border. A
 * *batch* is what one synced write applies; batches are numbered from 1 and applied in order.
 *
 * Normal course. The core calls append, settle, put, erase … while it works; they join the batch
 * that is filling. At the end of each loop turn the host calls journal_flush: when no batch is
 * being written the filling one is handed to a writer thread, and a new one begins. When it is on
 * disk, committed() is called with its number, and the next one goes.
 *
 * What can go wrong. A write fails: the batch is kept, nothing is committed, health() reports
 * it, and the write is tried again until it succeeds. Reading goes on meanwhile. Something cannot be
 * read: it is tried again until it can, and stalled() says so. A damaged block: the page's status
 * is CORRUPT; the file is left as it is. */
#ifndef LEVERET_JOURNAL_JOURNAL_H
#define LEVERET_JOURNAL_JOURNAL_H

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"
#include "leveret/base/status.h"

#define JOURNAL_CHUNK_SLOTS 512u /* messages whose seq share a chunk; a power of two */
#define JOURNAL_CHUNK_WORDS (JOURNAL_CHUNK_SLOTS / 64u)

struct journal;      /* one vhost's */
struct journal_lane; /* one lane's bookkeeping: which blocks hold which seqs */

/* One message of a lane as stored. */
struct journal_entry {
    uint64_t seq;
    uint64_t expires_ms;     /* wall clock; 0: never */
    struct message *message; /* one reference, owned by the entry's holder */
};

/* The messages of one chunk, read back. */
struct journal_page {
    struct journal_lane *lane;
    uint64_t chunk;
    size_t count;
    struct journal_entry *entries; /* ascending seq; the receiver takes the message references */
    /* OK, or CORRUPT: what could be read is here all the same. Each message that is here has the
     * size that journal_body_bytes says. */
    enum status status;
};

struct journal_callbacks {
    void *context;
    /* All batches up to and including this one are on disk. */
    void (*committed)(void *context, uint64_t batch);
    /* A page asked for by journal_page_in. The page is the journal's; message references are taken.
     */
    void (*paged_in)(void *context, struct journal_page *page);
    /* The transient messages given to journal_page_out are stored; the core may let go of them. */
    void (*paged_out)(void *context, struct journal_lane *lane, uint64_t chunk, enum status status);
    /* Writing fails now (NO_SPACE, IO, CORRUPT), text says what in words; or works again (OK). */
    void (*health)(void *context, enum status status, const char *text);
    /* What journal_page_in asked for of this lane cannot be read just now (IO, NO_MEMORY) and is
     * tried again until it can; paged_in() follows then, after a call with OK. NULL: nobody asks.
     */
    void (*stalled)(void *context, struct journal_lane *lane, enum status status);
};

/* What recovery found. Calls come in this order: all definitions, then all lanes, and within a
 * lane its chunks ascending. Runs inside journal_recover. */
struct journal_recovery {
    void *context;
    void (*definition)(void *context, struct bytes key, struct bytes value);
    /* A lane: its id, and the highest seq that may have been delivered (0: none). Returns the
     * context for its chunks. The handle is valid until journal_lane_drop. */
    void *(*lane)(void *context, uint64_t lane_id, struct journal_lane *lane,
                  uint64_t delivered_seq);
    /* A chunk with something alive in it: which of its slots are alive (bit i: seq =
     * chunk * JOURNAL_CHUNK_SLOTS + i), the exact sum of their body bytes, and whether any of them
     * expires. */
    void (*chunk)(void *lane_context, uint64_t chunk, const uint64_t live[JOURNAL_CHUNK_WORDS],
                  uint64_t body_bytes, bool any_expires);
};

struct journal_ops {
    void (*put)(struct journal *, struct bytes key, struct bytes value);
    void (*erase)(struct journal *, struct bytes key);
    struct journal_lane *(*lane_new)(struct journal *, uint64_t lane_id);
    void (*lane_drop)(struct journal *, struct journal_lane **);
    void (*append)(struct journal *, struct journal_lane *, uint64_t seq, uint64_t expires_ms,
                   struct message *);
    void (*settle)(struct journal *, struct journal_lane *, uint64_t seq);
    uint64_t (*body_bytes)(struct journal *, struct journal_lane *, uint64_t seq);
    void (*delivered)(struct journal *, struct journal_lane *, uint64_t seq);
    void (*page_out)(struct journal *, struct journal_lane *, uint64_t chunk,
                     const struct journal_entry *entries, size_t count);
    void (*page_in)(struct journal *, struct journal_lane *, uint64_t chunk);
    uint64_t (*filling)(const struct journal *);
    uint64_t (*await)(struct journal *);
    uint64_t (*committed)(const struct journal *);
    uint64_t (*unwritten_bytes)(const struct journal *);
    void (*flush)(struct journal *);
    void (*poll)(struct journal *);
    enum status (*recover)(struct journal *, const struct journal_recovery *, char **error);
    void (*free)(struct journal **);
};

/* The head of every implementation's struct journal; only they and the functions below look in. */
struct journal {
    const struct journal_ops *ops;
};

/* Definitions: a key (at most 1 KiB) to a value, kept until erased. */
static inline void journal_put(struct journal *j, struct bytes key, struct bytes value)
{
    j->ops->put(j, key, value);
}

static inline void journal_erase(struct journal *j, struct bytes key)
{
    j->ops->erase(j, key);
}

/* A new lane. lane_id must not have been used before in this journal. Never NULL. Costs no disk
 * until something is appended. */
static inline struct journal_lane *journal_lane_new(struct journal *j, uint64_t lane_id)
{
    return j->ops->lane_new(j, lane_id);
}

/* Ends a lane: all that it holds is gone with the filling batch. Nulls the pointer; a page-in under
 * way is not reported any more. */
static inline void journal_lane_drop(struct journal *j, struct journal_lane **lane)
{
    j->ops->lane_drop(j, lane);
}

/* Adds a durable message to the filling batch; takes a reference of its own until written.
 * seq must be above all earlier ones of the lane. */
static inline void journal_append(struct journal *j, struct journal_lane *lane, uint64_t seq,
                                  uint64_t expires_ms, struct message *message)
{
    j->ops->append(j, lane, seq, expires_ms, message);
}

/* A message that was appended (or paged out) is done with. In the same batch as its append: it is
 * never written. */
static inline void journal_settle(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    j->ops->settle(j, lane, seq);
}

/* The size of the body of a message that was appended or paged out and is not settled: for who has
 * let go of the message itself. 0 when there is no such message. */
static inline uint64_t journal_body_bytes(struct journal *j, struct journal_lane *lane,
                                          uint64_t seq)
{
    return j->ops->body_bytes(j, lane, seq);
}

/* Messages up to seq may have been delivered: recovery will say so. Merged within a batch; written
 * only when something of the lane outlives the batch. */
static inline void journal_delivered(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    j->ops->delivered(j, lane, seq);
}

/* Stores the transient messages of a chunk without a sync; they do not survive a restart.
 * References are taken as needed. paged_out() follows. */
static inline void journal_page_out(struct journal *j, struct journal_lane *lane, uint64_t chunk,
                                    const struct journal_entry *entries, size_t count)
{
    j->ops->page_out(j, lane, chunk, entries, count);
}

/* Asks for all stored, unsettled messages of a chunk, durable and transient. paged_in() follows, in
 * the order asked. */
static inline void journal_page_in(struct journal *j, struct journal_lane *lane, uint64_t chunk)
{
    j->ops->page_in(j, lane, chunk);
}

/* The number of the batch now filling: what is done now is on disk once committed() names it. It is
 * named only if something was added to it: see journal_await. */
static inline uint64_t journal_filling(const struct journal *j)
{
    return j->ops->filling(j);
}

/* The same number, for an answer that waits for it: committed() will name this batch even when
 * nothing is added to it, without a write, as soon as those before it are on disk. */
static inline uint64_t journal_await(struct journal *j)
{
    return j->ops->await(j);
}

/* The last batch known to be on disk. */
static inline uint64_t journal_committed(const struct journal *j)
{
    return j->ops->committed(j);
}

/* Message bytes held for batches that are not on disk yet: for backpressure. */
static inline uint64_t journal_unwritten_bytes(const struct journal *j)
{
    return j->ops->unwritten_bytes(j);
}

/* End of a loop turn: hands the filling batch over if none is being written. A batch to which
 * nothing was added stays the filling one, unless it is awaited. One that is awaited and empty, or
 * to which something was added, all of it settled since, needs no write, but committed() names it
 * all the same (from the next journal_poll): promises wait for it. */
static inline void journal_flush(struct journal *j)
{
    j->ops->flush(j);
}

/* Runs the callbacks of what the writer threads have finished since. */
static inline void journal_poll(struct journal *j)
{
    j->ops->poll(j);
}

/* Reads what is stored; once, before anything else. Errors: IO, CORRUPT, VERSION, NO_MEMORY, with a
 * sentence in *error (free it) that names the file and says how to go on. */
MUST_USE static inline enum status
journal_recover(struct journal *j, const struct journal_recovery *recovery, char **error)
{
    return j->ops->recover(j, recovery, error);
}

/* Writes and syncs what is filling (waits for it; gives up after a failed write), then closes. */
static inline void journal_free(struct journal **j)
{
    if (*j)
        (*j)->ops->free(j);
}

#endif
