/* Permissions of users in virtual hosts, and topic permissions. */
#include "ctl/api/api.h"
#include "ctl/command/command.h"

static enum outcome run_set_permissions(struct session *session)
{
    static const char *const names[] = {"configure", "write", "read"};
    const char *vhost = session->options->vhost, *name = session->args[0];
    struct value *body = value_new_map();
    for (int i = 0; i < 3; i++)
        value_set(body, names[i], value_new_text(session->args[i + 1]));
    const struct api_request request = {.method = "PUT",
                                        .path = api_path("permissions", vhost, name, NULL),
                                        .body = body,
                                        .what = "such user or virtual host for",
                                        .which = name};
    return api_call(session, &request, NULL);
}

static enum outcome run_clear_permissions(struct session *session)
{
    const char *vhost = session->options->vhost, *name = session->args[0];
    const struct api_request request = {.method = "DELETE",
                                        .path = api_path("permissions", vhost, name, NULL),
                                        .what = "permissions of user",
                                        .which = name,
                                        .in_vhost = true};
    return api_call(session, &request, NULL);
}

/* An exchange as the API's paths have it: the default exchange has no empty segment. */
static const char *exchange_segment(const char *exchange)
{
    return *exchange ? exchange : "amq.default";
}

static enum outcome run_set_topic_permissions(struct session *session)
{
    static const char *const names[] = {"exchange", "write", "read"};
    const char *vhost = session->options->vhost, *name = session->args[0];
    struct value *body = value_new_map();
    for (int i = 0; i < 3; i++)
        value_set(body, names[i], value_new_text(session->args[i + 1]));
    const struct api_request request = {.method = "PUT",
                                        .path = api_path("topic-permissions", vhost, name, NULL),
                                        .body = body,
                                        .what = "such user or virtual host for",
                                        .which = name};
    return api_call(session, &request, NULL);
}

static enum outcome run_clear_topic_permissions(struct session *session)
{
    const char *vhost = session->options->vhost, *name = session->args[0];
    char *path = session->arg_count > 1 ? api_path("topic-permissions", vhost, name,
                                                   exchange_segment(session->args[1]), NULL)
                                        : api_path("topic-permissions", vhost, name, NULL);
    const struct api_request request = {.method = "DELETE",
                                        .path = path,
                                        .what = "topic permissions of user",
                                        .which = name,
                                        .in_vhost = true};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"list_permissions", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "permissions", NEEDS_ADMIN,
     "Who may do what in a virtual host"},
    {"list_user_permissions", "USER [COLUMN...]", {0}, run_list, "user_permissions", NEEDS_ADMIN,
     "What a user may do where"},
    {"set_permissions", "USER CONFIGURE WRITE READ", {OPTION_VHOST}, run_set_permissions, NULL, NEEDS_ADMIN,
     "Let a user configure, write and read what these regular expressions match"},
    {"clear_permissions", "USER", {OPTION_VHOST}, run_clear_permissions, NULL, NEEDS_ADMIN,
     "Take a user's permissions away"},
    {"list_topic_permissions", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "topic_permissions", NEEDS_ADMIN,
     "Which routing keys users may use with topic exchanges of a virtual host"},
    {"list_user_topic_permissions", "USER [COLUMN...]", {0}, run_list, "user_topic_permissions", NEEDS_ADMIN,
     "Which routing keys a user may use with which topic exchange"},
    {"set_topic_permissions", "USER EXCHANGE WRITE READ", {OPTION_VHOST}, run_set_topic_permissions, NULL, NEEDS_ADMIN,
     "Let a user publish to a topic exchange, and bind to it, with keys that these regular expressions match"},
    {"clear_topic_permissions", "USER [EXCHANGE]", {OPTION_VHOST}, run_clear_topic_permissions, NULL, NEEDS_ADMIN,
     "Lift a user's topic permissions, those for one exchange or all: every key is allowed again"},
};
/* clang-format on */
const struct area permissions_area = AREA("Permissions", commands);
