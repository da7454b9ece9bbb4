/* What the columns' names tell of their values. */
#include "ctl/output/column.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/output/figures.h"
#include "ctl/output/term.h"

/* The last part of a path, or its end, and its kind. The first that fits counts. */
static const struct {
    const char *ending;
    enum column_kind kind;
} endings[] = {
    {"arguments", COLUMN_TERM},
    {"client_properties", COLUMN_TERM},
    {"effective_policy_definition", COLUMN_TERM},
    {"tags", COLUMN_LIST},
    {"definition", COLUMN_JSON},
    {"value", COLUMN_JSON},
    {"rate", COLUMN_RATE},
    {"_per_s", COLUMN_RATE},
    {"uptime", COLUMN_DURATION},
    {"uptime_ms", COLUMN_DURATION},
    {"connected_at", COLUMN_TIME},
    {"expires_at", COLUMN_TIME},
    {"memory", COLUMN_BYTES},
    {"message_bytes", COLUMN_BYTES},
    {"_bytes", COLUMN_BYTES},
    {"_bytes_max", COLUMN_BYTES},
    {"_bytes_min", COLUMN_BYTES},
    {"recv_oct", COLUMN_BYTES},
    {"send_oct", COLUMN_BYTES},
    {"send_pend", COLUMN_BYTES},
};

enum column_kind column_kind_of(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t own = strlen(endings[i].ending);
        bool part = endings[i].ending[0] != '_';
        const char *at = len >= own ? path + len - own : NULL;
        if (at && strcmp(at, endings[i].ending) == 0 && (!part || at == path || at[-1] == '.'))
            return endings[i].kind;
    }
    if (strncmp(path, "message_bytes_", strlen("message_bytes_")) == 0 ||
        strncmp(path, "memory.", strlen("memory.")) == 0)
        return COLUMN_BYTES;
    return COLUMN_PLAIN;
}

static void show_for_rabbitmqctl(enum column_kind kind, const struct value *value, struct text *out)
{
    enum value_kind own = value_kind_of(value);
    if (own == VALUE_NONE)
        return;
    if (kind == COLUMN_JSON)
        value_encode(value, out);
    else if (kind == COLUMN_LIST)
        term_show_words(value, out);
    else if (own == VALUE_LIST || own == VALUE_MAP)
        term_show(value, out);
    else
        value_show(value, out);
}

void column_show(const struct style *style, enum column_kind kind, const struct value *value,
                 struct text *out)
{
    bool number = value_kind_of(value) == VALUE_NUMBER;
    if (style->rabbitmqctl)
        show_for_rabbitmqctl(kind, value, out);
    else if (style->person && number && kind == COLUMN_BYTES)
        figures_bytes(out, value_number(value));
    else if (style->person && number && kind == COLUMN_RATE)
        figures_rate(out, value_number(value));
    else if (style->person && number && kind == COLUMN_DURATION)
        figures_duration(out, value_number(value));
    else if (style->person && number && kind == COLUMN_TIME)
        figures_time(out, value_number(value));
    else
        value_show(value, out);
}

struct value *column_json(const struct style *style, enum column_kind kind,
                          const struct value *value)
{
    struct text text = {0};
    if (!style->rabbitmqctl || (kind != COLUMN_TERM && kind != COLUMN_JSON))
        return value_copy(value);
    if (kind == COLUMN_TERM)
        return term_json(value);
    value_encode(value, &text);
    text_add(&text, "", 1);
    struct value *made = value_new_text((const char *)text.at);
    text_free(&text);
    return made;
}
