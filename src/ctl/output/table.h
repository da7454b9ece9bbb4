/* Rows of text printed in aligned columns or separated by tabs. */
#ifndef LEVERETCTL_TABLE_H
#define LEVERETCTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "leveret/base/bytes.h"

/* FORMAT_TABLE: aligned columns for a person, numbers to the right, control characters as \xHH, so
 * that a name cannot send commands to the terminal. FORMAT_TSV: for programs, with \t,
 * , \r and \\ in the values. JSON is not printed here. */
enum table_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_TSV };

struct table;

/* headings: one for each column, or NULL for none. The table prints to out: each row when it is
 * complete with FORMAT_TSV, everything at the end with FORMAT_TABLE. */
struct table *table_new(FILE *out, enum table_format format, size_t columns,
                        const char *const *headings);
/* Adds the next cell; the last column's cell completes the row. The bytes are copied. */
void table_cell(struct table *table, struct bytes cell);
/* Prints the rest and frees the table. */
void table_end(struct table **table);

#endif
