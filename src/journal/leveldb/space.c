/* See space.h.
 *
 * Dead records. LevelDB erases a record by writing a tombstone. It drops both when it compacts that
 * range of keys, which for records on a deep level may never happen. So the housekeeper compares
 * the size of the database's files with the bytes that are alive. When too much is dead, or when
 * nothing has been written for a while, it asks the owner for the dead ranges and lets LevelDB
 * compact them, step by step, with pauses while there is other work.
 *
 * A full disk. LevelDB gets stuck when it has no room to compact. So a batch is not written when it
 * would leave less than that. When the disk is getting full, a file is made that only takes room:
 * the reserve. It is removed when even a batch that erases finds no room. NO_SPACE ends when the
 * reserve is there again and the room for compaction too.
 *
 * What can go wrong: statvfs fails: then nothing is refused here. Another program fills the disk:
 * then the write itself fails (commit.c). */
#include "journal/leveldb/space.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

#define MIB          ((uint64_t)1 << 20)
#define RESERVE_NAME "reserve"
/* The reserve has as many bytes as two write buffers and ERASE_COST together, and at least an
 * eighth of the file system or this many, whichever is less. */
#define RESERVE_SMALL_MAX (4 * MIB)
/* A smaller reserve than this many bytes is not made. */
#define RESERVE_LEAST (64u << 10)
/* Free bytes. The reserve is made when fewer are free, and removed when twice as many are. */
#define RESERVE_BELOW (1024 * MIB)
/* Bytes that a compaction needs: as many as the file system has in use, but at most this. */
#define MARGIN_MAX (32 * MIB)
/* Bytes that LevelDB writes when it opens a database, about. */
#define OPEN_COST (128u << 10)
/* Bytes that a batch may take beyond its messages: erased keys, index and lane records. */
#define ERASE_COST (64u << 10)
/* Dead bytes on the disk that are not worth a compaction: while batches are written, and when none
 * was written for IDLE_AFTER_MS milliseconds. */
#define WASTE_BUSY    (256 * MIB)
#define WASTE_IDLE    MIB
#define IDLE_AFTER_MS 3000u
/* Bytes of one step of a compaction, about. */
#define STEP_BYTES (256 * MIB)
/* Bytes of a segment; with this many it gets no more places. On a small disk it is a sixteenth of
 * the file system. */
#define SEGMENT_BYTES_MAX (64 * MIB)
/* Bytes in segments that the housekeeper checks at a time. */
#define INSPECT_STEP_BYTES (16 * MIB)
/* Dead ranges that are listed. With this many, all messages' keys are compacted instead. */
#define RANGES_MAX 256u

struct range {
    struct record_key from, to;
};

struct space {
    struct engine *engine;
    struct upkeep upkeep;
    /* Written by the owner, read by the housekeeper: */
    atomic_uint_fast64_t dead_bytes, stored_bytes;
    atomic_bool segments_wasteful; /* relocate_look has something to do */
    /* Set by the housekeeper, cleared by the owner: */
    atomic_bool wanted; /* the dead ranges are to be listed */
    /* Under the engine's lock: */
    struct range *ranges;
    size_t range_count;
    bool ranges_due; /* ranges have been listed and not compacted yet */
    /* For the housekeeper only: */
    uint64_t batches_before;    /* how many batches had been written when it last looked */
    uint64_t batches_compacted; /* how many had been written when it last compacted */
    uint64_t busy_ms;           /* when it last saw that a batch had been written */
    struct inspection inspection;
};

/* ---- The file system. */

struct room {
    uint64_t free, used, total;
};

/* Reads the room on the file system of path, or of its parent when path is not there yet. Returns
 * false when it cannot. */
static bool look_at_room(const char *path, struct room *out)
{
    struct statvfs about;
    char *parent = NULL;
    bool known = statvfs(path, &about) == 0;
    if (!known) {
        parent = mem_need_text(path, strlen(path));
        char *slash = strrchr(parent, '/');
        if (slash)
            *slash = '\0';
        known = statvfs(slash ? parent : ".", &about) == 0;
    }
    free(parent);
    if (!known)
        return false;
    out->total = (uint64_t)about.f_blocks * about.f_frsize;
    out->free = (uint64_t)about.f_bavail * about.f_frsize;
    out->used = out->total - (uint64_t)about.f_bfree * about.f_frsize;
    return true;
}

static char *name_in(const char *path, const char *last)
{
    struct text name = {0};
    text_printf(&name, "%s/%s", path, last);
    text_add(&name, "", 1);
    return (char *)name.at;
}

/* The size of LevelDB's tables and logs. */
static uint64_t database_bytes(const char *path)
{
    uint64_t bytes = 0;
    DIR *directory = opendir(path);
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat about;
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && (strcmp(dot, ".ldb") == 0 || strcmp(dot, ".log") == 0) &&
            fstatat(dirfd(directory), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += (uint64_t)about.st_size;
    }
    closedir(directory);
    return bytes;
}

static uint64_t write_buffer(const struct engine *engine)
{
    return engine->database ? database_write_buffer_bytes(engine->database) : 0;
}

/* Bytes that must stay free after a batch is written: for two write buffers that become tables, and
 * for the output of a compaction of the upper levels. */
static uint64_t margin(const struct engine *engine, const struct room *room)
{
    return (room->used < MARGIN_MAX ? room->used : MARGIN_MAX) + 2 * write_buffer(engine);
}

/* ---- The reserve. */

static uint64_t reserve_bytes(const struct engine *engine, const struct room *room)
{
    uint64_t wanted = 2 * write_buffer(engine) + ERASE_COST;
    uint64_t share = room->total / 8 < RESERVE_SMALL_MAX ? room->total / 8 : RESERVE_SMALL_MAX;
    return wanted > share ? wanted : share;
}

/* The size of the reserve; 0: there is none. */
static uint64_t reserve_size(const struct engine *engine)
{
    char *name = name_in(engine->path, RESERVE_NAME);
    struct stat about;
    uint64_t bytes = stat(name, &about) == 0 ? (uint64_t)about.st_size : 0;
    free(name);
    return bytes;
}

uint64_t space_total(const struct engine *engine)
{
    struct room room;
    return look_at_room(engine->path, &room) ? room.total : 0;
}

void space_remove_reserve(const char *path)
{
    char *name = name_in(path, RESERVE_NAME);
    unlink(name);
    free(name);
}

static void give_up_reserve(const struct engine *engine)
{
    space_remove_reserve(engine->path);
}

static bool lay_down_reserve(const struct engine *engine, uint64_t bytes)
{
    char *name = name_in(engine->path, RESERVE_NAME);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool done = fd >= 0 && posix_fallocate(fd, 0, (off_t)bytes) == 0;
    if (fd >= 0)
        close(fd);
    if (!done)
        unlink(name);
    free(name);
    return done;
}

/* Makes or removes the reserve. Returns whether it is there or not needed. */
static bool keep_reserve(struct engine *engine, const struct room *room)
{
    uint64_t exists = reserve_size(engine);
    if (room->free > 2 * RESERVE_BELOW && exists)
        give_up_reserve(engine);
    if (room->free > RESERVE_BELOW)
        return true;
    uint64_t bytes = reserve_bytes(engine, room);
    if (exists >= bytes) /* a smaller one was made by space_keep_what_is_left */
        return true;
    return room->free > bytes + margin(engine, room) && lay_down_reserve(engine, bytes);
}

void space_keep_what_is_left(struct engine *engine)
{
    struct room room;
    if (!look_at_room(engine->path, &room))
        return;
    uint64_t bytes = reserve_bytes(engine, &room);
    while (bytes >= RESERVE_LEAST && !lay_down_reserve(engine, bytes))
        bytes /= 2;
}

bool space_admits(struct engine *engine, uint64_t bytes, bool adds, bool full)
{
    struct room room;
    if (!engine->database || !look_at_room(engine->path, &room))
        return true;
    uint64_t wanted = bytes + ERASE_COST;
    if (adds)
        wanted += full ? 2 * write_buffer(engine) : margin(engine, &room);
    if (room.free >= wanted)
        return true;
    if (adds)
        return false;
    give_up_reserve(engine);
    return look_at_room(engine->path, &room) && room.free >= wanted;
}

bool space_is_plenty(struct engine *engine)
{
    struct room room;
    if (!engine->database || !look_at_room(engine->path, &room))
        return true;
    return keep_reserve(engine, &room) && look_at_room(engine->path, &room) &&
           room.free >= margin(engine, &room) + write_buffer(engine);
}

void space_reserve(struct engine *engine)
{
    struct room room;
    if (look_at_room(engine->path, &room))
        keep_reserve(engine, &room);
}

bool space_make_room(struct engine *engine)
{
    struct room room;
    give_up_reserve(engine);
    uint64_t log_bytes = verify_trim_log(engine->path);
    return !look_at_room(engine->path, &room) || room.free >= log_bytes + OPEN_COST;
}

/* ---- Dead ranges. The owner lists them. */

static void add_range(struct range *ranges, size_t *count, struct record_key from,
                      struct record_key to)
{
    ranges[(*count)++] = (struct range){from, to};
}

static void add_lane_range(struct range *ranges, size_t *count, uint64_t lane_id,
                           const struct dead_range *dead)
{
    /* In steps of STEP_BYTES, as if the dead bytes were spread evenly over the chunks. */
    uint64_t steps = dead->bytes / STEP_BYTES + 1;
    uint64_t chunks = (dead->end - dead->first + steps - 1) / steps;
    for (uint64_t at = dead->first; at < dead->end && *count < RANGES_MAX; at += chunks) {
        uint64_t end = at + chunks < dead->end && *count + 1 < RANGES_MAX ? at + chunks : dead->end;
        add_range(ranges, count, record_key_block(lane_id, at * JOURNAL_CHUNK_SLOTS),
                  record_key_block(lane_id, end * JOURNAL_CHUNK_SLOTS));
    }
}

static struct range *list_ranges(struct engine *engine, size_t *count)
{
    struct batch_maker *maker = &engine->maker;
    struct range *ranges = mem_need_array(NULL, RANGES_MAX + 3, sizeof *ranges);
    *count = 0;
    struct journal_lane *lane;
    LIST_FOREACH(lane, &engine->lanes, link)
    {
        if (lane->dead.bytes && *count < RANGES_MAX)
            add_lane_range(ranges, count, lane->id, &lane->dead);
        lane->dead = (struct dead_range){0};
    }
    for (size_t i = 0; i < maker->dead_lanes.count; i++)
        if (*count < RANGES_MAX)
            add_lane_range(ranges, count, maker->dead_lanes.at[i].lane_id,
                           &maker->dead_lanes.at[i].range);
    maker->dead_lanes.count = 0;
    if (*count == RANGES_MAX || *count == 0) { /* too many, or none is known: all blocks */
        *count = 0;
        add_range(ranges, count, record_key_block(0, 0), record_key_block(UINT64_MAX, UINT64_MAX));
    }
    if (maker->dead_bodies.bytes)
        add_range(ranges, count, record_key_body(maker->dead_bodies.first, 0),
                  record_key_body(maker->dead_bodies.end, 0));
    maker->dead_bodies = (struct dead_range){0};
    add_range(ranges, count, record_key_index(0, 0), record_key_index(UINT64_MAX, UINT64_MAX));
    maker->dead_bytes = 0;
    return ranges;
}

void space_look(struct engine *engine)
{
    struct space *space = engine->space;
    if (atomic_load_explicit(&space->wanted, memory_order_acquire)) {
        size_t count;
        struct range *ranges = list_ranges(engine, &count);
        pthread_mutex_lock(&engine->lock);
        free(space->ranges);
        space->ranges = ranges;
        space->range_count = count;
        space->ranges_due = true;
        pthread_mutex_unlock(&engine->lock);
        atomic_store_explicit(&space->wanted, false, memory_order_release);
        threads_hurry(engine->threads);
    }
    atomic_store_explicit(&space->dead_bytes, engine->maker.dead_bytes, memory_order_relaxed);
    atomic_store_explicit(&space->stored_bytes, engine->maker.stored_bytes, memory_order_relaxed);
    atomic_store_explicit(&space->segments_wasteful, relocate_is_due(engine), memory_order_relaxed);
}

/* ---- The housekeeper. */

/* Compacts the ranges that the owner has listed. */
static void compact(struct space *space, bool idle)
{
    struct engine *engine = space->engine;
    pthread_mutex_lock(&engine->lock);
    struct range *ranges = space->ranges;
    size_t count = space->range_count;
    space->ranges = NULL;
    space->ranges_due = false;
    pthread_mutex_unlock(&engine->lock);
    uint64_t begin_ms = clock_steady_ms(), before = database_bytes(engine->path);
    space->batches_compacted = space->batches_before;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&engine->lock);
        bool closing = engine->closing;
        pthread_mutex_unlock(&engine->lock);
        if (closing)
            break;
        uint64_t step_ms = clock_steady_ms();
        database_compact(engine->database, record_key_bytes(&ranges[i].from),
                         record_key_bytes(&ranges[i].to));
        step_ms = clock_steady_ms() - step_ms;
        if (!idle && i + 1 < count)
            usleep((useconds_t)(step_ms < 500 ? step_ms : 500) * 1000);
    }
    free(ranges);
    log_line(
        engine->log, LOG_DEBUG, "journal",
        "%s: compacted %zu ranges in %" PRIu64 " ms: %" PRIu64 " bytes before, %" PRIu64 " after",
        engine->path, count, clock_steady_ms() - begin_ms, before, database_bytes(engine->path));
}

/* Whether so much is dead that the ranges should be compacted. */
static bool is_worth_it(struct space *space, bool idle, bool full)
{
    uint64_t dead = atomic_load_explicit(&space->dead_bytes, memory_order_relaxed);
    uint64_t stored = atomic_load_explicit(&space->stored_bytes, memory_order_relaxed);
    uint64_t disk = database_bytes(space->engine->path);
    uint64_t waste = disk > stored ? disk - stored : 0;
    /* A batch that was being written when the dead ranges were listed may have erased records that
     * the compaction did not see. When there is time, or no room, it is done once more. */
    if (dead == 0 && (!(idle || full) || space->batches_before == space->batches_compacted))
        return false;
    if (full)
        return true;
    struct room room;
    uint64_t busy_limit = stored / 2 > WASTE_BUSY ? stored / 2 : WASTE_BUSY;
    uint64_t idle_limit = WASTE_IDLE;
    if (look_at_room(space->engine->path, &room)) {
        if (room.total / 8 < busy_limit)
            busy_limit = room.total / 8;
        if (room.total / 32 < idle_limit)
            idle_limit = room.total / 32;
    }
    return waste > busy_limit || (idle && waste > idle_limit);
}

/* Checks some of the files that were not checked at start. */
static void inspect_some(struct space *space)
{
    struct engine *engine = space->engine;
    char *error;
    enum status status = inspection_table(&space->inspection, engine->path, &error);
    if (status == STATUS_NOT_FOUND)
        status = inspection_items(&space->inspection, engine->path, INSPECT_STEP_BYTES, 0, &error);
    /* Only damage is logged: what cannot be read just now is checked again later. */
    if (status != STATUS_OK && status != STATUS_IO && status != STATUS_NO_MEMORY)
        log_line(engine->log, LOG_ERROR, "journal", "%.1000s", error);
    free(error);
}

static void keep_house(struct upkeep *upkeep)
{
    struct space *space = container_of(upkeep, struct space, upkeep);
    struct engine *engine = space->engine;
    uint64_t now = clock_steady_ms(), batches = atomic_load(&engine->batches);
    pthread_mutex_lock(&engine->lock);
    bool open = engine->database_ready && !engine->closing, due = space->ranges_due;
    bool full = engine->full;
    pthread_mutex_unlock(&engine->lock);
    if (!open)
        return;
    if (batches != space->batches_before) {
        space->batches_before = batches;
        space->busy_ms = now;
    }
    bool idle = now - space->busy_ms > IDLE_AFTER_MS;
    if (!full)
        space_reserve(engine);
    inspect_some(space);
    if (due) {
        compact(space, idle || full);
    } else if (is_worth_it(space, idle, full)) {
        atomic_store_explicit(&space->wanted, true, memory_order_release);
        engine_wake(engine);
    }
    if (atomic_load_explicit(&space->segments_wasteful, memory_order_relaxed))
        engine_wake(engine); /* an idle owner does not call relocate_look by itself */
    if (full && space_is_plenty(engine)) {
        pthread_mutex_lock(&engine->lock);
        engine->space_returned = true;
        pthread_mutex_unlock(&engine->lock);
        engine_wake(engine);
    }
}

void space_inspect_later(struct engine *engine, struct inspection *inspection)
{
    engine->space->inspection = *inspection;
    *inspection = (struct inspection){0};
}

void space_begin(struct engine *engine)
{
    struct space *space = engine->space = mem_need(sizeof *space);
    space->engine = engine;
    space->busy_ms = clock_steady_ms();
    space->upkeep.run = keep_house;
    struct room room;
    engine->maker.segments.bytes_max = SEGMENT_BYTES_MAX;
    if (look_at_room(engine->path, &room) && room.total / 16 < SEGMENT_BYTES_MAX)
        engine->maker.segments.bytes_max = room.total / 16;
    threads_upkeep_add(engine->threads, &space->upkeep);
}

void space_end(struct engine *engine)
{
    threads_upkeep_remove(engine->threads, &engine->space->upkeep);
    free(engine->space->ranges);
    inspection_free(&engine->space->inspection);
    free(engine->space);
    engine->space = NULL;
}
