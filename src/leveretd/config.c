/* Where settings come from: files, environment, command line. The one user of inih.
 *
 * What can go wrong: a line that is no `key = value`, an unknown key, a malformed value. Each is one line of
 * text with file and number, and reading goes on, so that all are seen. */
#include "config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#include "keys.h"
#include "leveret/base/mem.h"
#include "value.h"

#define LINE_LEN_MAX       4000
#define ENVIRONMENT_PREFIX "LEVERET_"
#define DEFAULT_ADDRESS    "5672"

struct config *config_new(void)
{
    struct config *config = mem_need(sizeof *config);
    keys_set_defaults(config);
    return config;
}

void config_free(struct config **config)
{
    if (!*config)
        return;
    keys_clear(*config);
    free(*config);
    *config = NULL;
}

enum status config_set(struct config *config, const char *key, const char *value, char **why)
{
    return keys_set(config, key, value, why);
}

/* Sets, and on error appends "where: key: why". */
static bool set_or_explain(struct config *config, const char *where, const char *key,
                           const char *value, struct text *errors)
{
    char *why = NULL;
    enum status status = keys_set(config, key, value, &why);
    if (status == STATUS_NOT_FOUND)
        text_printf(errors, "%s: unknown key '%s'\n", where, key);
    else if (status != STATUS_OK)
        text_printf(errors, "%s: %s %s\n", where, key, why);
    free(why);
    return status == STATUS_OK;
}

/* ---- Files. */

struct line {
    struct config *config;
    struct text *errors;
    const char *where; /* "file:line" */
    bool seen, good;
};

static int assignment_seen(void *context, const char *section, const char *name, const char *value)
{
    struct line *line = context;
    (void)section;
    line->seen = true;
    line->good = set_or_explain(line->config, line->where, name, value, line->errors);
    return 1;
}

/* inih is given one line at a time, so that each error has its number and one does not hide the
 * next. */
static bool read_line(struct config *config, const char *where, const char *text,
                      struct text *errors)
{
    struct line line = {config, errors, where, false, true};
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

bool config_read_file(struct config *config, const char *path, struct text *errors)
{
    char *line = NULL;
    size_t room = 0;
    bool good = true;

    /* inih's settings are variables of the library; nobody else uses it. */
    ini_use_stack = false;
    ini_allow_realloc = true;
    ini_max_line = LINE_LEN_MAX + 8;
    ini_inline_comment_prefixes = (char[]){"#"};

    FILE *file = fopen(path, "re");
    if (!file) {
        text_printf(errors, "%s: %s\n", path, strerror(errno));
        return false;
    }
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++) {
        char where[300];
        snprintf(where, sizeof where, "%.280s:%u", path, number);
        if (!read_line(config, where, line, errors))
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

bool config_read_environment(struct config *config, char *const *environment, struct text *errors)
{
    size_t prefix = strlen(ENVIRONMENT_PREFIX);
    bool good = true;

    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, ENVIRONMENT_PREFIX, prefix) != 0)
            continue;
        char *name = mem_need_text(*environment, (size_t)(equals - *environment));
        char *key = keys_of_environment(name + prefix);
        if (key && !set_or_explain(config, name, key, equals + 1, errors))
            good = false;
        free(key);
        free(name);
    }
    return good;
}

bool config_read_assignment(struct config *config, const char *assignment, struct text *errors)
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
    bool good = set_or_explain(config, "--set", key, value, errors);
    free(key);
    return good;
}

/* ---- What follows. */

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

char **config_addresses(const struct config *config)
{
    size_t count = 0;
    char **out = mem_need((config->listeners.count + 3) * sizeof *out);

    if (config->listeners.count == 0)
        out[count++] = copy(DEFAULT_ADDRESS);
    for (size_t i = 0; i < config->listeners.count; i++) {
        char *address;
        if (!value_address(config->listeners.items[i].value, &address) && address)
            out[count++] = address;
    }
    if (config->unix_path && asprintf(&out[count], "unix:%s", config->unix_path) < 0)
        out[count] = NULL;
    return out;
}

char **config_loopback_users(const struct config *config)
{
    const struct config_names *users = &config->loopback_users;
    size_t count = 0;
    char **out = mem_need((users->count + 1) * sizeof *out);
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->items[i].value, "true") == 0)
            out[count++] = copy(users->items[i].name);
    return out;
}

void config_free_list(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
    *list = NULL;
}

static char *address_of(const char *ip, const char *port)
{
    char *out;
    if (value_is_off(port))
        return NULL;
    if (!ip)
        return copy(port);
    bool bare_v6 = strchr(ip, ':') && ip[0] != '[';
    if (asprintf(&out, bare_v6 ? "[%s]:%s" : "%s:%s", ip, port) < 0)
        return NULL;
    return out;
}

char *config_management_address(const struct config *config)
{
    return address_of(config->management_ip, config->management_port);
}

char *config_prometheus_address(const struct config *config)
{
    return address_of(config->prometheus_ip, config->prometheus_port);
}

static uint64_t bytes_or_ratio(uint64_t bytes, double ratio, uint64_t whole)
{
    return ratio > 0 && bytes == 0 ? (uint64_t)((double)whole * ratio) : bytes;
}

uint64_t config_memory_bytes_max(const struct config *config, uint64_t physical_bytes)
{
    return bytes_or_ratio(config->memory_bytes, config->memory_ratio, physical_bytes);
}

uint64_t config_disk_free_bytes_min(const struct config *config, uint64_t physical_bytes)
{
    return bytes_or_ratio(config->disk_bytes, config->disk_ratio, physical_bytes);
}
