/* Lists of names with values, in the order in which the names came. */
#include "leveretd/settings/setting_names.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

void setting_names_clear(struct setting_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].name);
        free(names->items[i].value);
    }
    free(names->items);
    *names = (struct setting_names){0};
}

void setting_names_remove(struct setting_names *names, const char *name)
{
    size_t len = strlen(name), kept = 0;
    for (size_t i = 0; i < names->count; i++) {
        struct setting_name *item = &names->items[i];
        if (strncmp(item->name, name, len) == 0 && (!item->name[len] || item->name[len] == '.')) {
            free(item->name);
            free(item->value);
        } else {
            names->items[kept++] = *item;
        }
    }
    names->count = kept;
}

static struct setting_name *find(const struct setting_names *names, const char *name, size_t len)
{
    for (size_t i = 0; i < names->count; i++)
        if (strncmp(names->items[i].name, name, len) == 0 && !names->items[i].name[len])
            return &names->items[i];
    return NULL;
}

void setting_names_put(struct setting_names *names, const char *name, size_t name_len,
                       const char *value)
{
    struct setting_name *item = find(names, name, name_len);
    if (!item) {
        names->items = mem_need_array(names->items, names->count + 1, sizeof *names->items);
        item = &names->items[names->count++];
        *item = (struct setting_name){mem_need_text(name, name_len), NULL};
    }
    free(item->value);
    item->value = mem_need_text(value, strlen(value));
}

const char *setting_names_get(const struct setting_names *names, const char *name)
{
    const struct setting_name *item = find(names, name, strlen(name));
    return item ? item->value : NULL;
}

bool setting_names_has(const struct setting_names *names, const char *name, size_t name_len)
{
    return find(names, name, name_len) != NULL;
}

bool setting_names_same(const struct setting_names *a, const struct setting_names *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i].name, b->items[i].name) == 0 &&
               strcmp(a->items[i].value, b->items[i].value) == 0;
    return same;
}

void setting_names_copy(struct setting_names *to, const struct setting_names *from)
{
    setting_names_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        const struct setting_name *item = &from->items[i];
        setting_names_put(to, item->name, strlen(item->name), item->value);
    }
}
