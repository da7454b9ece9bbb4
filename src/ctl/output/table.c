/* Tables.
 *
 * Normal course: each cell is escaped for the format. Formats of one line for each row are printed
 * row by row; the others are collected in a grid and printed at the end. What can go wrong: there
 * is no memory. */
#include "ctl/output/table.h"

#include <stdlib.h>

#include "ctl/output/escape.h"
#include "ctl/output/grid.h"
#include "leveret/base/mem.h"

struct table {
    FILE *out;
    enum table_format format;
    unsigned width;
    size_t columns, at;   /* at: the column of the next cell */
    struct text line;     /* the row so far, or the cell that is added to the grid */
    struct text headings; /* FORMAT_TABS: the line that waits for the first row */
    struct grid grid;
};

static bool is_by_lines(const struct table *table)
{
    return table->format == FORMAT_TABS || table->format == FORMAT_TSV ||
           table->format == FORMAT_CSV;
}

/* Adds a cell to the line. Returns true when it completes the row. */
static bool add_to_line(struct table *table, struct text *line, struct bytes cell)
{
    if (table->format == FORMAT_CSV)
        escape_for_csv(line, cell);
    else if (table->format == FORMAT_TSV)
        escape_for_tsv(line, cell);
    else
        escape_for_terminal(line, cell);
    bool last = ++table->at == table->columns;
    if (last)
        table->at = 0;
    text_add(line, last ? "\n" : table->format == FORMAT_CSV ? "," : "\t", 1);
    return last;
}

static void print_line(struct table *table, struct text *line)
{
    if (line->len)
        fwrite(line->at, 1, line->len, table->out);
    line->len = 0;
}

static void add_to_grid(struct table *table, struct bytes cell, bool heading)
{
    escape_for_terminal(&table->line, cell);
    grid_add(&table->grid, text_bytes(&table->line), heading);
    table->line.len = 0;
}

struct table *table_new(FILE *out, enum table_format format, size_t columns,
                        const char *const *headings, unsigned width)
{
    struct table *table = mem_need(sizeof *table);
    table->out = out;
    table->format = format;
    table->columns = columns;
    table->width = width;
    grid_init(&table->grid, columns);
    for (size_t i = 0; headings && i < columns; i++) {
        if (!is_by_lines(table))
            add_to_grid(table, bytes_of_text(headings[i]), true);
        else
            add_to_line(table, &table->headings, bytes_of_text(headings[i]));
    }
    if (format != FORMAT_TABS)
        print_line(table, &table->headings);
    return table;
}

void table_cell(struct table *table, struct bytes cell)
{
    if (!is_by_lines(table)) {
        add_to_grid(table, cell, false);
        return;
    }
    print_line(table, &table->headings);
    if (add_to_line(table, &table->line, cell))
        print_line(table, &table->line);
}

void table_end(struct table **table)
{
    struct table *t = *table;
    if (t->format == FORMAT_TABLE)
        grid_print_aligned(&t->grid, t->width, t->out);
    else if (!is_by_lines(t))
        grid_print_frames(&t->grid, t->format == FORMAT_FRAMES_VT, t->out);
    grid_free(&t->grid);
    text_free(&t->line);
    text_free(&t->headings);
    free(t);
    *table = NULL;
}
