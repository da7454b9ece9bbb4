/* Part of engine.h: transient messages on disk. They are in plain files beside the database, as
 * blocks like those of the database. The files are never synced; the next start removes them.
 * Transient messages need nothing that a database gives: no order (the chunk knows the places), no
 * atomicity, no durability. A file is removed when nothing in it is alive.
 *
 * Normal course. The owner gives a chunk's messages to the bulk thread, which appends them to the
 * current file. When that is reported the chunk notes the places, and page_in.c reads from them.
 * When the last transient message of a chunk is settled, its places are given back.
 *
 * What can go wrong: the write fails. paged_out() tells that, and the core keeps the messages. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/leveldb/engine.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Bytes of a file. When a block would make it larger, the block goes into a new file. */
#define FILE_BYTES_MAX ((uint64_t)64 << 20)
/* Bytes of a block. With this many the next message begins another block. */
#define BLOCK_BYTES_MAX ((size_t)4 << 20)
#define FILE_PREFIX     "paged-"

/* One file. Under the spill's lock. */
struct paged_file {
    struct job closing;
    struct engine *engine;
    uint64_t number, size;
    unsigned
        uses; /* one for each place in it that is in use, and one while it is the current file */
    int fd;
};

/* The files of one journal. */
struct spill {
    pthread_mutex_t lock;
    struct engine *engine;
    struct paged_file *current;
    uint64_t next_number;
};

/* The place of a block. It counts as a use of its file. */
struct page_place {
    struct paged_file *file;
    uint64_t offset;
    size_t bytes;
};

/* Messages of a chunk that are being stored. */
struct page_out {
    TAILQ_ENTRY(page_out) link;
    struct job job;
    struct engine *engine;
    struct journal_lane *lane; /* for the owner only; NULL: the lane was dropped */
    uint64_t lane_id, chunk;
    struct journal_entry *entries;
    size_t count;
    struct page_place *places;
    size_t place_count;
    enum status status;
    bool done; /* the bulk thread has finished it. Under the engine's lock */
};

/* The transient messages of a chunk that are stored or being stored. */
struct paged {
    uint64_t live[JOURNAL_CHUNK_WORDS];
    struct sizes sizes; /* of their bodies */
    struct page_place *places;
    size_t place_count;
    unsigned writing; /* page_outs of the chunk that are under way */
};

/* ---- Files. */

static void file_name(const struct spill *spill, uint64_t number, struct text *out)
{
    text_printf(out, "%s/" FILE_PREFIX "%llu", spill->engine->path, (unsigned long long)number);
    text_add(out, "", 1);
}

/* Closes a file that was removed. The file system then frees the file's content, which can take
 * tens of milliseconds: therefore the bulk thread does it. */
static void close_run(struct job *job)
{
    struct paged_file *file = container_of(job, struct paged_file, closing);
    struct engine *engine = file->engine;
    close(file->fd);
    free(file);
    engine_job_ends(engine);
}

/* Ends a use of the file, and removes the file when that was the last. Under the spill's lock. */
static void unuse_file(struct spill *spill, struct paged_file *file)
{
    CHECK(file->uses > 0);
    file->uses--;
    /* The current file goes too when something was written to it and nothing in it is in use. */
    if (file == spill->current && file->uses == 1 && file->size > 0) {
        spill->current = NULL;
        file->uses = 0;
    }
    if (file->uses > 0)
        return;
    struct text name = {0};
    file_name(spill, file->number, &name);
    unlink((const char *)name.at);
    text_free(&name);
    file->closing.run = close_run;
    engine_job_begins(file->engine);
    threads_bulk(file->engine->threads, &file->closing);
}

/* Makes a file to write to; NULL: it cannot (errno). Under the spill's lock. */
static struct paged_file *open_file(struct spill *spill)
{
    struct text name = {0};
    struct paged_file *file = mem_need(sizeof *file);
    file->engine = spill->engine;
    file->number = spill->next_number++;
    file->uses = 1;
    mkdir(spill->engine->path, 0750);
    file_name(spill, file->number, &name);
    file->fd =
        open((const char *)name.at, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    text_free(&name);
    if (file->fd >= 0)
        return file;
    free(file);
    return NULL;
}

/* Reserves bytes at the end of the current file. Errors: IO, NO_SPACE. */
static enum status reserve(struct spill *spill, size_t bytes, struct page_place *out)
{
    enum status status = STATUS_OK;
    pthread_mutex_lock(&spill->lock);
    struct paged_file *file = spill->current;
    if (file && file->size + bytes > FILE_BYTES_MAX) {
        spill->current = NULL;
        unuse_file(spill, file);
        file = NULL;
    }
    if (!file)
        file = spill->current = open_file(spill);
    if (file) {
        *out = (struct page_place){file, file->size, bytes};
        file->size += bytes;
        file->uses++;
    } else {
        status = errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
    }
    pthread_mutex_unlock(&spill->lock);
    return status;
}

static void let_go_of_places(struct spill *spill, struct page_place **places, size_t *count)
{
    pthread_mutex_lock(&spill->lock);
    for (size_t i = 0; i < *count; i++)
        unuse_file(spill, (*places)[i].file);
    pthread_mutex_unlock(&spill->lock);
    free(*places);
    *places = NULL;
    *count = 0;
}

static void add_place(struct page_place **places, size_t *count, struct page_place place)
{
    *places = mem_need_array(*places, *count + 1, sizeof **places);
    (*places)[(*count)++] = place;
}

static enum status write_all(const struct page_place *place, const uint8_t *at)
{
    for (size_t done = 0; done < place->bytes;) {
        ssize_t some =
            pwrite(place->file->fd, at + done, place->bytes - done, (off_t)(place->offset + done));
        if (some < 0 && errno == EINTR)
            continue;
        if (some < 0)
            return errno == ENOSPC || errno == EDQUOT ? STATUS_NO_SPACE : STATUS_IO;
        done += (size_t)some;
    }
    return STATUS_OK;
}

static enum status read_all(const struct page_place *place, uint8_t *at)
{
    for (size_t done = 0; done < place->bytes;) {
        ssize_t some =
            pread(place->file->fd, at + done, place->bytes - done, (off_t)(place->offset + done));
        if (some < 0 && errno == EINTR)
            continue;
        if (some <= 0) /* 0: the file is shorter than what was written to it */
            return some < 0 ? STATUS_IO : STATUS_CORRUPT;
        done += (size_t)some;
    }
    return STATUS_OK;
}

/* ---- Out: the owner. */

static void page_out_run(struct job *job);

static struct paged *paged_of(struct stored_chunk *chunk)
{
    if (!chunk->paged)
        chunk->paged = mem_need(sizeof *chunk->paged);
    return chunk->paged;
}

void paged_out_start(struct engine *engine, struct journal_lane *lane, uint64_t chunk_number,
                     const struct journal_entry *entries, size_t count)
{
    struct stored_chunk *chunk = stored_lane_find_or_add(lane, chunk_number);
    struct paged *paged = paged_of(chunk);
    struct page_out *out = mem_need(sizeof *out);
    out->job.run = page_out_run;
    out->engine = engine;
    out->lane = lane;
    out->lane_id = lane->id;
    out->chunk = chunk_number;
    out->entries = mem_need_array(NULL, count ? count : 1, sizeof *out->entries);
    for (size_t i = 0; i < count; i++) {
        unsigned slot = (unsigned)(entries[i].seq % JOURNAL_CHUNK_SLOTS);
        CHECK(entries[i].seq / JOURNAL_CHUNK_SLOTS == chunk_number);
        if (slots_has(paged->live, slot)) /* it is stored already */
            continue;
        slots_add(paged->live, slot);
        sizes_add(&paged->sizes, slot, entries[i].message->body_bytes);
        out->entries[out->count] = entries[i];
        message_ref(out->entries[out->count++].message);
    }
    paged->writing++;
    TAILQ_INSERT_TAIL(&engine->page_outs, out, link);
    engine_job_begins(engine);
    threads_bulk(engine->threads, &out->job);
}

/* ---- Out: the bulk thread. */

static struct record_key block_key(uint64_t lane_id, uint64_t chunk)
{
    return record_key_block(lane_id, chunk * JOURNAL_CHUNK_SLOTS);
}

static enum status write_block(struct page_out *out, struct record_block_out *block,
                               struct text *buffer)
{
    struct record_key key = block_key(out->lane_id, out->chunk);
    record_block_end(block, record_key_bytes(&key));
    struct page_place place;
    enum status status = reserve(out->engine->spill, buffer->len, &place);
    if (status != STATUS_OK)
        return status;
    add_place(&out->places, &out->place_count, place);
    uint64_t begin_ns = clock_steady_ns();
    status = write_all(&place, buffer->at);
    io_count_add(&out->engine->writes, begin_ns, place.bytes);
    return status;
}

static void page_out_run(struct job *job)
{
    struct page_out *out = container_of(job, struct page_out, job);
    struct engine *engine = out->engine;
    struct text buffer = {0};
    for (size_t i = 0; i < out->count && out->status == STATUS_OK;) {
        struct record_block_out block;
        buffer.len = 0;
        record_block_begin(&block, &buffer);
        for (; i < out->count && buffer.len < BLOCK_BYTES_MAX; i++)
            record_block_add(&block, out->entries[i].seq, out->entries[i].expires_ms,
                             out->entries[i].message, 0);
        out->status = write_block(out, &block, &buffer);
    }
    text_free(&buffer);
    if (out->status != STATUS_OK)
        let_go_of_places(engine->spill, &out->places, &out->place_count);
    atomic_fetch_add_explicit(&engine->pages_out, 1, memory_order_relaxed);
    pthread_mutex_lock(&engine->lock);
    out->done = true;
    pthread_mutex_unlock(&engine->lock);
    engine_wake(engine);
    engine_job_ends(engine);
}

/* ---- Out: the owner again. */

static void paged_forget(struct engine *engine, struct stored_chunk *chunk)
{
    let_go_of_places(engine->spill, &chunk->paged->places, &chunk->paged->place_count);
    sizes_clear(&chunk->paged->sizes);
    free(chunk->paged);
    chunk->paged = NULL;
}

/* Gives back the places when no transient message is alive, and frees the chunk when nothing is
 * left of it. */
static void tidy(struct engine *engine, struct stored_chunk *chunk)
{
    struct paged *paged = chunk->paged;
    if (paged && !slots_any(paged->live)) {
        let_go_of_places(engine->spill, &paged->places, &paged->place_count);
        if (paged->writing == 0)
            paged_forget(engine, chunk);
    }
    engine_tidy_chunk(chunk);
}

static void forget_slot(struct paged *paged, unsigned slot)
{
    if (!slots_has(paged->live, slot))
        return;
    slots_remove(paged->live, slot);
    sizes_remove(&paged->sizes, slot);
}

static void report(struct engine *engine, struct page_out *out)
{
    struct stored_chunk *chunk = out->lane ? stored_lane_find(out->lane, out->chunk) : NULL;
    if (chunk) {
        struct paged *paged = chunk->paged;
        paged->writing--;
        for (size_t i = 0; i < out->place_count; i++)
            add_place(&paged->places, &paged->place_count, out->places[i]);
        for (size_t i = 0; i < out->count && out->status != STATUS_OK; i++)
            forget_slot(paged, (unsigned)(out->entries[i].seq % JOURNAL_CHUNK_SLOTS));
        free(out->places);
        tidy(engine, chunk);
    } else {
        let_go_of_places(engine->spill, &out->places, &out->place_count);
    }
    for (size_t i = 0; i < out->count; i++)
        message_unref(&out->entries[i].message);
    free(out->entries);
    if (out->lane)
        engine->callbacks.paged_out(engine->callbacks.context, out->lane, out->chunk, out->status);
    free(out);
}

void paged_out_report(struct engine *engine)
{
    struct page_out *out;
    while ((out = TAILQ_FIRST(&engine->page_outs))) {
        pthread_mutex_lock(&engine->lock);
        bool done = out->done;
        pthread_mutex_unlock(&engine->lock);
        if (!done)
            break;
        TAILQ_REMOVE(&engine->page_outs, out, link);
        report(engine, out);
    }
}

void paged_settle(struct engine *engine, struct journal_lane *lane, uint64_t seq)
{
    struct stored_chunk *chunk = stored_lane_find(lane, seq / JOURNAL_CHUNK_SLOTS);
    if (!chunk || !chunk->paged)
        return;
    forget_slot(chunk->paged, (unsigned)(seq % JOURNAL_CHUNK_SLOTS));
    tidy(engine, chunk);
}

bool paged_is_live(const struct stored_chunk *chunk, unsigned slot)
{
    return chunk->paged && slots_has(chunk->paged->live, slot);
}

uint64_t paged_body_bytes(const struct stored_chunk *chunk, unsigned slot)
{
    return sizes_of(&chunk->paged->sizes, slot);
}

void paged_drop_lane(struct engine *engine, struct journal_lane *lane)
{
    size_t at = 0;
    for (struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
        if (chunk->paged)
            paged_forget(engine, chunk);
    struct page_out *out;
    TAILQ_FOREACH(out, &engine->page_outs, link)
    {
        if (out->lane == lane)
            out->lane = NULL;
    }
}

/* ---- In. */

void paged_prepare(struct engine *engine, struct page_request *request, struct stored_chunk *chunk)
{
    struct paged *paged = chunk->paged;
    if (!paged)
        return;
    memcpy(request->transient, paged->live, sizeof request->transient);
    struct page_out *out;
    TAILQ_FOREACH(out, &engine->page_outs, link)
    {
        for (size_t i = 0;
             out->lane == chunk->lane && out->chunk == chunk->number && i < out->count; i++) {
            unsigned slot = (unsigned)(out->entries[i].seq % JOURNAL_CHUNK_SLOTS);
            if (!slots_has(paged->live, slot) || request->slots[slot].message)
                continue;
            request->slots[slot] = out->entries[i];
            message_ref(request->slots[slot].message);
        }
    }
    pthread_mutex_lock(&engine->spill->lock);
    for (size_t i = 0; i < paged->place_count; i++) {
        paged->places[i].file->uses++;
        add_place(&request->places, &request->place_count, paged->places[i]);
    }
    pthread_mutex_unlock(&engine->spill->lock);
}

void paged_read(struct page_request *request)
{
    struct record_key key = block_key(request->lane_id, request->chunk);
    for (size_t i = 0; i < request->place_count; i++) {
        uint8_t *at = mem_try(request->places[i].bytes);
        enum status status = at ? read_all(&request->places[i], at) : STATUS_NO_MEMORY;
        request->read_bytes += request->places[i].bytes;
        if (status == STATUS_OK)
            status = page_read_block(request, record_key_bytes(&key),
                                     bytes_of(at, request->places[i].bytes), request->transient);
        if (status != STATUS_OK)
            request->status = status;
        free(at);
    }
}

void paged_done(struct page_request *request)
{
    let_go_of_places(request->engine->spill, &request->places, &request->place_count);
}

/* ---- Life. */

/* Removes the files that an earlier run has left. */
static void remove_files(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory)
        return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strncmp(entry->d_name, FILE_PREFIX, strlen(FILE_PREFIX)) == 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
}

void paged_begin(struct engine *engine)
{
    struct spill *spill = engine->spill = mem_need(sizeof *spill);
    CHECK(pthread_mutex_init(&spill->lock, NULL) == 0);
    spill->engine = engine;
    remove_files(engine->path);
}

void paged_end(struct engine *engine)
{
    struct spill *spill = engine->spill;
    pthread_mutex_lock(&spill->lock);
    if (spill->current) {
        struct paged_file *file = spill->current;
        spill->current = NULL;
        unuse_file(spill, file);
    }
    pthread_mutex_unlock(&spill->lock);
    engine_await_jobs(engine);
    pthread_mutex_destroy(&spill->lock);
    free(spill);
    engine->spill = NULL;
}
