/* Names of keys. */
#include "leveretd/settings/key_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveretd/settings/foreign.h"
#include "leveretd/settings/keys.h"

/* Bytes of a name that is compared; a longer one has no nearest name. */
#define NAME_LEN_MAX 100u

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
static void fill_in(const char *pattern, const char *name, char out[NAME_LEN_MAX + 1])
{
    size_t at = 0;
    while (*pattern && at < NAME_LEN_MAX) {
        size_t part = strcspn(pattern, "."), own = strcspn(name, ".");
        bool last = !pattern[part];
        bool variable = *pattern == '$' && own;
        const char *from = variable ? name : pattern;
        size_t len = variable ? (last ? strlen(name) : own) : part;
        at += (size_t)snprintf(out + at, NAME_LEN_MAX + 1 - at, "%.*s%s", (int)len, from,
                               last ? "" : ".");
        pattern += part + !last;
        name += own + (name[own] == '.');
    }
    out[at < NAME_LEN_MAX ? at : NAME_LEN_MAX] = '\0';
}

/* The number of bytes that must be changed, put in, left out or swapped to make b of a. */
static unsigned distance(const char *a, const char *b)
{
    static const size_t room = NAME_LEN_MAX + 1;
    unsigned rows[3][NAME_LEN_MAX + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= b_len && j < room; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        unsigned *free_row = before;
        before = above, above = row, row = free_row;
    }
    return above[b_len];
}

struct nearest {
    const char *name;
    char found[NAME_LEN_MAX + 1];
    unsigned distance; /* of found; a name must be nearer */
};

static void consider(struct nearest *nearest, const char *pattern)
{
    char filled[NAME_LEN_MAX + 1] = "";
    fill_in(pattern, nearest->name, filled);
    unsigned far = distance(nearest->name, filled);
    if (far >= nearest->distance)
        return;
    nearest->distance = far;
    memcpy(nearest->found, filled, sizeof filled);
}

char *key_name_nearest(const char *name)
{
    size_t len = strlen(name);
    if (len > NAME_LEN_MAX)
        return NULL;
    /* A third of the name may be wrong, but never all of it. */
    struct nearest nearest = {.name = name, .distance = (unsigned)(len / 3 + 1)};
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        consider(&nearest, key->name);
    for (const struct foreign_key *foreign = foreign_keys; foreign->name; foreign++)
        consider(&nearest, foreign->name);
    return *nearest.found ? mem_need_text(nearest.found, strlen(nearest.found)) : NULL;
}
