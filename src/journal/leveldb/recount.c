/* Part of engine.h: reading the sizes of a chunk's messages from its blocks.
 *
 * Why. An index of format 1 has only the sum of the body sizes, and that sum could be wrong: it was
 * changed by averages. So when such a database is opened, the sizes of all chunks are read from
 * their blocks, and the first batch writes all indexes again, with sizes. This happens once.
 *
 * Thread: the vhost's owner, at recovery.
 *
 * What can go wrong: a block cannot be read just now (IO): recovery fails and can be tried again. A
 * block is damaged or missing: CORRUPT, like other damage that is found at start. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/segment_file.h"
#include "leveret/base/mem.h"

struct recounting {
    struct stored_chunk *chunk;
    /* For each slot: the first slot of the block that the size was taken from; -1: no block has it.
     */
    int from_slot[JOURNAL_CHUNK_SLOTS];
    uint64_t bytes[JOURNAL_CHUNK_SLOTS];
};

/* Takes the sizes of a block's messages. Of two blocks that hold the same seq, the one that begins
 * later counts (page_read.c). */
static void take_block(struct recounting *recounting, struct bytes key, int block_slot,
                       struct bytes value)
{
    struct record_block_in block;
    struct record_entry entry;
    if (record_block_open(&block, key, value) != STATUS_OK)
        return;
    while (record_block_next(&block, &entry) == STATUS_OK) {
        if (recounting->from_slot[entry.slot] > block_slot)
            continue;
        recounting->from_slot[entry.slot] = block_slot;
        recounting->bytes[entry.slot] = entry.body_bytes <= UINT32_MAX ? entry.body_bytes : 0;
    }
}

static bool on_block(void *context, struct bytes key, struct bytes value)
{
    uint64_t lane_id, seq;
    if (record_key_parse_block(key, &lane_id, &seq) == STATUS_OK)
        take_block(context, key, (int)(seq % JOURNAL_CHUNK_SLOTS), value);
    return true;
}

static enum status read_database(struct engine *engine, struct recounting *recounting)
{
    const struct stored_chunk *chunk = recounting->chunk;
    uint64_t first = chunk->number * JOURNAL_CHUNK_SLOTS;
    struct record_key from = record_key_block(chunk->lane->id, first);
    struct record_key to = record_key_block(chunk->lane->id, first + JOURNAL_CHUNK_SLOTS);
    char *error;
    enum status status = database_walk(engine->database, record_key_bytes(&from),
                                       record_key_bytes(&to), on_block, recounting, &error);
    free(error);
    return status;
}

static enum status read_segments(struct engine *engine, struct recounting *recounting)
{
    const struct stored_chunk *chunk = recounting->chunk;
    enum status status = STATUS_OK;
    struct text value = {0};
    for (unsigned i = 0; i < chunk->extent_count && status == STATUS_OK; i++) {
        const struct extent *extent = &chunk->extents[i];
        struct record_key key =
            record_key_block(chunk->lane->id, chunk->number * JOURNAL_CHUNK_SLOTS + extent->slot);
        value.len = 0;
        status = segment_file_read(engine->path, extent->place, &value);
        if (status == STATUS_OK)
            take_block(recounting, record_key_bytes(&key), extent->slot, text_bytes(&value));
    }
    text_free(&value);
    return status;
}

enum status recount_chunk(struct engine *engine, struct stored_chunk *chunk)
{
    struct recounting recounting = {.chunk = chunk};
    memset(recounting.from_slot, -1, sizeof recounting.from_slot);
    enum status status = STATUS_OK;
    if (slots_any(chunk->starts))
        status = read_database(engine, &recounting);
    if (status == STATUS_OK)
        status = read_segments(engine, &recounting);
    for (unsigned slot = slots_next(chunk->live, 0);
         status == STATUS_OK && slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->live, slot + 1)) {
        if (recounting.from_slot[slot] < 0)
            status = STATUS_CORRUPT;
        else
            sizes_add(&chunk->sizes, slot, recounting.bytes[slot]);
    }
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}
