/* The table of all options: what parsing, help and completion know of each. */
#ifndef LEVERETCTL_OPTION_TABLE_H
#define LEVERETCTL_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum option_id {
    OPTION_NONE, /* ends a list of options */
    /* Options of every command. */
    OPTION_HOST,
    OPTION_PORT,
    OPTION_URI,
    OPTION_TLS,
    OPTION_CACERT,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_INSECURE,
    OPTION_SOCKET,
    OPTION_DATA_DIR,
    OPTION_USER,
    OPTION_PASSWORD,
    OPTION_PASSWORD_FILE,
    OPTION_FORMAT,
    OPTION_FORMATTER,
    OPTION_QUIET,
    OPTION_SILENT,
    OPTION_NO_TABLE_HEADERS,
    OPTION_NODE,
    OPTION_LONGNAMES,
    OPTION_TIMEOUT,
    OPTION_CONFIG,
    OPTION_HELP,
    OPTION_VERSION,
    /* Options of some commands, which the rows of the commands name. */
    OPTION_VHOST,
    OPTION_ALL_VHOSTS,
    OPTION_ONLINE,
    OPTION_OFFLINE,
    OPTION_LOCAL,
    OPTION_TRANSIENT,
    OPTION_AUTO_DELETE,
    OPTION_INTERNAL,
    OPTION_ARGUMENT,
    OPTION_IF_EMPTY,
    OPTION_IF_UNUSED,
    OPTION_TO_EXCHANGE,
    OPTION_PROPERTY,
    OPTION_HEADER,
    OPTION_PERSISTENT,
    OPTION_COUNT,
    OPTION_ACK_MODE,
    OPTION_RAW,
    OPTION_OFFSET,
    OPTION_FROM,
    OPTION_STATE,
    OPTION_UNACKED,
    OPTION_EXCHANGE,
    OPTION_ROUTING_KEY,
    OPTION_TO,
    OPTION_RATE,
    OPTION_RESTORE_EXPIRATION,
    OPTION_DRY_RUN,
    OPTION_NO_WAIT,
    OPTION_TAGS,
    OPTION_PRE_HASHED,
    OPTION_PATTERN,
    OPTION_TRACING,
    OPTION_LINES,
    OPTION_WITHIN,
    OPTION_UNIT,
    OPTION_PID,
    OPTION_LIMIT,
    OPTION_DELAY,
    OPTION_DESCRIPTION,
    OPTION_PRIORITY,
    OPTION_APPLY_TO,
    OPTION_DEFAULT_QUEUE_TYPE,
    OPTION_STRICT,
    OPTION_IDS
};

/* What stands behind an option; the command line is checked for it before anything is sent. */
enum option_kind {
    OPTION_FLAG,    /* nothing */
    OPTION_TEXT,    /* any text */
    OPTION_WORD,    /* one of the row's words */
    OPTION_FILE,    /* a path; a text for the command */
    OPTION_NUMBER,  /* digits, below 2^63 */
    OPTION_INTEGER, /* digits, perhaps after a minus sign */
    OPTION_PAIR     /* NAME=VALUE; may be given several times */
};

struct option_row {
    enum option_id id;
    char letter; /* 0: none */
    const char *name;
    enum option_kind kind;
    const char *value;   /* the value's name in help; NULL: the option takes no value */
    const char *setting; /* its name for options_set; NULL: it is no setting */
    const char *words;   /* OPTION_WORD: separated by blanks */
    bool everywhere;     /* true when every command takes it */
    const char *help;
};

extern const struct option_row option_table[];
extern const size_t option_table_rows;

/* The option's name, without the dashes. */
const char *option_name(enum option_id id);

/* Prints the options of this list, which OPTION_NONE ends; NULL: those of every command. */
void option_help(FILE *out, const unsigned char *ids);

#endif
