/* The types of keys. Each setter returns NULL, or what is wrong with the value. */
#include "leveretd/settings/key_types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "leveret/base/log.h"
#include "leveret/base/mem.h"
#include "leveretd/settings/literal.h"

/* Bytes of a text; a longer one is refused. */
#define TEXT_LEN_MAX 1024u

static void *field_of(const struct key *key, struct settings *settings)
{
    return (char *)settings + key->field;
}

static const void *field_in(const struct key *key, const struct settings *settings)
{
    return (const char *)settings + key->field;
}

/* ---- Reading. */

static const char *put_name(struct setting_names *names, const char *name, size_t len,
                            const char *value)
{
    if (names->count >= KEY_NAMES_MAX && !setting_names_has(names, name, len))
        return "is one too many of its kind";
    setting_names_put(names, name, len, value);
    return NULL;
}

static void put_text(char **field, const char *value)
{
    free(*field);
    *field = value ? mem_need_text(value, strlen(value)) : NULL;
}

static const char *set_text(const struct key *key, char **field, const char *value)
{
    if (strlen(value) > TEXT_LEN_MAX)
        return "is too long";
    if (key->type == KEY_TEXT_OR_OFF &&
        (strcmp(value, "none") == 0 || strcasecmp(value, "false") == 0)) {
        put_text(field, NULL);
        return NULL;
    }
    if (!*value && key->type != KEY_SECRET && key->type != KEY_ANY_TEXT)
        return "must not be empty";
    const char *wrong = key->check && *value ? key->check(value) : NULL;
    if (!wrong)
        put_text(field, value);
    return wrong;
}

static const char *set_number(const struct key *key, uint64_t *field, const char *value,
                              char **range)
{
    uint64_t n;
    const char *wrong = key->type == KEY_SIZE       ? literal_size(value, &n)
                        : key->type == KEY_BYTESIZE ? literal_bytesize(value, &n)
                                                    : literal_count(value, &n);
    if (wrong)
        return wrong;
    if (n < key->min || n > key->max) {
        if (asprintf(range, "must be from %llu to %llu", (unsigned long long)key->min,
                     (unsigned long long)key->max) < 0)
            *range = NULL;
        return *range ? *range : "is out of range";
    }
    *field = n;
    return NULL;
}

static const char *set_limit(const struct key *key, uint64_t *field, const char *value,
                             char **range)
{
    if (strcmp(value, "infinity") != 0)
        return set_number(key, field, value, range);
    *field = UINT64_MAX;
    return NULL;
}

static const char *set_ratio(const struct key *key, double *field, const char *value, char **range)
{
    double n;
    const char *wrong = literal_ratio(value, &n);
    if (wrong)
        return wrong;
    if (n * 1000 < (double)key->min || n * 1000 > (double)key->max) {
        if (asprintf(range, "must be from %g to %g", (double)key->min / 1000,
                     (double)key->max / 1000) < 0)
            *range = NULL;
        return *range ? *range : "is out of range";
    }
    *field = n;
    return NULL;
}

#define INHERIT "inherit"

static const char *set_level(uint64_t *field, const char *value)
{
    enum log_level level;
    if (strcmp(value, INHERIT) == 0) {
        *field = SETTING_INHERIT;
        return NULL;
    }
    if (log_level_parse(value, &level) != STATUS_OK)
        return "must be debug, info, warning, error or none";
    *field = level;
    return NULL;
}

static const char *set_format(uint64_t *field, const char *value)
{
    bool json = strcmp(value, "json") == 0;
    if (strcmp(value, INHERIT) == 0) {
        *field = SETTING_INHERIT;
        return NULL;
    }
    if (!json && strcmp(value, "text") != 0 && strcmp(value, "plaintext") != 0)
        return "must be text or json";
    *field = json ? LOG_JSON : LOG_TEXT;
    return NULL;
}

/* name: "connection.level". The areas are those of log_line's callers, and RabbitMQ's others. */
static const char *set_category(struct setting_names *field, const char *name, const char *value)
{
    static const char *const areas[] = {
        "default", "connection", "channel", "queue",      "http", "journal", "listener",  "alarm",
        "memory",  "leveretd",   "upgrade", "federation", "ldap", "user",    "mirroring", "ra"};
    size_t len = strcspn(name, ".");
    enum log_level level;
    if (log_level_parse(value, &level) != STATUS_OK)
        return "must be debug, info, warning, error or none";
    for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++)
        if (strlen(areas[i]) == len && strncmp(areas[i], name, len) == 0)
            return put_name(field, name, strlen(name), value);
    return "is of no part of the log: default, connection, channel, queue, http, journal …";
}

static const char *set_word(const struct key *key, uint64_t *field, const char *value, char **list)
{
    const char *const *words = key->words;
    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *field = i;
            return NULL;
        }
    }
    struct text text = {0};
    for (unsigned i = 0; words[i]; i++)
        text_printf(&text, "%s%s", !i ? "must be " : words[i + 1] ? ", " : " or ", words[i]);
    text_add(&text, "", 1);
    *list = (char *)text.at;
    return *list;
}

static const char *set_port(char **field, const char *value)
{
    const char *wrong = literal_port(value);
    if (!wrong)
        put_text(field, value);
    return wrong;
}

static const char *set_no_listeners(struct setting_names *field, const char *value)
{
    if (strcmp(value, "none") != 0)
        return "may only be none; a port is listeners.tcp.default, an address listeners.tcp.1";
    setting_names_clear(field);
    /* Noted, so that the default listener is not added again. */
    return put_name(field, "default", strlen("default"), "none");
}

static const char *set_listener(struct setting_names *field, const char *name, const char *value)
{
    char *address;
    const char *wrong = literal_address(value, &address);
    free(address);
    return wrong ? wrong : put_name(field, name, strlen(name), value);
}

static const char *set_users(struct setting_names *field, const char *value)
{
    const char *wrong = NULL;
    setting_names_clear(field);
    if (strcmp(value, "none") == 0)
        return NULL;
    while (*value && !wrong) {
        value += strspn(value, ", \t");
        size_t len = strcspn(value, ",");
        size_t word = len;
        while (word && isspace((unsigned char)value[word - 1]))
            word--;
        if (word)
            wrong = put_name(field, value, word, "true");
        value += len;
    }
    return wrong;
}

static const char *set_user(struct setting_names *field, const char *name, const char *value)
{
    bool on = false;
    const char *wrong = literal_bool(value, &on);
    return wrong ? wrong : put_name(field, name, strlen(name), on ? "true" : "false");
}

static const char *set_tag(const struct key *key, struct setting_names *field, const char *name,
                           const char *value)
{
    if (strlen(value) > TEXT_LEN_MAX)
        return "is too long";
    const char *wrong = key->check ? key->check(value) : NULL;
    return wrong ? wrong : put_name(field, name, strlen(name), value);
}

const char *key_read(const struct key *key, struct settings *settings, const char *rest,
                     const char *value, char **made)
{
    void *field = field_of(key, settings);
    switch (key->type) {
    case KEY_COUNT:
    case KEY_SIZE:
    case KEY_BYTESIZE:
        return set_number(key, field, value, made);
    case KEY_LIMIT:
        return set_limit(key, field, value, made);
    case KEY_RATIO:
        return set_ratio(key, field, value, made);
    case KEY_BOOL:
        return literal_bool(value, field);
    case KEY_TEXT:
    case KEY_ANY_TEXT:
    case KEY_TEXT_OR_OFF:
    case KEY_SECRET:
        return set_text(key, field, value);
    case KEY_WORD:
        return set_word(key, field, value, made);
    case KEY_PORT:
        return set_port(field, value);
    case KEY_LEVEL:
        return set_level(field, value);
    case KEY_FORMAT:
        return set_format(field, value);
    case KEY_CATEGORY:
        return set_category(field, rest, value);
    case KEY_NO_LISTENERS:
        return set_no_listeners(field, value);
    case KEY_LISTENER:
        return set_listener(field, rest, value);
    case KEY_USERS:
        return set_users(field, value);
    case KEY_USER:
        return set_user(field, rest, value);
    case KEY_TAG:
    case KEY_SECRET_TAG:
        return set_tag(key, field, rest, value);
    }
    return "is of no known type";
}

/* ---- By what the field holds. */

enum field_kind { FIELD_NUMBER, FIELD_BOOL, FIELD_TEXT, FIELD_NAMES };

static enum field_kind kind_of(const struct key *key)
{
    switch (key->type) {
    case KEY_BOOL:
        return FIELD_BOOL;
    case KEY_TEXT:
    case KEY_ANY_TEXT:
    case KEY_TEXT_OR_OFF:
    case KEY_SECRET:
    case KEY_PORT:
        return FIELD_TEXT;
    case KEY_NO_LISTENERS:
    case KEY_LISTENER:
    case KEY_USERS:
    case KEY_USER:
    case KEY_TAG:
    case KEY_SECRET_TAG:
    case KEY_CATEGORY:
        return FIELD_NAMES;
    default:
        return FIELD_NUMBER;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool key_same(const struct key *key, const struct settings *a, const struct settings *b)
{
    const void *one = field_in(key, a), *other = field_in(key, b);
    switch (kind_of(key)) {
    case FIELD_BOOL:
        return *(const bool *)one == *(const bool *)other;
    case FIELD_TEXT:
        return same_text(*(char *const *)one, *(char *const *)other);
    case FIELD_NAMES:
        return setting_names_same(one, other);
    case FIELD_NUMBER:
        break;
    }
    return memcmp(one, other, sizeof(uint64_t)) == 0;
}

void key_copy(const struct key *key, struct settings *to, const struct settings *from)
{
    void *out = field_of(key, to);
    const void *in = field_in(key, from);
    switch (kind_of(key)) {
    case FIELD_BOOL:
        *(bool *)out = *(const bool *)in;
        break;
    case FIELD_TEXT:
        put_text(out, *(char *const *)in);
        break;
    case FIELD_NAMES:
        setting_names_copy(out, in);
        break;
    case FIELD_NUMBER:
        memcpy(out, in, sizeof(uint64_t));
        break;
    }
}

void key_clear(const struct key *key, struct settings *settings)
{
    void *field = field_of(key, settings);
    if (kind_of(key) == FIELD_TEXT)
        put_text(field, NULL);
    else if (kind_of(key) == FIELD_NAMES)
        setting_names_clear(field);
}

/* ---- Showing. */

bool key_is_secret(const struct key *key)
{
    return key->type == KEY_SECRET || key->type == KEY_SECRET_TAG;
}

const struct setting_names *key_names(const struct key *key, const struct settings *settings)
{
    return kind_of(key) == FIELD_NAMES ? field_in(key, settings) : NULL;
}

static void print_number(const struct key *key, const void *field, struct text *out)
{
    uint64_t number;
    double ratio;
    memcpy(&number, field, sizeof number);
    memcpy(&ratio, field, sizeof ratio);
    if (key->type == KEY_RATIO)
        text_printf(out, "%g", ratio);
    else if ((key->type == KEY_LEVEL || key->type == KEY_FORMAT) && number == SETTING_INHERIT)
        text_printf(out, INHERIT);
    else if (key->type == KEY_LEVEL)
        text_printf(out, "%s", log_level_name((enum log_level)number));
    else if (key->type == KEY_FORMAT)
        text_printf(out, "%s", number == LOG_JSON ? "json" : "text");
    else if (key->type == KEY_WORD)
        text_printf(out, "%s", key->words[number]);
    else if (key->type == KEY_LIMIT && number == UINT64_MAX)
        text_printf(out, "infinity");
    else
        text_printf(out, "%llu", (unsigned long long)number);
}

void key_print(const struct key *key, const struct settings *settings, const char *rest,
               struct text *out)
{
    const void *field = field_in(key, settings);
    const char *text = NULL;
    switch (kind_of(key)) {
    case FIELD_NUMBER:
        print_number(key, field, out);
        return;
    case FIELD_BOOL:
        text = *(const bool *)field ? "true" : "false";
        break;
    case FIELD_TEXT:
        text = *(char *const *)field;
        break;
    case FIELD_NAMES:
        text = setting_names_get(field, rest);
        break;
    }
    if (!text)
        text = "none";
    else if (key_is_secret(key))
        text = "***";
    text_printf(out, "%s", text);
}
