/* Tables.
 *
 * Normal course: each cell is escaped and appended to one text. For TSV that text is printed at the
 * end of each row; an aligned table notes where each cell ends and how wide each column is, and is
 * printed at the end. What can go wrong: there is no memory. */
#include "ctl/output/table.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveret/base/text.h"

#define GAP 2 /* blanks between columns */

struct column {
    size_t width;
    bool words, numbers; /* true when the column has such values */
};

struct table {
    FILE *out;
    enum table_format format;
    size_t columns, at; /* at: the column of the next cell */
    struct column *column;
    struct text text;
    size_t *ends; /* where each cell ends in text */
    size_t count, room;
};

/* The width in characters, not bytes; malformed UTF-8 is counted roughly. */
static size_t width_of(struct bytes cell)
{
    size_t width = 0;
    for (size_t i = 0; i < cell.len; i++)
        width += (cell.at[i] & 0xc0) != 0x80;
    return width;
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

static void escape_tsv(struct text *out, uint8_t c)
{
    switch (c) {
    case '\t':
        text_add(out, "\\t", 2);
        break;
    case '\n':
        text_add(out, "\\n", 2);
        break;
    case '\r':
        text_add(out, "\\r", 2);
        break;
    case '\\':
        text_add(out, "\\\\", 2);
        break;
    default:
        text_add(out, &c, 1);
    }
}

static void add_escaped(struct table *table, struct bytes cell)
{
    struct text *out = &table->text;
    for (size_t i = 0; i < cell.len; i++) {
        uint8_t c = cell.at[i];
        /* U+0080 to U+009F are controls as well. */
        bool high = c == 0xc2 && i + 1 < cell.len && cell.at[i + 1] < 0xa0;
        if (table->format == FORMAT_TSV)
            escape_tsv(out, c);
        else if (c < 0x20 || c == 0x7f)
            text_printf(out, "\\x%02x", c);
        else if (high)
            text_printf(out, "\\x%02x", cell.at[++i]);
        else
            text_add(out, &c, 1);
    }
}

static struct bytes cell_at(const struct table *table, size_t index)
{
    size_t from = index ? table->ends[index - 1] : 0;
    return bytes_of(table->text.at + from, table->ends[index] - from);
}

struct table *table_new(FILE *out, enum table_format format, size_t columns,
                        const char *const *headings)
{
    struct table *table = mem_need(sizeof *table);
    table->out = out;
    table->format = format;
    table->columns = columns;
    table->column = mem_need(columns * sizeof *table->column);
    for (size_t i = 0; headings && i < columns; i++)
        table_cell(table, bytes_of_text(headings[i]));
    for (size_t i = 0; i < columns; i++)
        table->column[i].words = table->column[i].numbers = false;
    return table;
}

static void print_tsv_row(struct table *table)
{
    text_add(&table->text, "\n", 1);
    fwrite(table->text.at, 1, table->text.len, table->out);
    table->text.len = 0;
}

void table_cell(struct table *table, struct bytes cell)
{
    struct column *column = &table->column[table->at];
    bool last = ++table->at == table->columns;
    size_t from = table->text.len;
    if (last)
        table->at = 0;
    add_escaped(table, cell);
    if (table->format == FORMAT_TSV) {
        if (last)
            print_tsv_row(table);
        else
            text_add(&table->text, "\t", 1);
        return;
    }
    if (table->count == table->room) {
        table->room = 2 * table->room + 64;
        table->ends = mem_need_array(table->ends, table->room, sizeof *table->ends);
    }
    table->ends[table->count++] = table->text.len;
    struct bytes escaped = bytes_of(table->text.at + from, table->text.len - from);
    size_t width = width_of(escaped);
    if (width > column->width)
        column->width = width;
    if (is_number(escaped))
        column->numbers = true;
    else if (escaped.len)
        column->words = true;
}

static void print_row(const struct table *table, size_t row)
{
    size_t blanks =
        0; /* blanks to be written before the next cell, so that no line ends with them */
    for (size_t i = 0; i < table->columns; i++) {
        const struct column *column = &table->column[i];
        struct bytes cell = cell_at(table, row * table->columns + i);
        size_t rest = column->width - width_of(cell);
        bool right = column->numbers && !column->words;
        blanks += right ? rest : 0;
        if (cell.len) {
            fprintf(table->out, "%*s", (int)blanks, "");
            fwrite(cell.at, 1, cell.len, table->out);
            blanks = 0;
        }
        blanks += (right ? 0 : rest) + GAP;
    }
    fputc('\n', table->out);
}

void table_end(struct table **table)
{
    struct table *t = *table;
    for (size_t row = 0; t->format != FORMAT_TSV && row < t->count / t->columns; row++)
        print_row(t, row);
    text_free(&t->text);
    free(t->ends);
    free(t->column);
    free(t);
    *table = NULL;
}
