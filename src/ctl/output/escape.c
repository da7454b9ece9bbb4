/* Escapes. */
#include "ctl/output/escape.h"

#include <stdbool.h>
#include <string.h>

void escape_for_terminal(struct text *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.at[i];
        /* U+0080 to U+009F are controls as well. */
        bool high = c == 0xc2 && i + 1 < value.len && value.at[i + 1] < 0xa0;
        if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\x%02x", c);
        else if (high)
            text_printf(out, "\\x%02x", value.at[++i]);
        else
            text_add(out, &c, 1);
    }
}

void escape_for_tsv(struct text *out, struct bytes value)
{
    static const char plain[] = "\t\n\r\\", letters[] = "tnr\\";
    for (size_t i = 0; i < value.len; i++) {
        const char *found = value.at[i] ? strchr(plain, value.at[i]) : NULL;
        if (found)
            text_printf(out, "\\%c", letters[found - plain]);
        else
            text_add(out, &value.at[i], 1);
    }
}

void escape_for_csv(struct text *out, struct bytes value)
{
    text_add(out, "\"", 1);
    for (size_t i = 0; i < value.len; i++) {
        text_add(out, "\"", value.at[i] == '"');
        text_add(out, &value.at[i], 1);
    }
    text_add(out, "\"", 1);
}

size_t escape_width(struct bytes value)
{
    size_t width = 0;
    for (size_t i = 0; i < value.len; i++)
        width += (value.at[i] & 0xc0) != 0x80;
    return width;
}

size_t escape_cut(struct bytes value, size_t width)
{
    size_t at = 0;
    for (; at < value.len; at++)
        if ((value.at[at] & 0xc0) != 0x80 && width-- == 0)
            break;
    return at;
}
