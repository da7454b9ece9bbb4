/* Rows of text printed in columns. */
#ifndef LEVERETCTL_TABLE_H
#define LEVERETCTL_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "leveret/base/bytes.h"

enum table_format {
    /* Aligned columns for a person, numbers to the right. */
    FORMAT_TABLE,
    /* The same in frames; FORMAT_FRAMES_VT draws them as rabbitmqctl does, by the line-drawing
     * characters of a VT100. */
    FORMAT_FRAMES,
    FORMAT_FRAMES_VT,
    /* Columns separated by tabs, as rabbitmqctl's tables are: headings only above a row. */
    FORMAT_TABS,
    /* In all of these a control character is shown as \xHH, so that a name cannot send commands to
     * the terminal or begin another row. */

    /* For programs: \t, \n, \r and \\ in the values, separated by tabs. */
    FORMAT_TSV,
    /* For programs: each value in quotes, a quote in it doubled, separated by commas. */
    FORMAT_CSV,
    /* Not printed here: an array of objects, and one object a line. */
    FORMAT_JSON,
    FORMAT_JSON_STREAM
};

struct table;

/* headings: one for each column, or NULL for none; they are copied. width: columns of the terminal
 * for FORMAT_TABLE, 0: any. The table prints to out: formats for programs and FORMAT_TABS each row
 * when it is complete, the others everything at the end. */
struct table *table_new(FILE *out, enum table_format format, size_t columns,
                        const char *const *headings, unsigned width);
/* Adds the next cell; the last column's cell completes the row. The bytes are copied. */
void table_cell(struct table *table, struct bytes cell);
/* Prints the rest and frees the table. */
void table_end(struct table **table);

#endif
