/* LevelDB as the journal uses it: ordered keys, synced batches, range reads, range compaction.
 * leveldb.c is the only file that knows LevelDB.
 *
 * Thread: any; a database may be read on one thread and written on another. Writing and reopening
 * are one thread's at a time. */
#ifndef LEVERET_JOURNAL_DATABASE_H
#define LEVERET_JOURNAL_DATABASE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct database;
struct database_batch;

/* Whether there is a database at path, or what is left of one: verify_database tells. */
bool database_exists(const char *path);

/* Opens, making it (and its directory) when create is set. Sizes are chosen by the file system's.
 * Errors: LOCKED, CORRUPT, NO_SPACE, IO; NOT_FOUND without create. *error is then a sentence (free
 * it). */
MUST_USE enum status database_open(const char *path, bool create, struct database **out,
                                   char **error);
void database_close(struct database **db);
/* After a failed write LevelDB must not be written to before it has been opened again. Readers wait
 * meanwhile. Errors: as database_open; then reads fail with AGAIN, and this can be called again. */
MUST_USE enum status database_reopen(struct database *db, char **error);

/* What is to be written at once. */
struct database_batch *database_batch_new(void);
void database_batch_free(struct database_batch **batch);
void database_batch_clear(struct database_batch *batch);
void database_batch_put(struct database_batch *batch, struct bytes key, struct bytes value);
void database_batch_erase(struct database_batch *batch, struct bytes key);

/* Returns when it is on disk. Errors: NO_SPACE, IO, CORRUPT, with *error. */
MUST_USE enum status database_write(struct database *db, const struct database_batch *batch,
                                    char **error);

/* A write has failed since it was opened: nothing can be written before database_reopen. */
bool database_must_reopen(const struct database *db);

/* Calls each() for the keys from `from` up to but without `to`, ascending, with views that last for
 * the call, until it returns false. Errors: AGAIN, IO, CORRUPT, with *error; what was read before
 * has been told. */
MUST_USE enum status database_walk(struct database *db, struct bytes from, struct bytes to,
                                   bool (*each)(void *context, struct bytes key,
                                                struct bytes value),
                                   void *context, char **error);

/* Rewrites what lies between the keys without what was erased. Waits for it. */
void database_compact(struct database *db, struct bytes from, struct bytes to);

/* The bytes that the database's write buffer holds before it becomes a table. */
size_t database_write_buffer_bytes(const struct database *db);

#endif
