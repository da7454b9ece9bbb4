/* The threads that write, read and keep house for all journals (journal_leveldb.h).
 *
 * A job lies in its owner's structure; it is queued at most once at a time and its function may
 * free it or queue it again. Any thread may queue. */
#ifndef LEVERET_JOURNAL_THREADS_H
#define LEVERET_JOURNAL_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "leveret/journal/journal_leveldb.h"

struct job {
    TAILQ_ENTRY(job) link;
    uint64_t due_ms; /* clock_steady_ms from which it may run */
    void (*run)(struct job *job);
};

void threads_write(struct journal_threads *threads, struct job *job);
void threads_write_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms);
/* What takes long and no confirm waits for; on a thread of its own, one after the other. */
void threads_bulk(struct journal_threads *threads, struct job *job);
/* First asked, first read. */
void threads_read(struct journal_threads *threads, struct job *job);
void threads_read_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms);

/* Something to be looked at about twice a second, and sooner after threads_hurry, on a thread that
 * may be kept busy for long. */
struct upkeep {
    TAILQ_ENTRY(upkeep) link;
    void (*run)(struct upkeep *upkeep);
    bool running;
};
void threads_upkeep_add(struct journal_threads *threads, struct upkeep *upkeep);
/* Waits while it runs. */
void threads_upkeep_remove(struct journal_threads *threads, struct upkeep *upkeep);
void threads_hurry(struct journal_threads *threads);

#endif
