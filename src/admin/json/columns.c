/* Columns of a query. See columns.h. */
#include "admin/json/columns.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

void columns_parse(struct columns *out, const char *text)
{
    *out = (struct columns){0};
    while (*text && out->count < COLUMNS_MAX) {
        size_t len = strcspn(text, ",");
        size_t parts = 0;
        const char *end = text + len;
        for (const char *at = text; at < end && parts < COLUMN_PARTS_MAX;) {
            size_t n = strcspn(at, ".,");
            out->column[out->count].part[parts++] = mem_need_text(at, n);
            at += n + 1;
        }
        if (parts)
            out->column[out->count++].parts = parts;
        text += len + (text[len] == ',');
    }
}

static bool begins_with(char *const part[], const struct columns *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(part[0], names->column[i].part[0]) == 0)
            return true;
    return false;
}

void columns_narrow(struct columns *columns, const char *names)
{
    struct columns wanted, asked = *columns;
    columns_parse(&wanted, names);
    if (asked.count == 0) {
        *columns = wanted;
        return;
    }
    /* A name that no object has: none of those that were asked for may be left. */
    columns_parse(columns, " ");
    for (size_t i = 0; i < asked.count; i++)
        if (begins_with(asked.column[i].part, &wanted) && columns->count < COLUMNS_MAX) {
            columns->column[columns->count++] = asked.column[i];
            asked.column[i].parts = 0;
        }
    columns_free(&asked);
    columns_free(&wanted);
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        for (size_t j = 0; j < columns->column[i].parts; j++)
            free(columns->column[i].part[j]);
    *columns = (struct columns){0};
}
