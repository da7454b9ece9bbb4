/* What a queue's arguments say, checked and in one place. Thread: the vhost's owner. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include "refusal.h"

#define SETTING_NONE UINT64_MAX

/* What happens to a message that comes to a queue at its limit. */
enum overflow {
    OVERFLOW_DROP_HEAD,          /* it goes in, the head goes out */
    OVERFLOW_REJECT_PUBLISH,     /* it is refused */
    OVERFLOW_REJECT_PUBLISH_DLX, /* it is refused, and dead-lettered */
};

/* Views point into the tables that were read: whoever frees one of these sets the settings anew
 * first. queue_new moves those into its arguments to its own copy. */
struct queue_settings {
    uint64_t expires_ms;          /* x-expires; SETTING_NONE: the queue stays */
    uint64_t consumer_timeout_ms; /* x-consumer-timeout; SETTING_NONE: the vhost's */
    uint64_t message_ttl_ms;      /* x-message-ttl; SETTING_NONE: messages stay */
    uint64_t max_length;          /* x-max-length: ready messages; SETTING_NONE: no limit */
    uint64_t max_length_bytes;    /* x-max-length-bytes: of their bodies; SETTING_NONE: no limit */
    unsigned max_priority;        /* x-max-priority; 0: one for all */
    enum overflow overflow;       /* x-overflow */
    bool at_least_once;           /* x-dead-letter-strategy, as said: see dead_letter.h */
    struct bytes dead_letter_exchange;    /* at NULL: none ("" is the default exchange) */
    struct bytes dead_letter_routing_key; /* at NULL: the message's own keys */
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
