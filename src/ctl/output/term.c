/* Erlang's forms. */
#include "ctl/output/term.h"

/* A text in quotes, as Erlang writes one: only \ and " are escaped, so that it stays readable. */
static void show_text(struct bytes value, struct text *out)
{
    text_add(out, "\"", 1);
    for (size_t i = 0; i < value.len; i++) {
        text_add(out, "\\", value.at[i] == '"' || value.at[i] == '\\');
        text_add(out, &value.at[i], 1);
    }
    text_add(out, "\"", 1);
}

void term_show(const struct value *value, struct text *out)
{
    enum value_kind kind = value_kind_of(value);
    if (kind == VALUE_TEXT) {
        show_text(value_bytes(value), out);
        return;
    }
    if (kind != VALUE_LIST && kind != VALUE_MAP) {
        text_printf(out, "%s", kind == VALUE_NONE ? "undefined" : "");
        value_show(value, out);
        return;
    }
    text_add(out, "[", 1);
    for (size_t i = 0; i < value_count(value); i++) {
        const char *key = value_key_at(value, i);
        text_add(out, ",", i > 0);
        if (kind == VALUE_LIST) {
            term_show(value_at(value, i), out);
            continue;
        }
        text_add(out, "{", 1);
        show_text(bytes_of_text(key), out);
        text_add(out, ",", 1);
        term_show(value_member(value, key), out);
        text_add(out, "}", 1);
    }
    text_add(out, "]", 1);
}

void term_show_words(const struct value *value, struct text *out)
{
    text_add(out, "[", 1);
    for (size_t i = 0; i < value_count(value); i++) {
        text_add(out, ", ", i > 0 ? 2 : 0);
        value_show(value_at(value, i), out);
    }
    text_add(out, "]", 1);
}

static const char *type_of(const struct value *value)
{
    static const char *const names[] = {
        [VALUE_NONE] = "void",    [VALUE_BOOL] = "bool",  [VALUE_NUMBER] = "long",
        [VALUE_TEXT] = "longstr", [VALUE_LIST] = "array", [VALUE_MAP] = "table"};
    bool whole = value_kind_of(value) != VALUE_NUMBER || value_is_whole(value);
    return whole ? names[value_kind_of(value)] : "double";
}

struct value *term_json(const struct value *value)
{
    if (value_kind_of(value) != VALUE_MAP)
        return value_copy(value);
    struct value *list = value_new_list();
    for (size_t i = 0; i < value_count(value); i++) {
        const char *key = value_key_at(value, i);
        const struct value *below = value_member(value, key);
        struct value *entry = value_new_list();
        value_append(entry, value_new_text(key));
        value_append(entry, value_new_text(type_of(below)));
        value_append(entry, term_json(below));
        value_append(list, entry);
    }
    return list;
}
