/* help, from the tables of commands and options. */
#include <stdio.h>
#include <string.h>

#include "ctl/command/command.h"

#define HELP_COLUMN 45 /* where the explanations of commands begin */

static size_t first_line(const char *text)
{
    return strcspn(text, "\n");
}

/* For programs: no headings between the commands. */
static void list_plainly(const struct style *style)
{
    static const char *const headings[] = {"command", "arguments", "help"};
    struct table *table = table_new(stdout, style->format, 3, style->headings ? headings : NULL, 0);
    for (size_t i = 0; i < area_count; i++) {
        for (size_t j = 0; j < areas[i]->count; j++) {
            const struct command *c = &areas[i]->commands[j];
            table_cell(table, bytes_of_text(c->name));
            table_cell(table, bytes_of_text(c->arguments));
            table_cell(table, bytes_of(c->help, first_line(c->help)));
        }
    }
    table_end(&table);
}

static void list_area(const struct area *area)
{
    printf("\n%s:\n", area->heading);
    for (size_t i = 0; i < area->count; i++) {
        const struct command *c = &area->commands[i];
        int len = (int)(strlen(c->name) + strlen(c->arguments)) + 3;
        printf("  %s %s%*s%.*s\n", c->name, c->arguments, len < HELP_COLUMN ? HELP_COLUMN - len : 2,
               "", (int)first_line(c->help), c->help);
    }
}

static void list_all(void)
{
    printf("leveretctl [OPTION...] COMMAND [ARGUMENT...]\n"
           "Looks after a Leveret broker by its HTTP API. leveretctl help COMMAND explains one.\n");
    for (size_t i = 0; i < area_count; i++)
        list_area(areas[i]);
    printf("\nOptions of all commands:\n");
    option_help(stdout, NULL);
    printf("\nSettings also come from LEVERETCTL_HOST, _PORT, _USER, _PASSWORD, _VHOST, _FORMAT,\n"
           "_QUIET and _TIMEOUT, and from lines such as \"user = eve\" in ~/.leveretctl.\n"
           "Ends with 0; 1: the broker refused; 2: wrong usage; 3: no answer; 4: trouble with a\n"
           "file here.\n");
}

enum outcome help_run(const struct options *options, const char *name)
{
    const struct command *c = name ? command_find(name) : NULL;
    if (name && !c) {
        complain("there is no command %s (see leveretctl help)", name);
        return OUTCOME_USAGE;
    }
    if (!name) {
        if (options->style.format == FORMAT_TSV)
            list_plainly(&options->style);
        else
            list_all();
        return OUTCOME_OK;
    }
    printf("leveretctl%s %s %s\n\n%s.\nAllowed to: %s.\n", *c->takes ? " [OPTION...]" : "", c->name,
           c->arguments, c->help, c->needs);
    if (*c->takes) {
        printf("\nOptions:\n");
        option_help(stdout, c->takes);
    }
    printf("\nleveretctl help lists the options of all commands.\n");
    return OUTCOME_OK;
}
