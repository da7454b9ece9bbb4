/* Values of settings: counts, sizes, ratios, ports, addresses. */
#include "leveretd/settings/literal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "leveret/base/mem.h"
#include "leveret/base/number.h"

const char *literal_count(const char *text, uint64_t *out)
{
    return number_read(text, UINT64_MAX, out) ? NULL : "must be a whole number";
}

const char *literal_size(const char *text, uint64_t *out)
{
    return number_size(text, out);
}

const char *literal_bytesize(const char *text, uint64_t *out)
{
    static const char *const units[] = {"kb", "mb", "gb"};
    size_t digits = strspn(text, "0123456789");
    char number[24];
    for (unsigned i = 0; i < 3 && digits && digits < sizeof number; i++) {
        if (strcasecmp(text + digits, units[i]) != 0)
            continue;
        memcpy(number, text, digits);
        number[digits] = '\0';
        uint64_t n = 0;
        const char *wrong = literal_count(number, &n);
        if (!wrong && n > UINT64_MAX >> (10 * (i + 1)))
            wrong = "is too large";
        *out = n << (10 * (i + 1));
        return wrong;
    }
    return literal_size(text, out);
}

const char *literal_ratio(const char *text, double *out)
{
    char *end;
    /* strtod would also accept a sign, hexadecimal digits and "inf". */
    if (strspn(text, "0123456789.") != strlen(text) || !*text)
        return "must be a fraction, such as 0.4";
    *out = strtod(text, &end);
    return *end || !isfinite(*out) ? "must be a fraction, such as 0.4" : NULL;
}

const char *literal_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "on", "yes"}, *const no[] = {"false", "off", "no"};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return NULL;
        }
    }
    return "must be true or false";
}

bool literal_is_off(const char *port)
{
    return strcmp(port, "none") == 0 || strspn(port, "0") == strlen(port);
}

const char *literal_port(const char *text)
{
    uint64_t n;
    if (strcmp(text, "none") == 0 || strcmp(text, "any") == 0)
        return NULL;
    if (literal_count(text, &n) || n > UINT16_MAX)
        return "must be a port (1 to 65535), \"any\" for a free one, or \"none\"";
    return NULL;
}

/* RabbitMQ's form of a Unix socket: unix:/path:0, or local: for unix:. */
static bool is_path(const char *text)
{
    return strncmp(text, "unix:/", strlen("unix:/")) == 0 ||
           strncmp(text, "local:/", strlen("local:/")) == 0;
}

/* The length of the path behind the first colon, without the port, which is always 0. */
static size_t path_len(const char *text)
{
    const char *path = strchr(text, ':') + 1;
    size_t len = strlen(path);
    return len > 2 && strcmp(path + len - 2, ":0") == 0 ? len - 2 : len;
}

const char *literal_address(const char *text, char **out)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon ? colon + 1 : text;
    int host_len = colon ? (int)(colon - text) : 0;
    int made;

    *out = NULL;
    if (is_path(text)) {
        if (asprintf(out, "unix:%.*s", (int)path_len(text), strchr(text, ':') + 1) < 0)
            *out = NULL;
        return *out ? NULL : "is too long";
    }
    if (colon && !host_len)
        return "must be a port or HOST:PORT";
    const char *wrong = literal_port(port);
    if (wrong)
        return wrong;
    if (literal_is_off(port))
        return NULL;
    if (strcmp(port, "any") == 0)
        port = "0";
    bool bare_v6 = colon && text[0] != '[' && memchr(text, ':', (size_t)host_len);
    if (!colon)
        made = asprintf(out, "%s", port);
    else if (bare_v6)
        made = asprintf(out, "[%.*s]:%s", host_len, text, port);
    else
        made = asprintf(out, "%.*s:%s", host_len, text, port);
    if (made < 0)
        *out = mem_need_text(text, strlen(text));
    return NULL;
}
