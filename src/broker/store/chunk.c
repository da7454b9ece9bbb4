/* The slots and bits of a chunk: see chunk.h. */
#include "broker/store/chunk.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Slots that a chunk allocates for its first message; their number doubles when they are full. */
#define ROOM_MIN 16u

struct chunk *chunk_new(struct lane *lane, uint64_t number)
{
    struct chunk *chunk = mem_need(sizeof *chunk);
    chunk->lane = lane;
    chunk->number = number;
    return chunk;
}

/* Each ready slot must be live. */
static void check_bits(const struct chunk *chunk)
{
    for (unsigned word = 0; word < JOURNAL_CHUNK_WORDS; word++)
        CHECK((chunk->ready_bits[word] & ~chunk->live_bits[word]) == 0);
    CHECK(chunk->ready <= chunk->live);
}

void chunk_free(struct chunk **chunk)
{
    if (!*chunk)
        return;
    check_bits(*chunk);
    chunk_drop_messages(*chunk);
    free(*chunk);
    *chunk = NULL;
}

static void grow(struct chunk *chunk, unsigned room_needed)
{
    unsigned room = chunk->room ? chunk->room : ROOM_MIN;
    while (room < room_needed)
        room *= 2;
    if (room > JOURNAL_CHUNK_SLOTS - chunk->first)
        room = JOURNAL_CHUNK_SLOTS - chunk->first;
    chunk->slots = mem_need_array(chunk->slots, room, sizeof *chunk->slots);
    memset(chunk->slots + chunk->room, 0, (room - chunk->room) * sizeof *chunk->slots);
    if (chunk->expires) {
        chunk->expires = mem_need_array(chunk->expires, room, sizeof *chunk->expires);
        memset(chunk->expires + chunk->room, 0, (room - chunk->room) * sizeof *chunk->expires);
    }
    chunk->room = (uint16_t)room;
}

static void put(struct chunk *chunk, unsigned slot, struct message *message, uint64_t expires_ms)
{
    unsigned at = slot - chunk->first;
    if (at >= chunk->room)
        grow(chunk, at + 1);
    CHECK(chunk->slots);
    chunk->slots[at] = message;
    chunk->memory_bytes += message_memory(message);
    if (!expires_ms)
        return;
    if (!chunk->expires)
        chunk->expires = mem_need(chunk->room * sizeof *chunk->expires);
    chunk->expires[at] = expires_ms;
    chunk->any_expires = true;
}

unsigned chunk_add(struct chunk *chunk, struct message *message, uint64_t expires_ms)
{
    unsigned slot = chunk->used++;
    put(chunk, slot, message_ref(message), expires_ms);
    chunk->body_bytes += message->body_bytes;
    chunk->live++;
    bit_set(chunk->live_bits, slot);
    return slot;
}

void chunk_fill(struct chunk *chunk, unsigned slot, struct message *message, uint64_t expires_ms)
{
    if (!chunk->slots)
        chunk->first = 0;
    put(chunk, slot, message, expires_ms);
}

struct message *chunk_remove(struct chunk *chunk, unsigned slot, uint64_t body_bytes)
{
    struct message *message = NULL;
    if (chunk_in_memory(chunk)) {
        message = chunk->slots[slot - chunk->first];
        chunk->slots[slot - chunk->first] = NULL;
        chunk->memory_bytes -= message_memory(message);
    }
    CHECK(chunk->body_bytes >= body_bytes);
    chunk->body_bytes -= body_bytes;
    chunk->live--;
    bit_clear(chunk->live_bits, slot);
    if (bit_test(chunk->ready_bits, slot)) {
        bit_clear(chunk->ready_bits, slot);
        chunk->ready--;
    }
    if (bit_test(chunk->durable_bits, slot)) {
        bit_clear(chunk->durable_bits, slot);
        chunk->durable--;
    }
    return message;
}

uint64_t chunk_drop_messages(struct chunk *chunk)
{
    uint64_t memory_bytes = chunk->memory_bytes;
    if (chunk->slots)
        for (unsigned at = 0; at < chunk->room; at++)
            message_unref(&chunk->slots[at]);
    free(chunk->slots);
    chunk->slots = NULL;
    free(chunk->expires);
    chunk->expires = NULL;
    chunk->first = 0;
    chunk->room = 0;
    chunk->memory_bytes = 0;
    return memory_bytes;
}

void chunk_rest(struct chunk *chunk)
{
    if (chunk->room > ROOM_MIN || chunk->expires)
        chunk_drop_messages(chunk);
    chunk->first = chunk->used;
    if (chunk->room > JOURNAL_CHUNK_SLOTS - chunk->first)
        chunk->room = (uint16_t)(JOURNAL_CHUNK_SLOTS - chunk->first);
    chunk->any_expires = false;
}
