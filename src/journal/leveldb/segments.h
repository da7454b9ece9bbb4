/* Segments: plain files beside the database that have the blocks and bodies of large batches.
 *
 * LevelDB writes each byte three times (log, table, compaction). It costs less to write a batch of
 * some hundred KiB once, to the end of a file, and to sync that file. Then the index records in the
 * database are written, which name segment, offset and length. Bytes that no index names do not
 * count. A segment is never written over; it is removed when nothing in it is alive. segment_file.h
 * has the files; here is what the journal knows of them.
 *
 * Thread: the vhost's owner. */
#ifndef LEVERET_JOURNAL_SEGMENTS_H
#define LEVERET_JOURNAL_SEGMENTS_H

#include <sys/queue.h>

#include "leveret/base/map.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* A place in a segment. segment 0: in the database instead. */
struct segment_place {
    uint32_t segment, offset;
    uint64_t bytes;
};

struct segment {
    uint64_t number;           /* it fits 32 bits; the map wants a key of 64 */
    uint64_t size, live_bytes; /* the end of its last place; bytes of the places in use */
    uint64_t tried_at; /* for relocate.c: the batch at which it was last chosen to be emptied */
};

struct segments {
    struct map by_number;
    struct segment *current; /* new places are made in it; NULL: none */
    uint32_t next_number;
    uint64_t bytes_max;              /* with this many bytes a segment gets no more places */
    uint64_t size_bytes, live_bytes; /* sums over all segments */
};

/* Numbers of segments in which nothing is alive any more. Their files are to be removed. */
struct segment_list {
    uint32_t *at;
    size_t count, room;
};

void segments_free(struct segments *segments);

/* Makes a place at the end of the current segment. */
struct segment_place segments_reserve(struct segments *segments, uint64_t bytes);
/* At recovery: counts a place that is in use. */
void segments_add(struct segments *segments, struct segment_place place);
/* Ends the use of a place. When nothing in its segment is alive any more, the segment goes on the
 * list. */
void segments_release(struct segments *segments, struct segment_place place,
                      struct segment_list *dead);

void segments_list_add(struct segment_list *list, uint32_t number);

/* At recovery: removes all files of segments in which nothing is in use. */
void segments_clean(struct segments *segments, const char *path);

#endif
