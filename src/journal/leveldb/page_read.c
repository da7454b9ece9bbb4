/* Part of engine.h: reading chunks back, the reader's side.
 *
 * Thread: the reader.
 *
 * Normal course. The blocks in the database are read in the order of their keys, then the blocks in
 * segments, then the bodies that are stored apart, then the transient messages (paged.c).
 *
 * What can go wrong: see page_in.c. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/segment_file.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Milliseconds of the pause before reading is tried again. Each further one is twice as long, up to
 * the second value. */
#define READ_AGAIN_MS     100u
#define READ_AGAIN_MAX_MS 1000u

struct page_reading {
    struct page_request *request;
    uint64_t
        body_ids[JOURNAL_CHUNK_SLOTS];  /* bodies stored apart, which are read after the blocks */
    int from_slot[JOURNAL_CHUNK_SLOTS]; /* the first slot of the block that a slot was read from */
};

/* Decodes a block that begins with block_slot into the slots in wanted. Two blocks may hold the
 * same seq: after a restart a lane gives seqs again when all messages from there on had been
 * settled. The block that begins later has the message that counts. */
static enum status decode_block(struct page_reading *reading, struct bytes key, int block_slot,
                                struct bytes value, const uint64_t *wanted)
{
    struct page_request *request = reading->request;
    struct record_block_in block;
    struct record_entry entry;
    enum status status = record_block_open(&block, key, value);
    while (status == STATUS_OK && (status = record_block_next(&block, &entry)) == STATUS_OK) {
        struct journal_entry *out = &request->slots[entry.slot];
        if (!slots_has(wanted, entry.slot) || reading->from_slot[entry.slot] > block_slot)
            continue;
        message_unref(&out->message);
        reading->from_slot[entry.slot] = block_slot;
        out->seq = request->chunk * JOURNAL_CHUNK_SLOTS + entry.slot;
        out->expires_ms = entry.expires_ms;
        out->message = record_message(&entry);
        if (!out->message)
            return STATUS_NO_MEMORY;
        reading->body_ids[entry.slot] = entry.body_id;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status page_read_block(struct page_request *request, struct bytes key, struct bytes value,
                            const uint64_t *wanted)
{
    struct page_reading *reading = mem_need(sizeof *reading);
    reading->request = request;
    enum status status = decode_block(reading, key, 0, value, wanted);
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++) {
        if (reading->body_ids[slot]) { /* no body of a transient message is stored apart */
            message_unref(&request->slots[slot].message);
            status = STATUS_CORRUPT;
        }
    }
    free(reading);
    return status;
}

static bool on_block(void *context, struct bytes key, struct bytes value)
{
    struct page_reading *reading = context;
    struct page_request *request = reading->request;
    uint64_t lane_id, seq = UINT64_MAX;
    enum status status = STATUS_CORRUPT;
    request->read_bytes += value.len;
    if (record_key_parse_block(key, &lane_id, &seq) == STATUS_OK)
        status =
            decode_block(reading, key, (int)(seq % JOURNAL_CHUNK_SLOTS), value, request->expected);
    /* After a damaged block the next ones are read all the same. */
    if (status != STATUS_OK)
        request->status = status;
    return status != STATUS_NO_MEMORY && seq < request->last_block;
}

static void read_extents(struct page_reading *reading)
{
    struct page_request *request = reading->request;
    struct text value = {0};
    for (size_t i = 0; i < request->extent_count; i++) {
        const struct extent *extent = &request->extents[i];
        struct record_key key =
            record_key_block(request->lane_id, request->chunk * JOURNAL_CHUNK_SLOTS + extent->slot);
        value.len = 0;
        enum status status = segment_file_read(request->engine->path, extent->place, &value);
        request->read_bytes += value.len;
        if (status == STATUS_OK)
            status = decode_block(reading, record_key_bytes(&key), extent->slot, text_bytes(&value),
                                  request->expected);
        if (status == STATUS_OK)
            continue;
        request->status = status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
        free(request->error);
        request->error = segment_file_name(request->engine->path, extent->place.segment);
    }
    text_free(&value);
}

/* A body stored apart that is being read into its message. */
struct filling {
    struct message *message;
    uint64_t body_id;
    uint32_t part;
    enum status status;
};

static bool on_body_part(void *context, struct bytes key, struct bytes value)
{
    struct filling *filling = context;
    struct message *message = filling->message;
    struct record_key expected = record_key_body(filling->body_id, filling->part++);
    struct bytes part = {0};
    filling->status = STATUS_CORRUPT;
    if (!bytes_equal(key, record_key_bytes(&expected)) ||
        record_open(key, value, &part) != STATUS_OK ||
        part.len > message->body_bytes - message->body_filled)
        return false;
    filling->status = message_fill(message, NULL, part.at, part.len);
    return filling->status == STATUS_OK && !message_full(message);
}

/* Reads a body that is stored apart, in the database, into its message. */
static enum status read_body(struct page_request *request, uint64_t body_id,
                             struct message *message)
{
    struct filling filling = {message, body_id, 0, STATUS_CORRUPT};
    struct record_key from = record_key_body(body_id, 0), to = record_key_body(body_id + 1, 0);
    char *error;
    enum status status = database_walk(request->engine->database, record_key_bytes(&from),
                                       record_key_bytes(&to), on_body_part, &filling, &error);
    request->read_bytes += message->body_filled;
    if (status == STATUS_OK)
        status = filling.status;
    if (status == STATUS_OK && !message_full(message))
        status = STATUS_CORRUPT;
    if (!request->error)
        request->error = error;
    else
        free(error);
    return status;
}

/* Reads a body that is stored apart, in a segment, into its message. */
static enum status read_body_place(struct page_request *request, const struct record_body_ref *ref,
                                   struct message *message)
{
    struct segment_place place = ref->place;
    struct text value = {0};
    enum status status = STATUS_OK;
    uint64_t left = message->body_bytes == ref->body_bytes ? ref->body_bytes : 0;
    for (uint32_t part = 0; left > 0 && status == STATUS_OK; part++) {
        struct record_key key = record_key_body(ref->body_id, part);
        struct bytes payload = {0};
        size_t want = left < RECORD_BODY_PART ? (size_t)left : RECORD_BODY_PART;
        place.bytes = want + RECORD_SEAL_BYTES;
        value.len = 0;
        status = segment_file_read(request->engine->path, place, &value);
        request->read_bytes += value.len;
        if (status == STATUS_OK)
            status = record_open(record_key_bytes(&key), text_bytes(&value), &payload);
        if (status == STATUS_OK)
            status = message_fill(message, NULL, payload.at, payload.len);
        place.offset += (uint32_t)place.bytes;
        left -= want;
    }
    text_free(&value);
    if (status == STATUS_OK && !message_full(message))
        status = STATUS_CORRUPT;
    if (status != STATUS_OK && !request->error)
        request->error = segment_file_name(request->engine->path, place.segment);
    return status == STATUS_NOT_FOUND ? STATUS_CORRUPT : status;
}

static const struct record_body_ref *find_place(const struct page_request *request,
                                                uint64_t body_id)
{
    for (size_t i = 0; i < request->body_count; i++)
        if (request->bodies[i].body_id == body_id)
            return &request->bodies[i];
    return NULL;
}

static void read_bodies(struct page_reading *reading)
{
    struct page_request *request = reading->request;
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++) {
        struct journal_entry *entry = &request->slots[slot];
        if (!reading->body_ids[slot] || !entry->message)
            continue;
        const struct record_body_ref *ref = find_place(request, reading->body_ids[slot]);
        enum status status = ref ? read_body_place(request, ref, entry->message)
                                 : read_body(request, reading->body_ids[slot], entry->message);
        if (status == STATUS_OK)
            continue;
        message_unref(&entry->message);
        request->status = status;
    }
}

/* Reads the blocks and bodies of durable messages; request->status tells what failed. Errors:
 * AGAIN: the database is not open just now, and nothing was read. */
static enum status read_blocks(struct page_request *request)
{
    struct page_reading *reading = mem_need(sizeof *reading);
    reading->request = request;
    enum status status = STATUS_OK;
    if (request->in_database) {
        struct record_key from = record_key_block(request->lane_id, request->first_block);
        struct record_key to = record_key_block(request->lane_id, request->last_block + 1);
        free(request->error);
        status = database_walk(request->engine->database, record_key_bytes(&from),
                               record_key_bytes(&to), on_block, reading, &request->error);
        if (status != STATUS_OK && status != STATUS_AGAIN)
            request->status = status;
    }
    if (status != STATUS_AGAIN) {
        read_extents(reading);
        read_bodies(reading);
    }
    free(reading);
    return status;
}

/* Reads all that the request wants. Returns false when that is to be tried again later; *why is
 * then the reason. */
static bool read_everything(struct page_request *request, enum status *why)
{
    request->status = STATUS_OK;
    free(request->error);
    request->error = NULL;
    *why = STATUS_AGAIN;
    if (slots_any(request->expected) && read_blocks(request) == STATUS_AGAIN)
        return false;
    paged_read(request);
    *why = request->status;
    return *why != STATUS_NO_MEMORY && *why != STATUS_IO;
}

/* Lets the reader try again after a pause. The reason is noted for the owner, which reports it. */
static void try_again(struct page_request *request, enum status why)
{
    struct engine *engine = request->engine;
    uint64_t pause_ms = (uint64_t)READ_AGAIN_MS << (request->tries < 4 ? request->tries : 4);
    request->tries++;
    pthread_mutex_lock(&engine->lock);
    bool news = why != STATUS_AGAIN && request->stalled != why;
    if (news)
        request->stalled = why;
    engine->stall_due |= news;
    pthread_mutex_unlock(&engine->lock);
    if (news)
        engine_wake(engine);
    threads_read_later(engine->threads, &request->job,
                       pause_ms < READ_AGAIN_MAX_MS ? pause_ms : READ_AGAIN_MAX_MS);
}

static bool is_closing(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool closing = engine->closing;
    pthread_mutex_unlock(&engine->lock);
    return closing;
}

void page_read_run(struct job *job)
{
    struct page_request *request = container_of(job, struct page_request, job);
    struct engine *engine = request->engine;
    enum status why;
    uint64_t begin_ns = clock_steady_ns();
    request->read_bytes = 0;
    if (!read_everything(request, &why) && !is_closing(engine)) {
        try_again(request, why);
        return;
    }
    atomic_fetch_add_explicit(&engine->pages_in, 1, memory_order_relaxed);
    io_count_add(&engine->reads, begin_ns, request->read_bytes);
    pthread_mutex_lock(&engine->lock);
    request->done = true;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}
