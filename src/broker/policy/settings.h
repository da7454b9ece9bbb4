/* What a queue's arguments and the policies that apply to it say, checked and in one place.
 * Thread: the vhost's owner.
 *
 * A new setting is a member of struct queue_settings and a line in the table of settings.c, which
 * says its names as an argument and in policies, its check, and where it goes (a number that can be
 * missing also needs its SETTING_NONE in queue_settings_default). An argument is over a policy; of
 * two numbers the lower counts, an operator policy's among them. Who acts on a setting reads
 * queue->settings; who must do something when a policy changes it does so in
 * queue_settings_changed. */
#ifndef BROKER_SETTINGS_H
#define BROKER_SETTINGS_H

#include "broker/call/refusal.h"
#include "leveret/base/text.h"
#include "leveret/broker/queue_type.h"

#define SETTING_NONE UINT64_MAX
/* Without limit, though it is counted: a negative x-delivery-limit. Above every number. */
#define SETTING_UNLIMITED (UINT64_MAX - 1)

/* What happens to a message that comes to a queue at its limit. */
enum overflow {
    OVERFLOW_DROP_HEAD,          /* it goes in, the head goes out */
    OVERFLOW_REJECT_PUBLISH,     /* it is refused */
    OVERFLOW_REJECT_PUBLISH_DLX, /* it is refused, and dead-lettered */
};

/* Views point into the tables that were read: those of queue->settings into the queue's own copy of
 * its arguments, and into the definition of its policies. */
struct queue_settings {
    uint64_t expires_ms;          /* x-expires; SETTING_NONE: the queue stays */
    uint64_t consumer_timeout_ms; /* x-consumer-timeout; SETTING_NONE: the vhost's */
    uint64_t message_ttl_ms;      /* x-message-ttl; SETTING_NONE: messages stay */
    uint64_t max_length;          /* x-max-length: ready messages; SETTING_NONE: no limit */
    uint64_t max_length_bytes;    /* x-max-length-bytes: of their bodies; SETTING_NONE: no limit */
    uint64_t delivery_limit;      /* x-delivery-limit; SETTING_NONE: nobody counts */
    unsigned max_priority;        /* x-max-priority; 0: one for all */
    uint8_t overflow;             /* x-overflow: enum overflow */
    uint8_t type;                 /* x-queue-type: enum queue_type */
    bool delivery_limit_said;     /* an argument or a policy says the delivery limit */
    bool at_least_once;           /* x-dead-letter-strategy, as said: see dead_letter.h */
    bool single_active_consumer;  /* x-single-active-consumer */
    struct bytes dead_letter_exchange;    /* at NULL: none ("" is the default exchange) */
    struct bytes dead_letter_routing_key; /* at NULL: the message's own keys */
};

/* Of a queue that says nothing. */
extern const struct queue_settings queue_settings_default;

/* Reads a checked table of arguments: what they say alone, without policies; views into arguments.
 * Errors: PRECONDITION_FAILED "invalid arg 'x-expires' for queue 'q' in vhost '/': …",
 * NOT_IMPLEMENTED (x-queue-type=stream). */
MUST_USE enum status queue_settings_parse(struct bytes arguments, struct bytes queue,
                                          struct bytes vhost, struct queue_settings *out,
                                          struct refusal *refusal);

/* Refuses an argument that is of another type of queue. */
enum status refuse_argument_of_type(const char *argument, struct bytes queue, struct bytes vhost,
                                    enum queue_type type, struct refusal *refusal);

/* Whether a queue of this type can be declared with the arguments. What is stored already is not
 * asked: a queue from before stays. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_settings_allowed(struct bytes arguments, struct bytes queue,
                                            struct bytes vhost, enum queue_type type,
                                            struct refusal *refusal);

/* What arguments that were parsed before say on top of base: what policies say, or
 * queue_settings_default. */
void queue_settings_merge(struct bytes arguments, const struct queue_settings *base,
                          struct queue_settings *out);

/* Whether two argument tables make the same queue. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_settings_equivalent(const struct equivalence *check,
                                               struct bytes received, struct bytes current);

/* ---- Policies. */

/* Whether a checked table can be a policy's definition. Errors: PRECONDITION_FAILED "-1 is not a
 * valid message TTL", "[{<<"foo">>,1}] are not recognised policy settings" … */
MUST_USE enum status policy_definition_check(struct bytes definition, bool operator_policy,
                                             struct refusal *refusal);

/* The types of queues that a policy with this definition does not apply to, because queues of that
 * type in RabbitMQ know one of its keys not: bit 1 << enum queue_type. */
unsigned policy_definition_excludes(struct bytes definition);

/* Appends what a policy and an operator policy (either may be empty) say together: of two numbers
 * the lower; keys in order. */
void policy_definition_merge(struct bytes policy, struct bytes operator_policy, struct text *out);

/* What a definition says about a queue; views into it. */
void policy_definition_settings(struct bytes definition, struct queue_settings *out);

#endif
