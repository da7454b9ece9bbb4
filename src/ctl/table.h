/* Rows of text printed in aligned columns or separated by tabs. */
#ifndef LEVERETCTL_TABLE_H
#define LEVERETCTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "leveret/base/bytes.h"

/* Aligned columns, for a person: numbers to the right, control characters as \xHH so that a name
 * cannot play with the terminal. Or TSV, for programs: \t, \n, \r and \\ in the values. JSON is
 * not printed here. */
enum table_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_TSV };

struct table;

/* headings: columns of them, or NULL for none. The table prints to out: a row at a time with
 * FORMAT_TSV, everything at the end with FORMAT_TABLE. */
struct table *table_new(FILE *out, enum table_format format, size_t columns,
                        const char *const *headings);
/* The next cell; after the last column's the row is done. The bytes are copied. */
void table_cell(struct table *table, struct bytes cell);
/* Prints what has not been printed yet. */
void table_end(struct table **table);

#endif
