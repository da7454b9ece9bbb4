/* The table of settings: name, type, range, default and field of each. The names are those of
 * RabbitMQ's rabbitmq.conf where the meaning is the same. man/leveretd.8 explains them. */
#include "keys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "compatibility.h"
#include "leveret/base/check.h"
#include "leveret/base/identity.h"
#include "leveret/base/log.h"
#include "leveret/base/mem.h"
#include "literal.h"

enum key_type {
    KEY_COUNT,        /* uint64_t */
    KEY_SIZE,         /* uint64_t, bytes */
    KEY_RATIO,        /* double */
    KEY_TEXT,         /* char *, not empty */
    KEY_TEXT_OR_OFF,  /* char *; "none" and "false" are NULL */
    KEY_SECRET,       /* char *, may be empty */
    KEY_PORT,         /* char * */
    KEY_LEVEL,        /* uint64_t: enum log_level */
    KEY_FORMAT,       /* uint64_t: enum log_format */
    KEY_WORD,         /* uint64_t: the number of one of two or three words */
    KEY_NO_LISTENERS, /* "none": removes the listeners set before */
    KEY_LISTENER,     /* a family of keys, whose last part is the listener's name */
    KEY_USERS,        /* names separated by commas, or "none" */
    KEY_USER,         /* a family of keys that are bools */
    KEY_TAG,          /* a family of keys that are texts */
};

struct key {
    const char *name; /* that of a family ends in a dot */
    enum key_type type;
    size_t field;         /* offset in struct settings */
    const char *fallback; /* the default as text; NULL: zero, or no text */
    uint64_t min, max;    /* KEY_COUNT, KEY_SIZE; a ratio in thousandths */
    size_t replaces;      /* offset of a uint64_t or double that this key sets to 0, or NO_FIELD */
    const char *words[3]; /* of KEY_WORD, by number */
};

#define NO_FIELD SIZE_MAX
#define FIELD(f) offsetof(struct settings, f)
#define KIB      UINT64_C(1024)
#define MIB      (KIB * KIB)
#define TIB      (MIB * MIB)
#define HOUR_MS  UINT64_C(3600000)
#define PLAIN(n, t, f, d)                                                                          \
    {                                                                                              \
        .name = (n), .type = (t), .field = FIELD(f), .fallback = (d), .replaces = NO_FIELD         \
    }
#define RANGE(n, t, f, d, low, high)                                                               \
    {                                                                                              \
        .name = (n), .type = (t), .field = FIELD(f), .fallback = (d), .min = (low), .max = (high), \
        .replaces = NO_FIELD                                                                       \
    }
#define PAIR(n, t, f, d, high, other)                                                              \
    {                                                                                              \
        .name = (n), .type = (t), .field = FIELD(f), .fallback = (d), .max = (high),               \
        .replaces = FIELD(other)                                                                   \
    }
#define WORDS(n, f, ...)                                                                           \
    {                                                                                              \
        .name = (n), .type = KEY_WORD, .field = FIELD(f), .replaces = NO_FIELD, .words = {         \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct key keys[] = {
    PLAIN("listeners.tcp", KEY_NO_LISTENERS, listeners, NULL),
    PLAIN("listeners.tcp.", KEY_LISTENER, listeners, NULL),
    PLAIN("listeners.unix", KEY_TEXT_OR_OFF, unix_path, NULL),
    PLAIN("management.tcp.ip", KEY_TEXT, management_ip, NULL),
    PLAIN("management.tcp.port", KEY_PORT, management_port, "15672"),
    PLAIN("prometheus.tcp.ip", KEY_TEXT, prometheus_ip, NULL),
    PLAIN("prometheus.tcp.port", KEY_PORT, prometheus_port, "15692"),

    RANGE("management.tcp.max_connections", KEY_COUNT, http_connections, "512", 1, 1000000),
    RANGE("management.tcp.max_connections_per_address", KEY_COUNT, http_connections_per_address,
          "128", 1, 1000000),
    RANGE("management.tcp.idle_timeout", KEY_COUNT, http_idle_ms, "60000", 1000, HOUR_MS),
    RANGE("management.tcp.request_timeout", KEY_COUNT, http_request_ms, "10000", 100, HOUR_MS),
    RANGE("management.http.max_body_size", KEY_SIZE, http_body_bytes_max, "256MiB", 64 * KIB,
          2048 * MIB),
    RANGE("prometheus.tcp.max_connections", KEY_COUNT, metrics_connections, "64", 1, 1000000),
    RANGE("prometheus.tcp.max_connections_per_address", KEY_COUNT, metrics_connections_per_address,
          "32", 1, 1000000),

    RANGE("heartbeat", KEY_COUNT, heartbeat_s, "60", 0, UINT16_MAX),
    RANGE("channel_max", KEY_COUNT, channel_max, "2047", 0, UINT16_MAX),
    RANGE("frame_max", KEY_SIZE, frame_bytes_max, "131072", 4096, 16 * MIB),
    RANGE("handshake_timeout", KEY_COUNT, handshake_timeout_ms, "10000", 100, HOUR_MS),
    RANGE("max_message_size", KEY_SIZE, message_bytes_max, "128MiB", 1, 2048 * MIB),
    RANGE("connection_output_max", KEY_SIZE, output_bytes_max, "1MiB", 64 * KIB, 1024 * MIB),
    RANGE("consumer_timeout", KEY_COUNT, consumer_timeout_ms, "1800000", 0, 365 * 24 * HOUR_MS),

    WORDS("compatibility", compatibility, COMPATIBILITY_WORDS),
    WORDS("quorum_queue.delivery_count", delivery_count, "returns", "failures"),
    WORDS("x_death.from_clients", x_death, "count", "ignore"),
    WORDS("consumer_timeout.action", consumer_timeout_action, "cancel", "close"),

    PLAIN("default_user", KEY_TEXT, default_user, "guest"),
    PLAIN("default_pass", KEY_SECRET, default_pass, "guest"),
    PLAIN("default_vhost", KEY_TEXT, default_vhost, "/"),
    WORDS("default_queue_type", default_queue_type, "classic", "quorum"),
    PLAIN("anonymous_login_user", KEY_TEXT_OR_OFF, anonymous_user, NULL),
    PLAIN("loopback_users", KEY_USERS, loopback_users, "guest"),
    PLAIN("loopback_users.", KEY_USER, loopback_users, NULL),

    PAIR("vm_memory_high_watermark.relative", KEY_RATIO, memory_ratio, "0.4", 1000, memory_bytes),
    PAIR("vm_memory_high_watermark.absolute", KEY_SIZE, memory_bytes, NULL, 1024 * TIB,
         memory_ratio),
    PAIR("disk_free_limit.relative", KEY_RATIO, disk_ratio, NULL, 100000, disk_bytes),
    PAIR("disk_free_limit.absolute", KEY_SIZE, disk_bytes, "50MB", 1024 * TIB, disk_ratio),

    PLAIN("load_definitions", KEY_TEXT, load_definitions, NULL),
    PLAIN("management.load_definitions", KEY_TEXT, load_definitions, NULL),

    PLAIN("log.level", KEY_LEVEL, log_level, "info"),
    PLAIN("log.console.level", KEY_LEVEL, log_level, NULL),
    PLAIN("log.file.level", KEY_LEVEL, log_level, NULL),
    PLAIN("log.format", KEY_FORMAT, log_format, "text"),
    PLAIN("log.console.formatter", KEY_FORMAT, log_format, NULL),
    PLAIN("log.file.formatter", KEY_FORMAT, log_format, NULL),
    PLAIN("log.file", KEY_TEXT_OR_OFF, log_file, NULL),

    PLAIN("data_dir", KEY_TEXT_OR_OFF, data_dir, LEVERET_DATA_DIR),
    RANGE("workers", KEY_COUNT, workers, "0", 0, 256),
    RANGE("journal.writers", KEY_COUNT, writers, "2", 1, 16),
    PLAIN("server_properties.product", KEY_TEXT, product, DIALECT_PRODUCT),
    PLAIN("server_properties.version", KEY_TEXT, version, DIALECT_VERSION),
    PLAIN("cluster_name", KEY_TEXT, cluster_name, NULL),
    PLAIN("cluster_tags.", KEY_TAG, cluster_tags, NULL),
    PLAIN("node_tags.", KEY_TAG, node_tags, NULL),
};
#define KEYS (sizeof keys / sizeof keys[0])

/* Bytes of a text value, and number of names in a list; a value with more is refused. */
#define TEXT_LEN_MAX 1024u
#define NAMES_MAX    64u

/* ---- Lists of names. */

static void names_clear(struct setting_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].name);
        free(names->items[i].value);
    }
    free(names->items);
    *names = (struct setting_names){0};
}

static const char *names_put(struct setting_names *names, const char *name, size_t name_len,
                             const char *value)
{
    struct setting_name *item = NULL;
    for (size_t i = 0; !item && i < names->count; i++)
        if (strncmp(names->items[i].name, name, name_len) == 0 && !names->items[i].name[name_len])
            item = &names->items[i];
    if (!item) {
        if (names->count == NAMES_MAX)
            return "is one too many of its kind";
        names->items = mem_need_array(names->items, names->count + 1, sizeof *names->items);
        item = &names->items[names->count++];
        *item = (struct setting_name){mem_need_text(name, name_len), NULL};
    }
    free(item->value);
    item->value = mem_need_text(value, strlen(value));
    return NULL;
}

/* ---- Setters: each returns NULL, or what is wrong with the value. */

static void *field_of(struct settings *settings, size_t offset)
{
    return (char *)settings + offset;
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
    if (!*value && key->type != KEY_SECRET)
        return "must not be empty";
    put_text(field, value);
    return NULL;
}

static const char *set_number(const struct key *key, uint64_t *field, const char *value,
                              char **range)
{
    uint64_t n;
    const char *wrong = key->type == KEY_SIZE ? literal_size(value, &n) : literal_count(value, &n);
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

static const char *set_level(uint64_t *field, const char *value)
{
    enum log_level level;
    if (log_level_parse(value, &level) != STATUS_OK)
        return "must be debug, info, warning, error or none";
    *field = level;
    return NULL;
}

static const char *set_format(uint64_t *field, const char *value)
{
    bool json = strcmp(value, "json") == 0;
    if (!json && strcmp(value, "text") != 0 && strcmp(value, "plaintext") != 0)
        return "must be text or json";
    *field = json ? LOG_JSON : LOG_TEXT;
    return NULL;
}

static const char *set_word(const struct key *key, uint64_t *field, const char *value, char **list)
{
    const char *const *words = key->words;
    for (unsigned i = 0; i < 3 && words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *field = i;
            return NULL;
        }
    }
    if (asprintf(list, "must be %s%s%s or %s", words[0], words[2] ? ", " : "",
                 words[2] ? words[1] : "", words[2] ? words[2] : words[1]) < 0)
        *list = NULL;
    return *list ? *list : "is none of its words";
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
    names_clear(field);
    /* Noted, so that the default listener is not added again. */
    return names_put(field, "default", strlen("default"), "none");
}

static const char *set_listener(struct setting_names *field, const char *name, const char *value)
{
    char *address;
    const char *wrong = literal_address(value, &address);
    free(address);
    return wrong ? wrong : names_put(field, name, strlen(name), value);
}

static const char *set_users(struct setting_names *field, const char *value)
{
    const char *wrong = NULL;
    names_clear(field);
    if (strcmp(value, "none") == 0)
        return NULL;
    while (*value && !wrong) {
        value += strspn(value, ", \t");
        size_t len = strcspn(value, ",");
        size_t word = len;
        while (word && isspace((unsigned char)value[word - 1]))
            word--;
        if (word)
            wrong = names_put(field, value, word, "true");
        value += len;
    }
    return wrong;
}

static const char *set_user(struct setting_names *field, const char *name, const char *value)
{
    bool on = false;
    const char *wrong = literal_bool(value, &on);
    return wrong ? wrong : names_put(field, name, strlen(name), on ? "true" : "false");
}

/* name: the last part of a key that belongs to a family. */
static const char *set(struct settings *settings, const struct key *key, const char *name,
                       const char *value, char **made)
{
    void *field = field_of(settings, key->field);
    switch (key->type) {
    case KEY_COUNT:
    case KEY_SIZE:
        return set_number(key, field, value, made);
    case KEY_RATIO:
        return set_ratio(key, field, value, made);
    case KEY_TEXT:
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
    case KEY_NO_LISTENERS:
        return set_no_listeners(field, value);
    case KEY_LISTENER:
        return set_listener(field, name, value);
    case KEY_USERS:
        return set_users(field, value);
    case KEY_USER:
        return set_user(field, name, value);
    case KEY_TAG:
        return names_put(field, name, strlen(name), value);
    }
    return "is of no known type";
}

/* ---- By name. */

static bool is_family(const struct key *key)
{
    return key->name[strlen(key->name) - 1] == '.';
}

static const struct key *find(const char *name, const char **rest)
{
    for (size_t i = 0; i < KEYS; i++) {
        size_t len = strlen(keys[i].name);
        if (is_family(&keys[i]) ? strncmp(name, keys[i].name, len) == 0 && name[len]
                                : strcmp(name, keys[i].name) == 0) {
            *rest = name + len;
            return &keys[i];
        }
    }
    return NULL;
}

enum status keys_set(struct settings *settings, const char *name, const char *value, char **why)
{
    const char *rest;
    char *made = NULL;
    const struct key *key = find(name, &rest);

    *why = NULL;
    if (!key)
        return STATUS_NOT_FOUND;
    const char *wrong = set(settings, key, rest, value, &made);
    if (!wrong) {
        /* All zero bits are 0 for both types that are replaced. */
        if (key->replaces != NO_FIELD)
            memset(field_of(settings, key->replaces), 0, sizeof(uint64_t));
        compatibility_noted(settings, name);
        return STATUS_OK;
    }
    *why = made ? made : mem_need_text(wrong, strlen(wrong));
    return STATUS_MALFORMED;
}

void keys_set_defaults(struct settings *settings)
{
    _Static_assert(sizeof(double) == sizeof(uint64_t), "keys_set zeroes either");
    for (size_t i = 0; i < KEYS; i++) {
        char *why = NULL;
        if (!keys[i].fallback)
            continue;
        enum status status = keys_set(settings, keys[i].name, keys[i].fallback, &why);
        CHECK(status == STATUS_OK);
    }
    settings->said = 0;
}

char *keys_of_environment(const char *name)
{
    for (size_t i = 0; i < KEYS; i++) {
        const char *key = keys[i].name;
        size_t at = 0;
        while (key[at] && name[at] &&
               (key[at] == '.' ? '_' : toupper((unsigned char)key[at])) == name[at])
            at++;
        if (key[at] || (is_family(&keys[i]) ? !name[at] : name[at]))
            continue;
        char *out = mem_need_text(name, strlen(name));
        memcpy(out, key, at);
        for (char *rest = out + at; *rest; rest++)
            *rest = (char)tolower((unsigned char)*rest);
        return out;
    }
    return NULL;
}

void keys_clear(struct settings *settings)
{
    for (size_t i = 0; i < KEYS; i++) {
        void *field = field_of(settings, keys[i].field);
        switch (keys[i].type) {
        case KEY_TEXT:
        case KEY_TEXT_OR_OFF:
        case KEY_SECRET:
        case KEY_PORT:
            put_text(field, NULL);
            break;
        case KEY_LISTENER:
        case KEY_USERS:
        case KEY_TAG:
            names_clear(field);
            break;
        default:
            break;
        }
    }
}

/* ---- Changing while the broker runs. */

/* The fields that can change while the broker runs, besides the list of loopback users. All are
 * numbers of 8 bytes. */
static const size_t live_numbers[] = {
    FIELD(heartbeat_s),          FIELD(channel_max),       FIELD(frame_bytes_max),
    FIELD(handshake_timeout_ms), FIELD(message_bytes_max), FIELD(output_bytes_max),
    FIELD(consumer_timeout_ms),  FIELD(memory_ratio),      FIELD(memory_bytes),
    FIELD(disk_ratio),           FIELD(disk_bytes),        FIELD(log_level),
};
#define LIVE_NUMBERS (sizeof live_numbers / sizeof live_numbers[0])

static bool is_live(const struct key *key)
{
    if (key->field == FIELD(loopback_users))
        return true;
    for (size_t i = 0; i < LIVE_NUMBERS; i++)
        if (live_numbers[i] == key->field)
            return true;
    return false;
}

static bool same_names(const struct setting_names *a, const struct setting_names *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->items[i].name, b->items[i].name) == 0 &&
               strcmp(a->items[i].value, b->items[i].value) == 0;
    return same;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same(const struct key *key, const void *a, const void *b)
{
    switch (key->type) {
    case KEY_TEXT:
    case KEY_TEXT_OR_OFF:
    case KEY_SECRET:
    case KEY_PORT:
        return same_text(*(char *const *)a, *(char *const *)b);
    case KEY_NO_LISTENERS:
    case KEY_LISTENER:
    case KEY_USERS:
    case KEY_USER:
    case KEY_TAG:
        return same_names(a, b);
    default:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    }
}

/* Whether an earlier key of the table sets the same field, so that the difference was
 * told already. */
static bool is_another_name(const struct key *key)
{
    for (const struct key *earlier = keys; earlier < key; earlier++)
        if (earlier->field == key->field)
            return true;
    return false;
}

void keys_differences(const struct settings *now, const struct settings *wanted, struct text *live,
                      struct text *waiting)
{
    for (const struct key *key = keys; key < keys + KEYS; key++) {
        const void *a = (const char *)now + key->field, *b = (const char *)wanted + key->field;
        struct text *out = is_live(key) ? live : waiting;
        if (!is_another_name(key) && !is_same(key, a, b))
            text_printf(out, "%s%s", out->len ? ", " : "", key->name);
    }
}

void keys_take_live(struct settings *to, const struct settings *from)
{
    for (size_t i = 0; i < LIVE_NUMBERS; i++)
        memcpy(field_of(to, live_numbers[i]), (const char *)from + live_numbers[i],
               sizeof(uint64_t));
    names_clear(&to->loopback_users);
    for (size_t i = 0; i < from->loopback_users.count; i++) {
        const struct setting_name *user = &from->loopback_users.items[i];
        (void)names_put(&to->loopback_users, user->name, strlen(user->name), user->value);
    }
}
