/* From the name of a command to its run. */
#include "ctl/command/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/http.h"
#include "ctl/api/node_name.h"
#include "ctl/rabbitmqctl/rabbitmqctl.h"
#include "leveret/base/nearest.h"

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < area_count; i++)
        for (size_t j = 0; j < areas[i]->count; j++)
            if (strcmp(areas[i]->commands[j].name, name) == 0)
                return &areas[i]->commands[j];
    return NULL;
}

void command_arity(const struct command *command, int *min, int *max)
{
    bool endless = strstr(command->arguments, "...");
    *min = *max = 0;
    for (const char *at = command->arguments; *at; at += strspn(at, " ")) {
        *min += *at != '[';
        ++*max;
        at += strcspn(at, " ");
    }
    if (endless)
        *max = -1;
}

const unsigned char *command_takes(const char *name)
{
    const struct command *command =
        command_find(rabbitmqctl_translate(program_invocation_short_name, name));
    return command ? command->takes : NULL;
}

static bool fits(const struct options *options, const struct command *command)
{
    int count = options->arg_count - 1, min, max;
    command_arity(command, &min, &max);
    if (count >= min && (max < 0 || count <= max))
        return true;
    complain("%s takes %s%s", command->name, max ? "" : "no arguments", command->arguments);
    return false;
}

static const struct command *find_or_complain(const char *name)
{
    const struct command *command =
        command_find(rabbitmqctl_translate(program_invocation_short_name, name));
    struct nearest nearest;
    if (command)
        return command;
    nearest_begin(&nearest, name);
    nearest_consider(&nearest, "help");
    for (size_t i = 0; i < area_count; i++)
        for (size_t j = 0; j < areas[i]->count; j++)
            nearest_consider(&nearest, areas[i]->commands[j].name);
    complain("there is no command %s%s%s%s (see leveretctl help)", name,
             *nearest.found ? "; did you mean " : "", nearest.found, *nearest.found ? "?" : "");
    return NULL;
}

/* rabbitmqctl's line on what is about to be done. */
static enum outcome print_banner(struct session *session, const struct rabbitmqctl_words *words)
{
    const char *pattern = words ? words->banner : NULL;
    bool node = rabbitmqctl_needs_node(pattern);
    if (!pattern || !session->options->style.banner)
        return OUTCOME_OK;
    if (node && !node_name(session))
        return session->failed;
    rabbitmqctl_print(pattern, session->options, session->node);
    return OUTCOME_OK;
}

static void print_done(struct session *session, const struct rabbitmqctl_words *words)
{
    if (words && words->when != DONE_NOTHING && session->options->style.rabbitmqctl &&
        (!rabbitmqctl_needs_node(words->done) || node_name(session)))
        rabbitmqctl_print_done(words, session->options, session->node);
}

static enum outcome run(struct session *session)
{
    const struct rabbitmqctl_words *words = rabbitmqctl_words(session->command->name);
    enum outcome outcome = print_banner(session, words);
    if (outcome == OUTCOME_OK)
        outcome = session->command->run(session);
    if (outcome == OUTCOME_OK)
        print_done(session, words);
    return outcome;
}

enum outcome command_run(const struct options *options)
{
    const struct http_target target = session_target(options);
    const char *name = options->args[0];
    if (strcmp(name, "help") == 0)
        return help_run(options, options->arg_count > 1 ? options->args[1] : NULL);
    const struct command *command = find_or_complain(name);
    if (!command)
        return OUTCOME_USAGE;
    if (option_given(options, OPTION_HELP))
        return help_run(options, command->name);
    if (!fits(options, command))
        return OUTCOME_USAGE;
    struct session session = {
        .options = options,
        .command = command,
        .needs = command->needs,
        .http = http_new(&target),
        .args = options->args + 1,
        .arg_count = options->arg_count - 1,
    };
    if (!session.http) {
        complain("the HTTP library does not start");
        return OUTCOME_LOCAL;
    }
    enum outcome outcome = run(&session);
    http_free(&session.http);
    free(session.node);
    return outcome;
}
