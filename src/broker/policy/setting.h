/* A setting of queues or exchanges: its names as an argument and in policies, its check, and its
 * member of struct queue_settings. For queue_settings.c and policy_definition.c alone. Thread: any;
 * no state. */
#ifndef BROKER_SETTING_H
#define BROKER_SETTING_H

#include "broker/policy/queue_settings.h"
#include "broker/policy/setting_check.h"

enum setting_kind {
    SETTING_IDLE,   /* no member: the value is checked, and has no effect */
    SETTING_NUMBER, /* uint64_t: of an argument's and a policy's number the lower one counts */
    SETTING_COUNT,  /* unsigned */
    SETTING_TEXT,   /* struct bytes */
    SETTING_WORD,   /* uint8_t, or bool: the index in words */
    SETTING_FLAG,   /* bool */
};

struct setting {
    const char *argument; /* NULL: it is no argument of a queue */
    setting_check *check;
    enum setting_kind kind;
    size_t at;                /* the offset of the member in struct queue_settings */
    const char *const *words; /* of SETTING_WORD */
    /* Policies. */
    const char *policy;          /* the key in a definition; NULL: a policy cannot have it */
    const char *wrong;           /* what follows a refused value: "is not a valid …" */
    bool by_operator;            /* true: an operator policy can have it as well */
    setting_check *policy_check; /* of the value in a policy; NULL: check */
};

/* The setting with this index in the table, or NULL behind the last one. Settings that are
 * arguments of queues come first. */
const struct setting *setting_at(size_t index);
/* The setting with this name as an argument of a queue, or NULL. */
const struct setting *setting_of_argument(struct bytes key);
/* The setting with this key in policies, or NULL. */
const struct setting *setting_of_policy(struct bytes key);

/* A limit as it is compared: a negative number means no limit, so it is above all others. */
uint64_t setting_limit(int64_t value);
/* Writes a checked value into the setting's member. */
void setting_apply(const struct setting *setting, const struct field *field,
                   struct queue_settings *out);

#endif
