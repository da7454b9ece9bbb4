/* What a queue's arguments say, checked and in one place. Thread: the vhost's owner.
 *
 * Arguments that later issues give an effect (lengths, dead-lettering, priorities …) are checked
 * here already; their members come here when they do something. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include "refusal.h"

#define SETTING_NONE UINT64_MAX

struct queue_settings {
    uint64_t expires_ms;          /* x-expires; SETTING_NONE: the queue stays */
    uint64_t consumer_timeout_ms; /* x-consumer-timeout; SETTING_NONE: the vhost's */
    uint64_t message_ttl_ms;      /* x-message-ttl; SETTING_NONE: messages stay */
    unsigned max_priority;        /* x-max-priority; 0: one for all */
};

/* Reads a checked table of arguments. Errors: PRECONDITION_FAILED "invalid arg 'x-expires' for
 * queue 'q' in vhost '/': …", NOT_IMPLEMENTED (x-queue-type=stream). */
MUST_USE enum status queue_settings_parse(struct bytes arguments, struct bytes queue,
                                          struct bytes vhost, struct queue_settings *out,
                                          struct refusal *refusal);

/* Whether two argument tables make the same queue. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_settings_equivalent(const struct equivalence *check,
                                               struct bytes received, struct bytes current);

#endif
