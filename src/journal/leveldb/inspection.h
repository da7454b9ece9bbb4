/* Checking what lies in segments, and tables left over by verify_database, against their checksums:
 * as much as can be at start, the rest by and by. Nothing is changed. */
#ifndef LEVERET_JOURNAL_INSPECTION_H
#define LEVERET_JOURNAL_INSPECTION_H

#include "journal/leveldb/record.h"
#include "journal/leveldb/verify.h"

/* A block or a body in a segment. */
struct inspection_item {
    struct segment_place place;
    uint64_t id;     /* its lane, or the body's number */
    uint64_t number; /* its first seq, or the body's bytes */
    bool is_body;
};

struct inspection {
    struct verify_rest tables;
    size_t tables_done;
    struct inspection_item *items;
    size_t count, room, done;
};

void inspection_free(struct inspection *inspection);
void inspection_add(struct inspection *inspection, const struct inspection_item *item);

/* Checks the next items, at least bytes_min, and then until the clock says until_ms or all are
 * done. Errors: CORRUPT, IO, with *error naming the file (free it); the item counts as done. */
MUST_USE enum status inspection_items(struct inspection *inspection, const char *path,
                                      uint64_t bytes_min, uint64_t until_ms, char **error);
/* Checks the next table. Errors: as above; NOT_FOUND when all are done. */
MUST_USE enum status inspection_table(struct inspection *inspection, const char *path,
                                      char **error);

#endif
