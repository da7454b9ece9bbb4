/* LevelDB as the journal uses it: ordered keys, synced batches, reading and compaction of ranges.
 * leveldb.c implements this and is the only file that uses LevelDB.
 *
 * Thread: any. A database may be read on one thread while it is written on another. Only one thread
 * at a time may write or reopen it. */
#ifndef LEVERET_JOURNAL_DATABASE_H
#define LEVERET_JOURNAL_DATABASE_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct database;
struct database_batch;

/* Whether there is a database at path, even a damaged one (verify_database tells). */
bool database_exists(const char *path);

/* Opens a database. create: makes it, and its directory, when it is not there. The size of the file
 * system decides the size of the write buffer. Errors: LOCKED, CORRUPT, NO_SPACE, IO, and NOT_FOUND
 * without create, with a sentence in *error (free it). */
MUST_USE enum status database_open(const char *path, bool create, struct database **out,
                                   char **error);
void database_close(struct database **db);
/* Opens the database again. After a failed write this must come before the next write. Readers wait
 * meanwhile. Errors: as database_open; until a later call succeeds reads fail with AGAIN. */
MUST_USE enum status database_reopen(struct database *db, char **error);

/* A database batch has all that one database_write writes. */
struct database_batch *database_batch_new(void);
void database_batch_free(struct database_batch **batch);
void database_batch_clear(struct database_batch *batch);
void database_batch_put(struct database_batch *batch, struct bytes key, struct bytes value);
void database_batch_erase(struct database_batch *batch, struct bytes key);

/* Writes the batch and returns when it is on disk. Errors: NO_SPACE, IO, CORRUPT, with *error. */
MUST_USE enum status database_write(struct database *db, const struct database_batch *batch,
                                    char **error);

/* Whether a write has failed since the database was opened: it must be reopened before the next. */
bool database_must_reopen(const struct database *db);

/* Calls each() for the keys from `from` up to but without `to`, in ascending order, until it
 * returns false. Its views are valid until it returns. Errors: AGAIN, IO, CORRUPT, with *error;
 * each() has been called for the keys before the failure. */
MUST_USE enum status database_walk(struct database *db, struct bytes from, struct bytes to,
                                   bool (*each)(void *context, struct bytes key,
                                                struct bytes value),
                                   void *context, char **error);

/* Rewrites the tables between the two keys without the records that were erased; returns when that
 * is done. */
void database_compact(struct database *db, struct bytes from, struct bytes to);

/* How many bytes the write buffer takes before it is written as a table. */
size_t database_write_buffer_bytes(const struct database *db);

#endif
