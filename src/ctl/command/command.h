/* The commands. Each area has a file (or a few) with its functions and, below them, the table of
 * its commands, which says how each is shown in help, checked and called. */
#ifndef LEVERETCTL_COMMAND_H
#define LEVERETCTL_COMMAND_H

#include "ctl/api/session.h"

/* Words of the column `needs`. */
#define NEEDS_ANY         "any user with a tag"
#define NEEDS_MONITORING  "monitoring"
#define NEEDS_ADMIN       "administrator"
#define NEEDS_POLICYMAKER "policymaker"

/* Options of a command, of those that not every command takes. */
#define COMMAND_OPTIONS_MAX 12

struct command {
    const char *name;
    /* As help shows them, and the number of them that is allowed: "QUEUE [COLUMN...]" is one or
     * more, "" none. The completion offers what the words name (QUEUE, FILE …). */
    const char *arguments;
    unsigned char takes[COMMAND_OPTIONS_MAX + 1]; /* enum option_id; OPTION_NONE ends them */
    enum outcome (*run)(struct session *session);
    const char *detail; /* tells a function that serves several commands which one it is */
    const char *needs;  /* the tag or the permission in the virtual host that a user needs */
    const char *help;   /* one line, and perhaps more below it */
};

struct area {
    const char *heading;
    const struct command *commands;
    size_t count;
};

#define AREA(heading, commands)                                                                    \
    {                                                                                              \
        heading, commands, sizeof(commands) / sizeof *(commands)                                   \
    }

extern const struct area broker_area, node_area, running_area, diagnostics_area, definitions_area,
    topology_area, policies_area, parameters_area, messages_area, moving_area, clients_area,
    users_area, permissions_area, vhosts_area, limits_area;

/* areas.c: all of them, in the order of help. */
extern const struct area *const areas[];
extern const size_t area_count;

/* Returns NULL when there is no such command. */
const struct command *command_find(const char *name);

/* The number of arguments that a command takes; *max is -1 when there is no limit. */
void command_arity(const struct command *command, int *min, int *max);

/* What a command takes, by the name that it has for the program; NULL when there is none. */
const unsigned char *command_takes(const char *name);

/* Finds and checks the command and runs it. */
enum outcome command_run(const struct options *options);

/* help [COMMAND]. */
enum outcome help_run(const struct options *options, const char *name);

/* list.c: the commands list_…; detail is the kind's name. */
enum outcome run_list(struct session *session);
/* The same for a kind that the command chooses. */
enum outcome list_run(struct session *session, const char *kind);

#endif
