/* From the name of a command to its run. */
#include "ctl/command/command.h"

#include <stdio.h>
#include <string.h>

#include "ctl/api/http.h"

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

static bool takes(const struct command *command, enum option_id id)
{
    const unsigned char *at = command->takes;
    while (*at != OPTION_NONE && *at != id)
        at++;
    return *at == id;
}

static bool fits(const struct options *options, const struct command *command)
{
    int count = options->arg_count - 1, min, max;
    command_arity(command, &min, &max);
    for (size_t i = 0; i < option_table_rows; i++) {
        const struct option_row *row = &option_table[i];
        if (option_given(options, row->id) && !row->everywhere && !takes(command, row->id)) {
            complain("%s takes no --%s", command->name, row->name);
            return false;
        }
    }
    if (count >= min && (max < 0 || count <= max))
        return true;
    complain("%s takes %s%s", command->name, max ? "" : "no arguments", command->arguments);
    return false;
}

enum outcome command_run(const struct options *options)
{
    const struct http_target target = {options->host, options->port, options->user,
                                       options->password, options->timeout_s};
    const char *name = options->args[0];
    if (strcmp(name, "help") == 0)
        return help_run(options, options->arg_count > 1 ? options->args[1] : NULL);
    const struct command *command = command_find(name);
    if (!command) {
        complain("there is no command %s (see leveretctl help)", name);
        return OUTCOME_USAGE;
    }
    if (option_given(options, OPTION_HELP))
        return help_run(options, name);
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
    enum outcome outcome = command->run(&session);
    http_free(&session.http);
    return outcome;
}
