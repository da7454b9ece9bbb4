/* The journal of one vhost: it stores messages and definitions, and tells when they are on disk. An
 * interface with two implementations, LevelDB (journal_leveldb.h) and memory (journal_memory.h).
 *
 * Thread: the vhost's owner calls all functions here, and the callbacks run on it too, from within
 * journal_poll. Only journal_recover and journal_free wait for the disk.
 *
 * Words. A *lane* is one ordered sequence of stored messages; a queue has one, and one more for
 * each priority that is in use. The queue gives each message of a lane a growing number, its *seq*.
 * seq / JOURNAL_CHUNK_SLOTS is the number of its *chunk*, and the rest its *slot* in that chunk;
 * blocks on disk never cross a chunk's border. A *batch* is what one synced write applies; batches
 * are numbered from 1 and applied in order.
 *
 * Normal course. While the core works it calls append, settle, put, erase and others; these join
 * the filling batch. At the end of each turn of the loop the host calls journal_flush. When no
 * batch is being written, that hands the filling batch to a writer thread, and a new one begins to
 * fill. When the batch is on disk, committed() is called with its number, and the next batch goes.
 *
 * What can go wrong:
 *  - A write fails: the batch is kept, nothing is committed, health() tells why, and the write is
 *    tried again until it succeeds. Reading goes on meanwhile.
 *  - A chunk cannot be read just now: reading is tried again until it succeeds, and stalled()
 * tells.
 *  - A block is damaged: the page's status is CORRUPT, and the file is left as it is. */
#ifndef LEVERET_JOURNAL_JOURNAL_H
#define LEVERET_JOURNAL_JOURNAL_H

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"
#include "leveret/base/status.h"

#define JOURNAL_CHUNK_SLOTS 512u /* slots of a chunk, one for each of its seqs; a power of two */
#define JOURNAL_CHUNK_WORDS                                                                        \
    (JOURNAL_CHUNK_SLOTS / 64u) /* words of 64 bits that hold one bit a slot */

struct journal;      /* one for each vhost */
struct journal_lane; /* a lane's bookkeeping: each implementation has its own */

/* One message of a lane as stored. */
struct journal_entry {
    uint64_t seq;
    uint64_t expires_ms;     /* wall clock; 0: never */
    struct message *message; /* one reference, which belongs to the holder of the entry */
};

/* The messages of one chunk, read back. */
struct journal_page {
    struct journal_lane *lane;
    uint64_t chunk;
    size_t count;
    struct journal_entry *entries; /* ascending seq; the receiver takes the message references */
    /* OK, or CORRUPT: some messages could not be read, and entries has the others. The body of each
     * message in entries is as large as journal_body_bytes says. */
    enum status status;
};

struct journal_callbacks {
    void *context;
    /* All batches up to and including this one are on disk. */
    void (*committed)(void *context, uint64_t batch);
    /* The page that journal_page_in asked for. The callee takes the message references; the page
     * itself is the journal's, and valid until the call returns. */
    void (*paged_in)(void *context, struct journal_page *page);
    /* OK: the transient messages given to journal_page_out are stored, and the core may let go of
     * them. Otherwise none of them is. */
    void (*paged_out)(void *context, struct journal_lane *lane, uint64_t chunk, enum status status);
    /* Writing fails now (NO_SPACE, IO, CORRUPT), and text is a sentence that says why; or writing
     * works again (OK). */
    void (*health)(void *context, enum status status, const char *text);
    /* A page that journal_page_in asked for cannot be read just now (IO, NO_MEMORY). Reading is
     * tried again until it succeeds: then this is called with OK, and paged_in() follows. NULL:
     * nobody is told. */
    void (*stalled)(void *context, struct journal_lane *lane, enum status status);
};

/* Callbacks with which journal_recover tells what it has found, in this order: all definitions,
 * then all lanes, each with its chunks in ascending order. */
struct journal_recovery {
    void *context;
    void (*definition)(void *context, struct bytes key, struct bytes value);
    /* A lane. delivered_seq: the highest seq that may have been delivered (0: none). lane is valid
     * until journal_lane_drop. Returns the context for the lane's chunks. */
    void *(*lane)(void *context, uint64_t lane_id, struct journal_lane *lane,
                  uint64_t delivered_seq);
    /* A chunk in which a message is alive. live: the slots of its live messages (bit i: seq =
     * chunk * JOURNAL_CHUNK_SLOTS + i). body_bytes: the exact sum of the sizes of their bodies.
     * any_expires: false when none of them expires. */
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

/* The first member of each implementation's own struct. Only the implementations and the functions
 * below look into it. */
struct journal {
    const struct journal_ops *ops;
};

/* Stores a definition: a value under a key (at most 1 KiB), until it is erased or put again. */
static inline void journal_put(struct journal *j, struct bytes key, struct bytes value)
{
    j->ops->put(j, key, value);
}

static inline void journal_erase(struct journal *j, struct bytes key)
{
    j->ops->erase(j, key);
}

/* Makes a lane. lane_id must not have been used before in this journal. Never NULL. Nothing is
 * written until something is appended. */
static inline struct journal_lane *journal_lane_new(struct journal *j, uint64_t lane_id)
{
    return j->ops->lane_new(j, lane_id);
}

/* Ends a lane and nulls the pointer. All its messages go with the filling batch. Pages and
 * page-outs of the lane that are under way are not reported any more. */
static inline void journal_lane_drop(struct journal *j, struct journal_lane **lane)
{
    j->ops->lane_drop(j, lane);
}

/* Adds a durable message to the filling batch. The journal takes a reference of its own and keeps
 * it until the message is written. seq must be above all earlier ones of the lane. */
static inline void journal_append(struct journal *j, struct journal_lane *lane, uint64_t seq,
                                  uint64_t expires_ms, struct message *message)
{
    j->ops->append(j, lane, seq, expires_ms, message);
}

/* Removes a message that was appended or paged out. A message that is settled in the batch in which
 * it was appended is never written. */
static inline void journal_settle(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    j->ops->settle(j, lane, seq);
}

/* The size of the body of a message that was appended or paged out and is not settled, for a caller
 * that does not hold the message itself. 0 when there is no such message. */
static inline uint64_t journal_body_bytes(struct journal *j, struct journal_lane *lane,
                                          uint64_t seq)
{
    return j->ops->body_bytes(j, lane, seq);
}

/* Notes that messages up to seq may have been delivered, for recovery to tell. The note is written
 * once in a batch, and only when a message of the lane outlives the batch. */
static inline void journal_delivered(struct journal *j, struct journal_lane *lane, uint64_t seq)
{
    j->ops->delivered(j, lane, seq);
}

/* Stores transient messages of a chunk, without a sync; they do not survive a restart. The journal
 * takes references of its own. paged_out() follows. */
static inline void journal_page_out(struct journal *j, struct journal_lane *lane, uint64_t chunk,
                                    const struct journal_entry *entries, size_t count)
{
    j->ops->page_out(j, lane, chunk, entries, count);
}

/* Asks for all messages of a chunk that are stored and not settled, durable and transient.
 * paged_in() follows; pages come in the order in which they were asked for. */
static inline void journal_page_in(struct journal *j, struct journal_lane *lane, uint64_t chunk)
{
    j->ops->page_in(j, lane, chunk);
}

/* The number of the filling batch. What is added to it now is on disk once committed() has named
 * that number or a higher one. If nothing is added, committed() does not name it: see
 * journal_await. */
static inline uint64_t journal_filling(const struct journal *j)
{
    return j->ops->filling(j);
}

/* The same number, for an answer that waits for the batch: committed() will name it even when
 * nothing is added to it. Then there is no write, and it is named as soon as the batches before it
 * are on disk. */
static inline uint64_t journal_await(struct journal *j)
{
    return j->ops->await(j);
}

/* The last batch known to be on disk. */
static inline uint64_t journal_committed(const struct journal *j)
{
    return j->ops->committed(j);
}

/* Bytes of the messages in batches that are not on disk yet. The host holds publishers by it. */
static inline uint64_t journal_unwritten_bytes(const struct journal *j)
{
    return j->ops->unwritten_bytes(j);
}

/* To be called at the end of each turn of the loop: hands the filling batch over unless one is
 * being written. A batch to which nothing was added stays the filling one, unless it is awaited.
 * Two kinds of batch need no write: an awaited one that is empty, and one whose messages have all
 * been settled since. The next journal_poll calls committed() for them all the same, because
 * promises may wait for them. */
static inline void journal_flush(struct journal *j)
{
    j->ops->flush(j);
}

/* Runs the callbacks for all that the journal's threads have finished since the last call. */
static inline void journal_poll(struct journal *j)
{
    j->ops->poll(j);
}

/* Reads what is stored. To be called once, before all other functions. Errors: IO, CORRUPT,
 * VERSION, NO_MEMORY, with a sentence in *error (free it) that names the file and says what to do.
 */
MUST_USE static inline enum status
journal_recover(struct journal *j, const struct journal_recovery *recovery, char **error)
{
    return j->ops->recover(j, recovery, error);
}

/* Writes and syncs the filling batch, waiting for the disk, and closes the journal. When the write
 * fails it is not tried again, and the batch is lost. */
static inline void journal_free(struct journal **j)
{
    if (*j)
        (*j)->ops->free(j);
}

#endif
