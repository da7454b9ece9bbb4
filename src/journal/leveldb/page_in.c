/* Part of engine.h: reading chunks back, the owner's side.
 *
 * Normal course. The owner notes which slots are alive, and takes the messages that are not on disk
 * yet from the batches that hold them. The reader (page_read.c) reads the others. Then the owner
 * drops what was settled meanwhile, and reports the page.
 *
 * What can go wrong:
 *  - A block is damaged, or a live slot is in no block: the page is CORRUPT, and has what could be
 *    read.
 *  - Something cannot be read just now, because there is no descriptor or no memory, after an I/O
 *    error, or while the database is opened again. Nothing is lost by that. The request is tried
 *    again, with pauses, until it succeeds; meanwhile its lane is reported as stalled. */
#include "journal/leveldb/engine.h"
#include "leveret/base/mem.h"

/* ---- Asking. */

/* Takes the chunk's live messages from a run that is not on disk yet. */
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

/* Notes which blocks in the database are to be read: from the block that may hold the first wanted
 * slot to the last one. */
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

/* Notes which blocks and bodies in segments are to be read. */
static void list_places(struct page_request *request, const struct stored_chunk *chunk,
                        unsigned wanted)
{
    request->extents = mem_need_array(NULL, chunk->extent_count + 1u, sizeof *request->extents);
    for (unsigned i = 0; i < chunk->extent_count; i++) {
        /* A later block that does not begin behind the wanted slot replaces the one before. */
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

/* Whether a batch that is not committed yet moves the chunk's blocks or bodies. */
static bool is_moving(const struct engine *engine, const struct stored_chunk *chunk)
{
    bool moving = chunk->moved_in > engine->committed;
    for (unsigned i = 0; i < chunk->use_count && !moving; i++)
        moving = chunk->uses[i].body->moved_in > engine->committed;
    return moving;
}

/* Notes which messages are wanted and where they are. */
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

/* Drops all that was noted and read, so that the request can be prepared again. */
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

/* Prepares the request and gives it to the reader, unless it has to wait for a move. */
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
    request->job.run = page_read_run;
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

/* ---- Reporting. */

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

/* How many live messages were wanted and not found, or have another size than the journal has
 * counted. With such a message the sums that decide about length limits would become wrong. */
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

/* Puts the messages that are still alive into the page, with their references. */
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
            page->entries[page->count++] = entry; /* page->count is never above slot */
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
        page.entries[i].message = NULL; /* the callee has the reference */
}

/* Calls stalled(), once for each request that cannot be read just now. The log is told of the first
 * such request only. */
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

/* Whether messages were not found and a chunk has been moved since: they may be at their new place,
 * so the request is made again. */
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
