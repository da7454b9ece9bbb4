/* leveretctl, the command line of a Leveret broker: reads the options, runs the command, and checks
 * that its output could be written. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "config.h"

void complain(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    fflush(stdout);
    fprintf(stderr, "leveretctl: %s\n", line);
}

static enum outcome run(int argc, char **argv, struct options *options)
{
    if (!options_read(options, argc, argv))
        return OUTCOME_USAGE;
    if (options->version) {
        printf("leveretctl %s\n", PACKAGE_VERSION);
        return OUTCOME_OK;
    }
    if (options->arg_count)
        return command_run(options);
    if (options->help)
        return command_help(options, NULL);
    complain("which command? (see leveretctl help)");
    return OUTCOME_USAGE;
}

int main(int argc, char **argv)
{
    struct options options;
    enum outcome outcome = run(argc, argv, &options);
    bool lost = ferror(stdout);
    options_free(&options);
    if (fflush(stdout) != 0 || lost) {
        complain("standard output: %s", strerror(errno));
        outcome = outcome == OUTCOME_OK ? OUTCOME_LOCAL : outcome;
    }
    return (int)outcome;
}
