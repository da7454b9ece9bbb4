/* One file of the log.
 *
 * Normal course: a line is one write(2); the thread whose line makes the file too large, or is the
 * first after the hour of the schedule, renames it to NAME.0 (NAME.0 to NAME.1, and so on) and
 * opens a new one under the same descriptor, so that other threads never meet a closed one; what
 * they write meanwhile is in NAME.0. What can go wrong: a line cannot be written (disk full): it is
 * lost; the file cannot be moved: it is used on, and the next try comes after as many bytes or an
 * hour. A device or a pipe is written to and never put aside. */
#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"

#define RETRY_S 3600u

struct log_file {
    char *path;
    int fd;
    _Atomic uint64_t bytes;       /* of the file */
    _Atomic uint64_t bytes_max;   /* of rotation; UINT64_MAX: no limit */
    _Atomic uint64_t due_s;       /* when the schedule says; UINT64_MAX: never */
    pthread_mutex_t moving;       /* held while the file is opened anew or put aside */
    struct log_rotation rotation; /* under moving */
    pthread_t compressor;
    bool compressor_made;           /* under moving; true until it is joined */
    atomic_bool compressor_running; /* while true, nothing is put aside */
};

static int open_path(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* Notes how large the file is, and when it is due: after its last line, which may have been written
 * by an earlier process. A device or a pipe is never due. */
static void take_stock(struct log_file *file)
{
    struct stat info;
    bool regular = fstat(file->fd, &info) == 0 && S_ISREG(info.st_mode);
    bool empty = !regular || info.st_size == 0;
    uint64_t since_s = empty ? clock_wall_ms() / 1000 : (uint64_t)info.st_mtime;
    uint64_t due_s = log_schedule_next(&file->rotation.schedule, since_s);
    uint64_t bytes_max = file->rotation.bytes_max;
    atomic_store(&file->bytes, regular ? (uint64_t)info.st_size : 0);
    atomic_store(&file->bytes_max, regular && bytes_max ? bytes_max : UINT64_MAX);
    atomic_store(&file->due_s, regular && due_s ? due_s : UINT64_MAX);
}

void log_file_set_rotation(struct log_file *file, const struct log_rotation *rotation)
{
    pthread_mutex_lock(&file->moving);
    file->rotation = *rotation;
    take_stock(file);
    pthread_mutex_unlock(&file->moving);
}

enum status log_file_open(const char *path, const struct log_rotation *rotation,
                          struct log_file **out)
{
    int fd = open_path(path);
    if (fd < 0)
        return STATUS_IO;
    struct log_file *file = mem_need(sizeof *file);
    file->path = mem_need_text(path, strlen(path));
    file->fd = fd;
    pthread_mutex_init(&file->moving, NULL);
    log_file_set_rotation(file, rotation);
    *out = file;
    return STATUS_OK;
}

static void join_compressor(struct log_file *file)
{
    if (file->compressor_made)
        pthread_join(file->compressor, NULL);
    file->compressor_made = false;
}

void log_file_close(struct log_file **file)
{
    if (!*file)
        return;
    join_compressor(*file);
    close((*file)->fd);
    pthread_mutex_destroy(&(*file)->moving);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

const char *log_file_path(const struct log_file *file)
{
    return file->path;
}

static enum status open_anew(struct log_file *file)
{
    int fd = open_path(file->path);
    enum status status = STATUS_IO;
    if (fd < 0)
        return STATUS_IO;
    /* dup3 keeps the number, so that a thread in write(2) never meets a closed descriptor. */
    if (dup3(fd, file->fd, O_CLOEXEC) >= 0)
        status = STATUS_OK;
    close(fd);
    return status;
}

enum status log_file_reopen(struct log_file *file)
{
    pthread_mutex_lock(&file->moving);
    enum status status = open_anew(file);
    take_stock(file);
    pthread_mutex_unlock(&file->moving);
    return status;
}

/* ---- Putting aside. */

static void aside_name(const struct log_file *file, unsigned number, const char *end, char *out,
                       size_t room)
{
    snprintf(out, room, "%s.%u%s", file->path, number, end);
}

/* Makes NAME.0 free. */
static void shift(const struct log_file *file)
{
    static const char *const ends[] = {"", ".gz"};
    char from[4200], to[4200];
    for (unsigned e = 0; e < 2; e++) {
        aside_name(file, file->rotation.count - 1, ends[e], from, sizeof from);
        unlink(from);
        for (unsigned i = file->rotation.count - 1; i > 0; i--) {
            aside_name(file, i - 1, ends[e], from, sizeof from);
            aside_name(file, i, ends[e], to, sizeof to);
            rename(from, to);
        }
    }
}

static void *compress_aside(void *context)
{
    struct log_file *file = context;
    char path[4200];
    aside_name(file, 0, "", path, sizeof path);
    (void)file->rotation.compress(path);
    atomic_store(&file->compressor_running, false);
    return NULL;
}

static void start_compressor(struct log_file *file)
{
    join_compressor(file);
    atomic_store(&file->compressor_running, true);
    file->compressor_made = pthread_create(&file->compressor, NULL, compress_aside, file) == 0;
    if (!file->compressor_made)
        atomic_store(&file->compressor_running, false);
}

/* Whether the path names something else than a file: to move or to remove /dev/null would harm
 * every program of the machine. */
static bool is_no_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static enum status put_aside(struct log_file *file)
{
    char aside[4200];
    bool moved;
    if (is_no_file(file->path))
        return STATUS_NOT_FOUND;
    if (file->rotation.count) {
        shift(file);
        aside_name(file, 0, "", aside, sizeof aside);
        moved = rename(file->path, aside) == 0;
    } else {
        moved = unlink(file->path) == 0;
    }
    if (!moved || open_anew(file) != STATUS_OK) {
        atomic_store(&file->bytes, 0);
        if (atomic_load(&file->due_s) != UINT64_MAX)
            atomic_store(&file->due_s, clock_wall_ms() / 1000 + RETRY_S);
        return STATUS_IO;
    }
    take_stock(file);
    if (file->rotation.count && file->rotation.compress)
        start_compressor(file);
    return STATUS_OK;
}

enum status log_file_rotate(struct log_file *file)
{
    pthread_mutex_lock(&file->moving);
    join_compressor(file);
    enum status status = put_aside(file);
    pthread_mutex_unlock(&file->moving);
    return status;
}

static bool is_due(struct log_file *file, uint64_t now_s)
{
    return atomic_load_explicit(&file->bytes, memory_order_relaxed) >=
               atomic_load_explicit(&file->bytes_max, memory_order_relaxed) ||
           now_s >= atomic_load_explicit(&file->due_s, memory_order_relaxed);
}

void log_file_write(struct log_file *file, const char *line, size_t len, uint64_t now_s)
{
    /* A line after the hour of the schedule goes to the new file; one that makes the file too large
     * stays in the old one. */
    if (is_due(file, now_s) && !atomic_load(&file->compressor_running) &&
        pthread_mutex_trylock(&file->moving) == 0) {
        if (is_due(file, now_s))
            (void)put_aside(file);
        pthread_mutex_unlock(&file->moving);
    }
    ssize_t written = write(file->fd, line, len);
    if (written > 0)
        atomic_fetch_add_explicit(&file->bytes, (uint64_t)written, memory_order_relaxed);
}
