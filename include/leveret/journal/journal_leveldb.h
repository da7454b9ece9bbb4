/* The journal on LevelDB, and the threads that serve all such journals of a node. Record formats,
 * recovery and what is promised when: docs/journal.md.
 *
 * Thread: a journal belongs to its vhost's owner, as journal.h says; journal_leveldb_figures may be
 * called on any thread. The threads are made before the first journal and freed after the last, on
 * the main thread. */
#ifndef LEVERET_JOURNAL_JOURNAL_LEVELDB_H
#define LEVERET_JOURNAL_JOURNAL_LEVELDB_H

#include "leveret/base/log.h"
#include "leveret/journal/journal.h"

/* The threads that write, read and compact for all journals of a node. */
struct journal_threads;
/* writers: how many threads write batches, 1 to 16. Never NULL. */
struct journal_threads *journal_threads_new(unsigned writers, struct log *log);
void journal_threads_free(struct journal_threads **threads);

struct journal_leveldb_options {
    const char *path; /* the database's directory; made when something is to be stored */
    struct journal_threads *threads;
    struct log *log;
    /* Called when journal_poll has something to do, on any of the threads or on the owner. It must
     * only wake the owner. */
    void (*wake)(void *context);
    void *wake_context;
};

/* Never NULL. The database is opened by journal_recover, or made by the first batch. */
struct journal *journal_leveldb_new(const struct journal_leveldb_options *options,
                                    const struct journal_callbacks *callbacks);

/* Reads, writes and syncs of a journal's files, without LevelDB's compactions. A batch is written
 * to the database and synced in one call, whose time cannot be divided: it counts as a write and as
 * a sync. */
struct journal_io {
    uint64_t reads, read_bytes, read_us; /* one read for each chunk that is read back */
    uint64_t writes, write_bytes, write_us;
    uint64_t syncs, sync_us;
};

/* Figures for the API and metrics. */
struct journal_figures {
    uint64_t batches, syncs_failed, bytes_written, blocks_written, pages_in, pages_out;
    uint64_t commit_us_sum; /* microseconds from journal_flush to the end of the sync, summed over
                               all batches */
    struct journal_io io;
    unsigned jobs; /* writes, reads and page-outs that wait for a thread or run on one */
};
void journal_leveldb_figures(const struct journal *journal, struct journal_figures *out);

#endif
