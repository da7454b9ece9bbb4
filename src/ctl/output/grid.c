/* Tables that are drawn as a whole.
 *
 * Normal course: each cell is appended to one text, its end and the column's width are noted; at
 * the end every row is padded to the widths. A table that is wider than the terminal gets its
 * widest columns cut. What can go wrong: there is no memory. */
#include "ctl/output/grid.h"

#include <stdlib.h>

#include "ctl/output/escape.h"
#include "leveret/base/mem.h"

#define GAP           2 /* blanks between aligned columns */
#define CUT_WIDTH_MIN 8 /* characters that a cut column keeps at least */
#define ELLIPSIS      "\xe2\x80\xa6"

void grid_init(struct grid *grid, size_t columns)
{
    *grid =
        (struct grid){.columns = columns, .column = mem_need(columns * sizeof *grid->column + 1)};
}

void grid_free(struct grid *grid)
{
    text_free(&grid->text);
    free(grid->ends);
    free(grid->column);
}

/* Whether the cell is digits with at most one point, and perhaps a sign before them. */
static bool is_number(struct bytes cell)
{
    size_t i = cell.len > 1 && cell.at[0] == '-';
    bool point = false;
    for (; i < cell.len; i++) {
        if (cell.at[i] == '.' && !point && i > 0)
            point = true;
        else if (cell.at[i] < '0' || cell.at[i] > '9')
            return false;
    }
    return cell.len > 0;
}

void grid_add(struct grid *grid, struct bytes cell, bool heading)
{
    struct grid_column *column = &grid->column[grid->count % grid->columns];
    size_t width = escape_width(cell);
    text_add_bytes(&grid->text, cell);
    if (grid->count == grid->room) {
        grid->room = 2 * grid->room + 64;
        grid->ends = mem_need_array(grid->ends, grid->room, sizeof *grid->ends);
    }
    grid->ends[grid->count++] = grid->text.len;
    grid->headed |= heading;
    if (width > column->width)
        column->width = width;
    if (heading)
        return;
    if (is_number(cell))
        column->numbers = true;
    else if (cell.len)
        column->words = true;
}

static struct bytes cell_at(const struct grid *grid, size_t row, size_t column)
{
    size_t index = row * grid->columns + column;
    size_t from = index ? grid->ends[index - 1] : 0;
    return bytes_of(grid->text.at + from, grid->ends[index] - from);
}

/* ---- Aligned. */

static size_t total_width(const size_t *widths, size_t columns)
{
    size_t total = (columns - 1) * GAP;
    for (size_t i = 0; i < columns; i++)
        total += widths[i];
    return total;
}

/* Makes the widest columns narrower, each at most to CUT_WIDTH_MIN, until the line fits. */
static void fit(size_t *widths, size_t columns, unsigned width)
{
    for (size_t total = total_width(widths, columns); width && total > width; total--) {
        size_t widest = 0;
        for (size_t i = 1; i < columns; i++)
            if (widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= CUT_WIDTH_MIN)
            return;
        widths[widest]--;
    }
}

static void print_cell(struct bytes cell, size_t width, FILE *out)
{
    bool whole = escape_width(cell) <= width;
    fwrite(cell.at, 1, whole ? cell.len : escape_cut(cell, width - 1), out);
    if (!whole)
        fputs(ELLIPSIS, out);
}

static void print_row(const struct grid *grid, size_t row, const size_t *widths, FILE *out)
{
    /* Blanks to be written before the next cell, so that no line ends with them. */
    size_t blanks = 0;
    for (size_t i = 0; i < grid->columns; i++) {
        const struct grid_column *column = &grid->column[i];
        struct bytes cell = cell_at(grid, row, i);
        size_t own = escape_width(cell);
        size_t rest = own < widths[i] ? widths[i] - own : 0;
        bool right = column->numbers && !column->words;
        blanks += right ? rest : 0;
        if (cell.len) {
            fprintf(out, "%*s", (int)blanks, "");
            print_cell(cell, widths[i], out);
            blanks = 0;
        }
        blanks += (right ? 0 : rest) + GAP;
    }
    fputc('\n', out);
}

void grid_print_aligned(const struct grid *grid, unsigned width, FILE *out)
{
    size_t *widths = mem_need(grid->columns * sizeof *widths + 1);
    for (size_t i = 0; i < grid->columns; i++)
        widths[i] = grid->column[i].width;
    fit(widths, grid->columns, width);
    for (size_t row = 0; row < grid->count / grid->columns; row++)
        print_row(grid, row, widths, out);
    free(widths);
}

/* ---- In frames. */

struct frame {
    const char *begin, *end, *line; /* around a run of drawing characters; one of them */
    const char *top[3], *middle[3], *bottom[3], *side;
    const char *bold, *plain; /* around a heading */
};

static const struct frame frames[] = {
    {"",
     "",
     "\xe2\x94\x80",
     {"\xe2\x94\x8c", "\xe2\x94\xac", "\xe2\x94\x90"},
     {"\xe2\x94\x9c", "\xe2\x94\xbc", "\xe2\x94\xa4"},
     {"\xe2\x94\x94", "\xe2\x94\xb4", "\xe2\x94\x98"},
     "\xe2\x94\x82",
     "",
     ""},
    {"\x1b(0",
     "\x1b(B",
     "q",
     {"l", "w", "k"},
     {"t", "n", "u"},
     {"m", "v", "j"},
     "x",
     "\x1b[1m",
     "\x1b[0m"},
};

static void print_rule(const struct grid *grid, const struct frame *frame, const char *const at[3],
                       FILE *out)
{
    fprintf(out, "%s%s", frame->begin, at[0]);
    for (size_t i = 0; i < grid->columns; i++) {
        for (size_t j = 0; j < grid->column[i].width + 2; j++)
            fputs(frame->line, out);
        fputs(i + 1 < grid->columns ? at[1] : at[2], out);
    }
    fprintf(out, "%s\n", frame->end);
}

void grid_print_frames(const struct grid *grid, bool vt100, FILE *out)
{
    const struct frame *frame = &frames[vt100];
    size_t rows = grid->count / grid->columns;
    if (!rows)
        return;
    print_rule(grid, frame, frame->top, out);
    for (size_t row = 0; row < rows; row++) {
        bool heading = grid->headed && row == 0;
        fprintf(out, "%s%s%s", frame->begin, frame->side, frame->end);
        for (size_t i = 0; i < grid->columns; i++) {
            struct bytes cell = cell_at(grid, row, i);
            fprintf(out, " %s%.*s%s%*s %s%s%s", heading ? frame->bold : "", BYTES_PRINT(cell),
                    heading ? frame->plain : "", (int)(grid->column[i].width - escape_width(cell)),
                    "", frame->begin, frame->side, frame->end);
        }
        fputc('\n', out);
        print_rule(grid, frame, row + 1 < rows ? frame->middle : frame->bottom, out);
    }
}
