/* Part of engine.h: from a closed batch to bytes. All that goes into the database is one write. The
 * blocks and bodies of a large batch go into segments before it.
 *
 * Thread: the writer.
 *
 * What can go wrong: a segment cannot be written or synced. Then the whole batch has failed, and it
 * is written to the same places again later. */
#include <errno.h>
#include <unistd.h>

#include "journal/leveldb/engine.h"
#include "journal/leveldb/segment_file.h"

/* Bytes of blocks gathered for a segment; with this many they are written to the file. */
#define GATHERED_MAX (1u << 20)

static void put(struct engine *engine, struct bytes key, struct bytes value)
{
    database_batch_put(engine->writing.encoded, key, value);
    engine->writing.encoded_bytes += key.len + value.len;
}

static void erase(struct engine *engine, struct bytes key)
{
    database_batch_erase(engine->writing.encoded, key);
    engine->writing.encoded_bytes += key.len;
}

/* ---- Blocks and bodies, to the database or into segments. */

/* Writes the gathered bytes to the open segment. */
static enum status flush_segment(struct engine *engine)
{
    struct segment_output *output = &engine->writing.output;
    if (output->gathered.len == 0)
        return STATUS_OK;
    uint64_t begin_ns = clock_steady_ns();
    enum status status =
        segment_file_write(output->fd, output->offset, text_bytes(&output->gathered));
    io_count_add(&engine->writes, begin_ns, output->gathered.len);
    engine->writing.segment_bytes += output->gathered.len;
    output->offset += output->gathered.len;
    output->gathered.len = 0;
    return status;
}

/* Writes, syncs and closes the open segment, if there is one. */
static enum status finish_segment(struct engine *engine)
{
    struct writer_state *writing = &engine->writing;
    struct segment_output *output = &writing->output;
    if (output->number == 0)
        return STATUS_OK;
    enum status status = flush_segment(engine);
    if (status == STATUS_OK)
        status = segment_file_extend(output->fd, output->end);
    uint64_t begin_ns = clock_steady_ns();
    if (status == STATUS_OK) {
        status =
            segment_file_sync(output->fd, engine->path, output->number > writing->segment_known);
        io_count_add(&engine->syncs, begin_ns, 0);
    }
    if (status == STATUS_OK && output->number > writing->segment_known)
        writing->segment_known = output->number;
    int number = errno;
    close(output->fd);
    errno = number;
    output->number = 0;
    output->gathered.len = 0;
    return status;
}

/* Makes place the next place to be written: bytes gathered from now on go there. */
static enum status seek_segment(struct engine *engine, const struct segment_place *place)
{
    struct segment_output *output = &engine->writing.output;
    if (output->number == place->segment) {
        output->end = place->offset + place->bytes;
        if (output->offset + output->gathered.len == place->offset &&
            output->gathered.len < GATHERED_MAX)
            return STATUS_OK;
        enum status status = flush_segment(engine);
        output->offset = place->offset;
        return status;
    }
    enum status status = finish_segment(engine);
    if (status == STATUS_OK)
        status = segment_file_open(engine->path, place->segment, &output->fd);
    if (status != STATUS_OK)
        return status;
    output->number = place->segment;
    output->offset = place->offset;
    output->end = place->offset + place->bytes;
    return STATUS_OK;
}

static void fill_block(const struct run *run, const struct group *group, struct text *out)
{
    struct record_block_out block;
    record_block_begin(&block, out);
    for (size_t i = group->first; i < group->end; i++) {
        const struct pending *entry = &run->entries[i];
        if (entry->message)
            record_block_add(&block, entry->seq, entry->expires_ms, entry->message, entry->body_id);
    }
    struct record_key key = record_key_block(run->lane_id, group->start_seq);
    record_block_end(&block, record_key_bytes(&key));
}

static enum status encode_block(struct engine *engine, const struct run *run,
                                const struct group *group)
{
    atomic_fetch_add_explicit(&engine->blocks_written, 1, memory_order_relaxed);
    if (group->place.segment) {
        enum status status = seek_segment(engine, &group->place);
        if (status == STATUS_OK)
            fill_block(run, group, &engine->writing.output.gathered);
        return status;
    }
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    fill_block(run, group, buffer);
    struct record_key key = record_key_block(run->lane_id, group->start_seq);
    put(engine, record_key_bytes(&key), text_bytes(buffer));
    return STATUS_OK;
}

/* How much of a message's body has been read. The body is in one or more pieces. */
struct body_cursor {
    const struct message *message;
    uint32_t piece;
    size_t taken; /* bytes taken of that piece */
};

static void add_body_part(struct text *out, struct body_cursor *cursor, size_t want)
{
    while (want > 0) {
        struct bytes at = message_body_piece(cursor->message, cursor->piece);
        size_t some = at.len - cursor->taken < want ? at.len - cursor->taken : want;
        text_add(out, at.at + cursor->taken, some);
        cursor->taken += some;
        want -= some;
        if (cursor->taken == at.len) {
            cursor->taken = 0;
            cursor->piece++;
        }
    }
}

static enum status encode_body(struct engine *engine, const struct body_update *update)
{
    struct body_cursor cursor = {update->message, 0, 0};
    struct segment_place place = update->place;
    uint32_t part = 0;
    for (uint64_t left = update->body_bytes; left > 0; part++) {
        size_t want = left < RECORD_BODY_PART ? (size_t)left : RECORD_BODY_PART;
        struct record_key key = record_key_body(update->body_id, part);
        struct text *out =
            place.segment ? &engine->writing.output.gathered : &engine->writing.buffer;
        enum status status = STATUS_OK;
        if (place.segment)
            status = seek_segment(engine, &place);
        else
            out->len = 0;
        if (status != STATUS_OK)
            return status;
        size_t from = record_begin(out);
        add_body_part(out, &cursor, want);
        record_seal(out, from, record_key_bytes(&key));
        if (!place.segment)
            put(engine, record_key_bytes(&key), text_bytes(out));
        place.offset += (uint32_t)(RECORD_SEAL_BYTES + want);
        place.bytes -= place.segment ? RECORD_SEAL_BYTES + want : 0;
        left -= want;
    }
    return STATUS_OK;
}

static void erase_body(struct engine *engine, const struct body_update *update)
{
    uint64_t parts = (update->body_bytes + RECORD_BODY_PART - 1) / RECORD_BODY_PART;
    for (uint64_t part = 0; part < parts; part++) {
        struct record_key key = record_key_body(update->body_id, (uint32_t)part);
        erase(engine, record_key_bytes(&key));
    }
}

static void encode_definition(void *context, struct bytes key, struct bytes value)
{
    struct engine *engine = context;
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    record_key_definition(buffer, key);
    size_t key_len = buffer->len;
    size_t from = record_begin(buffer);
    text_add_bytes(buffer, value);
    struct bytes full_key = bytes_of(buffer->at, key_len);
    record_seal(buffer, from, full_key);
    if (value.at)
        put(engine, full_key, bytes_of(buffer->at + from, buffer->len - from));
    else
        erase(engine, full_key);
}

static void encode_index(struct engine *engine, const struct batch *batch,
                         const struct index_update *update)
{
    struct record_key key = record_key_index(update->index.lane_id, update->index.chunk);
    if (update->erase) {
        erase(engine, record_key_bytes(&key));
        return;
    }
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    /* A list is not allocated while nothing is in it. */
    record_index_encode(buffer, &update->index,
                        batch->refs.at ? batch->refs.at + update->refs_from : NULL,
                        batch->extents.at ? batch->extents.at + update->extents_from : NULL,
                        bytes_of(batch->sizes.at + update->sizes_from, update->sizes_len));
    put(engine, record_key_bytes(&key), text_bytes(buffer));
}

static void encode_lane(struct engine *engine, const struct lane_update *update)
{
    struct record_key key = record_key_lane(update->lane_id);
    if (update->erase) {
        erase(engine, record_key_bytes(&key));
        return;
    }
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    record_lane_encode(buffer, update->lane_id, update->delivered_seq);
    put(engine, record_key_bytes(&key), text_bytes(buffer));
}

static void encode_version(struct engine *engine)
{
    struct record_key key = record_key_version();
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    record_version_encode(buffer);
    put(engine, record_key_bytes(&key), text_bytes(buffer));
}

static enum status encode_payload(struct engine *engine, const struct batch *batch)
{
    enum status status = STATUS_OK;
    const struct run *run;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        for (size_t i = 0; i < run->group_count && status == STATUS_OK; i++)
            if (run->groups[i].live)
                status = encode_block(engine, run, &run->groups[i]);
    }
    for (size_t i = 0; i < batch->bodies.count && status == STATUS_OK; i++)
        if (batch->bodies.at[i].message)
            status = encode_body(engine, &batch->bodies.at[i]);
    enum status finished = finish_segment(engine);
    return status == STATUS_OK ? finished : status;
}

static void encode_erasures(struct engine *engine, const struct batch *batch)
{
    for (size_t i = 0; i < batch->block_erases.count; i++) {
        const struct block_erase *gone = &batch->block_erases.at[i];
        struct record_key key = record_key_block(gone->lane_id, gone->start_seq);
        erase(engine, record_key_bytes(&key));
    }
    for (size_t i = 0; i < batch->bodies.count; i++)
        if (!batch->bodies.at[i].message)
            erase_body(engine, &batch->bodies.at[i]);
}

/* Erasures come first, because a new block may have the key of an erased one. Nothing that a batch
 * puts is erased by the same batch (batch_prune takes it out). Index records, lane records and
 * definitions keep the order in which they were made. */
enum status encode_batch(struct engine *engine)
{
    const struct batch *batch = &engine->flying->batch;
    database_batch_clear(engine->writing.encoded);
    engine->writing.encoded_bytes = 0;
    engine->writing.segment_bytes = 0;
    if (engine->writing.begin_database)
        encode_version(engine);
    encode_erasures(engine, batch);
    enum status status = encode_payload(engine, batch);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < batch->indexes.count; i++)
        encode_index(engine, batch, &batch->indexes.at[i]);
    for (size_t i = 0; i < batch->lane_updates.count; i++)
        encode_lane(engine, &batch->lane_updates.at[i]);
    batch_each_definition(batch, encode_definition, engine);
    return STATUS_OK;
}

void encode_end(struct engine *engine)
{
    text_free(&engine->writing.output.gathered);
}
