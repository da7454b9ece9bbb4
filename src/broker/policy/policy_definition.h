/* Definitions of policies, which are tables of settings: checked, merged and read. Thread: any; no
 * state. */
#ifndef BROKER_POLICY_DEFINITION_H
#define BROKER_POLICY_DEFINITION_H

#include "broker/policy/queue_settings.h"
#include "leveret/base/text.h"

/* Whether a checked table can be a policy's definition. Errors: PRECONDITION_FAILED "-1 is not a
 * valid message TTL", "[{<<"foo">>,1}] are not recognised policy settings" … */
MUST_USE enum status policy_definition_check(struct bytes definition, bool operator_policy,
                                             struct refusal *refusal);

/* The types of queues that a policy with this definition does not apply to, because in RabbitMQ
 * those types do not support one of its keys. Bit 1 << enum queue_type of the result stands for a
 * type. */
unsigned policy_definition_excludes(struct bytes definition);

/* Appends the definition that a policy and an operator policy (either may be empty) make together,
 * sorted by key. Of two numbers for one key the lower counts. */
void policy_definition_merge(struct bytes policy, struct bytes operator_policy, struct text *out);

/* Reads the settings of queues in a definition. The views in *out point into it. */
void policy_definition_settings(struct bytes definition, struct queue_settings *out);

#endif
