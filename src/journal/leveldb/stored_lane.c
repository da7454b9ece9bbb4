/* Which chunks a lane has, and what is alive in them. */
#include "journal/leveldb/stored_lane.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

struct journal_lane *lane_new(uint64_t id)
{
    struct journal_lane *lane = mem_need(sizeof *lane);
    lane->id = id;
    return lane;
}

static void chunk_free(struct chunk *chunk)
{
    CHECK(!chunk->paged && chunk->touched_at == 0);
    free(chunk->uses);
    free(chunk->extents);
    sizes_clear(&chunk->sizes);
    free(chunk);
}

void journal_lane_free(struct journal_lane **lane)
{
    struct journal_lane *gone = *lane;
    *lane = NULL;
    size_t at = 0;
    for (struct chunk *chunk; (chunk = map_next(&gone->chunks, &at));)
        chunk_free(chunk);
    map_free(&gone->chunks);
    free(gone);
}

static struct bytes key_of(const uint64_t *number)
{
    return bytes_of(number, sizeof *number);
}

struct chunk *lane_find(struct journal_lane *lane, uint64_t number)
{
    if (lane->recent && lane->recent->number == number)
        return lane->recent;
    if (lane->tail && lane->tail->number == number)
        return lane->tail;
    struct chunk *chunk = map_get(&lane->chunks, key_of(&number));
    if (chunk)
        lane->recent = chunk;
    return chunk;
}

struct chunk *lane_find_or_add(struct journal_lane *lane, uint64_t number)
{
    struct chunk *chunk = lane_find(lane, number);
    if (chunk)
        return chunk;
    chunk = mem_need(sizeof *chunk);
    chunk->lane = lane;
    chunk->number = number;
    map_put(&lane->chunks, key_of(&chunk->number), chunk);
    return chunk;
}

void lane_remove(struct chunk *chunk)
{
    struct journal_lane *lane = chunk->lane;
    if (lane->tail == chunk)
        lane->tail = NULL;
    if (lane->recent == chunk)
        lane->recent = NULL;
    map_remove(&lane->chunks, key_of(&chunk->number));
    chunk_free(chunk);
}

void chunk_add_extent(struct chunk *chunk, struct place place, uint16_t slot)
{
    if (chunk->extent_count == chunk->extent_room) {
        chunk->extent_room = (uint16_t)(chunk->extent_room ? chunk->extent_room * 2 : 2);
        chunk->extents = mem_need_array(chunk->extents, chunk->extent_room, sizeof *chunk->extents);
    }
    chunk->extents[chunk->extent_count++] = (struct extent){place, slot};
}

/* The place of slot in uses, or where it would go. */
static size_t find_use(const struct chunk *chunk, uint16_t slot)
{
    size_t low = 0, high = chunk->use_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (chunk->uses[middle].slot < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void chunk_use_body(struct chunk *chunk, uint16_t slot, struct body *body)
{
    if (chunk->use_count == chunk->use_room) {
        chunk->use_room = (uint16_t)(chunk->use_room ? chunk->use_room * 2 : 4);
        chunk->uses = mem_need_array(chunk->uses, chunk->use_room, sizeof *chunk->uses);
    }
    size_t at = find_use(chunk, slot);
    CHECK(at == chunk->use_count || chunk->uses[at].slot != slot);
    memmove(chunk->uses + at + 1, chunk->uses + at, (chunk->use_count - at) * sizeof *chunk->uses);
    chunk->uses[at] = (struct body_use){body, slot};
    chunk->use_count++;
    body->uses++;
}

struct body *chunk_unuse_body(struct chunk *chunk, uint16_t slot)
{
    size_t at = find_use(chunk, slot);
    if (at == chunk->use_count || chunk->uses[at].slot != slot)
        return NULL;
    struct body *body = chunk->uses[at].body;
    chunk->use_count--;
    memmove(chunk->uses + at, chunk->uses + at + 1, (chunk->use_count - at) * sizeof *chunk->uses);
    CHECK(body->uses > 0);
    return --body->uses == 0 ? body : NULL;
}

unsigned slots_next(const uint64_t *words, unsigned from)
{
    for (unsigned i = from / 64; i < JOURNAL_CHUNK_WORDS; i++) {
        uint64_t word = words[i];
        if (i == from / 64)
            word &= UINT64_MAX << (from % 64);
        if (word)
            return i * 64 + (unsigned)__builtin_ctzll(word);
    }
    return JOURNAL_CHUNK_SLOTS;
}
