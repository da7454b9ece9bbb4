/* Part of command (command.h): checks the names and arguments of a command that declares, binds,
 * unbinds or consumes. A name must fit a short string, which is how the journal and the wire write
 * it; arguments must be a well-formed table.
 *
 * A session has checked both when it decoded the frame. The gate is for all other callers of the
 * core: no name that the journal would have to cut and no table that cannot be read gets past it.
 */
#include "broker/command/command.h"

#include "leveret/wire/cursor.h"
#include "leveret/wire/table.h"

/* Names in one command. */
#define NAMES_MAX 3u

struct named {
    const char *what;
    struct bytes value;
};

/* Fills in the names of the command, and returns its arguments. The `what` of names that the
 * command does not have stays NULL. */
static struct bytes parts_of(const struct command *command, struct named names[NAMES_MAX])
{
    switch (command->type) {
    case COMMAND_EXCHANGE_DECLARE:
        names[0] = (struct named){"exchange name", command->u.exchange_declare.name};
        names[1] = (struct named){"exchange type", command->u.exchange_declare.type};
        return command->u.exchange_declare.arguments;
    case COMMAND_QUEUE_DECLARE:
        names[0] = (struct named){"queue name", command->u.queue_declare.name};
        return command->u.queue_declare.arguments;
    case COMMAND_CONSUME:
        names[0] = (struct named){"consumer tag", command->u.consume.tag};
        return command->u.consume.arguments;
    default:
        names[0] = (struct named){"source name", command->u.bind.source};
        names[1] = (struct named){"destination name", command->u.bind.destination};
        names[2] = (struct named){"routing key", command->u.bind.routing_key};
        return command->u.bind.arguments;
    }
}

bool command_gate(struct channel *channel, const struct command *command)
{
    struct named names[NAMES_MAX] = {{0}};
    struct bytes arguments = parts_of(command, names);
    for (unsigned i = 0; i < NAMES_MAX && names[i].what; i++) {
        if (names[i].value.len <= NAME_BYTES_MAX)
            continue;
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "%s is longer than %u bytes", names[i].what, NAME_BYTES_MAX);
        return false;
    }
    if (arguments.len == 0 || table_check(arguments) == STATUS_OK)
        return true;
    channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED, "malformed arguments");
    return false;
}
