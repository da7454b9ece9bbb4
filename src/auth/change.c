/* Changing the directory: the main thread.
 *
 * Normal course: check the names, build the new entry, store its record (waits for the disk,
 * without the lock), then swap the entry under the write lock. What can go wrong: the store
 * refuses, and then the map is untouched and the caller has the status. Deleting takes away
 * permissions first, one by one: when the store fails in between, the user or vhost is still there
 * with fewer permissions, and deleting again finishes it. The other order could leave a permission
 * behind for a later user of the same name. */
#include <stdio.h>

#include "directory.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "record.h"

static enum status check_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= AUTH_NAME_MAX && record_is_text(name) ? STATUS_OK : STATUS_MALFORMED;
}

/* ---- The store. */

static void key_build(struct text *out, const char *prefix, struct bytes name)
{
    text_add(out, prefix, strlen(prefix));
    text_add_bytes(out, name);
}

enum status store_record(struct auth *auth, const char *prefix, struct bytes name,
                         const struct record_member *members, size_t count)
{
    struct text key = {0}, value = {0};
    /* Written without a store too: what JSON cannot hold is refused in tests as in earnest. */
    enum status status = record_write(members, count, &value);
    if (status == STATUS_OK && auth->store.put) {
        key_build(&key, prefix, name);
        status = auth->store.put(auth->store.context, text_bytes(&key), text_bytes(&value));
    }
    text_free(&key);
    text_free(&value);
    return status;
}

enum status erase_record(struct auth *auth, const char *prefix, struct bytes name)
{
    struct text key = {0};
    if (!auth->store.erase)
        return STATUS_OK;
    key_build(&key, prefix, name);
    enum status status = auth->store.erase(auth->store.context, text_bytes(&key));
    text_free(&key);
    return status;
}

/* ---- The maps. Each returns what was there before, for the caller to free. */

static void *swap_in(struct auth *auth, struct map *map, struct bytes key, void *entry)
{
    CHECK(pthread_rwlock_wrlock(&auth->lock) == 0);
    void *old = map_put(map, key, entry);
    atomic_fetch_add_explicit(&auth->version, 1, memory_order_release);
    auth_unlock(auth);
    return old;
}

static void *take_out(struct auth *auth, struct map *map, struct bytes key)
{
    CHECK(pthread_rwlock_wrlock(&auth->lock) == 0);
    void *old = map_remove(map, key);
    atomic_fetch_add_explicit(&auth->version, 1, memory_order_release);
    auth_unlock(auth);
    return old;
}

/* ---- Who wants to know. */

void auth_set_watcher(struct auth *auth,
                      void (*changed)(void *context, const struct auth_change *change),
                      void *context)
{
    auth->changed = changed;
    auth->changed_context = context;
}

static void tell(const struct auth *auth, const struct auth_change *change)
{
    if (auth->changed)
        auth->changed(auth->changed_context, change);
}

static void tell_one(const struct auth *auth, const char *event, const char *key, const char *value)
{
    const struct auth_change change = {event, {{key, value}}};
    tell(auth, &change);
}

/* ---- Users. */

/* "a, b,,a" to "a,b,a"; in text form as the API and the record have it. Owned. */
static char *tidy_tags(const char *tags)
{
    char *out = mem_need_text(tags, strlen(tags)), *to = out;
    for (const char *from = tags; *from;) {
        size_t len = strcspn(from, ",");
        size_t skip = strspn(from, " \t");
        size_t word = skip < len ? len - skip : 0;
        while (word && (from[skip + word - 1] == ' ' || from[skip + word - 1] == '\t'))
            word--;
        if (word) {
            if (to != out)
                *to++ = ',';
            memmove(to, out + (from - tags) + skip, word);
            to += word;
        }
        from += len + (from[len] == ',');
    }
    *to = '\0';
    return out;
}

static enum status put_user(struct auth *auth, const char *name, const char *tags,
                            const struct password_hash *hash)
{
    char text[PASSWORD_HASH_TEXT_MAX];

    if (strlen(tags) > AUTH_TAGS_MAX)
        return STATUS_MALFORMED;
    char *tidy = tidy_tags(tags);
    password_hash_text(hash, text);
    struct record_member members[] = {
        {"tags", tidy, 0},
        {"password_hash", text, 0},
        {"hashing", hash->hashing ? hash->hashing : PASSWORD_HASHING_DEFAULT, 0}};
    enum status status = store_record(auth, RECORD_KEY_USER, bytes_of_text(name), members, 3);
    if (status == STATUS_OK) {
        struct user *user = user_new(name, tidy, hash);
        user = swap_in(auth, &auth->users, bytes_of_text(user->name), user);
        user_free(&user);
    }
    free(tidy);
    return status;
}

enum status auth_put_user(struct auth *auth, const char *name, const char *password,
                          const char *hash, const char *hashing, const char *tags, bool *created)
{
    struct password_hash secret = {0};
    enum status status = check_name(name);

    *created = false;
    if (status == STATUS_OK && password)
        status = password_hash_new(bytes_of_text(password), &secret);
    else if (status == STATUS_OK && hash)
        status = password_hash_read(hash, hashing, &secret);
    if (status != STATUS_OK)
        return status;
    bool existed = map_get(&auth->users, bytes_of_text(name)) != NULL;
    status = put_user(auth, name, tags ? tags : "", &secret);
    *created = status == STATUS_OK && !existed;
    if (status == STATUS_OK)
        tell_one(auth, existed ? "user.password.changed" : "user.created", "name", name);
    return status;
}

enum status auth_set_password(struct auth *auth, const char *name, const char *password)
{
    struct password_hash secret;
    const struct user *user = map_get(&auth->users, bytes_of_text(name));
    if (!user)
        return STATUS_NOT_FOUND;
    enum status status = password_hash_new(bytes_of_text(password), &secret);
    if (status == STATUS_OK)
        status = put_user(auth, name, user->tags, &secret);
    if (status == STATUS_OK)
        tell_one(auth, "user.password.changed", "name", name);
    return status;
}

enum status auth_set_tags(struct auth *auth, const char *name, const char *tags)
{
    const struct user *user = map_get(&auth->users, bytes_of_text(name));
    if (!user)
        return STATUS_NOT_FOUND;
    struct password_hash hash = user->password;
    enum status status = put_user(auth, name, tags, &hash);
    const struct auth_change change = {"user.tags.set", {{"name", name}, {"tags", tags}}};
    if (status == STATUS_OK)
        tell(auth, &change);
    return status;
}

/* ---- Permissions. */

static enum status delete_permission(struct auth *auth, struct bytes key)
{
    enum status status = erase_record(auth, RECORD_KEY_PERMISSION, key);
    if (status != STATUS_OK)
        return status;
    struct permission_record *old = take_out(auth, &auth->permissions, key);
    permission_record_free(&old);
    return STATUS_OK;
}

/* Takes away all permissions of a user or on a vhost; the other one is NULL. */
static enum status delete_permissions(struct auth *auth, const char *user, const char *vhost)
{
    enum status status = STATUS_OK;
    bool found = true;
    while (found && status == STATUS_OK) {
        const struct permission_record *record;
        found = false;
        for (size_t at = 0; !found && (record = map_next(&auth->permissions, &at));) {
            if ((!user || strcmp(record->user, user) == 0) &&
                (!vhost || strcmp(record->vhost, vhost) == 0))
                found = true;
        }
        if (found)
            status = delete_permission(auth, bytes_of(record->key, record->key_len));
    }
    return status;
}

enum status auth_put_permission(struct auth *auth, const char *user, const char *vhost,
                                const char *configure, const char *write, const char *read,
                                bool *created, char **error)
{
    struct permission_record *record;
    const char *text[PERMISSION_KINDS] = {
        [PERMISSION_CONFIGURE] = configure,
        [PERMISSION_WRITE] = write,
        [PERMISSION_READ] = read,
    };
    *created = false;
    *error = NULL;
    if (!map_get(&auth->users, bytes_of_text(user)) ||
        !map_get(&auth->vhosts, bytes_of_text(vhost)))
        return STATUS_NOT_FOUND;
    enum status status = permission_record_new(user, vhost, text, &record, error);
    if (status != STATUS_OK)
        return status == STATUS_LIMIT ? STATUS_MALFORMED : status;

    struct bytes key = bytes_of(record->key, record->key_len);
    struct record_member members[] = {
        {"configure", configure, 0}, {"write", write, 0}, {"read", read, 0}};
    status = store_record(auth, RECORD_KEY_PERMISSION, key, members, 3);
    if (status == STATUS_OK) {
        record = swap_in(auth, &auth->permissions, key, record);
        *created = record == NULL;
        const struct auth_change change = {"permission.created",
                                           {{"user", user},
                                            {"vhost", vhost},
                                            {"configure", configure},
                                            {"write", write},
                                            {"read", read}}};
        tell(auth, &change);
    } else if (status == STATUS_MALFORMED) {
        *error = strdup("a regular expression must be UTF-8");
    }
    permission_record_free(&record);
    return status;
}

enum status auth_delete_permission(struct auth *auth, const char *user, const char *vhost)
{
    char key[PERMISSION_KEY_MAX];
    size_t len = permission_key(bytes_of_text(vhost), bytes_of_text(user), key);
    if (!len || !map_get(&auth->permissions, bytes_of(key, len)))
        return STATUS_NOT_FOUND;
    enum status status = delete_permission(auth, bytes_of(key, len));
    const struct auth_change change = {"permission.deleted", {{"user", user}, {"vhost", vhost}}};
    if (status == STATUS_OK)
        tell(auth, &change);
    return status;
}

enum status auth_delete_user(struct auth *auth, const char *name)
{
    struct bytes key = bytes_of_text(name);
    if (!map_get(&auth->users, key))
        return STATUS_NOT_FOUND;
    enum status status = delete_permissions(auth, name, NULL);
    if (status == STATUS_OK)
        status = auth_clear_limits(auth, LIMITED_USER, name);
    if (status == STATUS_OK)
        status = erase_record(auth, RECORD_KEY_USER, key);
    if (status == STATUS_OK) {
        struct user *old = take_out(auth, &auth->users, key);
        user_free(&old);
        tell_one(auth, "user.deleted", "name", name);
    }
    return status;
}

/* ---- Vhosts. */

enum status auth_put_vhost(struct auth *auth, const char *name, const char *description,
                           const char *tags, bool tracing, bool *created)
{
    *created = false;
    if (!description)
        description = "";
    if (check_name(name) != STATUS_OK || strlen(description) > AUTH_DESCRIPTION_MAX ||
        (tags && strlen(tags) > AUTH_TAGS_MAX))
        return STATUS_MALFORMED;
    char *tidy = tidy_tags(tags ? tags : "");
    struct record_member members[] = {
        {"description", description, 0}, {"tags", tidy, 0}, {"tracing", NULL, tracing}};
    enum status status = store_record(auth, RECORD_KEY_VHOST, bytes_of_text(name), members, 3);
    if (status == STATUS_OK) {
        struct vhost_record *vhost = vhost_record_new(name, description, tidy, tracing);
        vhost = swap_in(auth, &auth->vhosts, bytes_of_text(vhost->name), vhost);
        *created = vhost == NULL;
        vhost_record_free(&vhost);
        if (*created)
            tell_one(auth, "vhost.created", "name", name);
    }
    free(tidy);
    return status;
}

enum status auth_delete_vhost(struct auth *auth, const char *name)
{
    struct bytes key = bytes_of_text(name);
    if (!map_get(&auth->vhosts, key))
        return STATUS_NOT_FOUND;
    enum status status = delete_permissions(auth, NULL, name);
    if (status == STATUS_OK)
        status = auth_clear_limits(auth, LIMITED_VHOST, name);
    if (status == STATUS_OK)
        status = erase_record(auth, RECORD_KEY_VHOST, key);
    if (status == STATUS_OK) {
        struct vhost_record *old = take_out(auth, &auth->vhosts, key);
        vhost_record_free(&old);
        tell_one(auth, "vhost.deleted", "name", name);
    }
    return status;
}
