/* Objects printed as rows, in the style that was asked for. */
#ifndef LEVERETCTL_ROWS_H
#define LEVERETCTL_ROWS_H

#include "ctl/output/column.h"

struct rows {
    const struct style *style;
    const struct column *columns;
    size_t count;
    bool whole;          /* true when JSON shows the whole objects, not only the columns */
    struct table *table; /* NULL with JSON */
    bool begun;
};

/* The style and the columns must live as long as the rows. */
void rows_begin(struct rows *rows, const struct style *style, const struct column *columns,
                size_t count, bool whole);
void rows_add(struct rows *rows, const struct value *object);
void rows_end(struct rows *rows);

/* Prints one object: a line for each column that it has; in JSON the whole object. */
void rows_print_one(const struct style *style, const struct column *columns, size_t count,
                    const struct value *object);

#endif
