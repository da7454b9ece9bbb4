/* Part of command (command.h): commands on policies, which set and clear them.
 *
 * Normal course: the policy is checked, written to the journal and put into its list
 * (policy/policy.h), an event is announced, and a sweep applies it to queues and exchanges
 * (policy_sweep.h). What can go wrong: the policy is not valid, or there is none of this name to be
 * cleared: the channel fails. */
#include "broker/command/command.h"

#include "broker/command/policy_sweep.h"
#include "broker/policy/policy_definition.h"
#include "broker/store/definition.h"
#include "leveret/wire/table.h"
#include "leveret/wire/table_sort.h"

/* Bytes of a policy's definition; a longer one is refused. Listings copy it for each queue that it
 * applies to. */
#define DEFINITION_BYTES_MAX 8192u

static enum policy_kind kind_of(const struct command *command)
{
    return command->u.policy.operator_policy ? POLICY_OPERATORS : POLICY_USERS;
}

static void write_definition(const struct policy *policy, enum policy_kind kind, struct text *key,
                             struct text *value)
{
    const struct policy_definition definition = {
        .operator_policy = kind == POLICY_OPERATORS,
        .name = policy->name,
        .pattern = policy->pattern_text,
        .definition = policy->definition,
        .priority = policy->priority,
        .target = policy->target,
    };
    definition_of_policy(&definition, key, value);
}

enum status command_make_policy(const struct command *command, struct policy **out,
                                struct refusal *refusal)
{
    struct pattern_error error;
    struct text scratch = {0};
    const struct policy_parts parts = {
        .name = command->u.policy.name,
        .pattern = command->u.policy.pattern,
        .definition = table_sorted(command->u.policy.definition, &scratch),
        .priority = command->u.policy.priority,
        .target = command->u.policy.target,
    };
    enum status status = STATUS_OK;
    *out = NULL;
    if (parts.name.len == 0 || parts.name.len > NAME_BYTES_MAX)
        status = refuse(refusal, STATUS_PRECONDITION_FAILED, "a policy's name has 1 to 255 bytes");
    else if (parts.definition.len > DEFINITION_BYTES_MAX)
        status = refuse(refusal, STATUS_PRECONDITION_FAILED, "a policy's definition is too long");
    else
        status =
            policy_definition_check(parts.definition, command->u.policy.operator_policy, refusal);
    if (status == STATUS_OK && policy_new(&parts, out, &error) != STATUS_OK)
        status = refuse(refusal, STATUS_PRECONDITION_FAILED,
                        "pattern should be regular expression but is invalid: {\"%s\",%zu}",
                        error.reason, error.at);
    text_free(&scratch);
    return status;
}

enum status command_check_policy(const struct command *command, struct refusal *refusal)
{
    struct policy *policy;
    enum status status = command_make_policy(command, &policy, refusal);
    policy_free(&policy);
    return status;
}

/* Adds what an event says about a policy that was set. */
static void put_policy_facts(struct text *out, const struct command *command)
{
    static const char *const targets[] = {
        [POLICY_ALL] = "all",
        [POLICY_QUEUES] = "queues",
        [POLICY_CLASSIC_QUEUES] = "classic_queues",
        [POLICY_QUORUM_QUEUES] = "quorum_queues",
        [POLICY_STREAMS] = "streams",
        [POLICY_EXCHANGES] = "exchanges",
    };
    const struct field definition = {.type = FIELD_TABLE,
                                     .value.bytes = command->u.policy.definition};
    table_put_string(out, "pattern", command->u.policy.pattern);
    table_put_string(out, "apply-to", bytes_of_text(targets[command->u.policy.target]));
    table_put_field(out, BYTES_LITERAL("definition"), &definition);
    table_put_i64(out, "priority", command->u.policy.priority);
}

static void announce_policy(const struct channel *channel, const struct command *command)
{
    const struct vhost *vhost = channel->vhost;
    bool set = command->type == COMMAND_POLICY_PUT;
    struct text headers = {0};
    if (!vhost->notices.watched)
        return;
    table_put_string(&headers, "name", command->u.policy.name);
    table_put_string(&headers, "vhost", vhost->options.name);
    table_put_string(&headers, "user_who_performed_action", channel->peer->user);
    if (set)
        put_policy_facts(&headers, command);
    /* RabbitMQ's names: an operator policy has a name of its own only when it is cleared. */
    notice_tell(&vhost->notices,
                set                                 ? "policy.set"
                : command->u.policy.operator_policy ? "operator.policy.cleared"
                                                    : "policy.cleared",
                &headers);
}

static void put_policy(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct policy *policy;
    if (command_make_policy(command, &policy, &vhost->store.call.refusal) != STATUS_OK) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "Validation failed\n\n%s\n", vhost->store.call.refusal.text);
        return;
    }
    struct text key = {0}, value = {0};
    write_definition(policy, kind_of(command), &key, &value);
    store_put(&vhost->store, &key, &value);
    text_free(&key);
    text_free(&value);
    policies_put(&vhost->policies, kind_of(command), policy);
    announce_policy(channel, command);
    policy_sweep_begin(vhost);
    policy_sweep_answer(channel, command);
}

static void delete_policy(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct bytes name = command->u.policy.name;
    if (!policies_take(&vhost->policies, kind_of(command), name)) {
        channel_refuse(channel, command->type, STATUS_NOT_FOUND, "no %s '%.*s' in vhost '%.*s'",
                       kind_of(command) == POLICY_OPERATORS ? "operator policy" : "policy",
                       BYTES_PRINT(name), BYTES_PRINT(vhost->options.name));
        return;
    }
    struct text key = {0};
    const struct policy_definition definition = {
        .operator_policy = command->u.policy.operator_policy, .name = name};
    definition_of_policy(&definition, &key, NULL);
    store_erase(&vhost->store, &key);
    text_free(&key);
    announce_policy(channel, command);
    policy_sweep_begin(vhost);
    policy_sweep_answer(channel, command);
}

void command_policy(struct channel *channel, const struct command *command)
{
    if (command->type == COMMAND_POLICY_PUT)
        put_policy(channel, command);
    else
        delete_policy(channel, command);
}
