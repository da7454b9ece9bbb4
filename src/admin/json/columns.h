/* Columns: which fields of an object a client wants, as its query says
 * ("columns=name,message_stats.publish"). Thread: one at a time. */
#ifndef LEVERET_ADMIN_COLUMNS_H
#define LEVERET_ADMIN_COLUMNS_H

#include <stddef.h>

/* Columns of a query, and parts of one column's path. What is beyond them is ignored. */
#define COLUMNS_MAX      63u
#define COLUMN_PARTS_MAX 8u

struct columns {
    size_t count;
    struct {
        size_t parts;
        char *part[COLUMN_PARTS_MAX];
    } column[COLUMNS_MAX];
};

/* Reads a comma-separated list. Free with columns_free. */
void columns_parse(struct columns *out, const char *text);
/* Leaves those that begin with one of the names, which commas separate; without any, takes all of
 * these. */
void columns_narrow(struct columns *columns, const char *names);
void columns_free(struct columns *columns);

#endif
