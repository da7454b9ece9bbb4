/* The log: one line for each event that an operator would ask about. Thread: any; a line is written
 * with one write(2), so that lines of several threads do not mix.
 *
 * A line: 2026-01-31T12:00:00.123Z warning connection: 10.0.0.1:5123 -> 10.0.0.2:5672 user=alice …
 * Callers log nothing secret: no password, no token, no message body. */
#ifndef LEVERET_BASE_LOG_H
#define LEVERET_BASE_LOG_H

#include <stdbool.h>

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_NONE };
enum log_format { LOG_TEXT, LOG_JSON };

struct log;

/* Opens a log on path, or on stderr when path is NULL. Errors: IO. The caller owns *out. */
MUST_USE enum status log_open(const char *path, enum log_level level, enum log_format format,
                              struct log **out);
void log_close(struct log **log);

/* Opens the file again, after it was rotated. Errors: IO; the log then goes on in the old file. */
MUST_USE enum status log_reopen(struct log *log);
void log_set_level(struct log *log, enum log_level level);

/* The level with this name, "debug" … "none"; "critical" is taken as error. Errors: MALFORMED. */
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
