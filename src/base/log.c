/* The log. A line is assembled on the stack, once for each format that an output wants, and each
 * output gets it with one call of the system.
 *
 * What can go wrong: an output cannot take a line (disk full): it is lost there, and the program
 * goes on. What changes while other threads write is atomic; what they may still use (a file that
 * was replaced, levels of areas) is kept until the log is closed. */
#include "leveret/base/log.h"

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
#include "log_file.h"
#include "log_journald.h"
#include "log_text.h"

/* Bytes of a line; the rest of a longer one is cut. */
#define LINE_BYTES_MAX 4096
#define FORMATS        2

enum sink { OUTPUT_CONSOLE, OUTPUT_FILE, OUTPUT_JOURNALD, OUTPUT_TAP, OUTPUTS };

/* What is replaced while other threads may use it. */
struct retired {
    struct retired *next;
    struct log_file *file;
    struct log_options *options;
};

struct log {
    atomic_int levels[OUTPUTS]; /* LOG_NONE: the output is off */
    atomic_int formats[OUTPUTS];
    atomic_int lowest; /* of levels: lines below it need no look */
    atomic_int console_fd, journald_fd;
    _Atomic(struct log_file *) file;
    _Atomic(struct log_options *) options; /* for the levels of areas; NULL: none has one */
    struct retired *retired;
    struct log_ring *ring;
    void (*tap)(void *context, enum log_level level, struct bytes line);
    void *tap_context;
};

static const char *const level_names[] = {"debug", "info", "warning", "error", "none"};

/* ---- Outputs. */

static void retire(struct log *log, struct log_file *file, struct log_options *options)
{
    if (!file && !options)
        return;
    struct retired *item = mem_need(sizeof *item);
    *item = (struct retired){log->retired, file, options};
    log->retired = item;
}

static void set_output(struct log *log, enum sink which, const struct log_output *output)
{
    atomic_store(&log->formats[which], (int)output->format);
    atomic_store(&log->levels[which], (int)(output->on ? output->level : LOG_NONE));
}

static void set_lowest(struct log *log)
{
    int lowest = LOG_NONE;
    for (unsigned i = 0; i < OUTPUTS; i++)
        if (atomic_load(&log->levels[i]) < lowest)
            lowest = atomic_load(&log->levels[i]);
    atomic_store(&log->lowest, lowest);
}

/* Opens what is wanted and not open yet. An output that fails keeps what it has. */
static enum status open_outputs(struct log *log, const struct log_options *options)
{
    struct log_file *old = atomic_load(&log->file), *file;
    enum status status = STATUS_OK;
    if (options->file.on && old && strcmp(log_file_path(old), options->path) == 0) {
        log_file_set_rotation(old, &options->rotation);
    } else if (options->file.on) {
        status = log_file_open(options->path, &options->rotation, &file);
        if (status == STATUS_OK) {
            atomic_store(&log->file, file);
            retire(log, old, NULL);
        }
    }
    if (options->journald.on && atomic_load(&log->journald_fd) < 0) {
        atomic_store(&log->journald_fd, log_journald_open(LOG_JOURNALD_SOCKET));
        if (atomic_load(&log->journald_fd) < 0)
            status = STATUS_IO;
    }
    return status;
}

enum status log_set_options(struct log *log, const struct log_options *options)
{
    enum status status = open_outputs(log, options);
    struct log_options *kept = mem_need(sizeof *kept);
    *kept = *options;
    atomic_store(&log->console_fd, options->console_is_stdout ? STDOUT_FILENO : STDERR_FILENO);
    retire(log, NULL, atomic_exchange(&log->options, kept));
    set_output(log, OUTPUT_CONSOLE, &options->console);
    set_output(log, OUTPUT_FILE, &options->file);
    set_output(log, OUTPUT_JOURNALD, &options->journald);
    set_output(log, OUTPUT_TAP, &options->tap);
    set_lowest(log);
    return status;
}

enum status log_new(const struct log_options *options, struct log **out)
{
    struct log *log = mem_need(sizeof *log);
    log->ring = log_ring_new(LOG_RING_BYTES);
    atomic_store(&log->journald_fd, -1);
    enum status status = log_set_options(log, options);
    if (status != STATUS_OK)
        log_close(&log);
    *out = log;
    return status;
}

enum status log_open(const char *path, enum log_level level, enum log_format format,
                     struct log **out)
{
    const struct log_output output = {true, level, format}, off = {.on = false};
    struct log_options options = {
        .console = path ? off : output, .file = path ? output : off, .path = path, .tap = output};
    return log_new(&options, out);
}

void log_close(struct log **log)
{
    if (!*log)
        return;
    struct log_file *file = atomic_load(&(*log)->file);
    log_file_close(&file);
    free(atomic_load(&(*log)->options));
    for (struct retired *item = (*log)->retired, *next; item; item = next) {
        next = item->next;
        log_file_close(&item->file);
        free(item->options);
        free(item);
    }
    if (atomic_load(&(*log)->journald_fd) >= 0)
        close(atomic_load(&(*log)->journald_fd));
    log_ring_free(&(*log)->ring);
    free(*log);
    *log = NULL;
}

enum status log_reopen(struct log *log)
{
    struct log_file *file = atomic_load(&log->file);
    return file ? log_file_reopen(file) : STATUS_OK;
}

enum status log_rotate(struct log *log)
{
    struct log_file *file = atomic_load(&log->file);
    return file ? log_file_rotate(file) : STATUS_NOT_FOUND;
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
    const struct log_options *options = atomic_load(&log->options);
    const bool on[OUTPUTS] = {options->console.on, options->file.on, options->journald.on,
                              options->tap.on};
    for (unsigned i = 0; i < OUTPUTS; i++)
        if (on[i])
            atomic_store(&log->levels[i], (int)level);
    set_lowest(log);
}

enum log_level log_lowest_level(const struct log *log)
{
    return (enum log_level)atomic_load(&log->lowest);
}

struct log_ring *log_last_lines(struct log *log)
{
    return log->ring;
}

/* ---- Levels. */

enum status log_level_parse(const char *text, enum log_level *out)
{
    static const struct {
        const char *name;
        enum log_level level;
    } others[] = {{"notice", LOG_WARNING},
                  {"critical", LOG_ERROR},
                  {"alert", LOG_ERROR},
                  {"emergency", LOG_ERROR}};
    for (int i = LOG_DEBUG; i <= LOG_NONE; i++) {
        if (strcasecmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return STATUS_OK;
        }
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcasecmp(text, others[i].name) == 0) {
            *out = others[i].level;
            return STATUS_OK;
        }
    }
    return STATUS_MALFORMED;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

static bool area_takes(const struct log *log, const char *area, enum log_level level)
{
    const struct log_options *options = atomic_load_explicit(&log->options, memory_order_acquire);
    enum log_level least = LOG_DEBUG;
    for (size_t i = 0; i < options->area_count; i++) {
        if (strcmp(options->areas[i].area, area) == 0)
            return level >= options->areas[i].level;
        if (strcmp(options->areas[i].area, "default") == 0)
            least = options->areas[i].level;
    }
    return level >= least;
}

/* ---- Lines. */

static size_t timestamp(uint64_t now_ms, char *at, size_t room)
{
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t len = strftime(at, room, "%Y-%m-%dT%H:%M:%S", &utc);
    return len + (size_t)snprintf(at + len, room - len, ".%03uZ", (unsigned)(now_ms % 1000));
}

/* What one event looks like, in each format that an output has asked for. */
struct log_event {
    uint64_t now_ms;
    enum log_level level;
    const char *area;
    struct bytes text;
    char lines[FORMATS][LINE_BYTES_MAX];
    size_t lens[FORMATS]; /* with the line's end; 0: not made yet */
};

static struct bytes line_in(struct log_event *event, enum log_format format)
{
    char *line = event->lines[format], *at = line;
    const char *end = line + LINE_BYTES_MAX - 8;
    bool json = format == LOG_JSON;
    if (event->lens[format])
        return bytes_of(line, event->lens[format]);
    if (json)
        at += snprintf(at, 16, "{\"time\":\"");
    at += timestamp(event->now_ms, at, (size_t)(end - at));
    at += snprintf(at, (size_t)(end - at),
                   json ? "\",\"level\":\"%s\",\"area\":\"%s\",\"text\":\"" : " %s %s: ",
                   level_names[event->level], event->area);
    at = log_text_escape(at, end, (const char *)event->text.at, event->text.len, json);
    if (json) {
        *at++ = '"';
        *at++ = '}';
    }
    *at++ = '\n';
    event->lens[format] = (size_t)(at - line);
    return bytes_of(line, event->lens[format]);
}

static void write_journald(struct log *log, const struct log_event *event)
{
    char text[LINE_BYTES_MAX];
    char *end = log_text_escape(text, text + sizeof text, (const char *)event->text.at,
                                event->text.len, false);
    log_journald_write(atomic_load(&log->journald_fd), event->level, event->area,
                       bytes_of(text, (size_t)(end - text)));
}

static void write_to(struct log *log, enum sink which, struct log_event *event)
{
    int format = atomic_load_explicit(&log->formats[which], memory_order_relaxed);
    if (which == OUTPUT_JOURNALD) {
        write_journald(log, event);
        return;
    }
    if (which == OUTPUT_TAP && !log->tap)
        return;
    struct bytes line = line_in(event, (enum log_format)format);
    if (which == OUTPUT_TAP) {
        log->tap(log->tap_context, event->level, bytes_of(line.at, line.len - 1));
    } else if (which == OUTPUT_FILE) {
        struct log_file *file = atomic_load(&log->file);
        if (file) /* NULL: it was wanted later, and could not be opened */
            log_file_write(file, (const char *)line.at, line.len, event->now_ms / 1000);
    } else {
        ssize_t written = write(atomic_load(&log->console_fd), line.at, line.len);
        (void)written;
    }
}

void log_line(struct log *log, enum log_level level, const char *area, const char *format, ...)
{
    if (!log || (int)level < atomic_load_explicit(&log->lowest, memory_order_relaxed) ||
        !area_takes(log, area, level))
        return;
    char text[LINE_BYTES_MAX - 256];
    va_list args;
    va_start(args, format);
    size_t len = log_text_format(text, sizeof text, format, args);
    va_end(args);

    struct log_event event;
    event.now_ms = clock_wall_ms();
    event.level = level;
    event.area = area;
    event.text = bytes_of(text, len);
    memset(event.lens, 0, sizeof event.lens);
    for (unsigned which = 0; which < OUTPUTS; which++)
        if ((int)level >= atomic_load_explicit(&log->levels[which], memory_order_relaxed))
            write_to(log, (enum sink)which, &event);
    struct bytes line = line_in(&event, LOG_JSON);
    log_ring_add(log->ring, level, bytes_of(line.at, line.len - 1));
}
