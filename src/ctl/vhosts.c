/* Virtual hosts: creating, changing, protecting and deleting them, and tracing, which is one of
 * their attributes. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "command.h"
#include "value.h"

static void take_options(const struct session *session, struct value *body)
{
    const struct options *o = session->options;
    if (o->description)
        value_set(body, "description", value_new_text(o->description));
    if (o->default_queue_type)
        value_set(body, "default_queue_type", value_new_text(o->default_queue_type));
}

static enum outcome put(struct session *session, const char *vhost, struct value *body)
{
    const struct api_request request = {
        .method = "PUT", .path = api_path("vhosts", vhost, NULL), .body = body};
    return api_call(session, &request, NULL);
}

enum outcome run_add_vhost(struct session *session)
{
    struct value *body = value_new_map();
    take_options(session, body);
    return put(session, session->args[0], body);
}

/* Changes the attributes in the body. Checks first that the virtual host exists, since the API
 * would create it. */
static enum outcome change(struct session *session, const char *vhost, struct value *body)
{
    const struct api_request there = {
        .path = api_path("vhosts", vhost, NULL), .what = "virtual host", .which = vhost};
    enum outcome outcome = api_call(session, &there, NULL);
    if (outcome == OUTCOME_OK)
        return put(session, vhost, body);
    value_free(&body);
    return outcome;
}

enum outcome run_update_vhost(struct session *session)
{
    struct value *body = value_new_map();
    take_options(session, body);
    return change(session, session->args[0], body);
}

static enum outcome trace(struct session *session, bool on)
{
    struct value *body = value_new_map();
    value_set(body, "tracing", value_new_bool(on));
    return change(session, session->options->vhost, body);
}

enum outcome run_trace_on(struct session *session)
{
    return trace(session, true);
}

enum outcome run_trace_off(struct session *session)
{
    return trace(session, false);
}

/* ---- Protection, deletion, opening again. */

static enum outcome protect(struct session *session, const char *method)
{
    const struct api_request request = {
        .method = method,
        .path = api_path("vhosts", session->args[0], "deletion", "protection", NULL),
        .what = "virtual host",
        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

enum outcome run_protect_vhost(struct session *session)
{
    return protect(session, "POST");
}

enum outcome run_unprotect_vhost(struct session *session)
{
    return protect(session, "DELETE");
}

enum outcome run_restart_vhost(struct session *session)
{
    const struct api_request overview = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    enum outcome outcome = api_call(session, &overview, &about);
    if (outcome != OUTCOME_OK)
        return outcome;
    const char *node = value_text(value_get(about, "node"));
    const struct api_request request = {
        .method = "POST",
        .path = api_path("vhosts", session->options->vhost, "start", node ? node : "", NULL),
        .what = "virtual host",
        .which = session->options->vhost};
    outcome = api_call(session, &request, NULL);
    value_free(&about);
    return outcome;
}

enum outcome run_delete_vhost(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path = api_path("vhosts", session->args[0], NULL),
                                        .what = "virtual host",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}
