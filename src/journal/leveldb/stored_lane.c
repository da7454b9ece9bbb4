/* See stored_lane.h. */
#include "journal/leveldb/stored_lane.h"

#include "leveret/base/mem.h"

struct journal_lane *stored_lane_new(uint64_t id)
{
    struct journal_lane *lane = mem_need(sizeof *lane);
    lane->id = id;
    return lane;
}

void stored_lane_free(struct journal_lane **lane)
{
    struct journal_lane *gone = *lane;
    *lane = NULL;
    size_t at = 0;
    for (struct stored_chunk *chunk; (chunk = map_next(&gone->chunks, &at));)
        stored_chunk_free(chunk);
    map_free(&gone->chunks);
    free(gone);
}

static struct bytes key_of(const uint64_t *number)
{
    return bytes_of(number, sizeof *number);
}

struct stored_chunk *stored_lane_find(struct journal_lane *lane, uint64_t number)
{
    if (lane->recent && lane->recent->number == number)
        return lane->recent;
    if (lane->tail && lane->tail->number == number)
        return lane->tail;
    struct stored_chunk *chunk = map_get(&lane->chunks, key_of(&number));
    if (chunk)
        lane->recent = chunk;
    return chunk;
}

struct stored_chunk *stored_lane_find_or_add(struct journal_lane *lane, uint64_t number)
{
    struct stored_chunk *chunk = stored_lane_find(lane, number);
    if (chunk)
        return chunk;
    chunk = mem_need(sizeof *chunk);
    chunk->lane = lane;
    chunk->number = number;
    map_put(&lane->chunks, key_of(&chunk->number), chunk);
    return chunk;
}

void stored_lane_remove(struct stored_chunk *chunk)
{
    struct journal_lane *lane = chunk->lane;
    if (lane->tail == chunk)
        lane->tail = NULL;
    if (lane->recent == chunk)
        lane->recent = NULL;
    map_remove(&lane->chunks, key_of(&chunk->number));
    stored_chunk_free(chunk);
}
