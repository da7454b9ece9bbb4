/* Runtime parameters, global parameters and the cluster's name, in rabbitmqctl's forms. */
#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/value.h"

/* The body of a request that sets a value. Returns NULL when the text is not JSON, and has
 * complained. */
static struct value *body_of(const char *text)
{
    struct value *value = value_parse(bytes_of_text(text));
    if (!value) {
        complain("a value is given as JSON: 5, '\"text\"', '{\"a\": 1}'");
        return NULL;
    }
    struct value *body = value_new_map();
    value_set(body, "value", value);
    return body;
}

static char *parameter_path(const struct session *session)
{
    return api_path("parameters", session->args[0], session->options->vhost, session->args[1],
                    NULL);
}

static enum outcome run_set_parameter(struct session *session)
{
    struct value *body = body_of(session->args[2]);
    if (!body)
        return OUTCOME_USAGE;
    value_set(body, "component", value_new_text(session->args[0]));
    value_set(body, "vhost", value_new_text(session->options->vhost));
    value_set(body, "name", value_new_text(session->args[1]));
    const struct api_request request = {.method = "PUT",
                                        .path = parameter_path(session),
                                        .body = body,
                                        .what = "parameter",
                                        .which = session->args[1],
                                        .in_vhost = true};
    return api_call(session, &request, NULL);
}

static enum outcome run_clear_parameter(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path = parameter_path(session),
                                        .what = "parameter",
                                        .which = session->args[1],
                                        .in_vhost = true};
    return api_call(session, &request, NULL);
}

static enum outcome run_set_global_parameter(struct session *session)
{
    struct value *body = body_of(session->args[1]);
    if (!body)
        return OUTCOME_USAGE;
    const struct api_request request = {.method = "PUT",
                                        .path =
                                            api_path("global-parameters", session->args[0], NULL),
                                        .body = body,
                                        .what = "global parameter",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

static enum outcome run_clear_global_parameter(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path =
                                            api_path("global-parameters", session->args[0], NULL),
                                        .what = "global parameter",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

static enum outcome run_set_cluster_name(struct session *session)
{
    struct value *body = value_new_map();
    value_set(body, "name", value_new_text(session->args[0]));
    const struct api_request request = {
        .method = "PUT", .path = api_path("cluster-name", NULL), .body = body};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"list_parameters", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "parameters", NEEDS_POLICYMAKER,
     "Operator policies and limits of a virtual host, as RabbitMQ's runtime parameters"},
    {"set_parameter", "COMPONENT NAME VALUE", {OPTION_VHOST}, run_set_parameter, NULL, NEEDS_POLICYMAKER,
     "Set one, as JSON: vhost-limits limits '{\"max-queues\": 100}'"},
    {"clear_parameter", "COMPONENT NAME", {OPTION_VHOST}, run_clear_parameter, NULL, NEEDS_POLICYMAKER,
     "Take one away"},
    {"list_global_parameters", "[COLUMN...]", {0}, run_list, "global_parameters", NEEDS_POLICYMAKER,
     "Values that are kept by name for the whole broker"},
    {"set_global_parameter", "NAME VALUE", {0}, run_set_global_parameter, NULL, NEEDS_POLICYMAKER,
     "Keep a value of JSON by this name: cluster_tags '{\"region\": \"eu\"}'"},
    {"clear_global_parameter", "NAME", {0}, run_clear_global_parameter, NULL, NEEDS_POLICYMAKER,
     "Forget a global parameter"},
    {"set_cluster_name", "NAME", {0}, run_set_cluster_name, NULL, NEEDS_ADMIN,
     "Name the cluster, as clients and metrics are told it"},
};
/* clang-format on */
const struct area parameters_area = AREA("Parameters", commands);
