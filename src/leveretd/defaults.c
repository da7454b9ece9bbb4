/* Default users and limits: the settings have a pair for each ("alice.tags"); here the pairs of one
 * name become one object. */
#include "defaults.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/auth/limits.h"
#include "leveret/base/mem.h"
#include "leveret/base/number.h"
#include "leveret/base/text.h"

struct defaults {
    struct default_user *users;
    struct default_limits *limits;
    char **names; /* of the users */
    size_t user_count, limits_count;
    struct text tags; /* of the default user, zero-ended */
};

/* Words of credential_validator.validation_backend, by number. */
enum { VALIDATOR_NONE, VALIDATOR_LENGTH, VALIDATOR_REGEXP };

/* Whether an earlier pair of the list has the same name. */
static bool is_known(const struct setting_names *pairs, size_t at, size_t name_len)
{
    for (size_t i = 0; i < at; i++)
        if (strncmp(pairs->items[i].name, pairs->items[at].name, name_len + 1) == 0)
            return true;
    return false;
}

/* The value of NAME.what; NULL: not set. */
static const char *value_of(const struct setting_names *pairs, const char *name, size_t name_len,
                            const char *what)
{
    struct text key = {0};
    text_printf(&key, "%.*s.%s", (int)name_len, name, what);
    text_add(&key, "", 1);
    const char *value = setting_names_get(pairs, (const char *)key.at);
    text_free(&key);
    return value;
}

static void make_users(const struct setting_names *pairs, struct defaults *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const char *name = pairs->items[i].name;
        size_t len = strcspn(name, ".");
        if (is_known(pairs, i, len))
            continue;
        size_t at = out->user_count++;
        out->users = mem_need_array(out->users, at + 1, sizeof *out->users);
        out->names = mem_need_array(out->names, at + 1, sizeof *out->names);
        out->names[at] = mem_need_text(name, len);
        out->users[at] =
            (struct default_user){.name = out->names[at],
                                  .vhost_pattern = value_of(pairs, name, len, "vhost_pattern"),
                                  .password = value_of(pairs, name, len, "password"),
                                  .tags = value_of(pairs, name, len, "tags"),
                                  .configure = value_of(pairs, name, len, "configure"),
                                  .write = value_of(pairs, name, len, "write"),
                                  .read = value_of(pairs, name, len, "read")};
    }
}

static int64_t limit_of(const char *value)
{
    uint64_t limit;
    return value && number_read(value, INT64_MAX, &limit) ? (int64_t)limit : LIMIT_NONE;
}

static void make_limits(const struct setting_names *pairs, struct defaults *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const char *name = pairs->items[i].name;
        size_t len = strcspn(name, ".");
        if (is_known(pairs, i, len))
            continue;
        size_t at = out->limits_count++;
        out->limits = mem_need_array(out->limits, at + 1, sizeof *out->limits);
        out->limits[at] = (struct default_limits){
            .vhost_pattern = value_of(pairs, name, len, "pattern"),
            .max = {[LIMIT_CONNECTIONS] = limit_of(value_of(pairs, name, len, "max_connections")),
                    [LIMIT_QUEUES] = limit_of(value_of(pairs, name, len, "max_queues"))}};
    }
}

/* NULL when no tag is said: the default user is an administrator then. */
static const char *make_tags(const struct setting_names *tags, struct defaults *out)
{
    if (!tags->count)
        return NULL;
    for (size_t i = 0; i < tags->count; i++)
        if (strcmp(tags->items[i].value, "true") == 0)
            text_printf(&out->tags, "%s%s", out->tags.len ? "," : "", tags->items[i].name);
    text_add(&out->tags, "", 1);
    return (const char *)out->tags.at;
}

void defaults_make(const struct settings *settings, struct auth_options *options,
                   struct defaults **out)
{
    static const char *const hashings[] = {"rabbit_password_hashing_sha256",
                                           "rabbit_password_hashing_sha512",
                                           "rabbit_password_hashing_md5"};
    struct defaults *made = mem_need(sizeof *made);
    make_users(&settings->default_users, made);
    make_limits(&settings->default_limits, made);
    options->default_tags = make_tags(&settings->default_tags, made);
    options->default_configure = settings->default_configure;
    options->default_write = settings->default_write;
    options->default_read = settings->default_read;
    options->defaults = (struct auth_defaults){.users = made->users,
                                               .user_count = made->user_count,
                                               .limits = made->limits,
                                               .limits_count = made->limits_count};
    if (settings->validator == VALIDATOR_LENGTH)
        options->password_rules.bytes_min = (unsigned)settings->password_bytes_min;
    if (settings->validator == VALIDATOR_REGEXP)
        options->password_rules.regexp = settings->password_regexp;
    options->password_hashing = hashings[settings->password_hashing];
    *out = made;
}

void defaults_free(struct defaults **defaults)
{
    if (!*defaults)
        return;
    for (size_t i = 0; i < (*defaults)->user_count; i++)
        free((*defaults)->names[i]);
    free((*defaults)->names);
    free((*defaults)->users);
    free((*defaults)->limits);
    text_free(&(*defaults)->tags);
    free(*defaults);
    *defaults = NULL;
}
