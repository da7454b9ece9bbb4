/* JSON values, read by jansson, whose types stay in this file. */
#include "admin/json/value.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* struct value is jansson's json_t under another name. */
static const json_t *inside(const struct value *value)
{
    return (const json_t *)value;
}

/* Each value or key but the first stands behind a comma, a colon or a bracket. */
size_t value_count_in(struct bytes text)
{
    size_t count = 1;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else
            count += c == ',' || c == ':' || c == '[';
    }
    return count;
}

enum status value_parse(struct bytes text, struct value **out, char why[VALUE_WHY_MAX])
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text.at, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    *out = (struct value *)root;
    if (!root)
        snprintf(why, VALUE_WHY_MAX, "%s (line %d, column %d)", error.text, error.line,
                 error.column);
    return root ? STATUS_OK : STATUS_MALFORMED;
}

void value_free(struct value **root)
{
    json_decref((json_t *)*root);
    *root = NULL;
}

enum value_kind value_kind_of(const struct value *value)
{
    if (!value)
        return VALUE_NONE;
    switch (json_typeof(inside(value))) {
    case JSON_OBJECT:
        return VALUE_MAP;
    case JSON_ARRAY:
        return VALUE_LIST;
    case JSON_STRING:
        return VALUE_TEXT;
    case JSON_INTEGER:
        return VALUE_INT;
    default:
        return json_is_real(inside(value))      ? VALUE_REAL
               : json_is_boolean(inside(value)) ? VALUE_BOOL
                                                : VALUE_NULL;
    }
}

const struct value *value_get(const struct value *value, const char *key)
{
    return (const struct value *)json_object_get(inside(value), key);
}

const struct value *value_at(const struct value *value, size_t index)
{
    return (const struct value *)json_array_get(inside(value), index);
}

size_t value_count(const struct value *value)
{
    return json_is_object(inside(value)) ? json_object_size(inside(value))
                                         : json_array_size(inside(value));
}

const char *value_text(const struct value *value)
{
    return json_string_value(inside(value));
}

struct bytes value_bytes(const struct value *value)
{
    return bytes_of(json_string_value(inside(value)), json_string_length(inside(value)));
}

int64_t value_int(const struct value *value)
{
    return json_integer_value(inside(value));
}

double value_real(const struct value *value)
{
    return json_number_value(inside(value));
}

bool value_true(const struct value *value)
{
    return json_is_true(inside(value));
}

static enum status write_with(const struct value *value, size_t flags, struct text *out)
{
    char *json = json_dumps(inside(value), JSON_COMPACT | JSON_ENCODE_ANY | flags);
    if (!json)
        return STATUS_NO_MEMORY;
    text_add(out, json, strlen(json));
    free(json);
    return STATUS_OK;
}

enum status value_write(const struct value *value, struct text *out)
{
    return write_with(value, 0, out);
}

enum status value_write_sorted(const struct value *value, struct text *out)
{
    return write_with(value, JSON_SORT_KEYS, out);
}

bool value_equal(const struct value *a, const struct value *b)
{
    return json_equal(inside(a), inside(b)) == 1;
}

void value_each(const struct value *value,
                void (*each)(void *context, const char *key, const struct value *value),
                void *context)
{
    const char *key;
    json_t *below;
    json_t *object = (json_t *)value;
    json_object_foreach(object, key, below) each(context, key, (const struct value *)below);
}
