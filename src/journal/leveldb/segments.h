/* Segments: plain files beside the database, in which the blocks and bodies of large batches lie.
 *
 * LevelDB writes each byte three times (log, table, compaction). A batch of some hundred KiB is
 * cheaper written once to the end of a file and synced there, before the database is told where it
 * is: the index records name segment, offset and length. What no index names is as good as not
 * there. A segment is never written over; it is removed when nothing in it is alive.
 *
 * Thread: struct segments and what it counts belong to the owner; the functions on files to any. */
#ifndef LEVERET_JOURNAL_SEGMENTS_H
#define LEVERET_JOURNAL_SEGMENTS_H

#include <sys/queue.h>

#include "leveret/base/map.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* Where something is. segment 0: not in a segment. */
struct segment_place {
    uint32_t segment, offset;
    uint64_t bytes;
};

struct segment {
    uint64_t number; /* fits 32 bits; as wide as the map's key */
    uint64_t size, live_bytes;
    uint64_t tried_at; /* for relocate.c: the batch at which it was last to be emptied */
};

struct segments {
    struct map by_number;
    struct segment *current; /* or NULL */
    uint32_t next_number;
    uint64_t bytes_max;              /* a segment takes no more once it has so many */
    uint64_t size_bytes, live_bytes; /* of all */
};

/* Numbers of segments in which nothing is alive any more. */
struct segment_list {
    uint32_t *at;
    size_t count, room;
};

void segments_free(struct segments *segments);

/* A place of so many bytes at the end of the current segment. */
struct segment_place segments_reserve(struct segments *segments, uint64_t bytes);
/* Recovery: a place that is in use. */
void segments_add(struct segments *segments, struct segment_place place);
/* What was at place is not alive any more. A segment that is done with goes on the list. */
void segments_release(struct segments *segments, struct segment_place place,
                      struct segment_list *dead);

void segments_list_add(struct segment_list *list, uint32_t number);

/* Removes the files that are not in segments, and lets new ones be numbered above all. */
void segments_clean(struct segments *segments, const char *path);

#endif
