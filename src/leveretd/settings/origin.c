/* Origins are noted by field, so that two names of one key have one. The identifier of a field is
 * its offset as a number; that of an entry of a list has the entry's name behind it. */
#include "leveretd/settings/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveretd/settings/keys.h"

static char *identifier(const struct key *key, const char *rest)
{
    char *out;
    int made = keys_is_family(key) ? asprintf(&out, "%zu.%s", key->field, rest)
                                   : asprintf(&out, "%zu", key->field);
    return made < 0 ? mem_need_text("", 0) : out;
}

void origin_put(struct settings *settings, const struct key *key, const char *rest,
                const char *where)
{
    char *name = identifier(key, rest);
    setting_names_put(&settings->origins, name, strlen(name), where);
    free(name);
}

const char *origin_get(const struct settings *settings, const struct key *key, const char *rest)
{
    char whole[24], *name = identifier(key, rest);
    const char *origin = setting_names_get(&settings->origins, name);
    free(name);
    snprintf(whole, sizeof whole, "%zu", key->field);
    /* An entry may have come with its whole list: loopback_users = a, b. */
    if (!origin)
        origin = setting_names_get(&settings->origins, whole);
    return origin ? origin : "default";
}

void origin_copy(const struct key *key, struct settings *to, const struct settings *from)
{
    char whole[24];
    size_t len = (size_t)snprintf(whole, sizeof whole, "%zu", key->field);
    setting_names_remove(&to->origins, whole);
    for (size_t i = 0; i < from->origins.count; i++) {
        const struct setting_name *item = &from->origins.items[i];
        if (strncmp(item->name, whole, len) == 0 && (!item->name[len] || item->name[len] == '.'))
            setting_names_put(&to->origins, item->name, strlen(item->name), item->value);
    }
}
