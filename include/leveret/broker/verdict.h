/* Checks whether a vhost would take a definition, without a vhost and without making anything: for
 * a file of definitions that is checked as a whole before anything is changed. The checks are those
 * that a command goes through, but for those that depend on the vhost (what exists already, its
 * limits).
 *
 * Thread: any; no state. */
#ifndef LEVERET_BROKER_VERDICT_H
#define LEVERET_BROKER_VERDICT_H

#include "leveret/broker/command.h"
#include "leveret/broker/queue_type.h"

/* Bytes of the reason for a refusal, with its zero; a longer reason is cut. */
#define VERDICT_TEXT_MAX 512u

struct verdict {
    char text[VERDICT_TEXT_MAX]; /* the reason for a refusal, in the words of the command's reply */
};

/* What the checks need to know of the vhost. */
struct verdict_vhost {
    struct bytes name;
    enum queue_type default_queue_type; /* as in struct vhost_tuning */
};

/* Checks COMMAND_QUEUE_DECLARE, COMMAND_EXCHANGE_DECLARE or COMMAND_POLICY_PUT. Errors: those of
 * the command's reply; NOT_IMPLEMENTED for another command. */
MUST_USE enum status verdict_of(const struct command *command, const struct verdict_vhost *vhost,
                                struct verdict *out);

/* The exchange that a binding begins at. */
struct verdict_source {
    struct bytes type, arguments; /* arguments: a checked table's contents */
};
/* Checks a binding from such an exchange. Errors: PRECONDITION_FAILED. */
MUST_USE enum status verdict_of_binding(const struct verdict_source *source,
                                        struct bytes routing_key, struct bytes arguments,
                                        struct verdict *out);

/* The type of an exchange that each vhost has from the start (amq.direct …); NULL: it is none of
 * these. Static. */
const char *verdict_predeclared_type(struct bytes exchange);

#endif
