/* A journal in memory: for tests and simulation. See journal.h. One thread. */
#ifndef LEVERET_JOURNAL_JOURNAL_MEMORY_H
#define LEVERET_JOURNAL_JOURNAL_MEMORY_H

#include "leveret/journal/journal.h"

/* The disk of a memory journal: it outlives journals, so that a crash and a restart can be played.
 */
struct journal_memory_disk;
struct journal_memory_disk *journal_memory_disk_new(void);
void journal_memory_disk_free(struct journal_memory_disk **disk);

/* A journal on disk. Nothing reaches the disk before journal_memory_sync, unless automatic: then
 * journal_flush writes at once. journal_free plays a crash, forgetting what was not synced, unless
 * automatic: then it writes what is filling. */
struct journal *journal_memory_new(struct journal_memory_disk *disk,
                                   const struct journal_callbacks *callbacks, bool automatic);

/* Writes the batch handed over by journal_flush and lets the next journal_poll report it. */
void journal_memory_sync(struct journal *journal);
/* While failing, batches are not written and health() reports status. OK ends it. */
void journal_memory_fail(struct journal *journal, enum status status);
/* While status is not OK, page-outs store nothing and report it, and pages that were asked for are
 * not reported: their lanes are stalled, and reading is tried again at each journal_poll. */
void journal_memory_fail_pages(struct journal *journal, enum status status);

#endif
