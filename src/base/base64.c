/* Base64. */
#include "leveret/base/base64.h"

#include <stdlib.h>

#include "leveret/base/mem.h"

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint8_t *base64_decode(struct bytes text, size_t *len)
{
    while (text.len && text.at[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return NULL;
    uint8_t *out = mem_try(text.len / 4 * 3 + 3);
    uint32_t bits = 0;
    *len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4)
            out[(*len)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    if (out)
        out[*len] = '\0';
    return out;
}

void base64_encode(struct text *out, struct bytes plain)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < plain.len; i += 3) {
        size_t left = plain.len - i;
        uint32_t bits = (uint32_t)plain.at[i] << 16;
        if (left > 1)
            bits |= (uint32_t)plain.at[i + 1] << 8;
        if (left > 2)
            bits |= plain.at[i + 2];
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        text_add(out, four, 4);
    }
}
