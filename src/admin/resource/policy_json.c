/* Part of the api: policies as JSON. See policy_json.h. */
#include "admin/resource/policy_json.h"

#include "admin/json/arguments.h"

/* The words for what a policy applies to. */
static const char *const targets[] = {
    [POLICY_ALL] = "all",
    [POLICY_QUEUES] = "queues",
    [POLICY_CLASSIC_QUEUES] = "classic_queues",
    [POLICY_QUORUM_QUEUES] = "quorum_queues",
    [POLICY_STREAMS] = "streams",
    [POLICY_EXCHANGES] = "exchanges",
};
#define TARGET_COUNT (sizeof targets / sizeof *targets)

/* ---- JSON to a command. */

/* Says what is wrong in RabbitMQ's words, and returns false. */
static bool wrong(struct text *why, const char *what, struct bytes value, const char *after)
{
    text_printf(why, "Validation failed\n\n%s%.*s%s\n%c", what, BYTES_PRINT(value), after, '\0');
    return false;
}

/* Writes a value as Erlang prints it. */
static void describe(const struct value *value, struct text *out)
{
    switch (value_kind_of(value)) {
    case VALUE_NONE:
        text_printf(out, "undefined");
        break;
    case VALUE_NULL:
        text_printf(out, "null");
        break;
    case VALUE_BOOL:
        text_printf(out, "%s", value_true(value) ? "true" : "false");
        break;
    case VALUE_INT:
    case VALUE_REAL:
        text_printf(out, "%g", value_real(value));
        break;
    case VALUE_TEXT:
        text_printf(out, "<<\"%.*s\">>", BYTES_PRINT(value_bytes(value)));
        break;
    default:
        text_printf(out, "something else");
    }
}

static bool read_target(const struct value *value, enum policy_target *out, struct text *why)
{
    struct bytes name = value_bytes(value);
    *out = POLICY_ALL;
    if (value_kind_of(value) == VALUE_NONE)
        return true;
    for (size_t i = 0; i < TARGET_COUNT; i++)
        if (bytes_equal_text(name, targets[i])) {
            *out = (enum policy_target)i;
            return true;
        }
    if (value_kind_of(value) != VALUE_TEXT)
        return wrong(why, "apply-to should be a string", bytes_of("", 0), "");
    return wrong(why, "apply-to '", name,
                 "' unrecognised; should be one of: 'queues', 'classic_queues', "
                 "'quorum_queues', 'streams', 'exchanges', or 'all'");
}

static bool read_priority(const struct value *value, int64_t *out, struct text *why)
{
    struct text shown = {0};
    *out = 0;
    switch (value_kind_of(value)) {
    case VALUE_NONE:
        return true;
    case VALUE_INT:
        *out = value_int(value);
        return true;
    case VALUE_REAL:
        if (value_real(value) > -1e18 && value_real(value) < 1e18) {
            *out = (int64_t)value_real(value);
            return true;
        }
        break;
    default:
        break;
    }
    describe(value, &shown);
    wrong(why, "priority should be a number, actually was ", text_bytes(&shown), "");
    text_free(&shown);
    return false;
}

bool api_policy_from_json(const struct value *policy, struct command *out, struct text *definition,
                          struct text *why)
{
    const struct value *pattern = value_get(policy, "pattern");
    struct text shown = {0};
    *definition = (struct text){0};
    out->type = COMMAND_POLICY_PUT;
    if (!read_priority(value_get(policy, "priority"), &out->u.policy.priority, why) ||
        !read_target(value_get(policy, "apply-to"), &out->u.policy.target, why))
        return false;
    if (value_kind_of(pattern) != VALUE_TEXT) {
        describe(pattern, &shown);
        wrong(why, "pattern should be a binary but was ", text_bytes(&shown), "");
        text_free(&shown);
        return false;
    }
    if (arguments_read(value_get(policy, "definition"), definition) != STATUS_OK) {
        text_free(definition);
        return wrong(why, "definition should be an object, not nested deeply", bytes_of("", 0), "");
    }
    out->u.policy.pattern = value_bytes(pattern);
    out->u.policy.definition = text_bytes(definition);
    return true;
}

/* ---- Writing. */

void api_policy_write(struct answer *a, struct bytes vhost, const struct policy_info *p)
{
    answer_bytes(a, "vhost", vhost);
    answer_bytes(a, "name", p->name);
    answer_bytes(a, "pattern", p->pattern);
    answer_text(a, "apply-to", targets[p->target]);
    arguments_write(a, "definition", p->definition);
    answer_keyed_int(a, BYTES_LITERAL("priority"), p->priority);
}

void api_policy_write_parameter(struct answer *a, struct bytes vhost, const struct policy_info *p,
                                bool operator_policy)
{
    if (answer_object(a, "value")) {
        answer_bytes(a, "pattern", p->pattern);
        arguments_write(a, "definition", p->definition);
        answer_keyed_int(a, BYTES_LITERAL("priority"), p->priority);
        answer_text(a, "apply-to", targets[p->target]);
        answer_end(a);
    }
    answer_bytes(a, "vhost", vhost);
    answer_text(a, "component", operator_policy ? POLICY_OPERATOR_COMPONENT : POLICY_COMPONENT);
    answer_bytes(a, "name", p->name);
}
