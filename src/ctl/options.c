/* The command line and the environment.
 *
 * Normal course: defaults, then the file, then LEVERETCTL_…, then the options. Since the options
 * name the file, they are parsed first and applied last. What can go wrong: an unknown option or a
 * bad value; the first is told in one line. */
#include "options.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "session.h"
#include "value.h"

enum option_key {
    KEY_HOST = 'H',
    KEY_PORT = 'P',
    KEY_USER = 'U',
    KEY_VHOST = 'p',
    KEY_FORMAT = 'f',
    KEY_QUIET = 'q',
    KEY_TIMEOUT = 't',
    KEY_HELP = 'h',
    KEY_VERSION = 'V',
    KEY_ALL = 'A',
    KEY_ARGUMENT = 'a',
    KEY_IF_EMPTY = 'e',
    KEY_IF_UNUSED = 'u',
    KEY_COUNT = 'c',
    KEY_PASSWORD = 256,
    KEY_PASSWORD_FILE,
    KEY_CONFIG,
    KEY_TRANSIENT,
    KEY_AUTO_DELETE,
    KEY_INTERNAL,
    KEY_TO_EXCHANGE,
    KEY_PROPERTY,
    KEY_HEADER,
    KEY_PERSISTENT,
    KEY_ACK_MODE,
    KEY_RAW,
    KEY_DESCRIPTION,
    KEY_PRIORITY,
    KEY_APPLY_TO,
    KEY_QUEUE_TYPE
};

/* bit: the commands that have it in `takes` take the option; 0: every command takes it. */
/* clang-format off */
static const struct {
    const char *name;
    int key;
    const char *value; /* the value's name in help; NULL: the option takes no value */
    unsigned bit;
    const char *setting; /* its name for options_set */
    const char *help;
} table[] = {
    {"host", KEY_HOST, "HOST", 0, "host", "Where the broker's HTTP API is (localhost)"},
    {"port", KEY_PORT, "PORT", 0, "port", "Its port (15672)"},
    {"user", KEY_USER, "USER", 0, "user", "Who logs in (guest)"},
    {"password", KEY_PASSWORD, "PASSWORD", 0, "password", "With this password (guest); better in a file"},
    {"password-file", KEY_PASSWORD_FILE, "FILE", 0, NULL, "With the password in FILE's first line; - is standard input"},
    {"format", KEY_FORMAT, "FORMAT", 0, "format", "table (aligned columns), json or tsv"},
    {"quiet", KEY_QUIET, NULL, 0, NULL, "No line of headings"},
    {"timeout", KEY_TIMEOUT, "SECONDS", 0, "timeout", "How long to wait for an answer (60); 0 is forever"},
    {"config", KEY_CONFIG, "FILE", 0, NULL, "Settings from FILE, not ~/.leveretctl"},
    {"help", KEY_HELP, NULL, 0, NULL, "Explain the command, or list all"},
    {"version", KEY_VERSION, NULL, 0, NULL, "Print the version"},
    {"vhost", KEY_VHOST, "VHOST", TAKES_VHOST, "vhost", "In this virtual host (/)"},
    {"all-vhosts", KEY_ALL, NULL, TAKES_ALL, NULL, "In all virtual hosts"},
    {"transient", KEY_TRANSIENT, NULL, TAKES_TRANSIENT, NULL, "Gone when the broker restarts; otherwise durable"},
    {"auto-delete", KEY_AUTO_DELETE, NULL, TAKES_AUTO_DELETE, NULL, "Deleted when it is no longer in use"},
    {"internal", KEY_INTERNAL, NULL, TAKES_INTERNAL, NULL, "No client may publish to it"},
    {"argument", KEY_ARGUMENT, "NAME=VALUE", TAKES_ARGUMENT, NULL, "An argument; digits make a number, NAME:=JSON anything"},
    {"if-empty", KEY_IF_EMPTY, NULL, TAKES_IF_EMPTY, NULL, "Only when it has no messages"},
    {"if-unused", KEY_IF_UNUSED, NULL, TAKES_IF_UNUSED, NULL, "Only when nothing uses it"},
    {"to-exchange", KEY_TO_EXCHANGE, NULL, TAKES_TO_EXCHANGE, NULL, "The destination is an exchange, not a queue"},
    {"property", KEY_PROPERTY, "NAME=VALUE", TAKES_PROPERTY, NULL, "A property, such as content_type=text/plain"},
    {"header", KEY_HEADER, "NAME=VALUE", TAKES_HEADER, NULL, "A header; values as with --argument"},
    {"persistent", KEY_PERSISTENT, NULL, TAKES_PERSISTENT, NULL, "Kept on disk in durable queues (delivery_mode=2)"},
    {"count", KEY_COUNT, "N", TAKES_COUNT, NULL, "At most N messages (1)"},
    {"ack-mode", KEY_ACK_MODE, "MODE", TAKES_ACK_MODE, NULL, "requeue (back to their places), ack or reject"},
    {"raw", KEY_RAW, NULL, TAKES_RAW, NULL, "The bodies as they are, and nothing else"},
    {"description", KEY_DESCRIPTION, "TEXT", TAKES_DESCRIPTION, NULL, "What it is for"},
    {"default-queue-type", KEY_QUEUE_TYPE, "TYPE", TAKES_QUEUE_TYPE, NULL,
     "classic or quorum: what a durable queue is whose declaration does not say"},
    {"priority", KEY_PRIORITY, "N", TAKES_PRIORITY, NULL, "The policy with the highest one applies (0)"},
    {"apply-to", KEY_APPLY_TO, "WHAT", TAKES_APPLY_TO, NULL,
     "all (the default), queues, classic_queues, quorum_queues, streams or exchanges"},
};
/* clang-format on */
#define OPTION_COUNT (sizeof table / sizeof *table)

/* The state of argp's parser. */
struct parsing {
    struct options *options;
    const char *set[OPTION_COUNT]; /* values of settings, applied after those of the file */
    const char *config, *password_file;
    char wrong[256];
};

const char *options_name(unsigned bits)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (table[i].bit & bits)
            return table[i].name;
    return "";
}

void options_help(FILE *out, unsigned bits)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        if (bits ? !(table[i].bit & bits) : table[i].bit != 0)
            continue;
        int len = snprintf(left, sizeof left, "  %c%c%c --%s%s%s", table[i].key < 256 ? '-' : ' ',
                           table[i].key < 256 ? table[i].key : ' ', table[i].key < 256 ? ',' : ' ',
                           table[i].name, table[i].value ? "=" : "",
                           table[i].value ? table[i].value : "");
        fprintf(out, "%s%*s%s\n", left, len < 30 ? 30 - len : 1, "", table[i].help);
    }
}

/* ---- Settings. */

static void replace(char **setting, const char *value)
{
    free(*setting);
    *setting = mem_need_text(value, strlen(value));
}

static const char *set_port(struct options *o, const char *value)
{
    uint64_t port;
    if (!number_read(value, UINT16_MAX, &port) || port == 0)
        return "a port is a number from 1 to 65535";
    replace(&o->port, value);
    return NULL;
}

static const char *set_host(struct options *o, const char *value)
{
    /* The value becomes part of a URL. */
    if (!*value || strpbrk(value, "/@?# \\%"))
        return "not the name or address of a host";
    replace(&o->host, value);
    return NULL;
}

static const char *set_format(struct options *o, const char *value)
{
    static const char *const names[] = {
        [FORMAT_TABLE] = "table", [FORMAT_JSON] = "json", [FORMAT_TSV] = "tsv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], value) == 0) {
            o->format = (enum table_format)i;
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
    o->quiet = on;
    return NULL;
}

static const char *set_user(struct options *o, const char *value)
{
    replace(&o->user, value);
    return NULL;
}

static const char *set_password(struct options *o, const char *value)
{
    replace(&o->password, value);
    return NULL;
}

static const char *set_vhost(struct options *o, const char *value)
{
    if (!*value)
        return "a virtual host has a name";
    replace(&o->vhost, value);
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

static bool read_environment(struct options *options)
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

static bool read_file(struct options *options, const char *path)
{
    char home_path[4096];
    const char *home = getenv("HOME");
    if (!path)
        path = getenv("LEVERETCTL_CONFIG");
    if (path)
        return config_read(options, path, true);
    if (!home ||
        (size_t)snprintf(home_path, sizeof home_path, "%s/.leveretctl", home) >= sizeof home_path)
        return true;
    return config_read(options, home_path, false);
}

static bool read_password_file(struct options *options, const char *path)
{
    bool input = strcmp(path, "-") == 0;
    FILE *file = input ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t len = file ? getline(&line, &room, file) : -1;
    if (len >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        replace(&options->password, line);
    } else {
        complain("%s: no password can be read from it", path);
    }
    free(line);
    if (file && !input)
        fclose(file);
    return len >= 0;
}

/* ---- argp. */

static void add_pair(struct parsing *parsing, struct pairs *pairs, const char *pair)
{
    const char *sign = strchr(pair, '=');
    if (!sign || sign == pair) {
        snprintf(parsing->wrong, sizeof parsing->wrong, "'%.100s' is not a NAME=VALUE", pair);
        return;
    }
    pairs->at = mem_need_array(pairs->at, pairs->count + 1, sizeof *pairs->at);
    pairs->at[pairs->count++] = pair;
}

static void take_flag(struct options *o, int key)
{
    switch (key) {
    case KEY_QUIET:
        o->quiet = true;
        break;
    case KEY_HELP:
        o->help = true;
        break;
    case KEY_VERSION:
        o->version = true;
        break;
    }
}

static bool read_integer(const char *text, int64_t *out)
{
    uint64_t number;
    bool negative = *text == '-';
    if (!number_read(text + negative, INT64_MAX, &number))
        return false;
    *out = negative ? -(int64_t)number : (int64_t)number;
    return true;
}

static void take_value(struct parsing *parsing, int key, char *value)
{
    struct options *o = parsing->options;
    switch (key) {
    case KEY_PASSWORD_FILE:
        parsing->password_file = value;
        break;
    case KEY_CONFIG:
        parsing->config = value;
        break;
    case KEY_ARGUMENT:
        add_pair(parsing, &o->arguments, value);
        break;
    case KEY_PROPERTY:
        add_pair(parsing, &o->properties, value);
        break;
    case KEY_HEADER:
        add_pair(parsing, &o->headers, value);
        break;
    case KEY_COUNT:
        if (!number_read(value, INT64_MAX, &o->count))
            snprintf(parsing->wrong, sizeof parsing->wrong, "--count: not a number");
        break;
    case KEY_ACK_MODE:
        o->ack_mode = value;
        break;
    case KEY_DESCRIPTION:
        o->description = value;
        break;
    case KEY_QUEUE_TYPE:
        o->default_queue_type = value;
        break;
    case KEY_PRIORITY:
        if (!read_integer(value, &o->priority))
            snprintf(parsing->wrong, sizeof parsing->wrong, "--priority: not a number");
        break;
    case KEY_APPLY_TO:
        o->apply_to = value;
        break;
    }
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    if (value && !value_text_valid(value) && !*parsing->wrong)
        snprintf(parsing->wrong, sizeof parsing->wrong, "an argument is not UTF-8");
    if (key == ARGP_KEY_ARG) {
        parsing->options->args[parsing->options->arg_count++] = value;
        return 0;
    }
    if (key == ARGP_KEY_ERROR && !*parsing->wrong && state->next > 0)
        snprintf(parsing->wrong, sizeof parsing->wrong, "unknown option or missing value: %.100s",
                 state->argv[state->next - 1]);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (table[i].key != key)
            continue;
        parsing->options->given |= table[i].bit;
        if (!value)
            take_flag(parsing->options, key);
        else if (table[i].setting)
            parsing->set[i] = value;
        else
            take_value(parsing, key, value);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static bool parse_line(struct parsing *parsing, int argc, char **argv)
{
    struct argp_option options[OPTION_COUNT + 1];
    const struct argp argp = {.options = options, .parser = parse};
    memset(options, 0, sizeof options);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        options[i].name = table[i].name;
        options[i].key = table[i].key;
        options[i].arg = table[i].value;
    }
    error_t error = argp_parse(&argp, argc, argv, ARGP_SILENT, NULL, parsing);
    if (error && !*parsing->wrong)
        snprintf(parsing->wrong, sizeof parsing->wrong, "the command line is wrong");
    if (*parsing->wrong)
        complain("%s (see leveretctl help)", parsing->wrong);
    return !*parsing->wrong;
}

/* Applies the settings among the options, and overwrites the password in argv, which ps shows. */
static bool put_into_force(struct parsing *parsing)
{
    bool good = true;
    for (size_t i = 0; i < OPTION_COUNT && good; i++) {
        const char *value = parsing->set[i];
        const char *wrong = value ? options_set(parsing->options, table[i].setting, value) : NULL;
        if (wrong)
            complain("--%s: %s", table[i].name, wrong);
        good = !wrong;
        if (value && table[i].key == KEY_PASSWORD)
            memset((char *)value, '*', strlen(value));
    }
    return good;
}

bool options_read(struct options *options, int argc, char **argv)
{
    struct parsing parsing = {.options = options};
    *options = (struct options){.timeout_s = OPTIONS_TIMEOUT_S, .count = 1};
    options->args = mem_need((size_t)argc * sizeof *options->args + 1);
    set_host(options, "localhost");
    set_port(options, "15672");
    set_user(options, "guest");
    set_password(options, "guest");
    set_vhost(options, "/");
    if (!parse_line(&parsing, argc, argv))
        return false;
    if (options->help || options->version)
        return true;
    bool quiet = options->quiet;
    if (!read_file(options, parsing.config) || !read_environment(options) ||
        !put_into_force(&parsing))
        return false;
    options->quiet |= quiet;
    return !parsing.password_file || read_password_file(options, parsing.password_file);
}

void options_free(struct options *options)
{
    free(options->host);
    free(options->port);
    free(options->user);
    if (options->password)
        explicit_bzero(options->password, strlen(options->password));
    free(options->password);
    free(options->vhost);
    free(options->arguments.at);
    free(options->properties.at);
    free(options->headers.at);
    free(options->args);
}
