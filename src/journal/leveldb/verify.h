/* Checking the files of a LevelDB database against the checksums in them, before LevelDB opens it.
 * LevelDB alone would find most damage only when it reads the damaged place. It would take a
 * damaged length at the end of a log for a write that was cut off. And it does not always name the
 * file.
 *
 * The database must not be open, except for verify_table. Files are changed only where it says so:
 * what a crash or a full disk has left half written is cut off.
 *
 * Thread: any. */
#ifndef LEVERET_JOURNAL_VERIFY_H
#define LEVERET_JOURNAL_VERIFY_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* The result of verify_database. The caller frees both pointers. */
struct verify_rest {
    uint64_t *tables; /* numbers of the tables that are still to be checked */
    size_t count;
    char *cut; /* a sentence that says what was cut off; NULL: nothing was */
};

/* How the database was closed last (clean.h). */
enum verify_after { VERIFY_AFTER_CLEAN_STOP, VERIFY_AFTER_CRASH };

/* Checks CURRENT, the manifest, the logs, and tables of up to bytes_max bytes together. Errors:
 * CORRUPT, IO, NO_MEMORY, with a sentence in *error that names the file (free it).
 *
 * After a crash the last write to the log or the manifest may be torn: some of its pages are on the
 * disk, others are zeros or have older bytes. That write was not synced, so nothing in it was
 * promised, and it is cut off. Damage that has sound records behind it is not a torn write:
 * CORRUPT.
 */
MUST_USE enum status verify_database(const char *path, uint64_t bytes_max, enum verify_after after,
                                     struct verify_rest *rest, char **error);

/* To be called after a failed write, before LevelDB opens the database again: cuts the manifest off
 * before a record that was half written when the disk was full. *cut: as in verify_rest. Errors: as
 * above. */
MUST_USE enum status verify_mend_manifest(const char *path, char **cut, char **error);

/* Checks one table. The database may be open. Errors: as above; NOT_FOUND: LevelDB has removed it.
 */
MUST_USE enum status verify_table(const char *path, uint64_t number, char **error);

/* Cuts the newest log off behind its last whole record: what a failed write has left there takes
 * room. The log must not be written to any more. Returns the size of all logs in bytes. */
uint64_t verify_trim_log(const char *path);

/* ---- The formats (verify_format.c). These functions are pure. */

/* Calls each() for the records of a log or a manifest in turn, until it returns false. *sound:
 * where the last whole record ends. Errors: CORRUPT; *damage is then where the damage begins. A
 * record that is cut off at the end of the log is no damage. */
MUST_USE enum status verify_log(struct bytes log, bool (*each)(void *context, struct bytes record),
                                void *context, size_t *sound, size_t *damage);

/* Whether a log's damage is a torn last write: behind it there is neither a whole record nor the
 * beginning of one. */
bool verify_log_is_torn(struct bytes log, size_t damage);

/* The files that a manifest says are in use. */
struct verify_manifest {
    uint64_t log_number; /* logs with this number and higher ones */
    struct verify_file {
        uint64_t number, bytes;
    } * files;
    size_t count, room;
};
/* Applies one record of a manifest to *manifest. Errors: CORRUPT. */
MUST_USE enum status verify_edit(struct verify_manifest *manifest, struct bytes record);

/* The place of a block in a table. Its trailer follows it and is not counted. */
struct verify_block {
    uint64_t offset, bytes;
};
#define VERIFY_FOOTER_BYTES  48u
#define VERIFY_TRAILER_BYTES 5u
/* The two blocks that a table's footer names. Errors: CORRUPT. */
MUST_USE enum status verify_footer(struct bytes footer, struct verify_block *meta,
                                   struct verify_block *index);
/* Checks a block with its trailer. Errors: CORRUPT. */
MUST_USE enum status verify_block(struct bytes block_and_trailer);
/* Calls each() for the blocks that an index block (without its trailer) names. Errors: CORRUPT,
 * also when each() returns false. */
MUST_USE enum status verify_index(struct bytes index,
                                  bool (*each)(void *context, struct verify_block block),
                                  void *context);

#endif
