/* Arenas: memory in chunks, from the front to the back. */
#include "admin/listing/arena.h"

#include <stddef.h>
#include <stdlib.h>

#include "leveret/base/mem.h"

/* Bytes of a chunk; a larger piece gets a chunk of its own. */
#define ARENA_CHUNK_BYTES 16384u

struct arena_chunk {
    struct arena_chunk *next;
    size_t used, room;
    _Alignas(max_align_t) uint8_t data[];
};

/* Takes bytes from a chunk, at an offset that is a multiple of align. */
static uint8_t *take(struct arena *arena, size_t bytes, size_t align)
{
    struct arena_chunk *chunk = arena->chunks;
    size_t from = chunk ? (chunk->used + align - 1) / align * align : 0;
    if (!chunk || from > chunk->room || chunk->room - from < bytes) {
        size_t room = bytes > ARENA_CHUNK_BYTES ? bytes : ARENA_CHUNK_BYTES;
        chunk = mem_need_array(NULL, sizeof *chunk + room, 1);
        arena->bytes += sizeof *chunk + room;
        *chunk = (struct arena_chunk){.next = arena->chunks, .room = room};
        arena->chunks = chunk;
        from = 0;
    }
    chunk->used = from + bytes;
    return chunk->data + from;
}

struct bytes arena_keep(struct arena *arena, struct bytes bytes)
{
    if (bytes.len == 0)
        return bytes_of("", 0);
    uint8_t *at = take(arena, bytes.len, 1);
    memcpy(at, bytes.at, bytes.len);
    return bytes_of(at, bytes.len);
}

const char *arena_keep_text(struct arena *arena, const char *text)
{
    return (const char *)arena_keep(arena, bytes_of(text, strlen(text) + 1)).at;
}

void *arena_object(struct arena *arena, size_t bytes)
{
    void *object = take(arena, bytes, _Alignof(max_align_t));
    memset(object, 0, bytes);
    return object;
}

void arena_free(struct arena *arena)
{
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
}
