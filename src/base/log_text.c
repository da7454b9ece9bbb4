/* Formatting and escaping of log lines, in one place for all callers.
 *
 * Normal course: the text between the conversions of the format is copied, an argument of %s is
 * copied up to its limit, and every other conversion is done by snprintf. What can go wrong: a text
 * is longer than its limit, or the line is full: the rest is cut. */
#include "log_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/log.h"
#include "leveret/base/utf8.h"

#define CUT_MARK       "\xe2\x80\xa6" /* … */
#define SPEC_BYTES_MAX 16u
#define NUMBER_BYTES   64u

struct out {
    char *at;
    size_t len, room;
};

/* One conversion of a format: "%5.2lu". */
struct spec {
    char text[SPEC_BYTES_MAX]; /* as snprintf takes it, zero-ended */
    char conversion;
    unsigned longs; /* how many times 'l' stands in it */
    bool size, max; /* 'z' or 'j' stands in it */
    bool star;      /* true when the precision is an argument: "%.*s" */
    bool precise;   /* true when it has a precision */
};

static void put(struct out *out, const char *text, size_t len)
{
    size_t left = out->room - out->len;
    if (len > left)
        len = left;
    memcpy(out->at + out->len, text, len);
    out->len += len;
}

/* The length of the longest beginning of text that has at most max bytes and ends with a whole
 * UTF-8 character. */
static size_t whole_characters(const char *text, size_t max)
{
    size_t len = max;
    while (len > 0 && max - len < 3 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return ((unsigned char)text[len] & 0xc0) == 0x80 ? max : len;
}

static void put_value(struct out *out, const char *text, size_t len)
{
    if (len <= LOG_VALUE_BYTES_MAX) {
        put(out, text, len);
        return;
    }
    put(out, text, whole_characters(text, LOG_VALUE_BYTES_MAX));
    put(out, CUT_MARK, strlen(CUT_MARK));
}

/* Reads a conversion from the character behind its '%'; returns what follows the conversion. */
static const char *read_spec(const char *format, struct spec *out)
{
    size_t len = 0;
    *out = (struct spec){.text = "%"};
    while (*format && !strchr("diuxXcsgf%", *format)) {
        CHECK(++len < SPEC_BYTES_MAX - 2);
        out->text[len] = *format;
        out->longs += *format == 'l';
        out->size = out->size || *format == 'z';
        out->max = out->max || *format == 'j';
        out->star = out->star || *format == '*';
        out->precise = out->precise || *format == '.';
        format++;
    }
    CHECK(*format);
    out->conversion = *format;
    out->text[++len] = *format;
    return format + 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the compiler has checked the whole format  \
                                                      */

static int format_number(char *at, const struct spec *spec, va_list *args)
{
    const char *text = spec->text;
    if (spec->conversion == 'g' || spec->conversion == 'f')
        return snprintf(at, NUMBER_BYTES, text, va_arg(*args, double));
    if (spec->longs > 1)
        return snprintf(at, NUMBER_BYTES, text, va_arg(*args, unsigned long long));
    if (spec->longs == 1)
        return snprintf(at, NUMBER_BYTES, text, va_arg(*args, unsigned long));
    if (spec->size)
        return snprintf(at, NUMBER_BYTES, text, va_arg(*args, size_t));
    if (spec->max)
        return snprintf(at, NUMBER_BYTES, text, va_arg(*args, uintmax_t));
    return snprintf(at, NUMBER_BYTES, text, va_arg(*args, unsigned));
}

static void put_text(struct out *out, const struct spec *spec, va_list *args)
{
    if (spec->star) {
        int len = va_arg(*args, int);
        const char *text = va_arg(*args, const char *);
        put_value(out, text, len > 0 ? (size_t)len : 0);
        return;
    }
    const char *text = va_arg(*args, const char *);
    if (!text)
        text = "(null)";
    if (spec->precise) { /* the caller's format sets its own limit */
        unsigned limit = 0;
        const char *digits = strchr(spec->text, '.') + 1;
        for (; *digits >= '0' && *digits <= '9'; digits++)
            limit = limit * 10 + (unsigned)(*digits - '0');
        put(out, text, strnlen(text, limit));
        return;
    }
    put_value(out, text, strnlen(text, LOG_VALUE_BYTES_MAX + 1));
}

size_t log_text_format(char *out, size_t room, const char *format, va_list args)
{
    struct out to = {out, 0, room};
    va_list own;
    va_copy(own, args);
    while (*format) {
        size_t plain = strcspn(format, "%");
        put(&to, format, plain);
        format += plain;
        if (!*format)
            break;
        struct spec spec;
        char number[NUMBER_BYTES];
        format = read_spec(format + 1, &spec);
        if (spec.conversion == '%') {
            put(&to, "%", 1);
        } else if (spec.conversion == 's') {
            put_text(&to, &spec, &own);
        } else {
            int len = format_number(number, &spec, &own);
            put(&to, number, len < (int)NUMBER_BYTES ? (size_t)len : NUMBER_BYTES - 1);
        }
    }
    va_end(own);
    return to.len;
}

#pragma GCC diagnostic pop

/* ---- Escaping. */

#define ESCAPE_BYTES 7u /* \u001b and a zero byte */

/* Whether the character of n bytes can be written to a line without an escape. */
static bool printable(const uint8_t *at, size_t n)
{
    if (n == 1)
        return at[0] >= 0x20 && at[0] != 0x7f;
    return n != 2 || at[0] != 0xc2 || at[1] >= 0xa0; /* C1: U+0080 to U+009F */
}

char *log_text_escape(char *at, const char *end, const char *text, size_t len, bool json)
{
    const uint8_t *from = (const uint8_t *)text;
    for (size_t i = 0; i < len && at + ESCAPE_BYTES < end;) {
        size_t n = utf8_step(from + i, len - i);
        if (n && printable(from + i, n)) {
            if (json && (from[i] == '"' || from[i] == '\\'))
                *at++ = '\\';
            memcpy(at, from + i, n);
            at += n;
            i += n;
            continue;
        }
        /* Escapes one byte. JSON has no escape for a byte, so a byte that is no character becomes
         * U+FFFD. */
        unsigned c = n == 2 ? from[i + 1] : from[i];
        if (json)
            at += snprintf(at, ESCAPE_BYTES, "\\u%04x", n ? c : 0xfffdu);
        else
            at += snprintf(at, ESCAPE_BYTES, "\\x%02x", c);
        i += n ? n : 1;
    }
    return at;
}
