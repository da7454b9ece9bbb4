/* Policies: kept, changed, journalled, listed. See policy.h. */
#include "broker/policy/policy.h"

#include "broker/vhost_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/table_sort.h"

/* Of a definition: listings copy it for each queue that it applies to. */
#define DEFINITION_BYTES_MAX 8192u
/* Steps of a match: ten times what a plain pattern needs on a long name, and some 0.1 ms. */
#define PATTERN_STEPS_MAX 10000u

/* ---- One policy. */

/* What a policy is made of. */
struct policy_parts {
    struct bytes name, pattern, definition; /* definition: its keys in order */
    int64_t priority;
    enum policy_target target;
};

static struct bytes keep(uint8_t **at, struct bytes bytes)
{
    uint8_t *to = *at;
    if (bytes.len)
        memcpy(to, bytes.at, bytes.len);
    *at += bytes.len;
    return bytes_of(to, bytes.len);
}

/* Errors: as pattern_new. */
static enum status policy_new(const struct policy_parts *parts, struct policy **out,
                              struct pattern_error *error)
{
    static const struct pattern_options options = {.steps_max = PATTERN_STEPS_MAX};
    struct bytes definition = parts->definition;
    struct pattern *pattern;
    enum status status = pattern_new(parts->pattern, &options, &pattern, error);
    if (status != STATUS_OK)
        return status;
    struct policy *policy =
        mem_need(sizeof *policy + parts->name.len + parts->pattern.len + definition.len);
    uint8_t *at = policy->data;
    policy->name = keep(&at, parts->name);
    policy->pattern_text = keep(&at, parts->pattern);
    policy->definition = keep(&at, definition);
    policy->priority = parts->priority;
    policy->target = parts->target;
    policy->excludes = policy_definition_excludes(policy->definition);
    policy->pattern = pattern;
    *out = policy;
    return STATUS_OK;
}

static void policy_free(struct policy **policy)
{
    struct policy *p = *policy;
    *policy = NULL;
    if (!p)
        return;
    pattern_free(&p->pattern);
    free(p);
}

/* ---- The lists. */

static int compare_names(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool comes_before(const struct policy *a, const struct policy *b)
{
    return a->priority != b->priority ? a->priority > b->priority
                                      : compare_names(a->name, b->name) < 0;
}

static size_t place_of(struct policy *const *array, size_t count, struct bytes name)
{
    size_t i = 0;
    while (i < count && !bytes_equal(array[i]->name, name))
        i++;
    return i;
}

static void take_out(struct policy **array, size_t count, size_t at)
{
    memmove(array + at, array + at + 1, (count - at - 1) * sizeof *array);
}

static void sort_in(struct policy_list *list, size_t count, struct policy *policy)
{
    size_t at = 0;
    while (at < count && comes_before(list->sorted[at], policy))
        at++;
    memmove(list->sorted + at + 1, list->sorted + at, (count - at) * sizeof *list->sorted);
    list->sorted[at] = policy;
}

/* Takes the policy over, in the place of one of the same name if there is one. */
static void put_into(struct policies *policies, enum policy_kind kind, struct policy *policy)
{
    struct policy_list *list = &policies->of[kind];
    size_t at = place_of(list->made, list->count, policy->name);
    policy->version = ++policies->last_version;
    if (at < list->count) {
        struct policy *old = list->made[at];
        policy->number = old->number;
        list->made[at] = policy;
        take_out(list->sorted, list->count, place_of(list->sorted, list->count, policy->name));
        sort_in(list, list->count - 1, policy);
        policy_free(&old);
        return;
    }
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 4;
        list->sorted = mem_need_array(list->sorted, list->room, sizeof *list->sorted);
        list->made = mem_need_array(list->made, list->room, sizeof *list->made);
    }
    policy->number = ++policies->last_number;
    sort_in(list, list->count, policy);
    list->made[list->count++] = policy;
}

static bool take_from(struct policies *policies, enum policy_kind kind, struct bytes name)
{
    struct policy_list *list = &policies->of[kind];
    size_t at = place_of(list->made, list->count, name);
    if (at == list->count)
        return false;
    struct policy *policy = list->made[at];
    take_out(list->made, list->count, at);
    take_out(list->sorted, list->count, place_of(list->sorted, list->count, name));
    list->count--;
    policy_free(&policy);
    return true;
}

void policies_init(struct policies *policies)
{
    TAILQ_INIT(&policies->waits);
}

void policies_free(struct policies *policies)
{
    policies_forget_waits(policies);
    for (unsigned kind = 0; kind < POLICY_KINDS; kind++) {
        struct policy_list *list = &policies->of[kind];
        for (size_t i = 0; i < list->count; i++)
            policy_free(&list->made[i]);
        free(list->sorted);
        free(list->made);
    }
    size_t at = 0;
    struct effective_policy *effective;
    while ((effective = map_next(&policies->effective, &at)))
        free(effective);
    map_free(&policies->effective);
}

/* ---- Commands. */

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

/* Errors: PRECONDITION_FAILED. */
static enum status policy_make(const struct command *command, struct policy **out,
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

enum status policy_check(const struct command *command, struct refusal *refusal)
{
    struct policy *policy;
    enum status status = policy_make(command, &policy, refusal);
    policy_free(&policy);
    return status;
}

static void put_policy(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct policy *policy;
    if (policy_make(command, &policy, &vhost->refusal) != STATUS_OK) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "Validation failed\n\n%s\n", vhost->refusal.text);
        return;
    }
    struct text key = {0}, value = {0};
    write_definition(policy, kind_of(command), &key, &value);
    vhost_put(vhost, &key, &value);
    text_free(&key);
    text_free(&value);
    put_into(&vhost->policies, kind_of(command), policy);
    event_policy(channel, command);
    policy_sweep_begin(vhost);
    policy_answer(channel, command);
}

static void delete_policy(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct bytes name = command->u.policy.name;
    if (!take_from(&vhost->policies, kind_of(command), name)) {
        channel_refuse(channel, command->type, STATUS_NOT_FOUND, "no %s '%.*s' in vhost '%.*s'",
                       kind_of(command) == POLICY_OPERATORS ? "operator policy" : "policy",
                       BYTES_PRINT(name), BYTES_PRINT(vhost->name));
        return;
    }
    struct text key = {0};
    const struct policy_definition definition = {
        .operator_policy = command->u.policy.operator_policy, .name = name};
    definition_of_policy(&definition, &key, NULL);
    vhost_erase(vhost, &key);
    text_free(&key);
    event_policy(channel, command);
    policy_sweep_begin(vhost);
    policy_answer(channel, command);
}

void command_policy(struct channel *channel, const struct command *command)
{
    if (command->type == COMMAND_POLICY_PUT)
        put_policy(channel, command);
    else
        delete_policy(channel, command);
}

/* ---- Recovery. */

enum status policy_restore(struct vhost *vhost, struct bytes key, struct bytes value)
{
    struct policy_definition definition;
    struct policy *policy;
    enum status status = definition_read_policy(key, value, &definition);
    if (status != STATUS_OK)
        return status;
    const struct policy_parts parts = {
        .name = definition.name,
        .pattern = definition.pattern,
        .definition = definition.definition,
        .priority = definition.priority,
        .target = definition.target,
    };
    status = policy_new(&parts, &policy, NULL);
    if (status == STATUS_OK)
        put_into(&vhost->policies, definition.operator_policy ? POLICY_OPERATORS : POLICY_USERS,
                 policy);
    return status;
}

/* ---- Listings. */

static void fill_policy(const struct policy *policy, struct policy_info *out)
{
    *out = (struct policy_info){
        .name = policy->name,
        .pattern = policy->pattern_text,
        .definition = policy->definition,
        .priority = policy->priority,
        .target = policy->target,
    };
}

size_t vhost_list_policies(struct vhost *vhost, bool operator_policies, uint64_t *after,
                           struct policy_info *out, size_t max)
{
    const struct policy_list *list =
        &vhost->policies.of[operator_policies ? POLICY_OPERATORS : POLICY_USERS];
    size_t at = 0, count = 0;
    while (at < list->count && list->made[at]->number <= *after)
        at++;
    for (; at < list->count && count < max; at++) {
        *after = list->made[at]->number;
        fill_policy(list->made[at], &out[count++]);
    }
    return count;
}

bool vhost_find_policy(struct vhost *vhost, bool operator_policy, struct bytes name,
                       struct policy_info *out)
{
    const struct policy_list *list =
        &vhost->policies.of[operator_policy ? POLICY_OPERATORS : POLICY_USERS];
    size_t at = place_of(list->made, list->count, name);
    if (at < list->count)
        fill_policy(list->made[at], out);
    return at < list->count;
}
