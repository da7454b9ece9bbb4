/* One run of leveretctl: its command, its options and its HTTP client. The program has one thread
 * and does one command. */
#ifndef LEVERETCTL_SESSION_H
#define LEVERETCTL_SESSION_H

#include "options.h"

/* The exit codes; leveretctl(1) promises them. */
enum outcome {
    OUTCOME_OK = 0,
    OUTCOME_REFUSED = 1,     /* the broker refused */
    OUTCOME_USAGE = 2,       /* the command line or the configuration is wrong */
    OUTCOME_UNREACHABLE = 3, /* the broker did not answer */
    OUTCOME_LOCAL = 4        /* a file or stream here could not be read or written */
};

struct command;
struct http;

struct session {
    const struct options *options;
    const struct command *command;
    struct http *http;
    char **args; /* the command's arguments, whose number was checked */
    int arg_count;
};

/* Argument number i, or NULL when it was left out. */
static inline const char *session_arg(const struct session *session, int i)
{
    return i < session->arg_count ? session->args[i] : NULL;
}

/* Prints one line to stderr, after the program's name; control characters become blanks. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
