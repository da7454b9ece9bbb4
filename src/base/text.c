/* Growable bytes. */
#include "leveret/base/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

void text_free(struct text *text)
{
    free(text->at);
    *text = (struct text){0};
}

uint8_t *text_reserve(struct text *text, size_t more)
{
    size_t wanted = text->len + more;
    CHECK(wanted >= more);
    if (wanted > text->room || !text->at) {
        size_t room = text->room ? text->room * 2 : 64;
        if (room < wanted)
            room = wanted;
        text->at = mem_need_array(text->at, room, 1);
        text->room = room;
    }
    return text->at + text->len;
}

void text_add_bytes(struct text *text, struct bytes bytes)
{
    text_add(text, bytes.at, bytes.len);
}

void text_add_number(struct text *text, uint64_t number)
{
    char digits[20];
    char *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 10);
    while (number /= 10);
    text_add(text, at, (size_t)(digits + sizeof digits - at));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    vsnprintf((char *)text_reserve(text, (size_t)len + 1), (size_t)len + 1, format, again);
    va_end(again);
    text->len += (size_t)len;
}
