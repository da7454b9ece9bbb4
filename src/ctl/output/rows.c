/* Prints objects of the API as lines. JSON is an array with one object a line. */
#include "ctl/output/rows.h"

#include <stdlib.h>

#include "leveret/base/mem.h"

static void add_cell(const struct style *style, struct table *table, const char *path,
                     const struct value *value)
{
    struct text cell = {0};
    column_show(style, column_kind_of(path), value, &cell);
    table_cell(table, text_bytes(&cell));
    text_free(&cell);
}

void rows_begin(struct rows *rows, const struct style *style, const struct column *columns,
                size_t count, bool whole)
{
    const char **headings = mem_need(count * sizeof *headings + 1);
    *rows = (struct rows){.style = style, .columns = columns, .count = count, .whole = whole};
    for (size_t i = 0; i < count; i++)
        headings[i] = columns[i].heading;
    if (!style_is_json(style))
        rows->table = table_new(stdout, style->format, count, style->headings ? headings : NULL,
                                style->width);
    else if (style->format == FORMAT_JSON)
        putchar('[');
    free(headings);
}

/* The columns of the object; the caller frees it. */
static struct value *choose(const struct rows *rows, const struct value *object)
{
    struct value *chosen = value_new_map();
    for (size_t i = 0; i < rows->count; i++) {
        const struct column *column = &rows->columns[i];
        const struct value *value = value_get(object, column->path);
        if (value)
            value_set(chosen, column->heading,
                      column_json(rows->style, column_kind_of(column->path), value));
        else if (rows->style->rabbitmqctl)
            value_set(chosen, column->heading, value_new_text(""));
    }
    return chosen;
}

static void add_json(struct rows *rows, const struct value *object)
{
    const struct style *style = rows->style;
    /* rabbitmqctl begins a line with the comma. */
    if (style->format == FORMAT_JSON)
        fputs(!rows->begun ? "\n" : style->rabbitmqctl ? "\n," : ",\n", stdout);
    rows->begun = true;
    struct value *chosen = rows->whole ? value_copy(object) : choose(rows, object);
    value_print(chosen, false, stdout);
    value_free(&chosen);
    if (style->format == FORMAT_JSON_STREAM)
        putchar('\n');
}

void rows_add(struct rows *rows, const struct value *object)
{
    if (!rows->table) {
        add_json(rows, object);
        return;
    }
    for (size_t i = 0; i < rows->count; i++)
        add_cell(rows->style, rows->table, rows->columns[i].path,
                 value_get(object, rows->columns[i].path));
}

void rows_end(struct rows *rows)
{
    if (rows->table)
        table_end(&rows->table);
    else if (rows->style->format == FORMAT_JSON)
        fputs(rows->begun || rows->style->rabbitmqctl ? "\n]\n" : "]\n", stdout);
}

void rows_print_one(const struct style *style, const struct column *columns, size_t count,
                    const struct value *object)
{
    if (style_is_json(style)) {
        value_print(object, style->format == FORMAT_JSON, stdout);
        putchar('\n');
        return;
    }
    struct table *table = table_new(stdout, style->format, 2, NULL, style->width);
    for (size_t i = 0; i < count; i++) {
        const struct value *value = value_get(object, columns[i].path);
        if (value_kind_of(value) == VALUE_NONE)
            continue;
        table_cell(table, bytes_of_text(columns[i].heading));
        add_cell(style, table, columns[i].path, value);
    }
    table_end(&table);
}
