/* The log. A line is assembled on the stack and written with one write(2).
 *
 * What can go wrong: the file cannot be written (disk full): the line is lost and the program goes
 * on. */
#include "leveret/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "log_text.h"

/* Bytes of a line; the rest of a longer one is cut. */
#define LINE_BYTES_MAX 4096

struct log {
    char *path; /* NULL: stderr */
    atomic_int fd;
    atomic_int level;
    enum log_format format;
    pthread_mutex_t reopening;
    void (*tap)(void *context, enum log_level level, struct bytes line);
    void *tap_context;
};

static const char *const level_names[] = {"debug", "info", "warning", "error", "none"};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

enum status log_open(const char *path, enum log_level level, enum log_format format,
                     struct log **out)
{
    int fd = path ? open_file(path) : STDERR_FILENO;
    if (fd < 0)
        return STATUS_IO;
    struct log *log = mem_need(sizeof *log);
    log->path = path ? mem_need_text(path, strlen(path)) : NULL;
    atomic_init(&log->fd, fd);
    atomic_init(&log->level, (int)level);
    log->format = format;
    pthread_mutex_init(&log->reopening, NULL);
    *out = log;
    return STATUS_OK;
}

void log_close(struct log **log)
{
    if (!*log)
        return;
    if ((*log)->path)
        close(atomic_load(&(*log)->fd));
    pthread_mutex_destroy(&(*log)->reopening);
    free((*log)->path);
    free(*log);
    *log = NULL;
}

enum status log_reopen(struct log *log)
{
    if (!log->path)
        return STATUS_OK;
    pthread_mutex_lock(&log->reopening);
    int fd = open_file(log->path);
    enum status status = STATUS_IO;
    if (fd >= 0) {
        /* dup3 keeps the number, so that a thread in write(2) never meets a closed descriptor. */
        if (dup3(fd, atomic_load(&log->fd), O_CLOEXEC) >= 0)
            status = STATUS_OK;
        close(fd);
    }
    pthread_mutex_unlock(&log->reopening);
    return status;
}

void log_set_tap(struct log *log,
                 void (*tap)(void *context, enum log_level level, struct bytes line), void *context)
{
    if (!log)
        return;
    log->tap = tap;
    log->tap_context = context;
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store(&log->level, (int)level);
}

enum status log_level_parse(const char *text, enum log_level *out)
{
    for (int i = LOG_DEBUG; i <= LOG_NONE; i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return STATUS_OK;
        }
    }
    if (strcasecmp(text, "critical") == 0) {
        *out = LOG_ERROR;
        return STATUS_OK;
    }
    return STATUS_MALFORMED;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

static size_t timestamp(char *at, size_t room)
{
    uint64_t now = clock_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t len = strftime(at, room, "%Y-%m-%dT%H:%M:%S", &utc);
    return len + (size_t)snprintf(at + len, room - len, ".%03uZ", (unsigned)(now % 1000));
}

void log_line(struct log *log, enum log_level level, const char *area, const char *format, ...)
{
    if (!log || (int)level < atomic_load_explicit(&log->level, memory_order_relaxed))
        return;
    char text[LINE_BYTES_MAX - 256];
    va_list args;
    va_start(args, format);
    size_t len = log_text_format(text, sizeof text, format, args);
    va_end(args);

    char line[LINE_BYTES_MAX];
    char *at = line;
    const char *end = line + sizeof line - 8;
    bool json = log->format == LOG_JSON;
    if (json)
        at += snprintf(at, 16, "{\"time\":\"");
    at += timestamp(at, (size_t)(end - at));
    at += snprintf(at, (size_t)(end - at),
                   json ? "\",\"level\":\"%s\",\"area\":\"%s\",\"text\":\"" : " %s %s: ",
                   level_names[level], area);
    at = log_text_escape(at, end, text, len, json);
    if (json) {
        memcpy(at, "\"}", 2);
        at += 2;
    }
    *at++ = '\n';
    ssize_t written =
        write(atomic_load_explicit(&log->fd, memory_order_relaxed), line, (size_t)(at - line));
    (void)written;
    if (log->tap)
        log->tap(log->tap_context, level, bytes_of(line, (size_t)(at - line - 1)));
}
