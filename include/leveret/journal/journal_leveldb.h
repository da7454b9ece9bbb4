/* The journal on LevelDB, the writer threads that serve all of them, and the small store of the
 * node's own. Record formats, recovery and what is promised when: docs/journal.md. */
#ifndef LEVERET_JOURNAL_JOURNAL_LEVELDB_H
#define LEVERET_JOURNAL_JOURNAL_LEVELDB_H

#include "leveret/base/log.h"
#include "leveret/journal/journal.h"

/* Threads that write, read and compact for all journals. */
struct journal_threads;
/* writers: 1 to 16. Reading has a thread of its own. Never NULL. */
struct journal_threads *journal_threads_new(unsigned writers, struct log *log);
void journal_threads_free(struct journal_threads **threads); /* after all journals */

struct journal_leveldb_options {
    const char *path; /* the database's directory; made when there is something to keep */
    struct journal_threads *threads;
    struct log *log;
    /* Called on a writer thread when journal_poll has something to do; must only wake the owner. */
    void (*wake)(void *context);
    void *wake_context;
};

/* Errors: none; the database is opened by journal_recover or the first batch. */
struct journal *journal_leveldb_new(const struct journal_leveldb_options *options,
                                    const struct journal_callbacks *callbacks);

/* Figures for the API and metrics; any thread. */
struct journal_figures {
    uint64_t batches, syncs_failed, bytes_written, blocks_written, pages_in, pages_out;
    uint64_t commit_us_sum; /* microseconds from hand-over to synced, all batches together */
    unsigned jobs;          /* under way on the threads: writes, reads, page-outs */
};
void journal_leveldb_figures(const struct journal *journal, struct journal_figures *out);

/* ---- A small synced key-value store (users, vhosts, permissions). Any one thread; waits for the
 * disk. */
struct store;
/* Whether there is one to be opened; else store_open makes one. */
bool store_exists(const char *path);
/* Errors: LOCKED, VERSION, CORRUPT, IO, NO_SPACE, with a sentence in *error (free it). */
MUST_USE enum status store_open(const char *path, struct store **out, char **error);
void store_close(struct store **store);
/* What is put and erased waits for store_commit, which writes all of it, synced, or nothing. Errors:
 * IO, NO_SPACE: nothing changed, nothing waits. */
void store_put(struct store *store, struct bytes key, struct bytes value);
void store_erase(struct store *store, struct bytes key);
MUST_USE enum status store_commit(struct store *store);
/* Calls each() for all keys that begin with prefix, ascending; the views last for the call. */
MUST_USE enum status store_each(struct store *store, struct bytes prefix,
                                void (*each)(void *context, struct bytes key, struct bytes value),
                                void *context);

#endif
