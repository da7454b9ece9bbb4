/* Topic permissions: see topic_permissions.h.
 *
 * Normal course: a question looks up the user's entry in the vhost and matches one expression. What
 * can go wrong: an expression with {client_id} is not valid once the client's value stands in it
 * (it is too long): it then matches nothing. */
#include "leveret/auth/topic_permissions.h"

#include <stdio.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"
#include "staged.h"
#include "topic_entry.h"

/* ---- Asking. */

bool auth_has_topic_permissions(const struct auth *auth, struct bytes user, struct bytes vhost)
{
    auth_read_lock(auth);
    bool found = entry_of_user(&auth->topics, user, vhost) != NULL;
    auth_unlock(auth);
    return found;
}

/* Matches an expression that is compiled for this question alone. */
static bool match_with_client(const char *text, const struct topic_use *use)
{
    struct text expression = {0};
    struct pattern *pattern = NULL;
    topic_expression(text, use->user, use->vhost, use->client_id, &expression);
    bool matches = pattern_new(text_bytes(&expression), NULL, &pattern, NULL) == STATUS_OK &&
                   pattern_matches(pattern, use->routing_key);
    pattern_free(&pattern);
    text_free(&expression);
    return matches;
}

bool auth_topic_allowed(const struct auth *auth, const struct topic_use *use)
{
    size_t kind = use->permission == PERMISSION_WRITE ? 0 : 1;
    char *text = NULL;
    CHECK(use->permission != PERMISSION_CONFIGURE);
    auth_read_lock(auth);
    const struct topic_entry *entry = entry_of_user(&auth->topics, use->user, use->vhost);
    const struct topic_rule *rule = entry ? topic_entry_find(entry, use->exchange) : NULL;
    bool allowed =
        !rule || (rule->pattern[kind] && pattern_matches(rule->pattern[kind], use->routing_key));
    if (rule && !rule->pattern[kind])
        text = mem_need_text(rule->text[kind], strlen(rule->text[kind]));
    auth_unlock(auth);
    if (text)
        allowed = match_with_client(text, use);
    free(text);
    return allowed;
}

void auth_each_topic_permission(const struct auth *auth,
                                void (*each)(void *context, const struct topic_permission *),
                                void *context)
{
    struct map_entry *sorted = map_sorted(&auth->topics);
    for (size_t i = 0; i < auth->topics.count; i++) {
        const struct topic_entry *entry = sorted[i].value;
        for (size_t j = 0; j < entry->count; j++) {
            const struct topic_rule *rule = entry->rules[j];
            const struct topic_permission permission = {entry->user, entry->vhost, rule->exchange,
                                                        rule->text[0], rule->text[1]};
            each(context, &permission);
        }
    }
    free(sorted);
}

/* ---- Changing. */

enum status auth_check_topic_permission(const char *write, const char *read, char **error)
{
    struct topic_entry *entry = topic_entry_new("u", "v", NULL);
    *error = NULL;
    enum status status = topic_entry_put(entry, "", write, read, error);
    topic_entry_free(&entry);
    return status;
}

static const struct topic_entry *staged_entry(const struct auth *auth, const char *user,
                                              const char *vhost)
{
    char key[PERMISSION_KEY_MAX];
    size_t len = entry_permission_key(bytes_of_text(vhost), bytes_of_text(user), key);
    return len ? staged_find(auth, ENTRY_TOPICS, bytes_of(key, len)) : NULL;
}

/* Stages the entry, which it takes over, and ends the change. */
static enum status store(struct auth *auth, struct topic_entry *entry, const char *exchange,
                         const char *event)
{
    struct text record = {0};
    enum status status = topic_entry_write(entry, &record);
    if (status != STATUS_OK) {
        topic_entry_free(&entry);
        return status;
    }
    free(entry->changed);
    entry->changed = mem_need_text(exchange, strlen(exchange));
    staged_put(auth, ENTRY_TOPICS, bytes_of(entry->key, entry->key_len), entry, &record, event);
    return staged_end(auth);
}

enum status auth_put_topic_permission(struct auth *auth, const struct topic_permission *permission,
                                      bool *created, char **error)
{
    const char *user = permission->user, *vhost = permission->vhost;
    const char *exchange = permission->exchange;
    *created = false;
    *error = NULL;
    if (!staged_find(auth, ENTRY_USER, bytes_of_text(user)) ||
        !staged_find(auth, ENTRY_VHOST, bytes_of_text(vhost)))
        return STATUS_NOT_FOUND;
    if (strlen(exchange) > AUTH_NAME_MAX) {
        *error = strdup("the name of an exchange has at most 255 bytes");
        return STATUS_MALFORMED;
    }
    const struct topic_entry *before = staged_entry(auth, user, vhost);
    bool existed = before && topic_entry_find(before, bytes_of_text(exchange));
    struct topic_entry *entry = topic_entry_new(user, vhost, before);
    enum status status =
        topic_entry_put(entry, exchange, permission->write, permission->read, error);
    if (status != STATUS_OK) {
        topic_entry_free(&entry);
        return status;
    }
    status = store(auth, entry, exchange, "topic.permission.created");
    if (status == STATUS_MALFORMED)
        *error = strdup("names and regular expressions must be UTF-8");
    *created = status == STATUS_OK && !existed;
    return status;
}

enum status auth_delete_topic_permission(struct auth *auth, const char *user, const char *vhost,
                                         const char *exchange)
{
    const struct topic_entry *before =
        entry_of_user(&auth->topics, bytes_of_text(user), bytes_of_text(vhost));
    if (!before)
        return STATUS_NOT_FOUND;
    bool last = exchange && before->count == 1 && strcmp(before->rules[0]->exchange, exchange) == 0;
    if (exchange && !last) {
        if (!topic_entry_find(before, bytes_of_text(exchange)))
            return STATUS_OK; /* nothing to remove; RabbitMQ answers so, too */
        struct topic_entry *entry = topic_entry_new(user, vhost, before);
        topic_entry_remove(entry, exchange);
        return store(auth, entry, exchange, "topic.permission.deleted");
    }
    staged_remove(auth, ENTRY_TOPICS, bytes_of(before->key, before->key_len),
                  "topic.permission.deleted");
    return staged_end(auth);
}
