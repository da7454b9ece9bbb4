/* leveretctl, the command line of a Leveret broker: reads the options, runs the command, and checks
 * that its output could be written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "ctl/command/command.h"

static enum outcome run(int argc, char **argv, struct options *options)
{
    if (!options_read(options, argc, argv))
        return OUTCOME_USAGE;
    if (option_given(options, OPTION_VERSION)) {
        printf("leveretctl %s\n", PACKAGE_VERSION);
        return OUTCOME_OK;
    }
    if (options->arg_count)
        return command_run(options);
    if (option_given(options, OPTION_HELP))
        return help_run(options, NULL);
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
