/* What a new vhost gets, and rules for passwords: see defaults.h. The texts are the options'
 * (auth.h), which outlive the directory. */
#include "leveret/auth/defaults.h"

#include <stdio.h>
#include <string.h>

#include "directory.h"
#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"
#include "staged.h"

static bool fits(const char *expression, const char *name)
{
    struct pattern *pattern;
    if (!expression || pattern_new(bytes_of_text(expression), NULL, &pattern, NULL) != STATUS_OK)
        return false;
    bool match = pattern_matches(pattern, bytes_of_text(name));
    pattern_free(&pattern);
    return match;
}

static const char *or_nothing(const char *permission)
{
    return permission ? permission : "^$";
}

static enum status give_user(struct auth *auth, const struct default_user *user, const char *vhost)
{
    bool created;
    char *error = NULL;
    enum status status = STATUS_OK;
    if (!staged_find(auth, ENTRY_USER, bytes_of_text(user->name)))
        status = auth_put_user(auth, user->name, user->password, NULL, NULL,
                               user->tags ? user->tags : "", &created);
    if (status == STATUS_OK)
        status =
            auth_put_permission(auth, user->name, vhost, or_nothing(user->configure),
                                or_nothing(user->write), or_nothing(user->read), &created, &error);
    free(error);
    return status;
}

static enum status give_limits(struct auth *auth, const struct default_limits *limits,
                               const char *vhost)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < LIMITS_EACH && status == STATUS_OK; i++)
        if (limits->max[i] >= 0)
            status = auth_put_limit(auth, LIMITED_VHOST, vhost, limit_name(LIMITED_VHOST, i),
                                    limits->max[i]);
    return status;
}

enum status auth_apply_defaults(struct auth *auth, const char *vhost)
{
    const struct auth_defaults *defaults = &auth->defaults;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < defaults->user_count && status == STATUS_OK; i++)
        if (fits(defaults->users[i].vhost_pattern, vhost))
            status = give_user(auth, &defaults->users[i], vhost);
    for (size_t i = 0; i < defaults->limits_count && status == STATUS_OK; i++)
        if (fits(defaults->limits[i].vhost_pattern, vhost))
            status = give_limits(auth, &defaults->limits[i], vhost);
    return status;
}

bool auth_password_allowed(const struct auth *auth, const char *password, char **why)
{
    const struct password_rules *rules = &auth->password_rules;
    *why = NULL;
    if (rules->bytes_min && (!password || strlen(password) < rules->bytes_min)) {
        if (asprintf(why, "minimum required password length is %u", rules->bytes_min) < 0)
            *why = NULL;
        return false;
    }
    if (rules->regexp && (!password || !fits(rules->regexp, password))) {
        static const char text[] = "provided password does not match the validator regular "
                                   "expression";
        *why = mem_need_text(text, sizeof text - 1);
        return false;
    }
    return true;
}

_Static_assert(AUTH_HASH_TEXT_BYTES == PASSWORD_HASH_TEXT_MAX, "the header has room for a hash");

enum status auth_hash_password(const struct auth *auth, struct bytes password,
                               char out[AUTH_HASH_TEXT_BYTES])
{
    struct password_hash hash;
    enum status status = password_hash_new(password, auth->password_hashing, &hash);
    if (status == STATUS_OK)
        password_hash_text(&hash, out);
    return status;
}
