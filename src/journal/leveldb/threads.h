/* The threads that write, read and keep house for all journals of a node (journal_leveldb.h).
 *
 * A job is a member of the struct that it works on. It may be queued only once at a time. Its
 * function may free it or queue it again.
 *
 * Thread: any. The function of a job runs on one of the threads: a writer, the reader, the bulk
 * thread; that of an upkeep on the housekeeper. */
#ifndef LEVERET_JOURNAL_THREADS_H
#define LEVERET_JOURNAL_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "leveret/journal/journal_leveldb.h"

struct job {
    TAILQ_ENTRY(job) link;
    uint64_t due_ms; /* the clock_steady_ms from which on it may run; 0: at once */
    void (*run)(struct job *job);
};

/* Queues a job for the writers. */
void threads_write(struct journal_threads *threads, struct job *job);
void threads_write_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms);
/* Queues a job that takes long and that no confirm waits for. Such jobs run one after the other. */
void threads_bulk(struct journal_threads *threads, struct job *job);
/* Queues a job for the reader. Such jobs run in the order in which they were queued. */
void threads_read(struct journal_threads *threads, struct job *job);
void threads_read_later(struct journal_threads *threads, struct job *job, uint64_t delay_ms);

/* Housekeeping of one journal. run() is called about twice a second, and at once after
 * threads_hurry. It may take long. */
struct upkeep {
    TAILQ_ENTRY(upkeep) link;
    void (*run)(struct upkeep *upkeep);
    bool running; /* run() has been called and has not returned */
};
void threads_upkeep_add(struct journal_threads *threads, struct upkeep *upkeep);
/* Waits until run() has returned. */
void threads_upkeep_remove(struct journal_threads *threads, struct upkeep *upkeep);
void threads_hurry(struct journal_threads *threads);

#endif
