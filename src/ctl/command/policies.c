/* Policies and operator policies, in rabbitmqctl's forms. detail is the API's name of the kind. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/value.h"

static const char *what_of(const struct session *session)
{
    return strcmp(session->command->detail, "policies") == 0 ? "policy" : "operator policy";
}

static enum outcome run_set_policy(struct session *session)
{
    const struct options *o = session->options;
    struct value *definition = value_parse(bytes_of_text(session->args[2]));
    if (value_kind_of(definition) != VALUE_MAP) {
        complain("a definition is given as {\"max-length\": 1000}");
        value_free(&definition);
        return OUTCOME_USAGE;
    }
    const char *apply_to = option_text(o, OPTION_APPLY_TO);
    struct value *body = value_new_map();
    value_set(body, "pattern", value_new_text(session->args[1]));
    value_set(body, "definition", definition);
    value_set(body, "priority", value_new_int(option_number(o, OPTION_PRIORITY, 0)));
    value_set(body, "apply-to", value_new_text(apply_to ? apply_to : "all"));
    const struct api_request request = {
        .method = "PUT",
        .path = api_path(session->command->detail, o->vhost, session->args[0], NULL),
        .body = body,
        .what = "virtual host",
        .which = o->vhost};
    return api_call(session, &request, NULL);
}

static enum outcome run_clear_policy(struct session *session)
{
    const struct options *o = session->options;
    const struct api_request request = {
        .method = "DELETE",
        .path = api_path(session->command->detail, o->vhost, session->args[0], NULL),
        .what = what_of(session),
        .which = session->args[0],
        .in_vhost = true};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"list_policies", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "policies", NEEDS_ANY,
     "Policies"},
    {"set_policy", "NAME PATTERN DEFINITION", {OPTION_VHOST, OPTION_PRIORITY, OPTION_APPLY_TO}, run_set_policy, "policies", NEEDS_POLICYMAKER,
     "Set what applies to queues and exchanges whose names match: '{\"max-length\": 1000}'"},
    {"clear_policy", "NAME", {OPTION_VHOST}, run_clear_policy, "policies", NEEDS_POLICYMAKER,
     "Take a policy away"},
    {"list_operator_policies", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "operator-policies", NEEDS_ANY,
     "Operator policies"},
    {"set_operator_policy", "NAME PATTERN DEFINITION", {OPTION_VHOST, OPTION_PRIORITY, OPTION_APPLY_TO}, run_set_policy, "operator-policies", NEEDS_ADMIN,
     "Set limits that neither arguments nor policies exceed: '{\"max-length\": 1000}'"},
    {"clear_operator_policy", "NAME", {OPTION_VHOST}, run_clear_policy, "operator-policies", NEEDS_ADMIN,
     "Take an operator policy away"},
};
/* clang-format on */
const struct area policies_area = AREA("Policies", commands);
