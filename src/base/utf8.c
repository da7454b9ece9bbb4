/* UTF-8: see utf8.h. */
#include "leveret/base/utf8.h"

size_t utf8_step(const uint8_t *at, size_t len)
{
    if (at[0] < 0x80)
        return 1;
    size_t n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        size_t n = utf8_step(bytes.at + i, bytes.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}
