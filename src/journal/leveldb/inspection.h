/* An inspection: blocks and bodies in segments, and tables that verify_database has left, to be
 * checked against their checksums. Some are checked at start, the rest while the broker runs.
 * Nothing is changed.
 *
 * Thread: the vhost's owner at start; then the housekeeper. */
#ifndef LEVERET_JOURNAL_INSPECTION_H
#define LEVERET_JOURNAL_INSPECTION_H

#include "journal/leveldb/record.h"
#include "journal/leveldb/verify.h"

/* A block or a body in a segment. */
struct inspection_item {
    struct segment_place place;
    uint64_t id;     /* of a block: its lane; of a body: its id */
    uint64_t number; /* of a block: its first seq; of a body: its size in bytes */
    bool is_body;
};

struct inspection {
    struct verify_rest tables;
    size_t tables_done;
    struct inspection_item *items;
    size_t count, room, done;
};

/* Frees what the inspection holds; it is then all zeros. */
void inspection_free(struct inspection *inspection);
/* Adds an item to be checked. */
void inspection_add(struct inspection *inspection, const struct inspection_item *item);

/* Checks the next items: at least bytes_min bytes of them, then further ones until clock_steady_ms
 * is until_ms, or until all are checked. Errors, with a sentence in *error that names the file
 * (free it): CORRUPT; IO, NO_MEMORY: the item will be checked again. */
MUST_USE enum status inspection_items(struct inspection *inspection, const char *path,
                                      uint64_t bytes_min, uint64_t until_ms, char **error);
/* Checks the next table. Errors: as above; NOT_FOUND: all tables are checked. */
MUST_USE enum status inspection_table(struct inspection *inspection, const char *path,
                                      char **error);

#endif
