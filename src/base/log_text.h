/* A log line's text: formatted, cut and escaped. Only for src/base. Any thread. */
#ifndef LEVERET_BASE_LOG_TEXT_H
#define LEVERET_BASE_LOG_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Formats as vsnprintf does, with two differences: each %s and %.*s is cut at LOG_VALUE_BYTES_MAX
 * (log.h) with "…" behind it, and %.*s keeps zero bytes. Returns the length, at most room; the text
 * is not zero-ended. */
size_t log_text_format(char *out, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Copies len bytes of text to at, escaping what would break a line (control characters of C0 and
 * C1, DEL), what is not UTF-8 and, for JSON, what would break a string. Stops before end. Returns
 * the end of what it wrote. */
char *log_text_escape(char *at, const char *end, const char *text, size_t len, bool json);

#endif
