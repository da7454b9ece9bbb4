/* The log: one line for each event that an operator would ask about. Thread: any; a line is written
 * with one write(2), so that lines of several threads do not mix.
 *
 * A line: 2026-01-31T12:00:00.123Z warning connection: 10.0.0.1:5123 -> 10.0.0.2:5672 user=alice …
 * Callers log nothing secret: no password, no token, no message body. */
#ifndef LEVERET_BASE_LOG_H
#define LEVERET_BASE_LOG_H

#include <stdbool.h>

#include "leveret/base/bytes.h"
#include "leveret/base/log_ring.h"
#include "leveret/base/log_rotation.h"
#include "leveret/base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_NONE };
enum log_format { LOG_TEXT, LOG_JSON };

struct log;

/* Where lines go. Each output has its own level and format, and each line goes to all that take
 * it. */
struct log_output {
    bool on;
    enum log_level level; /* lines below it are left out */
    enum log_format format;
};

/* The level of one area, or of "default": all areas that have none of their own. A line must pass
 * its area's level and the output's. */
struct log_area_level {
    char area[16];
    enum log_level level;
};
#define LOG_AREA_LEVELS_MAX 32u

struct log_options {
    struct log_output console; /* stderr */
    bool console_is_stdout;
    struct log_output file;
    const char *path;
    struct log_rotation rotation; /* of the file */
    struct log_output journald;   /* systemd's journal; its format is not used */
    struct log_output tap;        /* the function of log_set_tap; it gets the console's format */
    struct log_area_level areas[LOG_AREA_LEVELS_MAX];
    size_t area_count;
};

/* Opens a log. Errors: IO: the file cannot be opened, or there is no journal. The caller owns
 * *out. */
MUST_USE enum status log_new(const struct log_options *options, struct log **out);
/* A log with one output: the file, or stderr when path is NULL. Errors: IO. */
MUST_USE enum status log_open(const char *path, enum log_level level, enum log_format format,
                              struct log **out);
void log_close(struct log **log);

/* Changes outputs, levels and the file while lines are written. Errors: IO: the file cannot be
 * opened; all else is changed, and the file that was open is used on. One thread at a time. */
MUST_USE enum status log_set_options(struct log *log, const struct log_options *options);
/* Opens the file again, after it was moved. Errors: IO; the log then goes on in the old file. */
MUST_USE enum status log_reopen(struct log *log);
/* Puts the file aside, as its rotation says, and begins a new one. Errors: IO; NOT_FOUND: there is
 * no file, or it is a device or a pipe. */
MUST_USE enum status log_rotate(struct log *log);
/* Sets the level of every output. */
void log_set_level(struct log *log, enum log_level level);
/* The lowest level of the outputs: lines below it are left out everywhere. */
enum log_level log_lowest_level(const struct log *log);

/* Bytes of the last lines that are kept in memory (log_ring.h). */
#define LOG_RING_BYTES ((size_t)256 << 10)
/* The last lines that any output took, in LOG_JSON's form without the line's end; it lives as long
 * as the log. */
struct log_ring *log_last_lines(struct log *log);

/* The level with this name, "debug" … "none"; of RabbitMQ's other names "notice" is taken as
 * warning, and those above error as error. Errors: MALFORMED. */
MUST_USE enum status log_level_parse(const char *text, enum log_level *out);
const char *log_level_name(enum log_level level);

/* tap() is called with each line that is written, on the thread that logs; it must not log itself.
 * NULL ends this. Call it before threads start or after they have ended. log may be NULL: nothing
 * happens. */
void log_set_tap(struct log *log,
                 void (*tap)(void *context, enum log_level level, struct bytes line),
                 void *context);

/* The bytes that a line shows of one text (%s, %.*s); the rest is replaced by "…". This keeps names
 * and texts of clients, which may be long, from filling the log. A format can set another limit by
 * a number: "%.1000s". */
#define LOG_VALUE_BYTES_MAX 256u

/* Writes a line when level is enabled. area is a short word ("connection", "journal"). With log
 * NULL the line is dropped. Control characters and bytes that are not UTF-8 are escaped. A line has
 * at most 4 KiB; the rest is cut. */
void log_line(struct log *log, enum log_level level, const char *area, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
