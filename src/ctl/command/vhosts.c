/* Virtual hosts: creating, changing, protecting and deleting them, and tracing, which is one of
 * their attributes. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/value.h"

static void take_options(const struct session *session, struct value *body)
{
    const struct options *o = session->options;
    const char *description = option_text(o, OPTION_DESCRIPTION);
    const char *type = option_text(o, OPTION_DEFAULT_QUEUE_TYPE);
    if (description)
        value_set(body, "description", value_new_text(description));
    if (type)
        value_set(body, "default_queue_type", value_new_text(type));
    if (option_text(o, OPTION_TAGS))
        value_set(body, "tags", value_new_text(option_text(o, OPTION_TAGS)));
    if (option_given(o, OPTION_TRACING))
        value_set(body, "tracing", value_new_bool(true));
}

static enum outcome put(struct session *session, const char *vhost, struct value *body)
{
    const struct api_request request = {
        .method = "PUT", .path = api_path("vhosts", vhost, NULL), .body = body};
    return api_call(session, &request, NULL);
}

static enum outcome run_add_vhost(struct session *session)
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

static enum outcome run_update_vhost(struct session *session)
{
    struct value *body = value_new_map();
    take_options(session, body);
    return change(session, session->args[0], body);
}

static enum outcome run_set_vhost_tags(struct session *session)
{
    struct value *body = value_new_map();
    struct text tags = {0};
    for (int i = 1; i < session->arg_count; i++)
        text_printf(&tags, "%s%s", i > 1 ? "," : "", session->args[i]);
    text_add(&tags, "", 1);
    value_set(body, "tags", value_new_text((const char *)tags.at));
    text_free(&tags);
    return change(session, session->args[0], body);
}

static enum outcome trace(struct session *session, bool on)
{
    struct value *body = value_new_map();
    value_set(body, "tracing", value_new_bool(on));
    return change(session, session->options->vhost, body);
}

static enum outcome run_trace_on(struct session *session)
{
    return trace(session, true);
}

static enum outcome run_trace_off(struct session *session)
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

static enum outcome run_protect_vhost(struct session *session)
{
    return protect(session, "POST");
}

static enum outcome run_unprotect_vhost(struct session *session)
{
    return protect(session, "DELETE");
}

static enum outcome run_restart_vhost(struct session *session)
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

static enum outcome run_delete_vhost(struct session *session)
{
    const struct api_request request = {.method = "DELETE",
                                        .path = api_path("vhosts", session->args[0], NULL),
                                        .what = "virtual host",
                                        .which = session->args[0]};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"list_vhosts", "[COLUMN...]", {0}, run_list, "vhosts", NEEDS_ANY,
     "Virtual hosts"},
    {"add_vhost", "VHOST", {OPTION_DESCRIPTION, OPTION_DEFAULT_QUEUE_TYPE, OPTION_TAGS, OPTION_TRACING}, run_add_vhost, NULL, NEEDS_ADMIN,
     "Create a virtual host"},
    {"set_vhost_tags", "VHOST [TAG...]", {0}, run_set_vhost_tags, NULL, NEEDS_ADMIN,
     "Replace the tags of a virtual host"},
    {"update_vhost_metadata", "VHOST", {OPTION_DESCRIPTION, OPTION_DEFAULT_QUEUE_TYPE, OPTION_TAGS}, run_update_vhost, NULL, NEEDS_ADMIN,
     "Change what is known of a virtual host"},
    {"enable_vhost_deletion_protection", "VHOST", {0}, run_protect_vhost, NULL, NEEDS_ADMIN,
     "Have delete_vhost refused for a virtual host"},
    {"disable_vhost_deletion_protection", "VHOST", {0}, run_unprotect_vhost, NULL, NEEDS_ADMIN,
     "Allow delete_vhost again"},
    {"delete_vhost", "VHOST", {0}, run_delete_vhost, NULL, NEEDS_ADMIN,
     "Delete a virtual host with all that is in it"},
    {"restart_vhost", "", {OPTION_VHOST}, run_restart_vhost, NULL, NEEDS_ADMIN,
     "Try again to open a virtual host that is down"},
    {"trace_on", "", {OPTION_VHOST}, run_trace_on, NULL, NEEDS_ADMIN,
     "Tell what is published and delivered in a virtual host to its exchange amq.rabbitmq.trace"},
    {"trace_off", "", {OPTION_VHOST}, run_trace_off, NULL, NEEDS_ADMIN,
     "End that"},
};
/* clang-format on */
const struct area vhosts_area = AREA("Virtual hosts", commands);
