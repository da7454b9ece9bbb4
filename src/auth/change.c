/* Changing the directory, on the main thread.
 *
 * Normal course: check the names, build the new entry and its record, stage both (staged.c), which
 * stores and swaps them in at once or with the batch that is open. What can go wrong: a name or
 * text is not valid: nothing is staged; the store fails: nothing has changed. A user or vhost is
 * deleted with its permissions and limits in one write, so that a later one of the same name does
 * not get them. */
#include <stdio.h>

#include "auth_record.h"
#include "leveret/base/mem.h"
#include "staged.h"
#include "topic_entry.h"

static enum status check_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= AUTH_NAME_MAX && auth_record_is_text(name) ? STATUS_OK
                                                                        : STATUS_MALFORMED;
}

void auth_set_watcher(struct auth *auth,
                      void (*changed)(void *context, const struct auth_change *change),
                      void *context)
{
    auth->changed = changed;
    auth->changed_context = context;
}

void auth_cancel(struct auth *auth)
{
    auth->batch = false;
    staged_drop(auth);
}

/* ---- Users. */

/* Tags without blanks and empty ones, as the API and the record have them: "a, b,,a" becomes
 * "a,b,a". The caller frees it. */
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
                            const struct password_hash *hash, const char *event)
{
    char text[PASSWORD_HASH_TEXT_MAX];
    struct text record = {0};

    if (strlen(tags) > AUTH_TAGS_BYTES_MAX)
        return STATUS_MALFORMED;
    char *tidy = tidy_tags(tags);
    password_hash_text(hash, text);
    struct auth_record_member members[] = {
        {"tags", tidy, 0},
        {"password_hash", text, 0},
        {"hashing", hash->hashing ? hash->hashing : PASSWORD_HASHING_DEFAULT, 0}};
    enum status status = auth_record_write(members, 3, &record);
    if (status == STATUS_OK) {
        struct user *user = entry_user_new(name, tidy, hash);
        staged_put(auth, ENTRY_USER, bytes_of_text(user->name), user, &record, event);
        status = staged_end(auth);
    }
    free(tidy);
    return status;
}

enum status auth_check_hash(const char *hash, const char *hashing)
{
    struct password_hash secret;
    return password_hash_read(hash, hashing, &secret);
}

enum status auth_put_user(struct auth *auth, const char *name, const char *password,
                          const char *hash, const char *hashing, const char *tags, bool *created)
{
    struct password_hash secret = {0};
    enum status status = check_name(name);

    *created = false;
    if (status == STATUS_OK && password)
        status = password_hash_new(bytes_of_text(password), auth->password_hashing, &secret);
    else if (status == STATUS_OK && hash)
        status = password_hash_read(hash, hashing, &secret);
    if (status != STATUS_OK)
        return status;
    bool existed = staged_find(auth, ENTRY_USER, bytes_of_text(name)) != NULL;
    status = put_user(auth, name, tags ? tags : "", &secret,
                      existed ? "user.password.changed" : "user.created");
    *created = status == STATUS_OK && !existed;
    return status;
}

enum status auth_set_password(struct auth *auth, const char *name, const char *password)
{
    struct password_hash secret;
    const struct user *user = staged_find(auth, ENTRY_USER, bytes_of_text(name));
    if (!user)
        return STATUS_NOT_FOUND;
    enum status status =
        password_hash_new(bytes_of_text(password), auth->password_hashing, &secret);
    if (status == STATUS_OK)
        status = put_user(auth, name, user->tags, &secret, "user.password.changed");
    return status;
}

enum status auth_set_tags(struct auth *auth, const char *name, const char *tags)
{
    const struct user *user = staged_find(auth, ENTRY_USER, bytes_of_text(name));
    if (!user)
        return STATUS_NOT_FOUND;
    struct password_hash hash = user->password;
    return put_user(auth, name, tags, &hash, EVENT_TAGS_SET);
}

/* ---- Permissions. */

/* Stages the removal of all permissions, topic permissions too, of the users, or on the vhosts,
 * whose names are in the map. */
static void remove_permissions(struct auth *auth, const struct map *names, bool of_users)
{
    const struct permission_record *p;
    for (size_t at = 0; (p = map_next(&auth->permissions, &at));)
        if (map_get(names, bytes_of_text(of_users ? p->user : p->vhost)))
            staged_remove(auth, ENTRY_PERMISSION, bytes_of(p->key, p->key_len), NULL);
    const struct topic_entry *t;
    for (size_t at = 0; (t = map_next(&auth->topics, &at));)
        if (map_get(names, bytes_of_text(of_users ? t->user : t->vhost)))
            staged_remove(auth, ENTRY_TOPICS, bytes_of(t->key, t->key_len), NULL);
}

enum status auth_check_permission(const char *configure, const char *write, const char *read,
                                  char **error)
{
    const char *text[PERMISSION_KINDS] = {
        [PERMISSION_CONFIGURE] = configure,
        [PERMISSION_WRITE] = write,
        [PERMISSION_READ] = read,
    };
    struct permission_record *record;
    enum status status = entry_permission_new("", "", text, &record, error);
    if (status != STATUS_OK)
        return status;
    entry_permission_free(&record);
    return STATUS_OK;
}

enum status auth_put_permission(struct auth *auth, const char *user, const char *vhost,
                                const char *configure, const char *write, const char *read,
                                bool *created, char **error)
{
    struct permission_record *entry;
    const char *text[PERMISSION_KINDS] = {
        [PERMISSION_CONFIGURE] = configure,
        [PERMISSION_WRITE] = write,
        [PERMISSION_READ] = read,
    };
    struct text record = {0};
    *created = false;
    *error = NULL;
    if (!staged_find(auth, ENTRY_USER, bytes_of_text(user)) ||
        !staged_find(auth, ENTRY_VHOST, bytes_of_text(vhost)))
        return STATUS_NOT_FOUND;
    enum status status = entry_permission_new(user, vhost, text, &entry, error);
    if (status != STATUS_OK)
        return status;

    struct bytes key = bytes_of(entry->key, entry->key_len);
    struct auth_record_member members[] = {
        {"configure", configure, 0}, {"write", write, 0}, {"read", read, 0}};
    status = auth_record_write(members, 3, &record);
    if (status != STATUS_OK) {
        entry_permission_free(&entry);
        *error = strdup("a regular expression must be UTF-8");
        return status;
    }
    bool existed = staged_find(auth, ENTRY_PERMISSION, key) != NULL;
    staged_put(auth, ENTRY_PERMISSION, key, entry, &record, "permission.created");
    status = staged_end(auth);
    *created = status == STATUS_OK && !existed;
    return status;
}

enum status auth_delete_permission(struct auth *auth, const char *user, const char *vhost)
{
    const struct permission_record *p =
        entry_of_user(&auth->permissions, bytes_of_text(user), bytes_of_text(vhost));
    if (!p)
        return STATUS_NOT_FOUND;
    staged_remove(auth, ENTRY_PERMISSION, bytes_of(p->key, p->key_len), "permission.deleted");
    return staged_end(auth);
}

/* ---- Users and vhosts that go. */

/* Deletes entries with their permissions and limits, skipping names that do not exist. */
static enum status delete_all(struct auth *auth, enum entry_kind kind, const char *const *names,
                              size_t count)
{
    static const char *const events[] = {"user.deleted", "vhost.deleted"};
    const struct map *map = kind == ENTRY_USER ? &auth->users : &auth->vhosts;
    struct map gone = {0};
    for (size_t i = 0; i < count; i++)
        if (map_get(map, bytes_of_text(names[i])))
            map_put(&gone, bytes_of_text(names[i]), map_get(map, bytes_of_text(names[i])));
    remove_permissions(auth, &gone, kind == ENTRY_USER);
    char **entry;
    for (size_t at = 0; (entry = map_next(&gone, &at));) {
        struct bytes key = bytes_of_text(*entry); /* the first member of an entry is its name */
        auth_limits_stage_none(auth, kind == ENTRY_USER ? LIMITED_USER : LIMITED_VHOST, key);
        staged_remove(auth, kind, key, events[kind]);
    }
    map_free(&gone);
    return staged_end(auth);
}

enum status auth_delete_users(struct auth *auth, const char *const *names, size_t count)
{
    return delete_all(auth, ENTRY_USER, names, count);
}

enum status auth_delete_user(struct auth *auth, const char *name)
{
    return map_get(&auth->users, bytes_of_text(name)) ? delete_all(auth, ENTRY_USER, &name, 1)
                                                      : STATUS_NOT_FOUND;
}

enum status auth_delete_vhost(struct auth *auth, const char *name)
{
    return map_get(&auth->vhosts, bytes_of_text(name)) ? delete_all(auth, ENTRY_VHOST, &name, 1)
                                                       : STATUS_NOT_FOUND;
}

/* ---- Vhosts. */

static const char *said(const char *text)
{
    return text ? text : "";
}

enum status auth_put_vhost(struct auth *auth, const struct vhost_entry *entry, bool *created)
{
    struct text record = {0};
    struct vhost_entry vhost = *entry;
    vhost.description = said(entry->description);
    vhost.default_queue_type = said(entry->default_queue_type);
    *created = false;
    if (check_name(vhost.name) != STATUS_OK ||
        strlen(vhost.description) > AUTH_DESCRIPTION_BYTES_MAX ||
        strlen(said(entry->tags)) > AUTH_TAGS_BYTES_MAX ||
        strlen(vhost.default_queue_type) > AUTH_NAME_MAX)
        return STATUS_MALFORMED;
    char *tidy = tidy_tags(said(entry->tags));
    vhost.tags = tidy;
    struct auth_record_member members[] = {
        {"description", vhost.description, 0},
        {"tags", tidy, 0},
        {"default_queue_type", vhost.default_queue_type, 0},
        {"tracing", NULL, vhost.tracing},
        {"protected_from_deletion", NULL, vhost.protected_from_deletion}};
    enum status status = auth_record_write(members, 5, &record);
    if (status == STATUS_OK) {
        struct vhost_record *made = entry_vhost_new(&vhost);
        bool existed = staged_find(auth, ENTRY_VHOST, bytes_of_text(made->name)) != NULL;
        staged_put(auth, ENTRY_VHOST, bytes_of_text(made->name), made, &record,
                   existed ? NULL : "vhost.created");
        status = staged_end(auth);
        *created = status == STATUS_OK && !existed;
    }
    free(tidy);
    return status;
}
