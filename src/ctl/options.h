/* The options, from the command line, the environment and ~/.leveretctl, in this order of
 * precedence. */
#ifndef LEVERETCTL_OPTIONS_H
#define LEVERETCTL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "table.h"

/* Seconds that a request may take: the default, and the most that --timeout accepts. */
#define OPTIONS_TIMEOUT_S     60
#define OPTIONS_TIMEOUT_S_MAX 1000000

/* Options that only some commands take; a command's entry in the table says which. */
enum option_bit {
    TAKES_VHOST = 1 << 0,
    TAKES_ALL = 1 << 1,
    TAKES_TRANSIENT = 1 << 2,
    TAKES_AUTO_DELETE = 1 << 3,
    TAKES_INTERNAL = 1 << 4,
    TAKES_ARGUMENT = 1 << 5,
    TAKES_IF_EMPTY = 1 << 6,
    TAKES_IF_UNUSED = 1 << 7,
    TAKES_TO_EXCHANGE = 1 << 8,
    TAKES_PROPERTY = 1 << 9,
    TAKES_HEADER = 1 << 10,
    TAKES_PERSISTENT = 1 << 11,
    TAKES_COUNT = 1 << 12,
    TAKES_ACK_MODE = 1 << 13,
    TAKES_RAW = 1 << 14,
    TAKES_DESCRIPTION = 1 << 15,
    TAKES_PRIORITY = 1 << 16,
    TAKES_APPLY_TO = 1 << 17,
    TAKES_QUEUE_TYPE = 1 << 18
};

/* Texts of the form NAME=VALUE, as the user gave them. */
struct pairs {
    const char **at;
    size_t count;
};

struct options {
    /* Settings. Each is a copy, so that a later source can replace an earlier one. */
    char *host, *port, *user, *password, *vhost;
    enum table_format format;
    bool quiet;
    long timeout_s; /* 0: none */
    /* Options that only some commands take. */
    unsigned given; /* enum option_bit */
    struct pairs arguments, properties, headers;
    uint64_t count;
    int64_t priority;
    const char *ack_mode, *description, *apply_to, *default_queue_type;
    bool help, version;
    char **args; /* the command and its arguments */
    int arg_count;
};

/* Sets a setting by its name. Returns NULL, or a static text that says what is wrong without
 * showing the value. */
const char *options_set(struct options *options, const char *name, const char *value);

/* Reads all sources. Returns false after printing an error; call options_free in both cases. argv
 * must live as long as the options; the password in it is overwritten. */
bool options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

/* Prints the options of this set of bits; 0: those of every command. */
void options_help(FILE *out, unsigned bits);
/* The name (--count) of the first option in bits. */
const char *options_name(unsigned bits);

/* Reads a file of lines "key = value". Returns false after printing an error. A missing file is an
 * error only when it is needed. */
bool config_read(struct options *options, const char *path, bool needed);

#endif
