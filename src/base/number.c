/* Decimal numbers. Not read with strtoull or scanf, because these accept signs and blanks, and
 * scanf does not report overflow. */
#include "leveret/base/number.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *number_scan(const char *text, uint64_t *out)
{
    uint64_t n = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return NULL;
        n = n * 10 + digit;
    }
    if (at == text)
        return NULL;
    *out = n;
    return at;
}

bool number_read(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t n;
    const char *end = number_scan(text, &n);
    if (!end || *end || n > max)
        return false;
    *out = n;
    return true;
}

size_t number_file(const char *path, uint64_t *out, size_t count)
{
    char line[256];
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    const char *at = fgets(line, sizeof line, file);
    fclose(file);
    size_t found = 0;
    while (at && found < count) {
        at = number_scan(at + strspn(at, " \t"), &out[found]);
        found += at != NULL;
    }
    return found;
}

bool number_of_line(const char *line, const char *name, uint64_t *out)
{
    size_t len = strlen(name);
    if (strncmp(line, name, len) != 0 || line[len] != ':')
        return false;
    line += len + 1;
    return number_scan(line + strspn(line, " \t"), out) != NULL;
}

const char *number_size(const char *text, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"k", UINT64_C(1) << 10},
        {"kiB", UINT64_C(1) << 10},
        {"M", UINT64_C(1) << 20},
        {"MiB", UINT64_C(1) << 20},
        {"G", UINT64_C(1) << 30},
        {"GiB", UINT64_C(1) << 30},
        {"T", UINT64_C(1) << 40},
        {"TiB", UINT64_C(1) << 40},
        {"kB", UINT64_C(1000)},
        {"MB", UINT64_C(1000000)},
        {"GB", UINT64_C(1000000000)},
        {"TB", UINT64_C(1000000000000)},
    };
    static const char complaint[] = "must be a size, such as 1048576, 50MB or 1GiB";
    uint64_t n;
    const char *end = number_scan(text, &n);

    if (!end)
        return complaint;
    while (*end == ' ')
        end++;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcasecmp(end, units[i].name) != 0)
            continue;
        if (n > UINT64_MAX / units[i].factor)
            return "is too large";
        *out = n * units[i].factor;
        return NULL;
    }
    return complaint;
}
