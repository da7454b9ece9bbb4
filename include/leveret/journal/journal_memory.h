/* A journal in memory (journal.h): for tests, for simulation, and for a node without a data
 * directory.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_JOURNAL_MEMORY_H
#define LEVERET_JOURNAL_JOURNAL_MEMORY_H

#include "leveret/journal/journal.h"

/* The disk of a memory journal. It outlives the journal, so a test can play a crash and a restart.
 */
struct journal_memory_disk;
struct journal_memory_disk *journal_memory_disk_new(void);
void journal_memory_disk_free(struct journal_memory_disk **disk);

/* Makes a journal that stores on disk. automatic: journal_flush writes to the disk at once, and
 * journal_free writes the filling batch. Otherwise only journal_memory_sync writes to the disk, and
 * journal_free plays a crash: what was not synced is forgotten. */
struct journal *journal_memory_new(struct journal_memory_disk *disk,
                                   const struct journal_callbacks *callbacks, bool automatic);

/* Writes the batch that journal_flush has handed over; the next journal_poll reports it. */
void journal_memory_sync(struct journal *journal);
/* Lets writing fail from now on: batches are not written, and health() tells status. OK ends that.
 */
void journal_memory_fail(struct journal *journal, enum status status);
/* Lets page-outs and reading fail from now on. A page-out stores nothing and reports status. A page
 * that is asked for is not reported: its lane is stalled, and reading is tried again at each
 * journal_poll. OK ends that. */
void journal_memory_fail_pages(struct journal *journal, enum status status);

#endif
