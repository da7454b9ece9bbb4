/* A log line's text: formatted, cut and escaped. Only for src/base. Thread: any. */
#ifndef LEVERET_BASE_LOG_TEXT_H
#define LEVERET_BASE_LOG_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Formats as vsnprintf does, with two differences: each %s and %.*s is cut after
 * LOG_VALUE_BYTES_MAX bytes (log.h) and followed by "…", and %.*s keeps zero bytes. Returns the
 * length, at most room; the text is not zero-ended. */
size_t log_text_format(char *out, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Copies len bytes of text to at. Escapes control characters (C0, C1 and DEL), bytes that are not
 * UTF-8 and, for JSON, what would end a string. Stops before end. Returns the end of what
 * it wrote. */
char *log_text_escape(char *at, const char *end, const char *text, size_t len, bool json);

#endif
