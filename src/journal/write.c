/* The writer's side of a journal: from a closed batch to synced records.
 *
 * Normal course. The batch is encoded into one LevelDB write: blocks, bodies kept apart, erased
 * keys, index and lane records, definitions. It is written and synced, and the owner is woken.
 *
 * What can go wrong:
 *  - The write fails. The owner is told; after a pause it takes out of the batch what has been
 * settled meanwhile, adds what has come since, and hands it over again. LevelDB is opened anew
 * before.
 *  - The disk is full. The reserve (space.c) is given up first, so that erasing is possible: that
 * is what makes room. As long as there is too little to open the database again the old handle
 *    stays, so that reading goes on.
 *  - The journal is being closed: a failed write is then not tried again. */
#include <stdio.h>

#include "engine.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "space.h"

#define RETRY_FIRST_MS     50u
#define RETRY_MAX_MS       2000u
#define ENCODED_KEEP_BYTES (4u << 20)

/* ---- Encoding. */

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

static void encode_block(struct engine *engine, const struct run *run, const struct group *group)
{
    struct text *buffer = &engine->writing.buffer;
    struct record_block_out block;
    buffer->len = 0;
    record_block_begin(&block, buffer);
    for (size_t i = group->first; i < group->end; i++) {
        const struct pending *entry = &run->entries[i];
        if (entry->message)
            record_block_add(&block, entry->seq, entry->expires_ms, entry->message, entry->body_id);
    }
    struct record_key key = record_key_block(run->lane_id, group->start_seq);
    record_block_end(&block, record_key_bytes(&key));
    put(engine, record_key_bytes(&key), text_bytes(buffer));
    atomic_fetch_add_explicit(&engine->blocks_written, 1, memory_order_relaxed);
}

/* A body kept apart is written in parts that do not follow the borders of its slices. */
static void encode_body(struct engine *engine, const struct body_update *update)
{
    struct text *buffer = &engine->writing.buffer;
    const struct message *message = update->message;
    uint32_t piece = 0, part = 0;
    size_t taken = 0; /* of the piece */
    for (uint64_t left = update->body_bytes; left > 0; part++) {
        size_t want = left < JOURNAL_BODY_PART ? (size_t)left : JOURNAL_BODY_PART;
        left -= want;
        buffer->len = 0;
        size_t from = record_begin(buffer);
        while (want > 0) {
            struct bytes at = message_body_piece(message, piece);
            size_t some = at.len - taken < want ? at.len - taken : want;
            text_add(buffer, at.at + taken, some);
            taken += some;
            want -= some;
            if (taken == at.len) {
                taken = 0;
                piece++;
            }
        }
        struct record_key key = record_key_body(update->body_id, part);
        record_seal(buffer, from, record_key_bytes(&key));
        put(engine, record_key_bytes(&key), text_bytes(buffer));
    }
}

static void erase_body(struct engine *engine, const struct body_update *update)
{
    uint64_t parts = (update->body_bytes + JOURNAL_BODY_PART - 1) / JOURNAL_BODY_PART;
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
    /* No entry with a reference: the array may not be there at all. */
    record_index_encode(buffer, &update->index,
                        batch->refs.at ? batch->refs.at + update->refs_from : NULL);
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

/* Puts come before erasures of what an absorbed batch had still put; the order of index and lane
 * records and of definitions is the order in which they were made. */
static void encode(struct engine *engine)
{
    const struct batch *batch = &engine->flying->batch;
    const struct run *run;
    database_batch_clear(engine->writing.encoded);
    engine->writing.encoded_bytes = 0;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        for (size_t i = 0; i < run->group_count; i++)
            if (run->groups[i].live)
                encode_block(engine, run, &run->groups[i]);
    }
    for (size_t i = 0; i < batch->bodies.count; i++) {
        if (batch->bodies.at[i].message)
            encode_body(engine, &batch->bodies.at[i]);
        else
            erase_body(engine, &batch->bodies.at[i]);
    }
    for (size_t i = 0; i < batch->block_erases.count; i++) {
        const struct block_erase *gone = &batch->block_erases.at[i];
        struct record_key key = record_key_block(gone->lane_id, gone->start_seq);
        erase(engine, record_key_bytes(&key));
    }
    for (size_t i = 0; i < batch->indexes.count; i++)
        encode_index(engine, batch, &batch->indexes.at[i]);
    for (size_t i = 0; i < batch->lane_updates.count; i++)
        encode_lane(engine, &batch->lane_updates.at[i]);
    batch_each_definition(batch, encode_definition, engine);
}

/* ---- Writing. */

/* The first batch makes the database. */
static enum status begin_database(struct engine *engine, char **error)
{
    struct database *database;
    enum status status = database_open(engine->path, true, &database, error);
    if (status != STATUS_OK)
        return status;
    engine->database = database;
    engine->writing.begin_database = true;
    pthread_mutex_lock(&engine->lock);
    engine->database_ready = true;
    pthread_mutex_unlock(&engine->lock);
    return STATUS_OK;
}

static void encode_version(struct engine *engine)
{
    struct record_key key = record_key_version();
    struct text *buffer = &engine->writing.buffer;
    buffer->len = 0;
    record_version_encode(buffer);
    put(engine, record_key_bytes(&key), text_bytes(buffer));
}

static bool adds(const struct batch *batch)
{
    const struct run *run;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        for (size_t i = 0; i < run->group_count; i++)
            if (run->groups[i].live)
                return true;
    }
    return batch->definitions.len > 0;
}

static enum status refuse(const char *text, char **error)
{
    *error = mem_need_text(text, strlen(text));
    return STATUS_NO_SPACE;
}

static enum status make_ready(struct engine *engine, char **error)
{
    if (!engine->database)
        return begin_database(engine, error);
    if (!database_must_reopen(engine->database))
        return STATUS_OK;
    if (engine->writing.status == STATUS_NO_SPACE && !space_make_room(engine))
        return refuse("waiting for space on the disk", error);
    return database_reopen(engine->database, error);
}

static void keep_buffers_small(struct engine *engine)
{
    struct writing *writing = &engine->writing;
    if (writing->buffer.room > ENCODED_KEEP_BYTES)
        text_free(&writing->buffer);
    if (writing->encoded_bytes > ENCODED_KEEP_BYTES) {
        database_batch_free(&writing->encoded);
        writing->encoded = database_batch_new();
    }
}

static enum status write_once(struct engine *engine, char **error)
{
    struct writing *writing = &engine->writing;
    enum status status = make_ready(engine, error);
    if (status != STATUS_OK)
        return status;
    encode(engine);
    if (writing->begin_database)
        encode_version(engine);
    if (space_admits(engine, writing->encoded_bytes, adds(&engine->flying->batch)))
        status = database_write(engine->database, writing->encoded, error);
    else
        status = refuse("the disk is nearly full", error);
    if (status == STATUS_OK) {
        writing->begin_database = false;
        atomic_fetch_add_explicit(&engine->bytes_written, writing->encoded_bytes,
                                  memory_order_relaxed);
    }
    keep_buffers_small(engine);
    return status;
}

static bool is_full(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool full = engine->full;
    pthread_mutex_unlock(&engine->lock);
    return full;
}

static void write_run(struct job *job)
{
    struct engine *engine = (struct engine *)((char *)job - offsetof(struct engine, writing.job));
    char *error = NULL;
    enum status status = write_once(engine, &error);
    bool plenty = status == STATUS_OK && is_full(engine) && space_is_plenty(engine);
    engine->writing.status = status;
    uint64_t us = (clock_steady_ns() - engine->writing.handed_over_ns) / 1000;
    if (status == STATUS_OK) {
        atomic_fetch_add_explicit(&engine->batches, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&engine->commit_us_sum, us, memory_order_relaxed);
    } else {
        atomic_fetch_add_explicit(&engine->syncs_failed, 1, memory_order_relaxed);
    }
    pthread_mutex_lock(&engine->lock);
    engine->outcome.due = true;
    engine->outcome.status = status;
    engine->outcome.error = error;
    engine->space_returned |= plenty;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}

static void retry_run(struct job *job)
{
    struct engine *engine = (struct engine *)((char *)job - offsetof(struct engine, writing.retry));
    pthread_mutex_lock(&engine->lock);
    engine->retry_due = true;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}

void write_start(struct engine *engine)
{
    engine->writing.handed_over_ns = clock_steady_ns();
    engine_job_begins(engine);
    threads_write(engine->threads, &engine->writing.job);
}

void write_retry_later(struct engine *engine)
{
    unsigned doublings = engine->writing.failures < 8 ? engine->writing.failures : 8;
    uint64_t delay_ms = (uint64_t)RETRY_FIRST_MS << doublings;
    engine->writing.failures++;
    engine_job_begins(engine);
    threads_write_later(engine->threads, &engine->writing.retry,
                        delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS);
}

void write_init(struct engine *engine)
{
    engine->writing.job.run = write_run;
    engine->writing.retry.run = retry_run;
    engine->writing.encoded = database_batch_new();
}

void write_end(struct engine *engine)
{
    database_batch_free(&engine->writing.encoded);
    text_free(&engine->writing.buffer);
}
