/* Percent-encoding (RFC 3986, 2.1). */
#include <ctype.h>
#include <stdlib.h>

#include "http.h"
#include "leveret/base/mem.h"

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

char *url_decode(struct bytes raw, bool plus, size_t *len)
{
    char *out = mem_need(raw.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = raw.at[i];
        if (c == '%' && i + 2 < raw.len && digit(raw.at[i + 1]) >= 0 && digit(raw.at[i + 2]) >= 0) {
            out[n++] = (char)(digit(raw.at[i + 1]) << 4 | digit(raw.at[i + 2]));
            i += 2;
        } else {
            out[n++] = c == '+' && plus ? ' ' : (char)c;
        }
    }
    out[n] = '\0';
    if (len)
        *len = n;
    return out;
}

void url_quote(struct text *out, struct bytes plain, bool tilde)
{
    for (size_t i = 0; i < plain.len; i++) {
        uint8_t c = plain.at[i];
        if ((c < 0x80 && isalnum(c)) || c == '.' || c == '_' || c == '-' || (c == '~' && !tilde))
            text_add(out, &c, 1);
        else if (c == ' ')
            text_add(out, "+", 1);
        else
            text_printf(out, "%%%02X", c);
    }
}
