/* Reading the directory from its store, and filling it at first start.
 *
 * What can go wrong: a crash during the first start: it is one write, and is done again. A store
 * that was filled before and is empty now: refused with CORRUPT, so that no default user gets
 * access to data that belongs to others. */
#include <stdio.h>

#include "auth_record.h"
#include "directory.h"
#include "leveret/base/mem.h"
#include "staged.h"
#include "topic_entry.h"

struct auth_loading {
    struct auth *auth;
    enum status status; /* the error of the first value that could not be read */
    bool format_seen;
};

static char *name_of_key(struct bytes key, const char *prefix)
{
    size_t skip = strlen(prefix);
    return mem_need_text(key.at + skip, key.len - skip);
}

static void load_format(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    struct auth_record_member members[] = {{"format", NULL, 0}};
    if (!bytes_equal_text(key, AUTH_RECORD_KEY_FORMAT))
        return;
    loading->format_seen = true;
    enum status status = auth_record_read(value, members, 1);
    if (status == STATUS_OK && members[0].number != AUTH_RECORD_FORMAT)
        status = STATUS_VERSION;
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_user(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    struct auth_record_member members[] = {
        {"tags", "", 0}, {"password_hash", "", 0}, {"hashing", "", 0}};
    struct password_hash hash;

    enum status status = auth_record_read(value, members, 3);
    if (status == STATUS_OK) {
        if (password_hash_read(members[1].text, members[2].text, &hash) == STATUS_OK) {
            char *name = name_of_key(key, AUTH_RECORD_KEY_USER);
            struct user *user = entry_user_new(name, members[0].text, &hash);
            user = map_put(&loading->auth->users, bytes_of_text(user->name), user);
            entry_user_free(&user);
            free(name);
        } else {
            status = STATUS_CORRUPT;
        }
        auth_record_free(members, 3);
    }
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_vhost(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    struct auth_record_member members[] = {{"description", "", 0},
                                           {"tags", "", 0},
                                           {"default_queue_type", "", 0},
                                           {"tracing", NULL, 0},
                                           {"protected_from_deletion", NULL, 0}};

    enum status status = auth_record_read(value, members, 5);
    if (status == STATUS_OK) {
        char *name = name_of_key(key, AUTH_RECORD_KEY_VHOST);
        const struct vhost_entry entry = {
            .name = name,
            .description = members[0].text,
            .tags = members[1].text,
            .default_queue_type = members[2].text,
            .tracing = members[3].number != 0,
            .protected_from_deletion = members[4].number != 0,
        };
        struct vhost_record *vhost = entry_vhost_new(&entry);
        vhost = map_put(&loading->auth->vhosts, bytes_of_text(vhost->name), vhost);
        entry_vhost_free(&vhost);
        free(name);
        auth_record_free(members, 5);
    }
    if (loading->status == STATUS_OK)
        loading->status = status;
}

/* Whether a stored key, VHOST, a zero and USER, is well formed; *user then points into it. */
static bool split_names(const char *names, size_t names_len, const char **user)
{
    size_t vhost_len = strlen(names);
    *user = names + vhost_len + 1;
    return vhost_len + 1 < names_len && strlen(*user) == names_len - vhost_len - 1 &&
           names_len <= PERMISSION_KEY_MAX;
}

static enum status put_loaded_permission(struct auth *auth, const char *names, size_t names_len,
                                         const char *const text[PERMISSION_KINDS])
{
    struct permission_record *record;
    const char *user;

    if (!split_names(names, names_len, &user))
        return STATUS_CORRUPT;
    enum status status = entry_permission_new(user, names, text, &record, NULL);
    if (status != STATUS_OK)
        return STATUS_CORRUPT;
    record = map_put(&auth->permissions, bytes_of(record->key, record->key_len), record);
    entry_permission_free(&record);
    return STATUS_OK;
}

static void load_permission(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    struct auth_record_member members[] = {{"configure", "", 0}, {"write", "", 0}, {"read", "", 0}};

    enum status status = auth_record_read(value, members, 3);
    if (status == STATUS_OK) {
        const char *text[PERMISSION_KINDS] = {
            [PERMISSION_CONFIGURE] = members[0].text,
            [PERMISSION_WRITE] = members[1].text,
            [PERMISSION_READ] = members[2].text,
        };
        char *names = name_of_key(key, AUTH_RECORD_KEY_PERMISSION);
        status = put_loaded_permission(loading->auth, names,
                                       key.len - strlen(AUTH_RECORD_KEY_PERMISSION), text);
        free(names);
        auth_record_free(members, 3);
    }
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_topics(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    char *names = name_of_key(key, AUTH_RECORD_KEY_TOPICS);
    struct topic_entry *entry;
    const char *user;
    enum status status = STATUS_CORRUPT;

    if (split_names(names, key.len - strlen(AUTH_RECORD_KEY_TOPICS), &user))
        status = topic_entry_read(user, names, value, &entry);
    if (status == STATUS_OK) {
        entry = map_put(&loading->auth->topics, bytes_of(entry->key, entry->key_len), entry);
        topic_entry_free(&entry);
    }
    free(names);
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_parameter(void *context, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    struct auth_record_member members[] = {{"json", "", 0}};

    enum status status = auth_record_read(value, members, 1);
    if (status == STATUS_OK) {
        char *name = name_of_key(key, AUTH_RECORD_KEY_PARAMETER);
        struct parameter *parameter = parameter_new(name, members[0].text);
        if (parameter)
            parameter =
                map_put(&loading->auth->parameters, bytes_of_text(parameter->name), parameter);
        else
            status = STATUS_CORRUPT;
        parameter_free(&parameter);
        free(name);
        auth_record_free(members, 1);
    }
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_limits(void *context, enum limited limited, struct bytes key, struct bytes value)
{
    struct auth_loading *loading = context;
    enum status status = auth_limits_load(loading->auth, limited, key, value);
    if (loading->status == STATUS_OK)
        loading->status = status;
}

static void load_vhost_limits(void *context, struct bytes key, struct bytes value)
{
    load_limits(context, LIMITED_VHOST, key, value);
}

static void load_user_limits(void *context, struct bytes key, struct bytes value)
{
    load_limits(context, LIMITED_USER, key, value);
}

enum status auth_load(struct auth *auth, bool *first)
{
    static const struct {
        const char *prefix;
        void (*load)(void *context, struct bytes key, struct bytes value);
    } kinds[] = {
        {AUTH_RECORD_KEY_FORMAT, load_format},
        {AUTH_RECORD_KEY_USER, load_user},
        {AUTH_RECORD_KEY_VHOST, load_vhost},
        {AUTH_RECORD_KEY_PERMISSION, load_permission},
        {AUTH_RECORD_KEY_TOPICS, load_topics},
        {AUTH_RECORD_KEY_PARAMETER, load_parameter},
        {AUTH_RECORD_KEY_VHOST_LIMITS, load_vhost_limits},
        {AUTH_RECORD_KEY_USER_LIMITS, load_user_limits},
    };
    struct auth_loading loading = {auth, STATUS_OK, false};

    *first = true;
    if (!auth->store.each)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        enum status status = auth->store.each(auth->store.context, bytes_of_text(kinds[i].prefix),
                                              kinds[i].load, &loading);
        if (status != STATUS_OK)
            return status;
        if (loading.status != STATUS_OK)
            return loading.status;
    }
    *first = !loading.format_seen;
    return STATUS_OK;
}

static enum status stage_format(struct auth *auth)
{
    struct auth_record_member members[] = {{"format", NULL, AUTH_RECORD_FORMAT}};
    struct text record = {0};
    enum status status = auth_record_write(members, 1, &record);
    if (status == STATUS_OK)
        staged_record(auth, AUTH_RECORD_KEY_FORMAT, &record);
    return status;
}

static const char *or_all(const char *permission)
{
    return permission ? permission : ".*";
}

enum status auth_first_start(struct auth *auth, const struct auth_options *options)
{
    const char *user = options->default_user ? options->default_user : "guest";
    const char *pass = options->default_pass ? options->default_pass : "guest";
    const char *vhost = options->default_vhost ? options->default_vhost : "/";
    bool created;
    char *error = NULL;

    auth_begin(auth);
    const char *tags = options->default_tags ? options->default_tags : "administrator";
    enum status status = STATUS_OK;
    if (!options->no_default_user)
        status = auth_put_user(auth, user, pass, NULL, NULL, tags, &created);
    if (status == STATUS_OK)
        status = auth_put_vhost(auth,
                                &(struct vhost_entry){
                                    .name = vhost,
                                    .description = "Default virtual host",
                                    .default_queue_type = options->default_queue_type,
                                },
                                &created);
    if (status == STATUS_OK && !options->no_default_user)
        status = auth_put_permission(auth, user, vhost, or_all(options->default_configure),
                                     or_all(options->default_write), or_all(options->default_read),
                                     &created, &error);
    if (status == STATUS_OK)
        status = auth_apply_defaults(auth, vhost);
    if (status == STATUS_OK)
        status = stage_format(auth);
    free(error);
    if (status == STATUS_OK)
        return auth_commit(auth);
    auth_cancel(auth);
    return status;
}
