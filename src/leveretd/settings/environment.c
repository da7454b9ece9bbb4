/* Settings from the environment. */
#include "leveretd/settings/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "leveret/base/log.h"
#include "leveret/base/mem.h"
#include "leveretd/settings/key_types.h"
#include "leveretd/settings/keys.h"

#define OWN_PREFIX      "LEVERET_"
#define RABBITMQ_PREFIX "RABBITMQ_"
#define FILE_SUFFIX     "_FILE"
/* Bytes of a secret in a file; a longer one is refused. */
#define SECRET_LEN_MAX 1024

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

/* The value of a variable; NULL: not set. An empty one counts as not set. */
static const char *value_of(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; *environment; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return (*environment)[len + 1] ? *environment + len + 1 : NULL;
    return NULL;
}

/* Whether Kubernetes sets this variable in every container beside a service "leveret": NAME_PORT,
 * NAME_PORT_5672_TCP_ADDR, NAME_SERVICE_HOST. rest is what follows the prefix. */
static bool is_service_link(const char *rest, const char *value)
{
    return strncmp(rest, "SERVICE_", strlen("SERVICE_")) == 0 ||
           (strncmp(rest, "PORT_", strlen("PORT_")) == 0 && isdigit((unsigned char)rest[5])) ||
           (strcmp(rest, "PORT") == 0 && strstr(value, "://"));
}

/* ---- LEVERET_*. */

/* The key of a secret whose value stands in a file: DEFAULT_PASS_FILE. The caller frees it; NULL:
 * the variable is none of these. */
static char *key_of_file(const char *name)
{
    size_t len = strlen(name), suffix = strlen(FILE_SUFFIX);
    if (len <= suffix || strcmp(name + len - suffix, FILE_SUFFIX) != 0)
        return NULL;
    char *variable = mem_need_text(name, len - suffix);
    char *key = keys_of_environment(variable);
    const char *rest;
    if (key && !key_is_secret(keys_find(key, &rest))) {
        free(key);
        key = NULL;
    }
    free(variable);
    return key;
}

static void take_from_file(struct settings *settings, const char *name, const char *key,
                           const char *path, struct report *report)
{
    char secret[SECRET_LEN_MAX + 2] = "";
    FILE *file = fopen(path, "re");
    if (!file || (!fgets(secret, sizeof secret, file) && ferror(file))) {
        report_add(report, FINDING_ERROR, "%s: cannot read %s: %s", name, path, strerror(errno));
    } else {
        secret[strcspn(secret, "\r\n")] = '\0';
        settings_take(settings, name, key, secret, report);
    }
    if (file)
        fclose(file);
}

static void take_variable(struct settings *settings, const char *name, const char *value,
                          struct report *report)
{
    const char *rest = name + strlen(OWN_PREFIX);
    char *key = keys_of_environment(rest), *of_file = key ? NULL : key_of_file(rest);
    if (key)
        settings_take(settings, name, key, value, report);
    else if (of_file)
        take_from_file(settings, name, of_file, value, report);
    else if (!is_service_link(rest, value))
        report_add(report, FINDING_WARNING, "%s: the environment variable stands for no key", name);
    free(key);
    free(of_file);
}

void environment_read(struct settings *settings, char *const *environment, struct report *report)
{
    for (; *environment; environment++) {
        const char *equals = strchr(*environment, '=');
        if (!equals || strncmp(*environment, OWN_PREFIX, strlen(OWN_PREFIX)) != 0)
            continue;
        char *name = mem_need_text(*environment, (size_t)(equals - *environment));
        take_variable(settings, name, equals + 1, report);
        free(name);
    }
}

/* ---- RABBITMQ_*. */

struct rabbitmq {
    struct settings *settings;
    char *const *environment;
    struct report *report;
};

/* Sets the key when no source has set it. */
static void stand_for(const struct rabbitmq *with, const char *variable, const char *key,
                      const char *value)
{
    if (value && !settings_is_set(with->settings, key))
        settings_take(with->settings, variable, key, value, with->report);
}

/* The address of the default listener. */
static void take_address(const struct rabbitmq *with)
{
    const char *ip = value_of(with->environment, "RABBITMQ_NODE_IP_ADDRESS");
    const char *port = value_of(with->environment, "RABBITMQ_NODE_PORT");
    char *address;
    if ((!ip && !port) || with->settings->listeners.count)
        return;
    if (!port)
        port = "5672";
    if (asprintf(&address, "%s%s%s", ip ? ip : "", ip ? ":" : "", port) < 0)
        return;
    stand_for(with, ip ? "RABBITMQ_NODE_IP_ADDRESS" : "RABBITMQ_NODE_PORT", "listeners.tcp.default",
              address);
    free(address);
}

/* RABBITMQ_LOGS: "-" is the console, else a file. RabbitMQ writes to no other place then. */
static void take_logs(const struct rabbitmq *with)
{
    static const char variable[] = "RABBITMQ_LOGS";
    const char *logs = value_of(with->environment, variable);
    if (!logs || settings_is_set(with->settings, "log.file") ||
        settings_is_set(with->settings, "log.console"))
        return;
    bool console = strcmp(logs, "-") == 0;
    stand_for(with, variable, "log.console", console ? "true" : "false");
    stand_for(with, variable, "log.file", console ? "false" : logs);
}

/* RABBITMQ_LOG: levels, such as "debug" or "info,connection=error"; also "+color", "+json". */
static void take_log_levels(const struct rabbitmq *with)
{
    static const char variable[] = "RABBITMQ_LOG";
    const char *value = value_of(with->environment, variable);
    char *list = value ? copy(value) : NULL, *saved = NULL;
    for (char *word = list ? strtok_r(list, ",", &saved) : NULL; word;
         word = strtok_r(NULL, ",", &saved)) {
        char *level = strpbrk(word, "=.");
        char *key;
        if (strcmp(word, "+json") == 0) {
            stand_for(with, variable, "log.console.formatter", "json");
            stand_for(with, variable, "log.file.formatter", "json");
        } else if (word[0] != '+' && word[0] != '-' && !level) {
            stand_for(with, variable, "log.level", word);
        } else if (level && asprintf(&key, "log.%.*s.level", (int)(level - word), word) >= 0) {
            stand_for(with, variable, key, level + 1);
            free(key);
        }
    }
    free(list);
}

/* RABBITMQ_MNESIA_DIR is the data directory; RABBITMQ_MNESIA_BASE holds one for each node, and
 * ours is named after the program, so that RabbitMQ's own files beside it stay as they are. */
static void take_data_dir(const struct rabbitmq *with)
{
    const char *base = value_of(with->environment, "RABBITMQ_MNESIA_BASE");
    char *path;
    stand_for(with, "RABBITMQ_MNESIA_DIR", "data_dir",
              value_of(with->environment, "RABBITMQ_MNESIA_DIR"));
    if (!base || asprintf(&path, "%s/leveret", base) < 0)
        return;
    stand_for(with, "RABBITMQ_MNESIA_BASE", "data_dir", path);
    free(path);
}

static const struct {
    const char *variable, *key;
} plain[] = {
    {"RABBITMQ_DEFAULT_USER", "default_user"},   {"RABBITMQ_DEFAULT_PASS", "default_pass"},
    {"RABBITMQ_DEFAULT_VHOST", "default_vhost"}, {"RABBITMQ_NODENAME", "node_name"},
    {"RABBITMQ_PID_FILE", "pid_file"},
};
#define PLAIN (sizeof plain / sizeof plain[0])

static bool is_known(const char *variable)
{
    static const char *const others[] = {"RABBITMQ_NODE_PORT",   "RABBITMQ_NODE_IP_ADDRESS",
                                         "RABBITMQ_LOGS",        "RABBITMQ_LOG",
                                         "RABBITMQ_MNESIA_BASE", "RABBITMQ_MNESIA_DIR",
                                         "RABBITMQ_CONFIG_FILE", "RABBITMQ_CONFIG_FILES"};
    for (size_t i = 0; i < PLAIN; i++)
        if (strcmp(variable, plain[i].variable) == 0)
            return true;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(variable, others[i]) == 0)
            return true;
    return false;
}

static void tell_others(const struct rabbitmq *with)
{
    struct text names = {0};
    for (char *const *at = with->environment; *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals || strncmp(*at, RABBITMQ_PREFIX, strlen(RABBITMQ_PREFIX)) != 0)
            continue;
        char *name = mem_need_text(*at, (size_t)(equals - *at));
        if (!is_known(name) && !is_service_link(name + strlen(RABBITMQ_PREFIX), equals + 1))
            text_printf(&names, "%s%s", names.len ? ", " : "", name);
        free(name);
    }
    if (names.len)
        report_add(with->report, FINDING_WARNING,
                   "environment variables that have no effect here: %.*s",
                   BYTES_PRINT(text_bytes(&names)));
    text_free(&names);
}

void environment_read_rabbitmq(struct settings *settings, char *const *environment,
                               struct report *report)
{
    const struct rabbitmq with = {settings, environment, report};
    for (size_t i = 0; i < PLAIN; i++)
        stand_for(&with, plain[i].variable, plain[i].key, value_of(environment, plain[i].variable));
    take_address(&with);
    take_logs(&with);
    take_log_levels(&with);
    take_data_dir(&with);
    tell_others(&with);
}

char *environment_rabbitmq_file(char *const *environment)
{
    const char *path = value_of(environment, "RABBITMQ_CONFIG_FILE");
    char *with_end;
    if (!path)
        return NULL;
    /* RabbitMQ's variable may leave the ending out. */
    if (access(path, F_OK) != 0 && asprintf(&with_end, "%s.conf", path) >= 0)
        return with_end;
    return copy(path);
}

char *environment_rabbitmq_files(char *const *environment)
{
    const char *path = value_of(environment, "RABBITMQ_CONFIG_FILES");
    if (!path)
        return NULL;
    /* A pattern, "/etc/rabbitmq/conf.d/ *.conf" without the space, names what a folder does. */
    const char *star = strstr(path, "/*");
    return star ? mem_need_text(path, (size_t)(star - path)) : copy(path);
}
