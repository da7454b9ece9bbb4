/* The cells of a table that is printed as a whole, and how it is drawn. */
#ifndef LEVERETCTL_GRID_H
#define LEVERETCTL_GRID_H

#include "ctl/output/table.h"
#include "leveret/base/text.h"

struct grid_column {
    size_t width;        /* of its widest cell, in characters */
    bool words, numbers; /* true when the column has such values */
};

struct grid {
    size_t columns;
    struct grid_column *column;
    bool headed; /* true when the first row is the headings */
    struct text text;
    size_t *ends; /* where each cell ends in text */
    size_t count, room;
};

void grid_init(struct grid *grid, size_t columns);
void grid_free(struct grid *grid);
/* Adds a cell whose text is printed as it is. heading: it does not count for what the column has.
 */
void grid_add(struct grid *grid, struct bytes cell, bool heading);

/* Aligned columns, of at most so many characters a line together; 0: any number. */
void grid_print_aligned(const struct grid *grid, unsigned width, FILE *out);
/* In frames; vt100: drawn by a VT100's line-drawing characters. */
void grid_print_frames(const struct grid *grid, bool vt100, FILE *out);

#endif
