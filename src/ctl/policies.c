/* Policies and operator policies, in rabbitmqctl's forms. detail is the API's name of the kind. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "command.h"
#include "value.h"

static const char *what_of(const struct session *session)
{
    return strcmp(session->command->detail, "policies") == 0 ? "policy" : "operator policy";
}

enum outcome run_set_policy(struct session *session)
{
    const struct options *o = session->options;
    struct value *definition = value_parse(bytes_of_text(session->args[2]));
    if (value_kind_of(definition) != VALUE_MAP) {
        complain("a definition is given as {\"max-length\": 1000}");
        value_free(&definition);
        return OUTCOME_USAGE;
    }
    struct value *body = value_new_map();
    value_set(body, "pattern", value_new_text(session->args[1]));
    value_set(body, "definition", definition);
    value_set(body, "priority", value_new_int(o->priority));
    value_set(body, "apply-to", value_new_text(o->apply_to ? o->apply_to : "all"));
    const struct api_request request = {
        .method = "PUT",
        .path = api_path(session->command->detail, o->vhost, session->args[0], NULL),
        .body = body,
        .what = "virtual host",
        .which = o->vhost};
    return api_call(session, &request, NULL);
}

enum outcome run_clear_policy(struct session *session)
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
