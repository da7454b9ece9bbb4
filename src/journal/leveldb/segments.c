/* See segments.h.
 *
 * What can go wrong: a write or a sync fails. Then the batch is written again to the same places,
 * which no index names yet. A crash leaves a file, or the end of a file, that no index names:
 * recovery removes the file, and nobody reads the end. */
#include "journal/leveldb/segments.h"

#include <dirent.h>
#include <unistd.h>

#include "journal/leveldb/segment_file.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

void segments_free(struct segments *segments)
{
    size_t at = 0;
    for (struct segment *segment; (segment = map_next(&segments->by_number, &at));)
        free(segment);
    map_free(&segments->by_number);
    *segments = (struct segments){0};
}

static struct segment *find(const struct segments *segments, uint64_t number)
{
    return map_get(&segments->by_number, bytes_of(&number, sizeof number));
}

static struct segment *add(struct segments *segments, uint32_t number)
{
    struct segment *segment = mem_need(sizeof *segment);
    segment->number = number;
    map_put(&segments->by_number, bytes_of(&segment->number, sizeof segment->number), segment);
    if (number >= segments->next_number)
        segments->next_number = number + 1;
    return segment;
}

void segments_list_add(struct segment_list *list, uint32_t number)
{
    if (list->count == list->room) {
        list->room = list->room * 2 + 4;
        list->at = mem_need_array(list->at, list->room, sizeof *list->at);
    }
    list->at[list->count++] = number;
}

static void retire_dead(struct segments *segments, struct segment *segment,
                        struct segment_list *dead)
{
    segments_list_add(dead, (uint32_t)segment->number);
    segments->size_bytes -= segment->size;
    map_remove(&segments->by_number, bytes_of(&segment->number, sizeof segment->number));
    free(segment);
}

struct segment_place segments_reserve(struct segments *segments, uint64_t bytes)
{
    struct segment *segment = segments->current;
    if (!segment || segment->size >= segments->bytes_max) {
        if (segments->next_number == 0)
            segments->next_number = 1;
        segment = segments->current = add(segments, segments->next_number);
    }
    CHECK(segment->size <= UINT32_MAX);
    struct segment_place place = {(uint32_t)segment->number, (uint32_t)segment->size, bytes};
    segment->size += bytes;
    segment->live_bytes += bytes;
    segments->size_bytes += bytes;
    segments->live_bytes += bytes;
    return place;
}

void segments_add(struct segments *segments, struct segment_place place)
{
    struct segment *segment = find(segments, place.segment);
    if (!segment)
        segment = add(segments, place.segment);
    uint64_t end = place.offset + place.bytes;
    if (end > segment->size) {
        segments->size_bytes += end - segment->size;
        segment->size = end;
    }
    segment->live_bytes += place.bytes;
    segments->live_bytes += place.bytes;
}

void segments_release(struct segments *segments, struct segment_place place,
                      struct segment_list *dead)
{
    struct segment *segment = find(segments, place.segment);
    CHECK(segment && segment->live_bytes >= place.bytes);
    segment->live_bytes -= place.bytes;
    segments->live_bytes -= place.bytes;
    if (segment->live_bytes > 0)
        return;
    /* The current segment is kept while it is small, to save the making of another. */
    if (segment == segments->current) {
        if (segment->size < segments->bytes_max / 4)
            return;
        segments->current = NULL;
    }
    retire_dead(segments, segment, dead);
}

void segments_clean(struct segments *segments, const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (strncmp(entry->d_name, SEGMENT_FILE_PREFIX, strlen(SEGMENT_FILE_PREFIX)) != 0)
            continue;
        unsigned long number = strtoul(entry->d_name + strlen(SEGMENT_FILE_PREFIX), NULL, 10);
        if (number > UINT32_MAX || find(segments, number))
            continue;
        unlinkat(dirfd(directory), entry->d_name, 0);
    }
    closedir(directory);
}
