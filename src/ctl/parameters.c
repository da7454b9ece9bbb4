/* Global parameters and the cluster's name, in rabbitmqctl's forms. */
#include "api.h"
#include "command.h"
#include "value.h"

enum outcome run_set_global_parameter(struct session *session)
{
    struct value *value = value_parse(bytes_of_text(session->args[1]));
    if (!value) {
        complain("a value is given as JSON: 5, '\"text\"', '{\"a\": 1}'");
        return OUTCOME_USAGE;
    }
    struct value *body = value_new_map();
    value_set(body, "value", value);
    const struct api_request request = {.method = "PUT",
                                        .path =
                                            api_path("global-parameters", session->args[0], NULL),
                                        .body = body,
                                        .what = "global parameter",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

enum outcome run_clear_global_parameter(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path =
                                            api_path("global-parameters", session->args[0], NULL),
                                        .what = "global parameter",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

enum outcome run_set_cluster_name(struct session *session)
{
    struct value *body = value_new_map();
    value_set(body, "name", value_new_text(session->args[0]));
    const struct api_request request = {
        .method = "PUT", .path = api_path("cluster-name", NULL), .body = body};
    return api_call(session, &request, NULL);
}
