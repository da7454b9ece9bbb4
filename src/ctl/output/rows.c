/* Prints objects of the API as lines. JSON is an array with one object a line. */
#include "ctl/output/rows.h"

#include <stdlib.h>

#include "leveret/base/mem.h"

static void show_cell(struct table *table, const struct value *value)
{
    struct text cell = {0};
    value_show(value, &cell);
    table_cell(table, text_bytes(&cell));
    text_free(&cell);
}

void rows_begin(struct rows *rows, const struct style *style, const struct rows_column *columns,
                size_t count, bool whole)
{
    const char **headings = mem_need(count * sizeof *headings + 1);
    *rows = (struct rows){.columns = columns, .count = count, .whole = whole};
    for (size_t i = 0; i < count; i++)
        headings[i] = columns[i].heading;
    if (style->format != FORMAT_JSON)
        rows->table = table_new(stdout, style->format, count, style->quiet ? NULL : headings);
    free(headings);
}

static void print_json(struct rows *rows, const struct value *object)
{
    fputs(rows->begun ? ",\n" : "[\n", stdout);
    rows->begun = true;
    if (rows->whole) {
        value_print(object, false, stdout);
        return;
    }
    struct value *chosen = value_new_map();
    for (size_t i = 0; i < rows->count; i++) {
        const struct value *value = value_get(object, rows->columns[i].path);
        if (value)
            value_set(chosen, rows->columns[i].heading, value_copy(value));
    }
    value_print(chosen, false, stdout);
    value_free(&chosen);
}

void rows_add(struct rows *rows, const struct value *object)
{
    if (!rows->table) {
        print_json(rows, object);
        return;
    }
    for (size_t i = 0; i < rows->count; i++)
        show_cell(rows->table, value_get(object, rows->columns[i].path));
}

void rows_end(struct rows *rows)
{
    if (rows->table)
        table_end(&rows->table);
    else
        fputs(rows->begun ? "\n]\n" : "[]\n", stdout);
}

void rows_print_one(const struct style *style, const struct rows_column *columns, size_t count,
                    const struct value *object)
{
    if (style->format == FORMAT_JSON) {
        value_print(object, true, stdout);
        putchar('\n');
        return;
    }
    struct table *table = table_new(stdout, style->format, 2, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct value *value = value_get(object, columns[i].path);
        if (value_kind_of(value) == VALUE_NONE)
            continue;
        table_cell(table, bytes_of_text(columns[i].heading));
        show_cell(table, value);
    }
    table_end(&table);
}
