/* What differs when leveretctl stands in for rabbitmqctl, rabbitmq-diagnostics, rabbitmq-queues or
 * rabbitmq-plugins: names of commands, the line that says what is about to be done, the line that
 * says that it is done, and the exit codes. */
#ifndef LEVERETCTL_RABBITMQCTL_H
#define LEVERETCTL_RABBITMQCTL_H

#include "ctl/options/options.h"
#include "ctl/output/complain.h"

/* Whether a program of this name speaks as rabbitmqctl. */
bool rabbitmqctl_is_name(const char *program);

/* The name that leveretctl has for a command of this program; name itself when it is the same. */
const char *rabbitmqctl_translate(const char *program, const char *name);

/* When the line that says that it is done is printed. */
enum rabbitmqctl_done {
    DONE_NOTHING, /* the command prints what it has to say itself */
    DONE_SAY,     /* always */
    DONE_LOUD,    /* unless --quiet or --silent was given */
    DONE_QUIET    /* unless --silent was given */
};

struct rabbitmqctl_words {
    const char *command;
    /* {vhost}, {node}, {1} … {4}, {rest} (the arguments from the second), {priority}, {timeout}
     * stand for their values. */
    const char *banner; /* NULL: none */
    enum rabbitmqctl_done when;
    const char *done; /* NULL: nothing, but with JSON that it was done */
};

/* Returns NULL when nothing is known of the command. */
const struct rabbitmqctl_words *rabbitmqctl_words(const char *command);

/* Whether the words need the node's name. */
bool rabbitmqctl_needs_node(const char *pattern);

/* Prints the pattern with the values in it; control characters in them are escaped. node may be
 * NULL when the pattern does not need it. */
void rabbitmqctl_print(const char *pattern, const struct options *options, const char *node);

/* Prints what is printed when the command has gone well. */
void rabbitmqctl_print_done(const struct rabbitmqctl_words *words, const struct options *options,
                            const char *node);

int rabbitmqctl_exit_code(enum outcome outcome);

#endif
