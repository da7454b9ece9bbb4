/* Verdicts: the checks of commands without the commands. See verdict.h. */
#include "leveret/broker/verdict.h"

#include <stdio.h>

#include "broker/channel/reply_to.h"
#include "broker/command/command.h"

static enum status of_queue(const struct command *command, const struct verdict_vhost *vhost,
                            struct refusal *refusal)
{
    struct queue_settings settings;
    struct bytes name = command->u.queue_declare.name;
    if (reply_to_is_pseudo(name) || reply_to_is_name(name))
        return refuse_missing(refusal, "queue", name, vhost->name);
    enum status status =
        command_check_queue_name(name, command->u.queue_declare.server_named, refusal);
    if (status != STATUS_OK)
        return status;
    struct text arguments = {0};
    struct command typed = *command;
    typed.u.queue_declare.arguments =
        queue_type_fill(command->u.queue_declare.arguments,
                        command_queue_type(command, vhost->default_queue_type), &arguments);
    status = command_check_queue(&typed, vhost->name, &settings, refusal);
    text_free(&arguments);
    return status;
}

static enum status of_exchange(const struct command *command, struct bytes vhost,
                               struct refusal *refusal)
{
    const struct exchange_declaration declaration = command_exchange_declaration(command);
    return topology_check_new(&declaration, vhost, refusal);
}

/* Copies the reason into the verdict; returns the status. */
static enum status told(enum status status, const struct refusal *refusal, struct verdict *out)
{
    snprintf(out->text, sizeof out->text, "%s", status == STATUS_OK ? "" : refusal->text);
    return status;
}

enum status verdict_of(const struct command *command, const struct verdict_vhost *vhost,
                       struct verdict *out)
{
    struct refusal refusal = {""};
    switch (command->type) {
    case COMMAND_QUEUE_DECLARE:
        return told(of_queue(command, vhost, &refusal), &refusal, out);
    case COMMAND_EXCHANGE_DECLARE:
        return told(of_exchange(command, vhost->name, &refusal), &refusal, out);
    case COMMAND_POLICY_PUT:
        return told(command_check_policy(command, &refusal), &refusal, out);
    default:
        return STATUS_NOT_IMPLEMENTED;
    }
}

enum status verdict_of_binding(const struct verdict_source *source, struct bytes routing_key,
                               struct bytes arguments, struct verdict *out)
{
    struct refusal refusal = {""};
    const struct exchange_type *type = exchange_type_find(source->type);
    enum status status = STATUS_OK;
    if (type && type->validate_binding)
        status = type->validate_binding(source->arguments, routing_key, arguments, &refusal);
    return told(status, &refusal, out);
}

const char *verdict_predeclared_type(struct bytes exchange)
{
    return bytes_equal_text(exchange, NOTICE_TRACE_EXCHANGE) ? "topic"
                                                             : topology_predeclared_type(exchange);
}
