/* See stored_chunk.h. */
#include "journal/leveldb/stored_chunk.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

void stored_chunk_free(struct stored_chunk *chunk)
{
    CHECK(!chunk->paged && chunk->touched_at == 0);
    free(chunk->uses);
    free(chunk->extents);
    sizes_clear(&chunk->sizes);
    free(chunk);
}

void stored_chunk_add_extent(struct stored_chunk *chunk, struct segment_place place, uint16_t slot)
{
    if (chunk->extent_count == chunk->extent_room) {
        chunk->extent_room = (uint16_t)(chunk->extent_room ? chunk->extent_room * 2 : 2);
        chunk->extents = mem_need_array(chunk->extents, chunk->extent_room, sizeof *chunk->extents);
    }
    chunk->extents[chunk->extent_count++] = (struct extent){place, slot};
}

/* The place of slot in uses, or where it would go. */
static size_t find_use(const struct stored_chunk *chunk, uint16_t slot)
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

void stored_chunk_use_body(struct stored_chunk *chunk, uint16_t slot, struct body *body)
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

struct body *stored_chunk_unuse_body(struct stored_chunk *chunk, uint16_t slot)
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
