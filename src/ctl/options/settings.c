/* The settings: what the command line, the environment and the file of settings can all say. */
#include "ctl/options/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/options/target.h"
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
    o->named = true;
    return NULL;
}

static const char *set_host(struct options *o, const char *value)
{
    /* The value becomes part of a URL. */
    if (!*value || strpbrk(value, "/@?# \\%"))
        return "not the name or address of a host";
    setting_replace(&o->host, value);
    o->named = true;
    return NULL;
}

/* The formats by their names; with the output of rabbitmqctl the second counts. */
static const struct {
    const char *name;
    enum table_format own, rabbitmqctl;
} formats[] = {
    {"table", FORMAT_TABLE, FORMAT_TABS}, {"pretty_table", FORMAT_FRAMES, FORMAT_FRAMES_VT},
    {"tsv", FORMAT_TSV, FORMAT_TSV},      {"csv", FORMAT_CSV, FORMAT_CSV},
    {"json", FORMAT_JSON, FORMAT_JSON},   {"json_stream", FORMAT_JSON_STREAM, FORMAT_JSON_STREAM},
};

static const char *set_format(struct options *o, const char *value)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(formats[i].name, value) == 0) {
            o->style.format = formats[i].own;
            return NULL;
        }
    }
    return "a format is table, pretty_table, tsv, csv, json or json_stream";
}

static const char *set_formatter(struct options *o, const char *value)
{
    if (strcmp(value, "erlang") == 0)
        return "there is no Erlang here; a format is table, pretty_table, csv, json or json_stream";
    o->rabbitmqctl = true;
    return set_format(o, value);
}

static const char *set_node(struct options *o, const char *value)
{
    if (!*value)
        return "a node has a name";
    setting_replace(&o->node, value);
    return NULL;
}

static const char *set_timeout(struct options *o, const char *value)
{
    uint64_t seconds;
    if (!number_read(value, OPTIONS_TIMEOUT_S_MAX, &seconds))
        return "not a number of seconds";
    o->timeout_s = (long)seconds;
    return NULL;
}

static const char *set_bool(bool *setting, const char *value)
{
    bool on = strcmp(value, "true") == 0;
    if (!on && strcmp(value, "false") != 0)
        return "true or false";
    *setting = on;
    return NULL;
}

static const char *set_quiet(struct options *o, const char *value)
{
    return set_bool(&o->quiet, value);
}

static const char *set_tls(struct options *o, const char *value)
{
    bool tls = false;
    const char *wrong = set_bool(&tls, value);
    if (!wrong)
        setting_replace(&o->scheme, tls ? "https" : "http");
    o->named = o->named || tls;
    return wrong;
}

static const char *set_insecure(struct options *o, const char *value)
{
    return set_bool(&o->tls.insecure, value);
}

static const char *set_file(char **setting, const char *value)
{
    setting_replace(setting, value);
    return *value ? NULL : "a file has a path";
}

static const char *set_cacert(struct options *o, const char *value)
{
    return set_file(&o->tls.cacert, value);
}

static const char *set_cert(struct options *o, const char *value)
{
    return set_file(&o->tls.cert, value);
}

static const char *set_key(struct options *o, const char *value)
{
    return set_file(&o->tls.key, value);
}

static const char *set_user(struct options *o, const char *value)
{
    setting_replace(&o->user, value);
    o->named = true;
    return NULL;
}

static const char *set_password(struct options *o, const char *value)
{
    setting_replace(&o->password, value);
    o->named = true;
    return NULL;
}

static const char *set_socket(struct options *o, const char *value)
{
    setting_replace(&o->socket, value);
    return *value ? NULL : "a socket has a path";
}

static const char *set_data_dir(struct options *o, const char *value)
{
    setting_replace(&o->data_dir, value);
    return *value ? NULL : "a directory has a path";
}

static const char *set_vhost(struct options *o, const char *value)
{
    if (!*value)
        return "a virtual host has a name";
    setting_replace(&o->vhost, value);
    return NULL;
}

/* variable: NULL for what only the command line says. */
static const struct {
    const char *name, *variable;
    const char *(*set)(struct options *options, const char *value);
} settings[] = {
    {"host", "LEVERETCTL_HOST", set_host},       {"port", "LEVERETCTL_PORT", set_port},
    {"user", "LEVERETCTL_USER", set_user},       {"password", "LEVERETCTL_PASSWORD", set_password},
    {"vhost", "LEVERETCTL_VHOST", set_vhost},    {"format", "LEVERETCTL_FORMAT", set_format},
    {"formatter", NULL, set_formatter},          {"node", NULL, set_node},
    {"uri", "LEVERETCTL_URI", target_set_uri},   {"tls", "LEVERETCTL_TLS", set_tls},
    {"cacert", "LEVERETCTL_CACERT", set_cacert}, {"cert", "LEVERETCTL_CERT", set_cert},
    {"key", "LEVERETCTL_KEY", set_key},          {"insecure", "LEVERETCTL_INSECURE", set_insecure},
    {"socket", "LEVERETCTL_SOCKET", set_socket}, {"data-dir", "LEVERETCTL_DATA_DIR", set_data_dir},
    {"quiet", "LEVERETCTL_QUIET", set_quiet},    {"timeout", "LEVERETCTL_TIMEOUT", set_timeout},
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
        const char *value = settings[i].variable ? getenv(settings[i].variable) : NULL;
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
    setting_replace(&options->user, "guest");
    setting_replace(&options->password, "guest");
    setting_replace(&options->vhost, "/");
    setting_replace(&options->scheme, "http");
    setting_replace(&options->prefix, "");
}

void settings_finish(struct options *options)
{
    struct style *style = &options->style;
    struct winsize size;
    bool silent = options_are_silent(options), quiet = options_are_quiet(options);
    bool bare = option_given(options, OPTION_NO_TABLE_HEADERS);
    bool table = style->format == FORMAT_TABLE && !options->rabbitmqctl;
    for (size_t i = 0; options->rabbitmqctl && i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].own == style->format) {
            style->format = formats[i].rabbitmqctl;
            break;
        }
    }
    style->rabbitmqctl = options->rabbitmqctl;
    style->headings = !silent && !bare && (options->rabbitmqctl || !quiet);
    style->banner =
        options->rabbitmqctl && !quiet && !style_is_json(style) && style->format != FORMAT_CSV;
    style->person = table && isatty(STDOUT_FILENO);
    if (style->person && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        style->width = size.ws_col;
}
