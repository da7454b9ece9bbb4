/* What any caller of the core may put into a command that makes something: names that fit a short
 * string, which is how the journal and the wire write them, and arguments that are a table.
 *
 * Sessions have checked both as they decoded the frame. The gate is for every other caller: nobody
 * gets past it with what would be cut in the journal or abort further in. */
#include "broker/command/command.h"

#include "leveret/wire/cursor.h"
#include "leveret/wire/table.h"

#define NAMES_MAX 3u

struct named {
    const char *what;
    struct bytes value;
};

/* The names and arguments of the command; those that are not set have no `what`. */
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
