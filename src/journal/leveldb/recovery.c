/* Part of engine.h: reading all that is stored, at start.
 *
 * Normal course. The files are checked (verify.h), the database is opened, and definitions, lane
 * records and indexes are read. No bodies are read, so the time depends on the number of chunks.
 *
 * Thread: the vhost's owner.
 *
 * What can go wrong:
 *  - There is no database: then nothing is stored, and the first batch makes the database.
 *  - A file or a record is damaged, or of another format: recovery fails with the file's name, and
 *    nothing is changed. */
#include <stdio.h>
#include <sys/stat.h>

#include "journal/leveldb/clean.h"
#include "journal/leveldb/engine.h"
#include "journal/leveldb/inspection.h"
#include "journal/leveldb/segment_file.h"
#include "journal/leveldb/space.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

/* Bytes of tables that are checked at start; the others are checked later. */
#define TABLE_BYTES_MAX ((uint64_t)128 << 20)
/* Bytes in segments that are checked at start, whatever time it takes. After them checking goes on
 * for this many milliseconds at most; the rest is checked later. */
#define SEGMENT_BYTES_MIN ((uint64_t)64 << 20)
#define SEGMENT_MS_MAX    100u

struct recovering {
    struct engine *engine;
    const struct journal_recovery *to;
    enum status status;
    bool any;                  /* there is a record of any kind */
    bool version;              /* there is a version record */
    bool is_old;               /* the format is 1, in which indexes have no sizes */
    struct map bodies;         /* all bodies stored apart that an index has named so far, by id */
    struct journal_lane *lane; /* the last one told; NULL: none yet */
    void *lane_context;
    struct record_body_ref refs[JOURNAL_CHUNK_SLOTS];
    struct record_extent extents[JOURNAL_CHUNK_SLOTS];
};

static bool on_version(void *context, struct bytes key, struct bytes value)
{
    struct recovering *r = context;
    (void)key;
    r->version = true;
    r->status = record_version_decode(value, &r->is_old);
    return false;
}

static bool on_anything(void *context, struct bytes key, struct bytes value)
{
    struct recovering *r = context;
    (void)key;
    (void)value;
    r->any = true;
    return false;
}

static bool on_definition(void *context, struct bytes key, struct bytes value)
{
    struct recovering *r = context;
    struct bytes payload;
    r->status = record_open(key, value, &payload);
    if (r->status != STATUS_OK)
        return false;
    r->to->definition(r->to->context, bytes_of(key.at + 1, key.len - 1), payload);
    return true;
}

static void start_lane(struct recovering *r, uint64_t lane_id, uint64_t delivered_seq)
{
    r->lane = stored_lane_new(lane_id);
    LIST_INSERT_HEAD(&r->engine->lanes, r->lane, link);
    r->lane->delivered = r->lane->delivered_written = delivered_seq;
    r->lane_context = r->to->lane(r->to->context, lane_id, r->lane, delivered_seq);
}

static struct body *find_body(struct recovering *r, const struct record_body_ref *ref)
{
    struct body *body = map_get(&r->bodies, bytes_of(&ref->body_id, sizeof ref->body_id));
    if (body)
        return body;
    body = mem_need(sizeof *body);
    body->id = ref->body_id;
    body->bytes = ref->body_bytes;
    body->stored = true;
    body->place = ref->place;
    map_put(&r->bodies, bytes_of(&body->id, sizeof body->id), body);
    if (body->id >= r->engine->maker.body_id_next)
        r->engine->maker.body_id_next = body->id + 1;
    if (body->place.segment)
        segments_add(&r->engine->maker.segments, body->place);
    else
        r->engine->maker.stored_bytes += body->bytes;
    return body;
}

/* Sets the chunk's sizes: from its index, or in the old format from its blocks. */
static enum status read_sizes(struct recovering *r, struct stored_chunk *chunk, struct bytes sizes)
{
    if (sizes.len)
        return sizes_decode(sizes, chunk->live, &chunk->sizes);
    chunk->dirty = true;
    batch_touch_chunk(&r->engine->filling->batch, chunk);
    return recount_chunk(r->engine, chunk);
}

static enum status add_chunk(struct recovering *r, const struct record_index *index,
                             struct bytes sizes)
{
    unsigned live = slots_count(index->live);
    if (live == 0)
        return STATUS_CORRUPT; /* the index of such a chunk would have been erased */
    struct stored_chunk *chunk = stored_lane_find_or_add(r->lane, index->chunk);
    memcpy(chunk->live, index->live, sizeof chunk->live);
    memcpy(chunk->starts, index->starts, sizeof chunk->starts);
    chunk->live_count = (uint16_t)live;
    chunk->stored_bytes = index->stored_bytes;
    chunk->any_expires = index->any_expires;
    chunk->indexed = true;
    r->lane->indexed_chunks++;
    r->engine->maker.stored_bytes += index->stored_bytes;
    for (unsigned i = 0; i < index->extent_count; i++) {
        stored_chunk_add_extent(chunk, r->extents[i].place, r->extents[i].slot);
        segments_add(&r->engine->maker.segments, r->extents[i].place);
    }
    for (unsigned i = 0; i < index->ref_count; i++) {
        if (!slots_has(index->live, r->refs[i].slot))
            return STATUS_CORRUPT;
        stored_chunk_use_body(chunk, r->refs[i].slot, find_body(r, &r->refs[i]));
    }
    enum status status = read_sizes(r, chunk, sizes);
    if (status == STATUS_OK)
        r->to->chunk(r->lane_context, index->chunk, index->live, chunk->sizes.sum,
                     index->any_expires);
    return status;
}

static bool on_lane_or_index(void *context, struct bytes key, struct bytes value)
{
    struct recovering *r = context;
    uint64_t lane_id, chunk, delivered_seq;
    bool is_lane;
    r->status = STATUS_CORRUPT;
    if (record_key_parse(key, &lane_id, &chunk, &is_lane) != STATUS_OK)
        return false;
    if (is_lane) {
        r->status = record_lane_decode(key, value, &delivered_seq);
        if (r->status != STATUS_OK)
            return false;
        start_lane(r, lane_id, delivered_seq);
        r->lane->record_stored = true;
        return true;
    }
    struct record_index index;
    struct bytes sizes;
    r->status = record_index_decode(key, value, &index, r->refs, r->extents, &sizes);
    if (r->status == STATUS_OK) {
        if (!r->lane || r->lane->id != lane_id)
            start_lane(r, lane_id, 0);
        r->status = add_chunk(r, &index, sizes);
    }
    return r->status == STATUS_OK;
}

/* Reads a range of records. what: names such a record in the sentence about damage. */
static enum status walk(struct recovering *r, const char *from, const char *to, const char *what,
                        bool (*each)(void *context, struct bytes key, struct bytes value),
                        char **error)
{
    enum status status =
        database_walk(r->engine->database, bytes_of_text(from), bytes_of_text(to), each, r, error);
    if (status != STATUS_OK || r->status == STATUS_OK)
        return status;
    struct text text = {0};
    if (r->status == STATUS_VERSION)
        text_printf(&text, "%s was written by a version of the program that this one cannot read",
                    r->engine->path);
    else
        text_printf(
            &text,
            "the database in %s is damaged: %s fails its checksum or makes no sense. Nothing "
            "was changed. Restore the directory from a copy, or move it away to start "
            "without what it holds",
            r->engine->path, what);
    text_add(&text, "", 1);
    *error = (char *)text.at;
    return r->status;
}

static enum status read_all(struct recovering *r, char **error)
{
    enum status status = walk(r, "v", "w", "the format's record", on_version, error);
    if (status == STATUS_OK && !r->version) {
        status = walk(r, "", "\xff", "a record", on_anything, error);
        if (status == STATUS_OK && r->any) {
            r->status = STATUS_CORRUPT;
            status = walk(r, "v", "w", "the format's record", on_version, error);
        }
        r->engine->writing.begin_database = true;
    }
    r->engine->writing.begin_database |= r->is_old;
    if (status == STATUS_OK)
        status = walk(r, "d", "e", "a definition", on_definition, error);
    if (status == STATUS_OK)
        status = walk(r, "i", "j", "a queue's index", on_lane_or_index, error);
    return status;
}

/* Checks that every segment that an index names is there and long enough. */
static enum status check_segments(struct engine *engine, char **error)
{
    size_t at = 0;
    for (struct segment *segment; (segment = map_next(&engine->maker.segments.by_number, &at));) {
        char *name = segment_file_name(engine->path, (uint32_t)segment->number);
        struct stat about;
        bool good = stat(name, &about) == 0 && (uint64_t)about.st_size >= segment->size;
        if (!good) {
            struct text text = {0};
            text_printf(&text,
                        "%s is missing or too short. Nothing was changed. Restore the directory "
                        "that it is in from a copy, or move the directory away to start without "
                        "what it holds",
                        name);
            text_add(&text, "", 1);
            *error = (char *)text.at;
        }
        free(name);
        if (!good)
            return STATUS_CORRUPT;
    }
    return STATUS_OK;
}

/* Erases blocks that may hold seqs which lanes will give again. */
static void trim_chunks(struct engine *engine)
{
    struct journal_lane *lane;
    LIST_FOREACH(lane, &engine->lanes, link)
    {
        size_t at = 0;
        for (struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
            batch_trim_chunk(&engine->filling->batch, chunk);
    }
}

/* Lists all blocks and bodies in segments, to be checked. */
static void list_items(struct engine *engine, struct recovering *r, struct inspection *inspection)
{
    struct journal_lane *lane;
    size_t at = 0;
    for (const struct body *body; (body = map_next(&r->bodies, &at));)
        if (body->place.segment)
            inspection_add(inspection,
                           &(struct inspection_item){body->place, body->id, body->bytes, true});
    LIST_FOREACH(lane, &engine->lanes, link)
    {
        at = 0;
        for (const struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
            for (unsigned i = 0; i < chunk->extent_count; i++)
                inspection_add(inspection,
                               &(struct inspection_item){chunk->extents[i].place, lane->id,
                                                         chunk->number * JOURNAL_CHUNK_SLOTS +
                                                             chunk->extents[i].slot,
                                                         false});
    }
}

/* Opens the database. LevelDB writes when it opens one. On a full disk the reserve is removed for
 * that; messages can then be read and erased, and the first batch that adds finds the disk full. */
static enum status open_database(struct engine *engine, char **error)
{
    enum status status = database_open(engine->path, false, &engine->database, error);
    if (status != STATUS_NO_SPACE)
        return status;
    free(*error);
    space_remove_reserve(engine->path);
    status = database_open(engine->path, false, &engine->database, error);
    if (status == STATUS_OK)
        space_keep_what_is_left(engine);
    return status;
}

/* Opens the database, reads all records, and begins to check the segments. */
static enum status read_database(struct engine *engine, const struct journal_recovery *recovery,
                                 struct inspection *inspection, char **error)
{
    enum status status = open_database(engine, error);
    if (status != STATUS_OK)
        return status;
    struct recovering *r = mem_need(sizeof *r);
    r->engine = engine;
    r->to = recovery;
    status = read_all(r, error);
    if (status == STATUS_OK) {
        list_items(engine, r, inspection);
        status = check_segments(engine, error);
    }
    if (status == STATUS_OK)
        status = inspection_items(inspection, engine->path, SEGMENT_BYTES_MIN,
                                  clock_steady_ms() + SEGMENT_MS_MAX, error);
    map_free(&r->bodies);
    free(r);
    return status;
}

enum status recovery_run(struct engine *engine, const struct journal_recovery *recovery,
                         char **error)
{
    *error = NULL;
    if (!database_exists(engine->path))
        return STATUS_OK;
    struct inspection inspection = {0};
    enum verify_after after =
        clean_is_marked(engine->path) ? VERIFY_AFTER_CLEAN_STOP : VERIFY_AFTER_CRASH;
    enum status status =
        verify_database(engine->path, TABLE_BYTES_MAX, after, &inspection.tables, error);
    if (inspection.tables.cut)
        log_line(engine->log, LOG_WARNING, "journal", "%s", inspection.tables.cut);
    if (status == STATUS_OK)
        status = clean_unmark(engine->path);
    if (status == STATUS_OK)
        status = read_database(engine, recovery, &inspection, error);
    if (status != STATUS_OK) {
        inspection_free(&inspection);
        return status;
    }
    segments_clean(&engine->maker.segments, engine->path);
    trim_chunks(engine);
    space_inspect_later(engine, &inspection);
    space_reserve(engine);
    pthread_mutex_lock(&engine->lock);
    engine->database_ready = true;
    pthread_mutex_unlock(&engine->lock);
    return STATUS_OK;
}
