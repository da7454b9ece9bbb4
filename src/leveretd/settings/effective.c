/* Shows settings: what counts and where it came from, and a file with every key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveretd/settings/foreign.h"
#include "leveretd/settings/key_name.h"
#include "leveretd/settings/key_types.h"
#include "leveretd/settings/keys.h"
#include "leveretd/settings/origin.h"

bool settings_is_set(const struct settings *settings, const char *name)
{
    const char *rest;
    const struct key *key = keys_find(name, &rest);
    return key && strcmp(origin_get(settings, key, rest), "default") != 0;
}

struct shower {
    const struct settings *settings;
    void (*each)(void *context, const char *key, const char *value, const char *origin);
    void *context;
};

static void show(const struct shower *shower, const struct key *key, const char *name,
                 const char *rest)
{
    struct text value = {0};
    key_print(key, shower->settings, rest, &value);
    text_add(&value, "", 1);
    shower->each(shower->context, name, (const char *)value.at,
                 origin_get(shower->settings, key, rest));
    text_free(&value);
}

/* Shows the entries of a list whose names fit this family. */
static void show_entries(const struct shower *shower, const struct key *key)
{
    const struct setting_names *names = key_names(key, shower->settings);
    for (size_t i = 0; i < names->count; i++) {
        char *name;
        const char *rest, *entry = names->items[i].name;
        if (asprintf(&name, "%.*s.%s", key_name_stem_len(key->name), key->name, entry) < 0)
            continue;
        if (keys_find(name, &rest) == key)
            show(shower, key, name, rest);
        free(name);
    }
}

/* A key of a pair that another key has replaced says nothing. */
static bool is_replaced(const struct key *key, const struct settings *settings)
{
    static const uint64_t zero;
    return key->replaces && memcmp((const char *)settings + key->field, &zero, sizeof zero) == 0 &&
           memcmp((const char *)settings + key->replaces, &zero, sizeof zero) != 0;
}

void settings_each(const struct settings *settings,
                   void (*each)(void *context, const char *key, const char *value,
                                const char *origin),
                   void *context)
{
    const struct shower shower = {settings, each, context};
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key)) {
        if (keys_is_family(key))
            show_entries(&shower, key);
        else if (!key_names(key, settings) && !keys_is_another_name(key) &&
                 !is_replaced(key, settings))
            show(&shower, key, key->name, "");
    }
}

void settings_print_file(struct text *out)
{
    text_printf(out, "# The configuration of leveretd: every key, with its default. leveretd(8) "
                     "explains them.\n");
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key)) {
        if (keys_is_another_name(key) && !keys_is_family(key))
            continue;
        const char *value = key->fallback ? key->fallback : key->words[0];
        for (unsigned i = 0; key->words[i]; i++)
            text_printf(out, "%s%s%s", i ? ", " : "# One of ", key->words[i],
                        key->words[i + 1] ? "" : ":\n");
        text_printf(out, "# %s = %s\n", key->name, value ? value : "");
    }
}
