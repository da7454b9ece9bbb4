/* Part of engine.h: the writer's side of a journal, from a closed batch to synced records.
 *
 * Thread: the writer; commit_start, commit_retry_later, commit_begin and commit_end: the owner.
 *
 * Normal course. The batch is encoded into one LevelDB write: blocks, bodies stored apart, erased
 * keys, index and lane records, definitions. It is written and synced, and the owner is woken.
 *
 * What can go wrong:
 *  - The write fails. After a pause the owner takes out of the batch what has been settled
 * meanwhile, adds what has come since, and hands it over again. The database is opened again before
 * that.
 *  - The disk is full. The reserve (space.c) is removed, so that a batch that erases can be
 * written: erasing is what makes room. While there is too little room to open the database again,
 * the old handle stays, and reading goes on.
 *  - The journal is being closed: then a failed write is not tried again. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "journal/leveldb/engine.h"
#include "journal/leveldb/space.h"
#include "leveret/base/clock.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Milliseconds of the pause after a failed write. Each further failure doubles it, up to the second
 * value. */
#define RETRY_FIRST_MS 50u
#define RETRY_MAX_MS   2000u
/* Bytes of a write. A smaller one takes about as long as its sync, so it is measured as a sync. */
#define SMALL_WRITE (32u << 10)
/* Bytes of a buffer. A buffer with room for more is freed after the write. */
#define ENCODED_KEEP_BYTES (4u << 20)

/* ---- Writing. */

/* Makes the database, for the first batch. */
static enum status begin_database(struct engine *engine, char **error)
{
    struct database *database;
    enum status status = database_open(engine->path, true, &database, error);
    if (status != STATUS_OK)
        return status;
    engine->database = database;
    engine->writing.begin_database = true;
    space_reserve(engine);
    pthread_mutex_lock(&engine->lock);
    engine->database_ready = true;
    pthread_mutex_unlock(&engine->lock);
    return STATUS_OK;
}

/* Whether the batch adds messages or definitions. */
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

static char *describe(const struct engine *engine, const char *what, int number)
{
    struct text text = {0};
    text_printf(&text, "%s: %s: %s", engine->path, what, strerror(number));
    text_add(&text, "", 1);
    return (char *)text.at;
}

/* Whether anything can be written to the disk. This is tried before the database is closed to be
 * opened again: if it could not be opened, nothing could be read any more. */
static bool disk_writes(const struct engine *engine)
{
    static const uint8_t zeros[4096];
    struct text name = {0};
    text_printf(&name, "%s/probe", engine->path);
    text_add(&name, "", 1);
    int fd = open((const char *)name.at, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool writes =
        fd >= 0 && write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros && fdatasync(fd) == 0;
    int number = errno;
    if (fd >= 0)
        close(fd);
    unlink((const char *)name.at);
    text_free(&name);
    errno = number;
    return writes;
}

/* Makes the database, or opens it again after a failed write. */
static enum status make_ready(struct engine *engine, char **error)
{
    if (!engine->database)
        return begin_database(engine, error);
    if (!database_must_reopen(engine->database))
        return STATUS_OK;
    if (engine->writing.status == STATUS_NO_SPACE && !space_make_room(engine))
        return refuse("waiting for space on the disk", error);
    if (!disk_writes(engine)) {
        *error = describe(engine, "nothing can be written", errno);
        return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
    }
    return database_reopen(engine->database, error);
}

static void keep_buffers_small(struct engine *engine)
{
    struct writer_state *writing = &engine->writing;
    if (writing->buffer.room > ENCODED_KEEP_BYTES)
        text_free(&writing->buffer);
    if (writing->output.gathered.room > ENCODED_KEEP_BYTES)
        text_free(&writing->output.gathered);
    if (writing->encoded_bytes > ENCODED_KEEP_BYTES) {
        database_batch_free(&writing->encoded);
        writing->encoded = database_batch_new();
    }
}

static void note_sync(struct engine *engine, uint64_t us)
{
    uint64_t before = atomic_load_explicit(&engine->sync_us, memory_order_relaxed);
    atomic_store_explicit(&engine->sync_us, before ? (7 * before + us) / 8 : us,
                          memory_order_relaxed);
}

static bool is_full(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool full = engine->full;
    pthread_mutex_unlock(&engine->lock);
    return full;
}

static enum status write_once(struct engine *engine, char **error)
{
    struct writer_state *writing = &engine->writing;
    enum status status = make_ready(engine, error);
    if (status != STATUS_OK)
        return status;
    const struct batch *batch = &engine->flying->batch;
    uint64_t bytes = batch->payload_bytes + batch->definitions.len;
    if (!space_admits(engine, bytes, adds(batch), is_full(engine)))
        return refuse("the disk is nearly full", error);
    status = encode_batch(engine);
    if (status != STATUS_OK) {
        *error = describe(engine, "a segment cannot be written", errno);
        return status;
    }
    uint64_t begin_ns = clock_steady_ns();
    status = database_write(engine->database, writing->encoded, error);
    io_count_add(&engine->writes, begin_ns, writing->encoded_bytes);
    io_count_add(&engine->syncs, begin_ns, 0);
    if (writing->encoded_bytes < SMALL_WRITE)
        note_sync(engine, (clock_steady_ns() - begin_ns) / 1000);
    if (status == STATUS_OK) {
        writing->begin_database = false;
        atomic_fetch_add_explicit(&engine->bytes_written,
                                  writing->encoded_bytes + writing->segment_bytes,
                                  memory_order_relaxed);
    }
    keep_buffers_small(engine);
    return status;
}

static void write_run(struct job *job)
{
    struct engine *engine = container_of(job, struct engine, writing.job);
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
    struct engine *engine = container_of(job, struct engine, writing.retry);
    pthread_mutex_lock(&engine->lock);
    engine->retry_due = true;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}

void commit_start(struct engine *engine)
{
    engine->writing.handed_over_ns = clock_steady_ns();
    engine_job_begins(engine);
    threads_write(engine->threads, &engine->writing.job);
}

void commit_retry_later(struct engine *engine)
{
    unsigned doublings = engine->writing.failures < 8 ? engine->writing.failures : 8;
    uint64_t delay_ms = (uint64_t)RETRY_FIRST_MS << doublings;
    engine->writing.failures++;
    engine_job_begins(engine);
    threads_write_later(engine->threads, &engine->writing.retry,
                        delay_ms < RETRY_MAX_MS ? delay_ms : RETRY_MAX_MS);
}

void commit_begin(struct engine *engine)
{
    engine->writing.job.run = write_run;
    engine->writing.retry.run = retry_run;
    engine->writing.encoded = database_batch_new();
}

void commit_end(struct engine *engine)
{
    database_batch_free(&engine->writing.encoded);
    text_free(&engine->writing.buffer);
    encode_end(engine);
}
