/* Nearest names, by the number of bytes that differ. */
#include "leveret/base/nearest.h"

#include <stdio.h>
#include <string.h>

/* The number of bytes that must be changed, put in, left out or swapped to make b of a; both are
 * at most NEAREST_NAME_BYTES_MAX long. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][NEAREST_NAME_BYTES_MAX + 1], *before = rows[0], *above = rows[1],
                                                  *row = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= b_len; j++)
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

void nearest_begin(struct nearest *nearest, const char *name)
{
    size_t len = strlen(name);
    *nearest = (struct nearest){.name = name};
    /* A third of the name may be wrong, but never all of it. */
    nearest->distance = len <= NEAREST_NAME_BYTES_MAX ? (unsigned)(len / 3 + 1) : 0;
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
    if (!nearest->distance || strlen(candidate) > NEAREST_NAME_BYTES_MAX)
        return;
    unsigned far = distance(nearest->name, candidate);
    if (far >= nearest->distance)
        return;
    nearest->distance = far;
    snprintf(nearest->found, sizeof nearest->found, "%s", candidate);
}
