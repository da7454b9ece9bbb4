/* Making and freeing the entries of the directory, and the keys of permissions. */
#include <stdio.h>

#include "directory.h"
#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

struct user *entry_user_new(const char *name, const char *tags,
                            const struct password_hash *password)
{
    struct user *user = mem_need(sizeof *user);
    user->name = copy(name);
    user->tags = copy(tags);
    user->password = *password;
    return user;
}

void entry_user_free(struct user **user)
{
    struct user *u = *user;
    *user = NULL;
    if (!u)
        return;
    free(u->name);
    free(u->tags);
    free(u);
}

struct vhost_record *entry_vhost_new(const struct vhost_entry *entry)
{
    struct vhost_record *vhost = mem_need(sizeof *vhost);
    vhost->name = copy(entry->name);
    vhost->description = copy(entry->description);
    vhost->tags = copy(entry->tags);
    vhost->default_queue_type = copy(entry->default_queue_type);
    vhost->tracing = entry->tracing;
    vhost->protected_from_deletion = entry->protected_from_deletion;
    return vhost;
}

void entry_vhost_free(struct vhost_record **vhost)
{
    struct vhost_record *v = *vhost;
    *vhost = NULL;
    if (!v)
        return;
    free(v->name);
    free(v->description);
    free(v->tags);
    free(v->default_queue_type);
    free(v);
}

size_t entry_permission_key(struct bytes vhost, struct bytes user, char out[PERMISSION_KEY_MAX])
{
    if (vhost.len > AUTH_NAME_MAX || user.len > AUTH_NAME_MAX)
        return 0;
    /* Stored names contain no zero, so a key in which a name contains one finds nothing. */
    if (vhost.len)
        memcpy(out, vhost.at, vhost.len);
    out[vhost.len] = '\0';
    if (user.len)
        memcpy(out + vhost.len + 1, user.at, user.len);
    return vhost.len + 1 + user.len;
}

void *entry_of_user(const struct map *map, struct bytes user, struct bytes vhost)
{
    char key[PERMISSION_KEY_MAX];
    size_t len = entry_permission_key(vhost, user, key);
    return len ? map_get(map, bytes_of(key, len)) : NULL;
}

enum status entry_compile(struct bytes expression, const char *shown, struct pattern **out,
                          char **error)
{
    struct pattern_error wrong;
    enum status status =
        pattern_new(expression.len ? expression : BYTES_LITERAL("^$"), NULL, out, &wrong);
    if (error)
        *error = NULL;
    if (status != STATUS_OK && error &&
        asprintf(error, "not a regular expression: '%.200s': %s at position %zu", shown,
                 wrong.reason, wrong.at) < 0)
        *error = NULL;
    return status == STATUS_LIMIT ? STATUS_MALFORMED : status;
}

enum status entry_permission_new(const char *user, const char *vhost,
                                 const char *const text[PERMISSION_KINDS],
                                 struct permission_record **out, char **error)
{
    struct permission_record *record = mem_need(sizeof *record);
    char key[PERMISSION_KEY_MAX];

    record->key_len = entry_permission_key(bytes_of_text(vhost), bytes_of_text(user), key);
    record->key = mem_need_text(key, record->key_len);
    record->vhost = record->key;
    record->user = record->key + strlen(vhost) + 1;
    for (size_t i = 0; i < PERMISSION_KINDS; i++)
        record->text[i] = copy(text[i]);
    *out = record;
    for (size_t i = 0; i < PERMISSION_KINDS; i++) {
        enum status status =
            entry_compile(bytes_of_text(text[i]), text[i], &record->pattern[i], error);
        if (status != STATUS_OK) {
            entry_permission_free(out);
            return status;
        }
    }
    return STATUS_OK;
}

void entry_permission_free(struct permission_record **permission)
{
    struct permission_record *p = *permission;
    *permission = NULL;
    if (!p)
        return;
    for (size_t i = 0; i < PERMISSION_KINDS; i++) {
        free(p->text[i]);
        pattern_free(&p->pattern[i]);
    }
    free(p->key);
    free(p);
}
