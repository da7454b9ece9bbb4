/* Names of keys. */
#include "leveretd/settings/key_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveret/base/nearest.h"
#include "leveretd/settings/foreign.h"
#include "leveretd/settings/keys.h"

bool key_name_fits(const char *pattern, const char *name, const char **rest)
{
    *rest = NULL;
    for (;;) {
        if (*pattern == '$') {
            if (!*rest)
                *rest = name;
            pattern += strcspn(pattern, ".");
            size_t len = *pattern ? strcspn(name, ".") : strlen(name);
            if (!len)
                return false;
            name += len;
        }
        if (*pattern != *name)
            return false;
        if (!*pattern)
            break;
        pattern++, name++;
    }
    if (!*rest)
        *rest = name;
    return true;
}

int key_name_stem_len(const char *pattern)
{
    size_t len = strcspn(pattern, "$");
    return (int)(pattern[len] ? len - 1 : len);
}

/* Writes the pattern with its variable parts taken from the same places of name; they stay as they
 * are where name has too few parts. */
static void fill_in(const char *pattern, const char *name, char out[NEAREST_NAME_BYTES_MAX + 1])
{
    size_t at = 0;
    while (*pattern && at < NEAREST_NAME_BYTES_MAX) {
        size_t part = strcspn(pattern, "."), own = strcspn(name, ".");
        bool last = !pattern[part];
        bool variable = *pattern == '$' && own;
        const char *from = variable ? name : pattern;
        size_t len = variable ? (last ? strlen(name) : own) : part;
        at += (size_t)snprintf(out + at, NEAREST_NAME_BYTES_MAX + 1 - at, "%.*s%s", (int)len, from,
                               last ? "" : ".");
        pattern += part + !last;
        name += own + (name[own] == '.');
    }
    out[at < NEAREST_NAME_BYTES_MAX ? at : NEAREST_NAME_BYTES_MAX] = '\0';
}

static void consider(struct nearest *nearest, const char *pattern)
{
    char filled[NEAREST_NAME_BYTES_MAX + 1] = "";
    fill_in(pattern, nearest->name, filled);
    nearest_consider(nearest, filled);
}

char *key_name_nearest(const char *name)
{
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        consider(&nearest, key->name);
    for (const struct foreign_key *foreign = foreign_keys; foreign->name; foreign++)
        consider(&nearest, foreign->name);
    return *nearest.found ? mem_need_text(nearest.found, strlen(nearest.found)) : NULL;
}
