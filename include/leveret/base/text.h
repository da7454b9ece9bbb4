/* Text or bytes that grow while they are written. Thread: one at a time. */
#ifndef LEVERET_BASE_TEXT_H
#define LEVERET_BASE_TEXT_H

#include <string.h>

#include "leveret/base/bytes.h"

struct text {
    uint8_t *at; /* NULL while empty; not zero-ended */
    size_t len, room;
};

/* Frees the bytes; the struct is then empty (all zeros) and can be used again. */
void text_free(struct text *text);
/* Makes room for `more` bytes and returns where they go; the caller adds the bytes that it wrote to
 * len. */
uint8_t *text_reserve(struct text *text, size_t more);

static inline void text_add(struct text *text, const void *at, size_t len)
{
    if (len == 0)
        return;
    if (__builtin_expect(len > text->room - text->len, 0))
        (void)text_reserve(text, len);
    memcpy(text->at + text->len, at, len);
    text->len += len;
}

void text_add_bytes(struct text *text, struct bytes bytes);
/* Appends a number in decimal digits. */
void text_add_number(struct text *text, uint64_t number);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct bytes text_bytes(const struct text *text)
{
    return bytes_of(text->at, text->len);
}

#endif
