/* Checking the files of a LevelDB database against the checksums in them, before LevelDB opens it:
 * LevelDB would find most damage only when it reads the place, would take a damaged length at the
 * end of a log for a write that was cut off, and does not always say which file it was.
 *
 * Thread: any; the database must not be open, but for verify_table. Files are changed only where it
 * says so: what a crash, or a full disk, has left half written is cut off. */
#ifndef LEVERET_JOURNAL_VERIFY_H
#define LEVERET_JOURNAL_VERIFY_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* Tables that verify_database left for later: their numbers. */
struct verify_rest {
    uint64_t *tables;
    size_t count;
    char *cut; /* what was cut off, in a sentence; NULL: nothing */
};

/* How the database was closed last (clean.h). */
enum verify_after { VERIFY_AFTER_CLEAN_STOP, VERIFY_AFTER_CRASH };

/* Checks CURRENT, the manifest, the logs and, up to bytes_max of them, the tables. Errors: CORRUPT,
 * IO, NO_MEMORY, with *error (free it) naming the file. rest is to be freed by the caller.
 *
 * After a crash the last write may be torn, in the log and in the manifest: some of its pages are
 * on the disk, others are zeros or what was there before. It was not synced, so nothing in it was
 * promised: it is cut off. Damage with something sound behind it is none of that. */
MUST_USE enum status verify_database(const char *path, uint64_t bytes_max, enum verify_after after,
                                     struct verify_rest *rest, char **error);

/* After a failed write, before LevelDB opens the database again: cuts the manifest off before a
 * record that was half written when the disk was full. *cut is as above. Errors: as above. */
MUST_USE enum status verify_mend_manifest(const char *path, char **cut, char **error);

/* Checks one table of a database that may be open. Errors: NOT_FOUND (gone meanwhile), and as
 * above. */
MUST_USE enum status verify_table(const char *path, uint64_t number, char **error);

/* Cuts the newest log off behind its last whole record; what a failed write left behind it takes
 * room. Nothing may be written to the log any more. Returns how many bytes the logs have. */
uint64_t verify_trim_log(const char *path);

/* ---- The formats; pure. */

/* Walks the records of a log or manifest, ascending; each() gets whole records. *sound is where the
 * last whole record ends; when it is damaged, *damage is where. A record that was cut off at the
 * end is no damage. Errors: CORRUPT. */
MUST_USE enum status verify_log(struct bytes log, bool (*each)(void *context, struct bytes record),
                                void *context, size_t *sound, size_t *damage);

/* Whether a log's damage is that of a last write which was cut short: no whole record, and no
 * beginning of one, lies behind it. */
bool verify_log_is_torn(struct bytes log, size_t damage);

/* What a manifest says is in use. */
struct verify_manifest {
    uint64_t log_number; /* logs from this number on */
    struct verify_file {
        uint64_t number, bytes;
    } * files;
    size_t count, room;
};
/* Adds one record of a manifest. Errors: CORRUPT. */
MUST_USE enum status verify_edit(struct verify_manifest *manifest, struct bytes record);

/* Where a block of a table is, without the 5 bytes behind it. */
struct verify_block {
    uint64_t offset, bytes;
};
#define VERIFY_FOOTER_BYTES  48u
#define VERIFY_TRAILER_BYTES 5u
/* The two blocks that a table's footer names. Errors: CORRUPT. */
MUST_USE enum status verify_footer(struct bytes footer, struct verify_block *meta,
                                   struct verify_block *index);
/* A block with its trailer. Errors: CORRUPT. */
MUST_USE enum status verify_block(struct bytes block_and_trailer);
/* The blocks that an index block (without trailer) names. Errors: CORRUPT. */
MUST_USE enum status verify_index(struct bytes index,
                                  bool (*each)(void *context, struct verify_block block),
                                  void *context);

#endif
