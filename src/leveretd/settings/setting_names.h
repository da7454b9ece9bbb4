/* Lists of names with values, of keys like listeners.tcp.NAME. Thread: one at a time. */
#ifndef LEVERETD_SETTING_NAMES_H
#define LEVERETD_SETTING_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct setting_name {
    char *name, *value;
};
struct setting_names {
    struct setting_name *items;
    size_t count;
};

/* Sets the value of a name, which is added if the list does not have it. */
void setting_names_put(struct setting_names *names, const char *name, size_t name_len,
                       const char *value);
/* NULL: the list has no such name. The text lives until the list changes. */
const char *setting_names_get(const struct setting_names *names, const char *name);
bool setting_names_has(const struct setting_names *names, const char *name, size_t name_len);
bool setting_names_same(const struct setting_names *a, const struct setting_names *b);
void setting_names_copy(struct setting_names *to, const struct setting_names *from);
/* Removes the name, and every name that continues it behind a dot. */
void setting_names_remove(struct setting_names *names, const char *name);
void setting_names_clear(struct setting_names *names);

#endif
