/* Typed fields of a JSON object. */
#include "admin/json/form.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/json/arguments.h"
#include "leveret/base/number.h"
#include "leveret/wire/cursor.h"

static const char *const kind_words[] = {
    [VALUE_NONE] = "nothing", [VALUE_NULL] = "null",       [VALUE_BOOL] = "a boolean",
    [VALUE_INT] = "a number", [VALUE_REAL] = "a fraction", [VALUE_TEXT] = "a string",
    [VALUE_LIST] = "a list",  [VALUE_MAP] = "an object",
};

struct form form_of(const struct value *object)
{
    struct form form = {.object = object};
    enum value_kind kind = value_kind_of(object);
    if (kind != VALUE_MAP && kind != VALUE_NONE) {
        snprintf(form.wrong, sizeof form.wrong, "must be an object, not %s", kind_words[kind]);
        form.object = NULL;
    }
    return form;
}

bool form_ok(const struct form *form)
{
    return !form->wrong[0];
}

void form_refuse(struct form *form, const char *key, const char *format, ...)
{
    va_list args;
    if (!form_ok(form))
        return;
    int len = snprintf(form->wrong, sizeof form->wrong, "%s: ", key);
    if (len < 0 || (size_t)len >= sizeof form->wrong)
        return;
    va_start(args, format);
    vsnprintf(form->wrong + len, sizeof form->wrong - (size_t)len, format, args);
    va_end(args);
}

void form_need(struct form *form, const char *const *keys)
{
    char missing[FORM_WRONG_BYTES_MAX - 2];
    size_t len = 0;
    for (; *keys && len < sizeof missing; keys++)
        if (!form_has(form, *keys))
            len += (size_t)snprintf(missing + len, sizeof missing - len, "%s{key_missing,%s}",
                                    len ? "," : "", *keys);
    if (len && form_ok(form))
        snprintf(form->wrong, sizeof form->wrong, "[%s]", missing);
}

bool form_has(const struct form *form, const char *key)
{
    return value_kind_of(value_get(form->object, key)) != VALUE_NONE;
}

/* The field's value if it is of that kind. NULL: the field is missing, or of another kind, which is
 * noted. */
static const struct value *get(struct form *form, const char *key, enum value_kind kind)
{
    const struct value *value = value_get(form->object, key);
    enum value_kind found = value_kind_of(value);
    if (found == kind)
        return value;
    if (found != VALUE_NONE)
        form_refuse(form, key, "must be %s, not %s",
                    kind == VALUE_INT ? "an integer" : kind_words[kind], kind_words[found]);
    return NULL;
}

bool form_bool(struct form *form, const char *key, bool otherwise)
{
    const struct value *value = value_get(form->object, key);
    if (value_kind_of(value) == VALUE_TEXT) {
        struct bytes text = value_bytes(value);
        if (bytes_equal_text(text, "true"))
            return true;
        if (bytes_equal_text(text, "false"))
            return false;
    }
    value = get(form, key, VALUE_BOOL);
    return value ? value_true(value) : otherwise;
}

static int64_t in_range(struct form *form, const char *key, int64_t number, int64_t otherwise,
                        int64_t min, int64_t max)
{
    if (number >= min && number <= max)
        return number;
    form_refuse(form, key, "%" PRId64 " is not between %" PRId64 " and %" PRId64, number, min, max);
    return otherwise;
}

int64_t form_int(struct form *form, const char *key, int64_t otherwise, int64_t min, int64_t max)
{
    const struct value *value = get(form, key, VALUE_INT);
    return value ? in_range(form, key, value_int(value), otherwise, min, max) : otherwise;
}

int64_t form_int_or_text(struct form *form, const char *key, int64_t otherwise, int64_t min,
                         int64_t max)
{
    const char *text = value_text(value_get(form->object, key));
    uint64_t number;
    if (!text)
        return form_int(form, key, otherwise, min, max);
    bool minus = text[0] == '-';
    if (number_read(text + minus, INT64_MAX, &number))
        return in_range(form, key, minus ? -(int64_t)number : (int64_t)number, otherwise, min, max);
    form_refuse(form, key, "must be an integer, not a string");
    return otherwise;
}

struct bytes form_bytes(struct form *form, const char *key, struct bytes otherwise)
{
    const struct value *value = get(form, key, VALUE_TEXT);
    return value ? value_bytes(value) : otherwise;
}

struct bytes form_name(struct form *form, const char *key, struct bytes otherwise)
{
    const struct value *value = get(form, key, VALUE_TEXT);
    if (!value)
        return otherwise;
    if (value_bytes(value).len <= NAME_BYTES_MAX)
        return value_bytes(value);
    form_refuse(form, key, "longer than %u bytes", NAME_BYTES_MAX);
    return otherwise;
}

const char *form_text(struct form *form, const char *key, const char *otherwise)
{
    const struct value *value = get(form, key, VALUE_TEXT);
    if (!value)
        return otherwise;
    struct bytes text = value_bytes(value);
    if (!text.len || !memchr(text.at, '\0', text.len))
        return value_text(value);
    form_refuse(form, key, "must not contain a NUL");
    return otherwise;
}

const struct value *form_list(struct form *form, const char *key)
{
    return get(form, key, VALUE_LIST);
}

const struct value *form_map(struct form *form, const char *key)
{
    const struct value *value = value_get(form->object, key);
    if (value_kind_of(value) == VALUE_LIST && value_count(value) == 0)
        return NULL;
    return get(form, key, VALUE_MAP);
}

void form_table(struct form *form, const char *key, struct text *out)
{
    const struct value *value = form_map(form, key);
    size_t before = out->len;
    enum status status = value ? arguments_read(value, out) : STATUS_OK;
    if (status == STATUS_OK)
        return;
    out->len = before;
    form_refuse(form, key, "%s", arguments_wrong(status));
}
