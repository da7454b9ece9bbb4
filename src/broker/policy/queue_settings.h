/* Settings of a queue: the values of its arguments and of the policies that apply to it, checked
 * and merged. Thread: the vhost's owner.
 *
 * A new setting is a member of struct queue_settings and a line in the table of setting.c, which
 * contains its names as an argument and in policies, its check and its member (a number that can be
 * missing also needs its SETTING_NONE in queue_settings_default). An argument counts before a
 * policy; of numbers in the argument, the policy and the operator policy the lowest counts. Code
 * that acts on a setting reads queue->settings; what is to be done when a policy changes a setting
 * is done in queue_settings_changed (queue/queue_life.c). */
#ifndef BROKER_QUEUE_SETTINGS_H
#define BROKER_QUEUE_SETTINGS_H

#include "broker/call/equivalent.h"
#include "leveret/broker/queue_type.h"

/* A number that neither an argument nor a policy sets. */
#define SETTING_NONE UINT64_MAX
/* A delivery limit without an end: returns are counted, and no count exceeds it. It is the meaning
 * of a negative x-delivery-limit. */
#define SETTING_UNLIMITED (UINT64_MAX - 1)

/* What happens to a message that comes to a queue at its length limit. */
enum overflow {
    OVERFLOW_DROP_HEAD,          /* the queue takes it and drops its head */
    OVERFLOW_REJECT_PUBLISH,     /* the queue refuses it */
    OVERFLOW_REJECT_PUBLISH_DLX, /* the queue refuses it, and it is dead-lettered */
};

/* The views point into the tables that were read: those of queue->settings point into the queue's
 * copy of its arguments and into the definition of its effective policy. */
struct queue_settings {
    uint64_t expires_ms;          /* x-expires; SETTING_NONE: an unused queue is not deleted */
    uint64_t consumer_timeout_ms; /* x-consumer-timeout; SETTING_NONE: that of the vhost */
    uint64_t message_ttl_ms;      /* x-message-ttl; SETTING_NONE: messages do not expire */
    uint64_t max_length;          /* x-max-length: ready messages; SETTING_NONE: no limit */
    uint64_t max_length_bytes;    /* x-max-length-bytes: of their bodies; SETTING_NONE: no limit */
    uint64_t delivery_limit;      /* x-delivery-limit; SETTING_NONE: returns are not counted */
    unsigned max_priority;        /* x-max-priority; 0: the queue has no priorities */
    uint8_t overflow;             /* x-overflow: enum overflow */
    uint8_t type;                 /* x-queue-type: enum queue_type */
    bool delivery_limit_said;     /* true: an argument or a policy sets the delivery limit */
    bool at_least_once; /* true: x-dead-letter-strategy=at-least-once, which counts only together
                           with overflow=reject-publish: dead_letter_is_kept */
    bool single_active_consumer;          /* x-single-active-consumer */
    struct bytes dead_letter_exchange;    /* at NULL: none ("" is the default exchange) */
    struct bytes dead_letter_routing_key; /* at NULL: the routing keys of the message */
};

/* The settings of a queue without arguments and policies. */
extern const struct queue_settings queue_settings_default;

/* Checks the arguments of a queue, a checked table, and reads their settings, without policies. The
 * views in *out point into arguments. Errors: PRECONDITION_FAILED "invalid arg 'x-expires' for
 * queue 'q' in vhost '/': …", NOT_IMPLEMENTED (x-queue-type=stream). */
MUST_USE enum status queue_settings_parse(struct bytes arguments, struct bytes queue,
                                          struct bytes vhost, struct queue_settings *out,
                                          struct refusal *refusal);

/* Refuses an argument that queues of this type do not have. Returns PRECONDITION_FAILED. */
enum status queue_settings_refuse_argument(const char *argument, struct bytes queue,
                                           struct bytes vhost, enum queue_type type,
                                           struct refusal *refusal);

/* Whether a client can declare a queue of this type with these arguments. Recovery does not ask, so
 * that queues stay that an earlier broker accepted. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_settings_allowed(struct bytes arguments, struct bytes queue,
                                            struct bytes vhost, enum queue_type type,
                                            struct refusal *refusal);

/* Applies arguments that queue_settings_parse has accepted to the settings of the queue's policies,
 * or to queue_settings_default (base). */
void queue_settings_merge(struct bytes arguments, const struct queue_settings *base,
                          struct queue_settings *out);

/* Whether two tables of arguments declare the same queue. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_settings_equivalent(const struct equivalence *check,
                                               struct bytes received, struct bytes current);

#endif
