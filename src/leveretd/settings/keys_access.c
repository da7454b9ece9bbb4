/* Keys of users and passwords, and of what a new node and a new vhost get. key.h says what a row
 * means. */
#include "leveret/base/pattern.h"
#include "leveretd/settings/key.h"
#include "leveretd/settings/literal.h"

static const char *check_expression(const char *value)
{
    struct pattern *pattern;
    if (pattern_new(bytes_of_text(value), NULL, &pattern, NULL) != STATUS_OK)
        return "is no regular expression";
    pattern_free(&pattern);
    return NULL;
}

static const char *check_count(const char *value)
{
    uint64_t count;
    const char *wrong = literal_count(value, &count);
    return !wrong && count > INT64_MAX ? "is too large" : wrong;
}

const struct key keys_access[] = {
    {KEY_PLAIN("default_user", KEY_TEXT, default_user, "guest")},
    {KEY_PLAIN("default_pass", KEY_SECRET, default_pass, "guest")},
    {KEY_PLAIN("default_vhost", KEY_TEXT, default_vhost, "/")},
    {KEY_CHOICE("default_queue_type", default_queue_type, "classic", "quorum")},
    {KEY_PLAIN("default_user_tags.$tag", KEY_USER, default_tags, NULL)},
    {KEY_PLAIN("default_permissions.configure", KEY_ANY_TEXT, default_configure, ".*"),
     .check = check_expression},
    {KEY_PLAIN("default_permissions.write", KEY_ANY_TEXT, default_write, ".*"),
     .check = check_expression},
    {KEY_PLAIN("default_permissions.read", KEY_ANY_TEXT, default_read, ".*"),
     .check = check_expression},
    {KEY_PLAIN("default_users.$name.password", KEY_SECRET_TAG, default_users, NULL)},
    {KEY_PLAIN("default_users.$name.tags", KEY_TAG, default_users, NULL)},
    {KEY_PLAIN("default_users.$name.vhost_pattern", KEY_TAG, default_users, NULL),
     .check = check_expression},
    {KEY_PLAIN("default_users.$name.configure", KEY_TAG, default_users, NULL),
     .check = check_expression},
    {KEY_PLAIN("default_users.$name.write", KEY_TAG, default_users, NULL),
     .check = check_expression},
    {KEY_PLAIN("default_users.$name.read", KEY_TAG, default_users, NULL),
     .check = check_expression},
    {KEY_PLAIN("default_limits.vhosts.$id.pattern", KEY_TAG, default_limits, NULL),
     .check = check_expression},
    {KEY_PLAIN("default_limits.vhosts.$id.max_connections", KEY_TAG, default_limits, NULL),
     .check = check_count},
    {KEY_PLAIN("default_limits.vhosts.$id.max_queues", KEY_TAG, default_limits, NULL),
     .check = check_count},
    {.name = "credential_validator.validation_backend",
     .type = KEY_WORD,
     .field = KEY_FIELD(validator),
     .words = {"rabbit_credential_validator_accept_everything",
               "rabbit_credential_validator_min_password_length",
               "rabbit_credential_validator_password_regexp"}},
    {KEY_RANGE("credential_validator.min_length", KEY_COUNT, password_bytes_min, "8", 1, 1024)},
    {KEY_PLAIN("credential_validator.regexp", KEY_TEXT, password_regexp, NULL),
     .check = check_expression},
    {.name = "password_hashing_module",
     .type = KEY_WORD,
     .field = KEY_FIELD(password_hashing),
     .words = {"rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512",
               "rabbit_password_hashing_md5"}},
    {KEY_RANGE("auth_attempts.max_per_minute", KEY_COUNT, attempts_per_minute, "60", 0, 1000000)},
    {KEY_PLAIN("anonymous_login_user", KEY_TEXT_OR_OFF, anonymous_user, NULL)},
    {KEY_PLAIN("loopback_users", KEY_USERS, loopback_users, "guest"), .live = true},
    {KEY_PLAIN("loopback_users.$user", KEY_USER, loopback_users, NULL), .live = true},
    {.name = NULL},
};
