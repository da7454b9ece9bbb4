/* Limits of virtual hosts and users, in rabbitmqctl's forms. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/value.h"
#include "leveret/base/mem.h"

#define LIMITS_EACH 2

static const struct limited {
    const char *resource; /* of the API */
    const char *what;
    const char *names[LIMITS_EACH];
} vhosts = {"vhost-limits", "virtual host", {"max-connections", "max-queues"}},
  users = {"user-limits", "user", {"max-connections", "max-channels"}};

static enum outcome change(struct session *session, const struct limited *limited,
                           const char *holder, const char *name, struct value *value)
{
    struct value *body = NULL;
    if (value) {
        body = value_new_map();
        value_set(body, "value", value);
    }
    const struct api_request request = {.method = body ? "PUT" : "DELETE",
                                        .path = api_path(limited->resource, holder, name, NULL),
                                        .body = body,
                                        .what = limited->what,
                                        .which = holder};
    return api_call(session, &request, NULL);
}

/* Sets the limits of an object like {"max-connections": 10}; all are checked before the first is
 * set. */
static enum outcome set_limits(struct session *session, const struct limited *limited,
                               const char *holder, const char *text)
{
    struct value *given = value_parse(bytes_of_text(text));
    enum outcome outcome = OUTCOME_OK;
    size_t known = 0;
    bool good = value_kind_of(given) == VALUE_MAP;
    for (size_t i = 0; good && i < LIMITS_EACH; i++) {
        const struct value *value = value_get(given, limited->names[i]);
        known += value != NULL;
        good = !value || value_kind_of(value) == VALUE_NUMBER;
    }
    if (!good || known != value_count(given)) {
        complain("limits of a %s are given as {\"%s\": 100, \"%s\": 100}", limited->what,
                 limited->names[0], limited->names[1]);
        outcome = OUTCOME_USAGE;
    }
    for (size_t i = 0; outcome == OUTCOME_OK && i < LIMITS_EACH; i++) {
        const struct value *value = value_get(given, limited->names[i]);
        if (value)
            outcome = change(session, limited, holder, limited->names[i], value_copy(value));
    }
    value_free(&given);
    return outcome;
}

/* which: the name of a limit, or "all". */
static enum outcome clear_limits(struct session *session, const struct limited *limited,
                                 const char *holder, const char *which)
{
    enum outcome outcome = OUTCOME_OK;
    bool all = !which || strcmp(which, "all") == 0, some = false;
    for (size_t i = 0; outcome == OUTCOME_OK && i < LIMITS_EACH; i++) {
        if (!all && strcmp(which, limited->names[i]) != 0)
            continue;
        some = true;
        outcome = change(session, limited, holder, limited->names[i], NULL);
    }
    if (some)
        return outcome;
    complain("a %s has the limits %s and %s, and not %s", limited->what, limited->names[0],
             limited->names[1], which);
    return OUTCOME_USAGE;
}

static enum outcome run_set_vhost_limits(struct session *session)
{
    return set_limits(session, &vhosts, session->options->vhost, session->args[0]);
}

static enum outcome run_clear_vhost_limits(struct session *session)
{
    return clear_limits(session, &vhosts, session->options->vhost, NULL);
}

static enum outcome run_set_user_limits(struct session *session)
{
    return set_limits(session, &users, session->args[0], session->args[1]);
}

static enum outcome run_clear_user_limits(struct session *session)
{
    return clear_limits(session, &users, session->args[0], session->args[1]);
}

/* clang-format off */
static const struct command commands[] = {
    {"list_vhost_limits", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "vhost_limits", NEEDS_ANY,
     "Limits of virtual hosts"},
    {"set_vhost_limits", "LIMITS", {OPTION_VHOST}, run_set_vhost_limits, NULL, NEEDS_ADMIN,
     "Limit a virtual host: '{\"max-connections\": 100, \"max-queues\": 1000}'; negative: no limit"},
    {"clear_vhost_limits", "", {OPTION_VHOST}, run_clear_vhost_limits, NULL, NEEDS_ADMIN,
     "Take the limits of a virtual host away"},
    {"list_user_limits", "[COLUMN...]", {0}, run_list, "user_limits", NEEDS_ADMIN,
     "Limits of users"},
    {"set_user_limits", "USER LIMITS", {0}, run_set_user_limits, NULL, NEEDS_ADMIN,
     "Limit a user: '{\"max-connections\": 10, \"max-channels\": 100}'; negative: no limit"},
    {"clear_user_limits", "USER LIMIT", {0}, run_clear_user_limits, NULL, NEEDS_ADMIN,
     "Take a limit of a user away, or all"},
};
/* clang-format on */
const struct area limits_area = AREA("Limits", commands);
