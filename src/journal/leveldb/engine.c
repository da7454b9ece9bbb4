/* Part of engine.h and leveret/journal/journal_leveldb.h: the owner's side of the journal.
 *
 * Normal course. Calls of the core go into the filling batch (batch.c). When no batch is being
 * written, journal_flush closes the filling batch and hands it to a writer (commit.c). The writer
 * wakes the owner, which calls journal_poll. That hands the next batch over first and then calls
 * committed(), so that the disk does not wait for the core. If the batch held many messages,
 * another thread gives them back.
 *
 * What can go wrong:
 *  - A write fails: health() is called, and after a pause the batch is written again, without what
 *    has been settled meanwhile and with what has been added since. Nothing is committed until a
 *    write succeeds.
 *  - A callback drops lanes, appends, or asks for pages. Therefore each list is read from its head,
 *    and an element leaves its list before it is handed to a callback. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/clean.h"
#include "journal/leveldb/segment_file.h"
#include "journal/leveldb/space.h"

#include <stdio.h>

#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Messages of a batch. Up to this many are given back at once, because waking a thread costs more;
 * more are given back on another thread. */
#define LET_GO_HERE_MAX 64u

static struct engine *engine_of(struct journal *journal)
{
    return (struct engine *)journal;
}

static const struct engine *engine_of_const(const struct journal *journal)
{
    return (const struct engine *)journal;
}

/* ---- Jobs on other threads. */

void engine_job_begins(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->jobs++;
    pthread_mutex_unlock(&engine->lock);
}

void engine_job_ends(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    engine->jobs--;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

void engine_await_jobs(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    while (engine->jobs > 0)
        pthread_cond_wait(&engine->changed, &engine->lock);
    pthread_mutex_unlock(&engine->lock);
}

void engine_wake(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool closing = engine->closing;
    pthread_mutex_unlock(&engine->lock);
    if (!closing)
        engine->wake(engine->wake_context);
}

void engine_tidy_chunk(struct stored_chunk *chunk)
{
    if (chunk->live_count == 0 && !chunk->paged && chunk->touched_at == 0 && !chunk->indexed)
        stored_lane_remove(chunk);
}

/* ---- Flights. */

/* Removes the segments that are dead now that the batch is written. */
static void remove_segments(struct engine *engine, struct batch *batch)
{
    for (size_t i = 0; i < batch->dead_segments.count; i++)
        segment_file_remove(engine->path, batch->dead_segments.at[i]);
    batch->dead_segments.count = 0;
}

static void let_go_run(struct job *job)
{
    struct flight *flight = container_of(job, struct flight, let_go);
    struct engine *engine = flight->engine;
    batch_let_go(&flight->batch);
    remove_segments(engine, &flight->batch);
    pthread_mutex_lock(&engine->lock);
    STAILQ_INSERT_TAIL(&engine->let_go, flight, link);
    pthread_mutex_unlock(&engine->lock);
    engine_job_ends(engine);
}

static struct flight *new_flight(struct engine *engine)
{
    struct flight *flight = STAILQ_FIRST(&engine->spare);
    if (flight) {
        STAILQ_REMOVE_HEAD(&engine->spare, link);
        return flight;
    }
    flight = mem_need(sizeof *flight);
    flight->engine = engine;
    flight->let_go.run = let_go_run;
    batch_init(&flight->batch, &engine->maker);
    return flight;
}

static void free_flight(struct flight **flight)
{
    if (!*flight)
        return;
    batch_free(&(*flight)->batch);
    free(*flight);
    *flight = NULL;
}

/* Gives back the messages of a batch that is written, and keeps the flight for another batch. */
static void retire_flight(struct engine *engine, struct flight *flight)
{
    size_t messages = 0;
    const struct run *run;
    STAILQ_FOREACH(run, &flight->batch.runs, link)
    messages += run->count;
    if (messages <= LET_GO_HERE_MAX && flight->batch.dead_segments.count == 0) {
        batch_clear(&flight->batch);
        STAILQ_INSERT_HEAD(&engine->spare, flight, link);
    } else {
        engine_job_begins(engine);
        threads_write(engine->threads, &flight->let_go);
    }
}

/* Lets the lanes of a batch that is written know that they have nothing in flight. */
static void detach_lanes(struct batch *batch)
{
    struct run *run;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        if (run->lane)
            run->lane->flying = NULL;
        run->lane = NULL;
    }
}

/* ---- Handing over, and what comes back. */

/* Decides from which size on the next batch goes into a segment (batch.h, JOURNAL_SEGMENT_PER_US).
 */
static void choose_segment_min(struct engine *engine)
{
    uint64_t sync_us = atomic_load_explicit(&engine->sync_us, memory_order_relaxed);
    uint64_t bytes = sync_us * JOURNAL_SEGMENT_PER_US;
    if (bytes < JOURNAL_SEGMENT_LEAST)
        bytes = JOURNAL_SEGMENT_LEAST;
    engine->maker.segment_min = bytes < JOURNAL_SEGMENT_MOST ? bytes : JOURNAL_SEGMENT_MOST;
}

static void hand_over(struct engine *engine)
{
    struct flight *flight = engine->filling;
    if (engine->flying || engine->refused || !(flight->batch.touched || engine->awaited))
        return;
    engine->awaited = false;
    flight->batch.number = engine->filling_number++;
    choose_segment_min(engine);
    bool anything = batch_close(&flight->batch);
    if (!anything) {
        /* Nothing was added, or all of it was undone: the batch is committed without a write. There
         * are no dead segments either, for a record is erased with each. */
        detach_lanes(&flight->batch);
        batch_clear(&flight->batch);
        engine->committed = flight->batch.number;
        engine_wake(engine);
        return;
    }
    engine->filling = new_flight(engine);
    engine->flying = flight;
    commit_start(engine);
}

static void set_health(struct engine *engine, enum status status, const char *text)
{
    if (engine->health == status)
        return;
    engine->health = status;
    pthread_mutex_lock(&engine->lock);
    engine->full = status == STATUS_NO_SPACE;
    pthread_mutex_unlock(&engine->lock);
    engine->callbacks.health(engine->callbacks.context, status, text);
}

static void batch_failed(struct engine *engine, struct write_outcome *outcome)
{
    commit_retry_later(engine);
    set_health(engine, outcome->status,
               outcome->error ? outcome->error : status_text(outcome->status));
}

static void batch_written(struct engine *engine, bool space_returned)
{
    struct flight *done = engine->flying;
    engine->flying = NULL;
    engine->committed = done->batch.number;
    engine->writing.failures = 0;
    detach_lanes(&done->batch);
    hand_over(engine);
    page_in_go_on(engine);
    retire_flight(engine, done);
    if (engine->health != STATUS_OK && (engine->health != STATUS_NO_SPACE || space_returned))
        set_health(engine, STATUS_OK, status_text(STATUS_OK));
}

static void retry(struct engine *engine)
{
    struct batch *batch = &engine->flying->batch;
    if (engine->filling->batch.touched) {
        struct batch *later = &engine->filling->batch;
        later->number = engine->filling_number++;
        engine->awaited = false;
        batch_close(later);
        batch_absorb(batch, later);
    }
    batch_prune(batch);
    commit_start(engine);
}

/* ---- The interface. */

static void engine_put(struct journal *journal, struct bytes key, struct bytes value)
{
    batch_put(&engine_of(journal)->filling->batch, key, value);
}

static void engine_erase(struct journal *journal, struct bytes key)
{
    batch_erase(&engine_of(journal)->filling->batch, key);
}

static struct journal_lane *engine_lane_new(struct journal *journal, uint64_t lane_id)
{
    struct journal_lane *lane = stored_lane_new(lane_id);
    LIST_INSERT_HEAD(&engine_of(journal)->lanes, lane, link);
    return lane;
}

static void engine_lane_drop(struct journal *journal, struct journal_lane **lane)
{
    struct engine *engine = engine_of(journal);
    if (!*lane)
        return;
    page_in_forget_lane(engine, *lane);
    relocate_forget_lane(engine, *lane);
    paged_drop_lane(engine, *lane);
    batch_drop_lane(&engine->filling->batch, *lane);
    LIST_REMOVE(*lane, link);
    stored_lane_free(lane);
}

static void engine_append(struct journal *journal, struct journal_lane *lane, uint64_t seq,
                          uint64_t expires_ms, struct message *message)
{
    batch_append(&engine_of(journal)->filling->batch, lane, seq, expires_ms, message);
}

static void engine_settle(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    if (!batch_settle(&engine_of(journal)->filling->batch, lane, seq))
        paged_settle(engine_of(journal), lane, seq);
}

static uint64_t engine_body_bytes(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    (void)journal;
    const struct stored_chunk *chunk = stored_lane_find(lane, seq / JOURNAL_CHUNK_SLOTS);
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    if (chunk && slots_has(chunk->live, slot))
        return sizes_of(&chunk->sizes, slot);
    return chunk && paged_is_live(chunk, slot) ? paged_body_bytes(chunk, slot) : 0;
}

static void engine_delivered(struct journal *journal, struct journal_lane *lane, uint64_t seq)
{
    batch_delivered(&engine_of(journal)->filling->batch, lane, seq);
}

static void engine_page_out(struct journal *journal, struct journal_lane *lane, uint64_t chunk,
                            const struct journal_entry *entries, size_t count)
{
    paged_out_start(engine_of(journal), lane, chunk, entries, count);
}

static void engine_page_in(struct journal *journal, struct journal_lane *lane, uint64_t chunk)
{
    page_in_start(engine_of(journal), lane, chunk);
}

static uint64_t engine_filling(const struct journal *journal)
{
    return engine_of_const(journal)->filling_number;
}

static uint64_t engine_await(struct journal *journal)
{
    struct engine *engine = engine_of(journal);
    engine->awaited = true;
    return engine->filling_number;
}

static uint64_t engine_committed(const struct journal *journal)
{
    return engine_of_const(journal)->committed;
}

static uint64_t engine_unwritten_bytes(const struct journal *journal)
{
    const struct engine *engine = engine_of_const(journal);
    return engine->filling->batch.bytes + (engine->flying ? engine->flying->batch.bytes : 0);
}

static void engine_flush(struct journal *journal)
{
    hand_over(engine_of(journal));
}

static void engine_poll(struct journal *journal)
{
    struct engine *engine = engine_of(journal);
    pthread_mutex_lock(&engine->lock);
    struct write_outcome outcome = engine->outcome;
    bool retry_due = engine->retry_due, space_returned = engine->space_returned;
    engine->outcome = (struct write_outcome){0};
    engine->retry_due = engine->space_returned = false;
    while (!STAILQ_EMPTY(&engine->let_go)) {
        struct flight *flight = STAILQ_FIRST(&engine->let_go);
        STAILQ_REMOVE_HEAD(&engine->let_go, link);
        batch_clear(&flight->batch);
        STAILQ_INSERT_HEAD(&engine->spare, flight, link);
    }
    pthread_mutex_unlock(&engine->lock);
    if (outcome.due && outcome.status == STATUS_OK)
        batch_written(engine, space_returned);
    else if (outcome.due)
        batch_failed(engine, &outcome);
    else if (space_returned && engine->health == STATUS_NO_SPACE && !engine->flying)
        set_health(engine, STATUS_OK, status_text(STATUS_OK));
    free(outcome.error);
    if (retry_due)
        retry(engine);
    if (engine->reported < engine->committed) {
        engine->reported = engine->committed;
        engine->callbacks.committed(engine->callbacks.context, engine->committed);
    }
    page_in_report(engine);
    paged_out_report(engine);
    relocate_look(engine);
    space_look(engine);
}

static enum status engine_recover(struct journal *journal, const struct journal_recovery *recovery,
                                  char **error)
{
    struct engine *engine = engine_of(journal);
    enum status status = recovery_run(engine, recovery, error);
    engine->refused = status != STATUS_OK;
    return status;
}

/* ---- Life. */

/* Waits for the batch in flight. Returns whether it was written. */
static bool wait_for_flight(struct engine *engine)
{
    engine_await_jobs(engine);
    pthread_mutex_lock(&engine->lock);
    bool written = !engine->outcome.due || engine->outcome.status == STATUS_OK;
    free(engine->outcome.error);
    engine->outcome = (struct write_outcome){0};
    engine->retry_due = false;
    pthread_mutex_unlock(&engine->lock);
    return written;
}

/* At the end: writes the batch in flight and the filling one. */
static void write_rest(struct engine *engine)
{
    bool failing = engine->writing.failures > 0;
    if (!wait_for_flight(engine) || failing) {
        log_line(engine->log, LOG_ERROR, "journal",
                 "%s: closed while writing failed; what was not confirmed is lost", engine->path);
        return;
    }
    if (engine->flying) {
        detach_lanes(&engine->flying->batch);
        remove_segments(engine, &engine->flying->batch);
        free_flight(&engine->flying);
    }
    hand_over(engine);
    if (!engine->flying)
        return;
    if (wait_for_flight(engine))
        remove_segments(engine, &engine->flying->batch);
    else
        log_line(engine->log, LOG_ERROR, "journal",
                 "%s: the last writes failed; what was not confirmed is lost", engine->path);
}

static void free_lanes(struct engine *engine)
{
    struct journal_lane *lane;
    while ((lane = LIST_FIRST(&engine->lanes))) {
        page_in_forget_lane(engine, lane);
        relocate_forget_lane(engine, lane);
        paged_drop_lane(engine, lane);
        batch_drop_lane(&engine->filling->batch, lane);
        LIST_REMOVE(lane, link);
        stored_lane_free(&lane);
    }
}

static void engine_free(struct journal **journal)
{
    struct engine *engine = engine_of(*journal);
    *journal = NULL;
    pthread_mutex_lock(&engine->lock);
    engine->closing = true;
    pthread_mutex_unlock(&engine->lock);
    space_end(engine);
    write_rest(engine);
    free_lanes(engine);
    page_in_report(engine);
    paged_out_report(engine);
    relocate_end(engine);
    free_flight(&engine->filling);
    free_flight(&engine->flying);
    STAILQ_CONCAT(&engine->spare, &engine->let_go);
    struct flight *flight;
    while ((flight = STAILQ_FIRST(&engine->spare))) {
        STAILQ_REMOVE_HEAD(&engine->spare, link);
        free_flight(&flight);
    }
    batch_maker_free(&engine->maker);
    paged_end(engine);
    bool clean = engine->database && !engine->refused && !database_must_reopen(engine->database);
    database_close(&engine->database);
    if (clean)
        clean_mark(engine->path);
    commit_end(engine);
    pthread_cond_destroy(&engine->changed);
    pthread_mutex_destroy(&engine->lock);
    free(engine->path);
    free(engine);
}

static const struct journal_ops engine_ops = {
    .put = engine_put,
    .erase = engine_erase,
    .lane_new = engine_lane_new,
    .lane_drop = engine_lane_drop,
    .append = engine_append,
    .settle = engine_settle,
    .body_bytes = engine_body_bytes,
    .delivered = engine_delivered,
    .page_out = engine_page_out,
    .page_in = engine_page_in,
    .filling = engine_filling,
    .await = engine_await,
    .committed = engine_committed,
    .unwritten_bytes = engine_unwritten_bytes,
    .flush = engine_flush,
    .poll = engine_poll,
    .recover = engine_recover,
    .free = engine_free,
};

struct journal *journal_leveldb_new(const struct journal_leveldb_options *options,
                                    const struct journal_callbacks *callbacks)
{
    struct engine *engine = mem_need(sizeof *engine);
    engine->head.ops = &engine_ops;
    engine->callbacks = *callbacks;
    engine->threads = options->threads;
    engine->log = options->log;
    engine->path = mem_need_text(options->path, strlen(options->path));
    engine->wake = options->wake;
    engine->wake_context = options->wake_context;
    batch_maker_init(&engine->maker);
    STAILQ_INIT(&engine->spare);
    STAILQ_INIT(&engine->let_go);
    LIST_INIT(&engine->lanes);
    TAILQ_INIT(&engine->page_requests);
    TAILQ_INIT(&engine->page_outs);
    engine->filling = new_flight(engine);
    engine->filling_number = 1;
    CHECK(pthread_mutex_init(&engine->lock, NULL) == 0);
    CHECK(pthread_cond_init(&engine->changed, NULL) == 0);
    commit_begin(engine);
    paged_begin(engine);
    relocate_begin(engine);
    space_begin(engine);
    return &engine->head;
}

void journal_leveldb_figures(const struct journal *journal, struct journal_figures *out)
{
    const struct engine *engine = engine_of_const(journal);
    out->batches = atomic_load_explicit(&engine->batches, memory_order_relaxed);
    out->syncs_failed = atomic_load_explicit(&engine->syncs_failed, memory_order_relaxed);
    out->bytes_written = atomic_load_explicit(&engine->bytes_written, memory_order_relaxed);
    out->blocks_written = atomic_load_explicit(&engine->blocks_written, memory_order_relaxed);
    out->pages_in = atomic_load_explicit(&engine->pages_in, memory_order_relaxed);
    out->pages_out = atomic_load_explicit(&engine->pages_out, memory_order_relaxed);
    out->commit_us_sum = atomic_load_explicit(&engine->commit_us_sum, memory_order_relaxed);
    io_count_get(&engine->reads, &out->io.reads, &out->io.read_bytes, &out->io.read_us);
    io_count_get(&engine->writes, &out->io.writes, &out->io.write_bytes, &out->io.write_us);
    io_count_get(&engine->syncs, &out->io.syncs, NULL, &out->io.sync_us);
    pthread_mutex_t *lock = (pthread_mutex_t *)&engine->lock;
    pthread_mutex_lock(lock);
    out->jobs = engine->jobs;
    pthread_mutex_unlock(lock);
}
