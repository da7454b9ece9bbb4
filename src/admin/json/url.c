/* Percent-encoding, and the keys of bindings. See url.h. */
#include <ctype.h>
#include <stdlib.h>

#include "admin/json/url.h"

#include "admin/json/arguments.h"
#include "leveret/base/mem.h"
#include "leveret/base/utf8.h"

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit(c) ? (c | 0x20) - 'a' + 10 : -1;
}

bool url_sound(struct bytes raw)
{
    for (size_t i = 0; i < raw.len; i++)
        if (raw.at[i] == '%' &&
            (i + 2 >= raw.len || digit(raw.at[i + 1]) < 0 || digit(raw.at[i + 2]) < 0))
            return false;
    size_t len;
    char *decoded = url_decode(raw, false, &len);
    bool sound = utf8_valid(bytes_of(decoded, len));
    free(decoded);
    return sound;
}

char *url_decode(struct bytes raw, bool plus, size_t *len)
{
    char *out = mem_need(raw.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t c = raw.at[i];
        bool coded = c == '%' && i + 2 < raw.len;
        int high = coded ? digit(raw.at[i + 1]) : -1, low = coded ? digit(raw.at[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            out[n++] = (char)(high * 16 + low);
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

void url_binding_key(struct text *out, struct bytes routing_key, struct bytes arguments)
{
    char hash[ARGUMENTS_HASH_LEN + 1];
    url_quote(out, routing_key, true);
    if (arguments.len) {
        arguments_hash(arguments, hash);
        text_printf(out, "~%s", hash);
    } else if (routing_key.len == 0) {
        text_add(out, "~", 1);
    }
}
