/* JSON by jansson, whose types stay in this file: struct value is its json_t under another name. */
#include "ctl/output/value.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"

#define DUMP_FLAGS (JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))

static const json_t *inside(const struct value *value)
{
    return (const json_t *)value;
}

static struct value *outside(json_t *json)
{
    CHECK(json); /* fails only without memory: the text is UTF-8 */
    return (struct value *)json;
}

struct value *value_parse(struct bytes text)
{
    json_error_t error;
    return (struct value *)json_loadb((const char *)text.at, text.len,
                                      JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
}

void value_free(struct value **root)
{
    json_decref((json_t *)*root);
    *root = NULL;
}

enum value_kind value_kind_of(const struct value *value)
{
    const json_t *json = inside(value);
    return json_is_object(json)    ? VALUE_MAP
           : json_is_array(json)   ? VALUE_LIST
           : json_is_string(json)  ? VALUE_TEXT
           : json_is_number(json)  ? VALUE_NUMBER
           : json_is_boolean(json) ? VALUE_BOOL
                                   : VALUE_NONE;
}

const struct value *value_get(const struct value *value, const char *path)
{
    const json_t *at = json_object_get(inside(value), path);
    const char *dot = strchr(path, '.');
    char key[64];
    if (at || !dot || (size_t)(dot - path) >= sizeof key)
        return (const struct value *)at;
    memcpy(key, path, (size_t)(dot - path));
    key[dot - path] = '\0';
    return value_get((const struct value *)json_object_get(inside(value), key), dot + 1);
}

const struct value *value_at(const struct value *value, size_t index)
{
    return (const struct value *)json_array_get(inside(value), index);
}

struct value *value_at_mutable(struct value *value, size_t index)
{
    return (struct value *)json_array_get((json_t *)value, index);
}

size_t value_count(const struct value *value)
{
    return json_is_object(inside(value)) ? json_object_size(inside(value))
                                         : json_array_size(inside(value));
}

const char *value_key_at(const struct value *value, size_t index)
{
    json_t *map = (json_t *)value;
    void *at = json_object_iter(map);
    while (at && index--)
        at = json_object_iter_next(map, at);
    return at ? json_object_iter_key(at) : NULL;
}

const struct value *value_member(const struct value *value, const char *key)
{
    return (const struct value *)json_object_get(inside(value), key);
}

bool value_true(const struct value *value)
{
    return json_is_true(inside(value));
}

double value_number(const struct value *value)
{
    return json_number_value(inside(value));
}

bool value_is_whole(const struct value *value)
{
    return json_is_integer(inside(value));
}

struct bytes value_bytes(const struct value *value)
{
    return bytes_of(json_string_value(inside(value)), json_string_length(inside(value)));
}

const char *value_text(const struct value *value)
{
    return json_string_value(inside(value));
}

bool value_equal(const struct value *a, const struct value *b)
{
    return json_equal(inside(a), inside(b));
}

static int add_piece(const char *at, size_t len, void *context)
{
    text_add(context, at, len);
    return 0;
}

void value_encode(const struct value *value, struct text *out)
{
    json_dump_callback(inside(value), add_piece, out, DUMP_FLAGS | JSON_COMPACT);
}

void value_print(const struct value *value, bool indented, FILE *out)
{
    json_dumpf(inside(value), out, DUMP_FLAGS | (indented ? JSON_INDENT(2) : JSON_COMPACT));
}

static bool all_texts(const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (value_kind_of(value_at(list, i)) != VALUE_TEXT)
            return false;
    return true;
}

void value_show(const struct value *value, struct text *out)
{
    switch (value_kind_of(value)) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        text_printf(out, "%s", value_true(value) ? "true" : "false");
        break;
    case VALUE_NUMBER:
        if (json_is_integer(inside(value)))
            text_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(inside(value)));
        else
            text_printf(out, "%.10g", value_number(value));
        break;
    case VALUE_TEXT:
        text_add_bytes(out, value_bytes(value));
        break;
    case VALUE_LIST:
        if (!all_texts(value)) {
            value_encode(value, out);
            break;
        }
        for (size_t i = 0; i < value_count(value); i++) {
            text_add(out, ",", i > 0);
            text_add_bytes(out, value_bytes(value_at(value, i)));
        }
        break;
    case VALUE_MAP:
        if (value_count(value))
            value_encode(value, out);
        break;
    }
}

bool value_text_valid(const char *text)
{
    json_t *made = json_string(text);
    json_decref(made);
    return made != NULL;
}

struct value *value_new_map(void)
{
    return outside(json_object());
}

struct value *value_new_list(void)
{
    return outside(json_array());
}

struct value *value_new_text(const char *text)
{
    return outside(json_string(text));
}

struct value *value_new_int(int64_t number)
{
    return outside(json_integer(number));
}

struct value *value_new_bool(bool on)
{
    return outside(json_boolean(on));
}

struct value *value_copy(const struct value *value)
{
    return outside(json_deep_copy(inside(value)));
}

void value_set(struct value *map, const char *key, struct value *below)
{
    CHECK(json_object_set_new((json_t *)map, key, (json_t *)below) == 0);
}

void value_append(struct value *list, struct value *below)
{
    CHECK(json_array_append_new((json_t *)list, (json_t *)below) == 0);
}
