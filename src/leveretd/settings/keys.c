/* The tables of settings together: keys by name, defaults, differences. */
#include "leveretd/settings/keys.h"

#include <ctype.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveretd/settings/compatibility.h"
#include "leveretd/settings/key_name.h"
#include "leveretd/settings/key_types.h"
#include "leveretd/settings/origin.h"

static const struct key *const tables[] = {
    keys_listeners, keys_tls, keys_http, keys_limits, keys_access, keys_log, keys_node,
};
#define TABLES (sizeof tables / sizeof tables[0])

const struct key *keys_next(const struct key *key)
{
    if (key && (++key)->name)
        return key;
    for (size_t i = 0; i < TABLES; i++) {
        if (!key)
            return tables[0];
        const struct key *end = tables[i];
        while (end->name)
            end++;
        if (end == key)
            return i + 1 < TABLES ? tables[i + 1] : NULL;
    }
    return NULL;
}

bool keys_is_family(const struct key *key)
{
    return strchr(key->name, '$') != NULL;
}

/* ---- By name. */

const struct key *keys_find(const char *name, const char **rest)
{
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        if (key_name_fits(key->name, name, rest))
            return key;
    return NULL;
}

enum status keys_set(struct settings *settings, const char *name, const char *value, char **why)
{
    const char *rest;
    char *made = NULL;
    const struct key *key = keys_find(name, &rest);

    *why = NULL;
    if (!key)
        return STATUS_NOT_FOUND;
    const char *wrong = key_read(key, settings, rest, value, &made);
    if (!wrong) {
        /* All zero bits are 0 for both types that are replaced. */
        if (key->replaces)
            memset((char *)settings + key->replaces, 0, sizeof(uint64_t));
        compatibility_noted(settings, name);
        return STATUS_OK;
    }
    *why = made ? made : mem_need_text(wrong, strlen(wrong));
    return STATUS_MALFORMED;
}

void keys_set_defaults(struct settings *settings)
{
    _Static_assert(sizeof(double) == sizeof(uint64_t), "keys_set zeroes either");
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key)) {
        char *why = NULL;
        if (!key->fallback)
            continue;
        enum status status = keys_set(settings, key->name, key->fallback, &why);
        CHECK(status == STATUS_OK);
    }
    settings->said = 0;
}

/* ---- By the name of a variable of the environment: dots are underscores there. */

/* Writes to out, which has the length of the variable, the key that it sets; false: not this one.
 */
static bool fits_variable(const char *pattern, const char *variable, char *out)
{
    for (;;) {
        if (*pattern == '$') {
            pattern += strcspn(pattern, ".");
            size_t len = *pattern ? strcspn(variable, "_") : strlen(variable);
            if (!len)
                return false;
            for (; len; len--)
                *out++ = (char)tolower((unsigned char)*variable++);
        }
        if ((*pattern == '.' ? '_' : toupper((unsigned char)*pattern)) != *variable)
            return false;
        *out++ = *pattern;
        if (!*pattern)
            return true;
        pattern++, variable++;
    }
}

char *keys_of_environment(const char *name)
{
    char *out = mem_need_text(name, strlen(name));
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        if (fits_variable(key->name, name, out))
            return out;
    free(out);
    return NULL;
}

void keys_clear(struct settings *settings)
{
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        key_clear(key, settings);
}

/* ---- Changing while the broker runs. */

bool keys_is_another_name(const struct key *key)
{
    for (const struct key *earlier = keys_next(NULL); earlier != key; earlier = keys_next(earlier))
        if (earlier->field == key->field)
            return true;
    return false;
}

void keys_differences(const struct settings *now, const struct settings *wanted, struct text *live,
                      struct text *waiting)
{
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key)) {
        struct text *out = key->live ? live : waiting;
        if (!keys_is_another_name(key) && !key_same(key, now, wanted))
            text_printf(out, "%s%.*s", out->len ? ", " : "", key_name_stem_len(key->name),
                        key->name);
    }
}

void keys_take_live(struct settings *to, const struct settings *from)
{
    for (const struct key *key = keys_next(NULL); key; key = keys_next(key))
        if (key->live) {
            key_copy(key, to, from);
            origin_copy(key, to, from);
        }
}
