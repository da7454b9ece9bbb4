/* The options, from the command line, the environment and ~/.leveretctl, in this order of
 * precedence. */
#ifndef LEVERETCTL_OPTIONS_H
#define LEVERETCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ctl/options/option_table.h"
#include "ctl/output/style.h"

/* Seconds that a request may take: the default, and the most that --timeout accepts. */
#define OPTIONS_TIMEOUT_S     60
#define OPTIONS_TIMEOUT_S_MAX 1000000

/* Texts of the form NAME=VALUE, as the user gave them. */
struct pairs {
    const char **at;
    size_t count;
};

/* One option as the command line has it. */
struct option_value {
    bool given;
    const char *text;   /* OPTION_TEXT, OPTION_WORD */
    int64_t number;     /* OPTION_NUMBER, OPTION_INTEGER */
    struct pairs pairs; /* OPTION_PAIR */
};

/* A URI's parts, decoded; NULL: it has none. Whoever asks for them frees them. */
struct uri_parts {
    char *scheme, *host, *port, *path, *user, *password;
};

/* What TLS needs: paths of PEM files; NULL: not given. */
struct options_tls {
    char *cacert;     /* who is trusted; NULL: those whom the system trusts */
    char *cert, *key; /* what is shown to the broker; key NULL: it is in the file cert */
    bool insecure;    /* true: the broker's certificate may be any */
};

/* Who reads the options. */
struct options_reader {
    bool rabbitmqctl; /* true when the program was called by a name of rabbitmqctl's tools */
    /* The options that a command takes beside those of every command, ended by OPTION_NONE; NULL
     * when there is no such command. */
    const unsigned char *(*takes)(const char *command);
    /* Takes a URI apart. Returns NULL, or a static text that says what is wrong. */
    const char *(*take_uri)(const char *uri, struct uri_parts *parts);
};

struct options {
    const struct options_reader *reader; /* outlives the options */
    /* Settings. Each is a copy, so that a later source can replace an earlier one. */
    char *host, *port, *user, *password, *vhost;
    char *scheme, *prefix; /* "http" or "https"; "" or "/prefix", before /api */
    struct options_tls tls;
    char *socket, *data_dir; /* the control socket's path, and where it is looked for; NULL: none */
    bool named;              /* true when some source named a host, a port, a user or a password */
    char *node;              /* NULL: not given */
    struct style style;
    bool quiet, rabbitmqctl; /* what style is made of, when all sources are read */
    long timeout_s;          /* 0: none */
    struct option_value value[OPTION_IDS];
    char **args; /* the command and its arguments */
    int arg_count;
};

/* Sets a setting by its name. Returns NULL, or a static text that says what is wrong without
 * showing the value. */
const char *options_set(struct options *options, const char *name, const char *value);

/* Reads all sources. Returns false after printing an error; call options_free in both cases. argv
 * must live as long as the options; the password in it is overwritten. */
bool options_read(struct options *options, const struct options_reader *reader, int argc,
                  char **argv);
void options_free(struct options *options);

static inline bool option_given(const struct options *options, enum option_id id)
{
    return options->value[id].given;
}

/* Whether lines on what is done are left out: by --silent; and by that or by quiet, as an option or
 * as a setting. */
static inline bool options_are_silent(const struct options *options)
{
    return option_given(options, OPTION_SILENT);
}
static inline bool options_are_quiet(const struct options *options)
{
    return options_are_silent(options) || options->quiet || option_given(options, OPTION_QUIET);
}

/* The option's value; NULL: it was not given. */
static inline const char *option_text(const struct options *options, enum option_id id)
{
    return options->value[id].text;
}

static inline int64_t option_number(const struct options *options, enum option_id id,
                                    int64_t otherwise)
{
    return option_given(options, id) ? options->value[id].number : otherwise;
}

static inline const struct pairs *option_pairs(const struct options *options, enum option_id id)
{
    return &options->value[id].pairs;
}

#endif
