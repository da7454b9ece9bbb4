/* Reading chunks back.
 *
 * Normal course. The owner notes which slots are alive, and takes those that are not on disk yet
 * from the batches that hold them. The reader walks the chunk's blocks in key order until it has
 * found the rest. Back on the owner what was settled meanwhile is dropped, and the page is
 * reported.
 *
 * What can go wrong: a block is damaged, or a slot is in no block: the page says so and has what
 * could be read. Something cannot be read just now, because there is no descriptor or no memory,
 * after an I/O error, or while the database is opened anew: none of that says that anything is
 * lost. The request is tried again, with pauses, until it succeeds; meanwhile its lane is reported
 * as stalled. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/segment_file.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

#define READ_AGAIN_MS     100u  /* the first pause; each is twice as long as the one before … */
#define READ_AGAIN_MAX_MS 1000u /* … up to this */

/* ---- The owner: asking. */

static void take_pending(struct page_request *request, const struct run *run,
                         const struct stored_chunk *chunk)
{
    for (size_t g = 0; g < run->group_count; g++) {
        const struct group *group = &run->groups[g];
        if (group->chunk_number != chunk->number)
            continue;
        for (size_t i = group->first; i < group->end; i++) {
            const struct pending *entry = &run->entries[i];
            unsigned slot = (unsigned)(entry->seq % JOURNAL_CHUNK_SLOTS);
            if (!entry->message || !slots_has(chunk->live, slot))
                continue;
            slots_remove(request->expected, slot);
            request->slots[slot] =
                (struct journal_entry){entry->seq, entry->expires_ms, message_ref(entry->message)};
        }
    }
}

/* The blocks in the database from the one that may hold the first slot wanted to the last. */
static void bound_blocks(struct page_request *request, const struct stored_chunk *chunk,
                         unsigned wanted)
{
    unsigned first = 0, last = 0;
    for (unsigned slot = slots_next(chunk->starts, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->starts, slot + 1)) {
        if (slot <= wanted || !request->in_database)
            first = slot;
        last = slot;
        request->in_database = true;
    }
    request->first_block = request->chunk * JOURNAL_CHUNK_SLOTS + first;
    request->last_block = request->chunk * JOURNAL_CHUNK_SLOTS + last;
}

/* What of the chunk lies in segments. */
static void list_places(struct page_request *request, const struct stored_chunk *chunk,
                        unsigned wanted)
{
    request->extents = mem_need_array(NULL, chunk->extent_count + 1u, sizeof *request->extents);
    for (unsigned i = 0; i < chunk->extent_count; i++) {
        /* What begins later and not behind the slot wanted has all from there on. */
        if (request->extent_count == 1 && chunk->extents[i].slot <= wanted)
            request->extent_count = 0;
        request->extents[request->extent_count++] = chunk->extents[i];
    }
    request->bodies = mem_need_array(NULL, chunk->use_count + 1u, sizeof *request->bodies);
    for (unsigned i = 0; i < chunk->use_count; i++) {
        const struct body_use *use = &chunk->uses[i];
        if (use->body->place.segment)
            request->bodies[request->body_count++] = (struct record_body_ref){
                use->body->id, use->body->bytes, use->body->place, use->slot};
    }
}

static void read_run(struct job *job);

/* Whether what the chunk holds is on its way to another place. */
static bool is_moving(const struct engine *engine, const struct stored_chunk *chunk)
{
    bool moving = chunk->moved_in > engine->committed;
    for (unsigned i = 0; i < chunk->use_count && !moving; i++)
        moving = chunk->uses[i].body->moved_in > engine->committed;
    return moving;
}

/* Notes what is wanted and where it is. */
static void prepare(struct engine *engine, struct page_request *request)
{
    struct stored_chunk *chunk = stored_lane_find(request->lane, request->chunk);
    request->moves = engine->moves;
    if (!chunk)
        return;
    memcpy(request->expected, chunk->live, sizeof request->expected);
    for (const struct run *run = request->lane->flying; run; run = run->older)
        if (!run->moves)
            take_pending(request, run, chunk);
    if (request->lane->filling)
        take_pending(request, request->lane->filling, chunk);
    unsigned wanted = slots_next(request->expected, 0);
    if (wanted < JOURNAL_CHUNK_SLOTS) {
        bound_blocks(request, chunk, wanted);
        list_places(request, chunk, wanted);
    }
    paged_prepare(engine, request, chunk);
}

static void forget_findings(struct page_request *request)
{
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++)
        message_unref(&request->slots[slot].message);
    paged_done(request);
    free(request->extents);
    free(request->bodies);
    free(request->error);
    request->extents = NULL;
    request->bodies = NULL;
    request->error = NULL;
    request->extent_count = request->body_count = 0;
    memset(request->expected, 0, sizeof request->expected);
    memset(request->transient, 0, sizeof request->transient);
    request->in_database = false;
    request->status = STATUS_OK;
}

/* Hands the request to the reader, unless it has to wait. */
static void submit(struct engine *engine, struct page_request *request)
{
    const struct stored_chunk *chunk =
        request->lane ? stored_lane_find(request->lane, request->chunk) : NULL;
    request->waits = chunk && is_moving(engine, chunk);
    if (request->waits)
        return;
    if (request->lane)
        prepare(engine, request);
    request->done = false;
    engine_job_begins(engine);
    threads_read(engine->threads, &request->job);
}

struct page_request *page_in_request(struct engine *engine, struct journal_lane *lane,
                                     uint64_t chunk_number)
{
    struct page_request *request = mem_need(sizeof *request);
    request->job.run = read_run;
    request->engine = engine;
    request->lane = lane;
    request->lane_id = lane->id;
    request->chunk = chunk_number;
    submit(engine, request);
    return request;
}

void page_in_free(struct page_request **request)
{
    forget_findings(*request);
    free(*request);
    *request = NULL;
}

bool page_in_is_done(const struct page_request *request)
{
    pthread_mutex_lock(&request->engine->lock);
    bool done = request->done;
    pthread_mutex_unlock(&request->engine->lock);
    return done;
}

void page_in_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk_number)
{
    struct page_request *request = page_in_request(engine, lane, chunk_number);
    TAILQ_INSERT_TAIL(&engine->page_requests, request, link);
}

void page_in_go_on(struct engine *engine)
{
    struct page_request *request;
    TAILQ_FOREACH(request, &engine->page_requests, link)
    {
        if (request->waits)
            submit(engine, request);
    }
}

/* ---- The reader. */

struct page_reading {
    struct page_request *request;
    uint64_t body_ids[JOURNAL_CHUNK_SLOTS]; /* of bodies kept apart, read after the blocks */
    int from_slot[JOURNAL_CHUNK_SLOTS];     /* where the block begins that a slot was taken from */
};

/* Decodes a block that begins with block_slot into the slots that are wanted. A seq may have been
 * given a second time after a restart, when all from it on were settled: what the block that begins
 * later holds is meant. */
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

enum status page_in_block(struct page_request *request, struct bytes key, struct bytes value,
                          const uint64_t *wanted)
{
    struct page_reading *reading = mem_need(sizeof *reading);
    reading->request = request;
    enum status status = decode_block(reading, key, 0, value, wanted);
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++) {
        if (reading->body_ids[slot]) { /* not in a block of this kind */
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
    if (record_key_parse_block(key, &lane_id, &seq) == STATUS_OK)
        status =
            decode_block(reading, key, (int)(seq % JOURNAL_CHUNK_SLOTS), value, request->expected);
    /* A damaged block does not keep the ones behind it from being read. */
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

/* Reads a body kept apart into its message. */
static enum status read_body(struct page_request *request, uint64_t body_id,
                             struct message *message)
{
    struct filling filling = {message, body_id, 0, STATUS_CORRUPT};
    struct record_key from = record_key_body(body_id, 0), to = record_key_body(body_id + 1, 0);
    char *error;
    enum status status = database_walk(request->engine->database, record_key_bytes(&from),
                                       record_key_bytes(&to), on_body_part, &filling, &error);
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

/* The same for one in a segment. */
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

/* Errors: AGAIN when the database is not open just now. */
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

/* False when it did not work just now, which *why says: it is to be tried again. */
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

/* Notes why it has to wait, for the owner to tell, and tries again later. */
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

static void read_run(struct job *job)
{
    struct page_request *request = container_of(job, struct page_request, job);
    struct engine *engine = request->engine;
    enum status why;
    if (!read_everything(request, &why) && !is_closing(engine)) {
        try_again(request, why);
        return;
    }
    atomic_fetch_add_explicit(&engine->pages_in, 1, memory_order_relaxed);
    pthread_mutex_lock(&engine->lock);
    request->done = true;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}

/* ---- The owner: reporting. */

void page_in_forget_lane(struct engine *engine, const struct journal_lane *lane)
{
    struct page_request *request;
    TAILQ_FOREACH(request, &engine->page_requests, link)
    {
        if (request->lane == lane)
            request->lane = NULL;
    }
}

static uint64_t counted_bytes(const struct stored_chunk *chunk, unsigned slot)
{
    return slots_has(chunk->live, slot) ? sizes_of(&chunk->sizes, slot)
                                        : paged_body_bytes(chunk, slot);
}

/* How many slots that are alive were asked for and not found, or found with another size than is
 * counted: sums that decide what is dropped would become wrong. */
static unsigned count_missing(const struct page_request *request, const struct stored_chunk *chunk)
{
    unsigned missing = 0;
    for (unsigned slot = 0; chunk && slot < JOURNAL_CHUNK_SLOTS; slot++) {
        bool alive = slots_has(chunk->live, slot) || paged_is_live(chunk, slot);
        bool asked = slots_has(request->expected, slot) || slots_has(request->transient, slot);
        const struct message *found = request->slots[slot].message;
        missing += alive && asked && (!found || found->body_bytes != counted_bytes(chunk, slot));
    }
    return missing;
}

static void complain(const struct page_request *request, enum status status, unsigned missing)
{
    log_line(request->engine->log, LOG_ERROR, "journal",
             "%s: %u messages of lane %llu, chunk %llu, are damaged: %s (nothing was deleted; "
             "restore the directory from a copy to have them back)",
             request->engine->path, missing, (unsigned long long)request->lane_id,
             (unsigned long long)request->chunk,
             request->error ? request->error : status_text(status));
}

/* Makes the page of what is alive still; the references go to it. */
static void collect(struct page_request *request, const struct stored_chunk *chunk,
                    struct journal_page *page)
{
    page->entries = request->slots;
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++) {
        struct journal_entry entry = request->slots[slot];
        request->slots[slot].message = NULL;
        if (!entry.message)
            continue;
        if (chunk && (slots_has(chunk->live, slot) || paged_is_live(chunk, slot)))
            page->entries[page->count++] = entry; /* never behind slot */
        else
            message_unref(&entry.message);
    }
}

static void report(struct engine *engine, struct page_request *request)
{
    const struct stored_chunk *chunk = stored_lane_find(request->lane, request->chunk);
    struct journal_page page = {.lane = request->lane, .chunk = request->chunk};
    unsigned missing = count_missing(request, chunk);
    if (missing) {
        page.status = request->status == STATUS_OK ? STATUS_CORRUPT : request->status;
        complain(request, page.status, missing);
    }
    collect(request, chunk, &page);
    engine->callbacks.paged_in(engine->callbacks.context, &page);
    for (size_t i = 0; i < page.count; i++)
        page.entries[i].message = NULL; /* taken */
}

/* Tells the owner's owner, once for each request, that its lane's messages cannot be read just now,
 * and the log when there was no such request before. */
static void tell_stalls(struct engine *engine)
{
    struct page_request *request;
    pthread_mutex_lock(&engine->lock);
    bool due = engine->stall_due;
    engine->stall_due = false;
    pthread_mutex_unlock(&engine->lock);
    if (!due)
        return;
    TAILQ_FOREACH(request, &engine->page_requests, link)
    {
        pthread_mutex_lock(&engine->lock);
        enum status stalled = request->stalled;
        pthread_mutex_unlock(&engine->lock);
        if (stalled == STATUS_OK || request->told)
            continue;
        request->told = true;
        if (engine->stalls++ == 0)
            log_line(engine->log, LOG_WARNING, "journal",
                     "%s: stored messages cannot be read just now (%s); reading is tried again "
                     "until it works, nothing is lost",
                     engine->path, status_text(stalled));
        if (request->lane && engine->callbacks.stalled)
            engine->callbacks.stalled(engine->callbacks.context, request->lane, stalled);
    }
}

static void end_stall(struct engine *engine, const struct page_request *request)
{
    if (!request->told)
        return;
    if (--engine->stalls == 0)
        log_line(engine->log, LOG_INFO, "journal", "%s: reading works again", engine->path);
    if (request->lane && engine->callbacks.stalled)
        engine->callbacks.stalled(engine->callbacks.context, request->lane, STATUS_OK);
}

/* What was not found because it has been moved since is looked for once more. */
static bool must_repeat(const struct engine *engine, const struct page_request *request)
{
    return request->lane && request->moves != engine->moves &&
           count_missing(request, stored_lane_find(request->lane, request->chunk)) > 0;
}

void page_in_report(struct engine *engine)
{
    struct page_request *request;
    tell_stalls(engine);
    while ((request = TAILQ_FIRST(&engine->page_requests))) {
        /* clang's analyzer does not see that TAILQ_REMOVE has made another one the first. */
        bool dropped = !request->lane && /* NOLINT(clang-analyzer-unix.Malloc) */
                       request->waits;
        if (!dropped && (request->waits || !page_in_is_done(request)))
            break;
        if (must_repeat(engine, request)) {
            forget_findings(request);
            submit(engine, request);
            break;
        }
        TAILQ_REMOVE(&engine->page_requests, request, link);
        end_stall(engine, request);
        if (request->lane)
            report(engine, request);
        page_in_free(&request);
    }
}
