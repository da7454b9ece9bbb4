/* Reads settings from their sources: files, environment, command line. The only user of inih.
 *
 * What can go wrong: a line that is not `key = value`, an unknown key, a malformed value. Each adds
 * a line of text with file and line number, and reading goes on, so that all errors are seen. */
#include "leveretd/settings/settings.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveretd/settings/keys.h"
#include "leveretd/settings/literal.h"

/* Bytes of a line of a file; a longer one is an error. */
#define LINE_LEN_MAX       4000
#define ENVIRONMENT_PREFIX "LEVERET_"
#define DEFAULT_ADDRESS    "5672"

struct settings *settings_new(void)
{
    struct settings *settings = mem_need(sizeof *settings);
    keys_set_defaults(settings);
    return settings;
}

void settings_free(struct settings **settings)
{
    if (!*settings)
        return;
    keys_clear(*settings);
    free(*settings);
    *settings = NULL;
}

enum status settings_set(struct settings *settings, const char *key, const char *value, char **why)
{
    return keys_set(settings, key, value, why);
}

/* Sets, and on error appends "where: key: why". */
static bool set_or_explain(struct settings *settings, const char *where, const char *key,
                           const char *value, struct text *errors)
{
    char *why = NULL;
    enum status status = keys_set(settings, key, value, &why);
    if (status == STATUS_NOT_FOUND)
        text_printf(errors, "%s: unknown key '%s'\n", where, key);
    else if (status != STATUS_OK)
        text_printf(errors, "%s: %s %s\n", where, key, why);
    free(why);
    return status == STATUS_OK;
}

/* ---- Files. */

struct settings_line {
    struct settings *settings;
    struct text *errors;
    const char *where; /* "file:line" */
    bool seen, good;
};

static int assignment_seen(void *context, const char *section, const char *name, const char *value)
{
    struct settings_line *line = context;
    (void)section;
    line->seen = true;
    line->good = set_or_explain(line->settings, line->where, name, value, line->errors);
    return 1;
}

/* inih gets one line at a time, so that each error has its line number and one error does not hide
 * the next. */
static bool read_line(struct settings *settings, const char *where, const char *text,
                      struct text *errors)
{
    struct settings_line line = {settings, errors, where, false, true};
    const char *first = text + strspn(text, " \t\r\n\xef\xbb\xbf");

    if (strlen(text) > LINE_LEN_MAX) {
        text_printf(errors, "%s: the line is longer than %d bytes\n", where, LINE_LEN_MAX);
        return false;
    }
    if (ini_parse_string(text, assignment_seen, &line) == 0 && line.seen)
        return line.good;
    if (!*first || *first == '#' || *first == ';')
        return true;
    text_printf(errors, "%s: not of the form key = value\n", where);
    return false;
}

bool settings_read_file(struct settings *settings, const char *path, struct text *errors)
{
    static char comment_prefixes[] = "#";
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    /* inih's options are global variables of the library, which only this file uses. */
    ini_use_stack = false;
    ini_allow_realloc = true;
    ini_max_line = LINE_LEN_MAX + 8;
    ini_inline_comment_prefixes = comment_prefixes;

    FILE *file = fopen(path, "re");
    if (!file) {
        text_printf(errors, "%s: %s\n", path, strerror(errno));
        return false;
    }
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++) {
        char where[300];
        snprintf(where, sizeof where, "%.280s:%u", path, number);
        if (!read_line(settings, where, line, errors))
            good = false;
    }
    if (ferror(file)) {
        text_printf(errors, "%s: %s\n", path, strerror(errno));
        good = false;
    }
    free(line);
    fclose(file);
    return good;
}

/* ---- Environment and command line. */

bool settings_read_environment(struct settings *settings, char *const *environment,
                               struct text *errors)
{
    size_t prefix = strlen(ENVIRONMENT_PREFIX);
    bool good = true;

    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, ENVIRONMENT_PREFIX, prefix) != 0)
            continue;
        char *name = mem_need_text(*environment, (size_t)(equals - *environment));
        char *key = keys_of_environment(name + prefix);
        if (key && !set_or_explain(settings, name, key, equals + 1, errors))
            good = false;
        free(key);
        free(name);
    }
    return good;
}

bool settings_read_assignment(struct settings *settings, const char *assignment,
                              struct text *errors)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        text_printf(errors, "--set: '%s' is not of the form key=value\n", assignment);
        return false;
    }
    size_t key_len = (size_t)(equals - assignment);
    while (key_len && assignment[key_len - 1] == ' ')
        key_len--;
    char *key = mem_need_text(assignment, key_len);
    const char *value = equals + 1 + strspn(equals + 1, " ");
    bool good = set_or_explain(settings, "--set", key, value, errors);
    free(key);
    return good;
}

/* ---- What follows. */

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

char **settings_addresses(const struct settings *settings)
{
    size_t count = 0;
    char **out = mem_need((settings->listeners.count + 3) * sizeof *out);

    if (settings->listeners.count == 0)
        out[count++] = copy(DEFAULT_ADDRESS);
    for (size_t i = 0; i < settings->listeners.count; i++) {
        char *address;
        if (!literal_address(settings->listeners.items[i].value, &address) && address)
            out[count++] = address;
    }
    if (settings->unix_path && asprintf(&out[count], "unix:%s", settings->unix_path) < 0)
        out[count] = NULL;
    return out;
}

void settings_differences(const struct settings *now, const struct settings *wanted,
                          struct text *live, struct text *waiting)
{
    keys_differences(now, wanted, live, waiting);
}

void settings_take_live(struct settings *to, const struct settings *from)
{
    keys_take_live(to, from);
}

char **settings_loopback_users(const struct settings *settings)
{
    const struct setting_names *users = &settings->loopback_users;
    size_t count = 0;
    char **out = mem_need((users->count + 1) * sizeof *out);
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->items[i].value, "true") == 0)
            out[count++] = copy(users->items[i].name);
    return out;
}

void settings_free_list(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
    *list = NULL;
}

static char *address_of(const char *ip, const char *port)
{
    char *out;
    if (literal_is_off(port))
        return NULL;
    if (strcmp(port, "any") == 0)
        port = "0";
    if (!ip)
        return copy(port);
    bool bare_v6 = strchr(ip, ':') && ip[0] != '[';
    if (asprintf(&out, bare_v6 ? "[%s]:%s" : "%s:%s", ip, port) < 0)
        return NULL;
    return out;
}

char *settings_management_address(const struct settings *settings)
{
    return address_of(settings->management_ip, settings->management_port);
}

char *settings_prometheus_address(const struct settings *settings)
{
    return address_of(settings->prometheus_ip, settings->prometheus_port);
}

static uint64_t bytes_or_ratio(uint64_t bytes, double ratio, uint64_t whole)
{
    return ratio > 0 && bytes == 0 ? (uint64_t)((double)whole * ratio) : bytes;
}

uint64_t settings_memory_bytes_max(const struct settings *settings, uint64_t physical_bytes)
{
    return bytes_or_ratio(settings->memory_bytes, settings->memory_ratio, physical_bytes);
}

uint64_t settings_disk_free_bytes_min(const struct settings *settings, uint64_t physical_bytes)
{
    return bytes_or_ratio(settings->disk_bytes, settings->disk_ratio, physical_bytes);
}
