/* leveretctl, the command line of a Leveret broker: reads the options, runs the command, and checks
 * that its output could be written. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "ctl/api/http.h"
#include "ctl/command/command.h"
#include "ctl/rabbitmqctl/rabbitmqctl.h"

static enum outcome run(int argc, char **argv, const struct options_reader *reader,
                        struct options *options)
{
    if (!options_read(options, reader, argc, argv))
        return OUTCOME_USAGE;
    if (option_given(options, OPTION_VERSION)) {
        printf("%s%s\n", options->rabbitmqctl ? "" : "leveretctl ", PACKAGE_VERSION);
        return OUTCOME_OK;
    }
    if (options->arg_count)
        return command_run(options);
    if (option_given(options, OPTION_HELP))
        return help_run(options, NULL);
    complain("which command? (see leveretctl help)");
    return OUTCOME_USAGE;
}

static int exit_code(enum outcome outcome, bool rabbitmqctl)
{
    static const int codes[] = {
#define X(name, own, rabbitmqctl) own,
        OUTCOMES(X)
#undef X
    };
    return rabbitmqctl ? rabbitmqctl_exit_code(outcome) : codes[outcome];
}

int main(int argc, char **argv)
{
    const struct options_reader reader = {
        .rabbitmqctl = rabbitmqctl_is_name(program_invocation_short_name),
        .takes = command_takes,
        .take_uri = http_take_uri,
    };
    struct options options;
    enum outcome outcome = run(argc, argv, &reader, &options);
    bool lost = ferror(stdout), rabbitmqctl = options.rabbitmqctl;
    options_free(&options);
    if (fflush(stdout) != 0 || lost) {
        complain("standard output: %s", strerror(errno));
        outcome = outcome == OUTCOME_OK ? OUTCOME_LOCAL : outcome;
    }
    return exit_code(outcome, rabbitmqctl);
}
