/* Parsing an AMQP URI. */
#include "target.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decodes len bytes of percent encoding into a text of TARGET_TEXT_MAX. */
static bool decode(const char *at, size_t len, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        if (c == '%') {
            if (i + 2 >= len || !isxdigit((unsigned char)at[i + 1]) ||
                !isxdigit((unsigned char)at[i + 2]))
                return false;
            char hex[3] = {at[i + 1], at[i + 2], 0};
            c = (char)strtoul(hex, NULL, 16);
            i += 2;
        }
        if (!c || used + 1 >= TARGET_TEXT_MAX)
            return false;
        out[used++] = c;
    }
    out[used] = 0;
    return true;
}

/* "user:password". */
static bool parse_user(const char *at, size_t len, struct target *out)
{
    const char *colon = memchr(at, ':', len);
    size_t user_len = colon ? (size_t)(colon - at) : len;
    if (!decode(at, user_len, out->user))
        return false;
    return !colon || decode(colon + 1, len - user_len - 1, out->password);
}

/* "host:port", "[::1]:port". */
static bool parse_host(const char *at, size_t len, struct target *out)
{
    size_t host_len = len;
    const char *port = NULL;
    if (len && at[0] == '[') {
        const char *end = memchr(at, ']', len);
        if (!end)
            return false;
        if (!decode(at + 1, (size_t)(end - at) - 1, out->host))
            return false;
        if ((size_t)(end - at) + 1 < len && end[1] == ':')
            port = end + 2;
    } else {
        const char *colon = memchr(at, ':', len);
        if (colon) {
            host_len = (size_t)(colon - at);
            port = colon + 1;
        }
        if (host_len && !decode(at, host_len, out->host))
            return false;
    }
    if (!port)
        return true;
    size_t port_len = len - (size_t)(port - at);
    if (port_len == 0 || port_len >= sizeof out->port)
        return false;
    memcpy(out->port, port, port_len);
    out->port[port_len] = 0;
    return strspn(out->port, "0123456789") == port_len;
}

enum status target_parse(const char *uri, struct target *out)
{
    *out = (struct target){
        .host = "localhost", .port = "5672", .user = "guest", .password = "guest", .vhost = "/"};
    static const char plain[] = "amqp://", secure[] = "amqps://";
    out->tls = strncmp(uri, secure, sizeof secure - 1) == 0;
    if (!out->tls && strncmp(uri, plain, sizeof plain - 1) != 0)
        return STATUS_MALFORMED;
    if (out->tls)
        memcpy(out->port, "5671", sizeof "5671");
    const char *at = uri + (out->tls ? sizeof secure : sizeof plain) - 1;
    const char *slash = strchr(at, '/');
    size_t authority = slash ? (size_t)(slash - at) : strlen(at);
    const char *sign = memchr(at, '@', authority);
    if (sign) {
        if (!parse_user(at, (size_t)(sign - at), out))
            return STATUS_MALFORMED;
        authority -= (size_t)(sign + 1 - at);
        at = sign + 1;
    }
    if (!parse_host(at, authority, out))
        return STATUS_MALFORMED;
    /* By the specification "amqp://host/" names the empty vhost, but users mean the default one. */
    if (slash && slash[1] && !decode(slash + 1, strcspn(slash + 1, "?"), out->vhost))
        return STATUS_MALFORMED;
    return STATUS_OK;
}
