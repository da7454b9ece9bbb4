/* The settings: what the command line, the environment and the file of settings can all say. */
#include "ctl/options/settings.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/output/complain.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"

void setting_replace(char **setting, const char *value)
{
    free(*setting);
    *setting = mem_need_text(value, strlen(value));
}

static const char *set_port(struct options *o, const char *value)
{
    uint64_t port;
    if (!number_read(value, UINT16_MAX, &port) || port == 0)
        return "a port is a number from 1 to 65535";
    setting_replace(&o->port, value);
    return NULL;
}

static const char *set_host(struct options *o, const char *value)
{
    /* The value becomes part of a URL. */
    if (!*value || strpbrk(value, "/@?# \\%"))
        return "not the name or address of a host";
    setting_replace(&o->host, value);
    return NULL;
}

static const char *set_format(struct options *o, const char *value)
{
    static const char *const names[] = {
        [FORMAT_TABLE] = "table", [FORMAT_JSON] = "json", [FORMAT_TSV] = "tsv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], value) == 0) {
            o->style.format = (enum table_format)i;
            return NULL;
        }
    }
    return "a format is table, json or tsv";
}

static const char *set_timeout(struct options *o, const char *value)
{
    uint64_t seconds;
    if (!number_read(value, OPTIONS_TIMEOUT_S_MAX, &seconds))
        return "not a number of seconds";
    o->timeout_s = (long)seconds;
    return NULL;
}

static const char *set_quiet(struct options *o, const char *value)
{
    bool on = strcmp(value, "true") == 0;
    if (!on && strcmp(value, "false") != 0)
        return "true or false";
    o->style.quiet = on;
    return NULL;
}

static const char *set_user(struct options *o, const char *value)
{
    setting_replace(&o->user, value);
    return NULL;
}

static const char *set_password(struct options *o, const char *value)
{
    setting_replace(&o->password, value);
    return NULL;
}

static const char *set_vhost(struct options *o, const char *value)
{
    if (!*value)
        return "a virtual host has a name";
    setting_replace(&o->vhost, value);
    return NULL;
}

static const struct {
    const char *name, *variable;
    const char *(*set)(struct options *options, const char *value);
} settings[] = {
    {"host", "LEVERETCTL_HOST", set_host},    {"port", "LEVERETCTL_PORT", set_port},
    {"user", "LEVERETCTL_USER", set_user},    {"password", "LEVERETCTL_PASSWORD", set_password},
    {"vhost", "LEVERETCTL_VHOST", set_vhost}, {"format", "LEVERETCTL_FORMAT", set_format},
    {"quiet", "LEVERETCTL_QUIET", set_quiet}, {"timeout", "LEVERETCTL_TIMEOUT", set_timeout},
};

const char *options_set(struct options *options, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].set(options, value);
    return "there is no such setting";
}

bool settings_from_environment(struct options *options)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const char *value = getenv(settings[i].variable);
        const char *wrong = value ? settings[i].set(options, value) : NULL;
        if (wrong) {
            complain("%s: %s", settings[i].variable, wrong);
            return false;
        }
    }
    return true;
}

void settings_default(struct options *options)
{
    setting_replace(&options->host, "localhost");
    setting_replace(&options->port, "15672");
    setting_replace(&options->user, "guest");
    setting_replace(&options->password, "guest");
    setting_replace(&options->vhost, "/");
}
