/* Whether a vhost would take a definition, asked without a vhost and without making anything: for
 * definitions that are checked as a whole before anything is changed. The checks are those that the
 * commands go through; what depends on the vhost (what exists already, its limits) is not asked.
 *
 * Thread: any; no state. */
#ifndef LEVERET_BROKER_VERDICT_H
#define LEVERET_BROKER_VERDICT_H

#include "leveret/broker/command.h"
#include "leveret/broker/queue_type.h"

#define VERDICT_TEXT_MAX 512u

struct verdict {
    char text[VERDICT_TEXT_MAX]; /* why not, zero-ended, in the words of the command's reply */
};

/* What of the vhost counts. */
struct verdict_vhost {
    struct bytes name;
    enum queue_type default_queue_type; /* as in struct vhost_tuning */
};

/* Of COMMAND_QUEUE_DECLARE, COMMAND_EXCHANGE_DECLARE or COMMAND_POLICY_PUT. Errors: as the
 * command's reply. */
MUST_USE enum status verdict_of(const struct command *command, const struct verdict_vhost *vhost,
                                struct verdict *out);

/* Of a binding from an exchange of this type with these arguments. Errors: PRECONDITION_FAILED. */
struct verdict_source {
    struct bytes type, arguments; /* arguments: a checked table's contents */
};
MUST_USE enum status verdict_of_binding(const struct verdict_source *source,
                                        struct bytes routing_key, struct bytes arguments,
                                        struct verdict *out);

/* The type of an exchange that each vhost has from the start (amq.direct …), or NULL. */
const char *verdict_predeclared_type(struct bytes exchange);

#endif
