/* Part of the api: policies as JSON, for requests and for definitions. Thread: the main thread. */
#ifndef LEVERET_ADMIN_POLICY_JSON_H
#define LEVERET_ADMIN_POLICY_JSON_H

#include "leveret/base/text.h"
#include "leveret/broker/vhost.h"

/* The two components of runtime parameters. */
#define POLICY_COMPONENT          "policy"
#define POLICY_OPERATOR_COMPONENT "operator_policy"

struct answer;
struct value;

/* Makes the command that puts a policy, all but its name and operator_policy. It has views into the
 * JSON and into *definition, which the caller frees. Returns false when the JSON is wrong; *why
 * then says so in RabbitMQ's words, zero-ended. */
bool api_policy_from_json(const struct value *policy, struct command *out, struct text *definition,
                          struct text *why);
/* Writes the policy's fields into the object that is open. */
void api_policy_write(struct answer *answer, struct bytes vhost, const struct policy_info *policy);
/* The same, as the fields of a runtime parameter. */
void api_policy_write_parameter(struct answer *answer, struct bytes vhost,
                                const struct policy_info *policy, bool operator_policy);

#endif
