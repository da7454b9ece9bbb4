/* Changes of the directory that are checked but not stored yet.
 *
 * Normal course: a change is checked and staged with the record that the store is to hold; at the
 * end of the change, or of the batch that auth_begin began, all records are given to the store in
 * one write (which waits for the disk, without the lock), the entries are put into the directory
 * under one write lock, and then the watcher is told. What can go wrong: the store fails: all that
 * was staged is dropped and nothing has changed. */
#include "staged.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "topic_entry.h"

struct staged {
    TAILQ_ENTRY(staged) link;
    enum entry_kind kind;
    void *entry; /* the entry to put, later the one that it replaced; NULL: a removal, or limits */
    struct bytes
        key; /* a view into the entry, which lives until the end; of limits: the holder's name */
    const char *event; /* the event that the watcher is told; NULL: none */
    bool limits;       /* true when it sets limits of a holder and not an entry */
    enum limited limited;
    int64_t max[LIMITS_EACH];
    /* What is written to the store; with an empty key nothing is. */
    struct text record_key, record;
    bool erase;
};

static struct map *map_of(struct auth *auth, enum entry_kind kind)
{
    struct map *const maps[ENTRY_KINDS] = {
        [ENTRY_USER] = &auth->users,
        [ENTRY_VHOST] = &auth->vhosts,
        [ENTRY_PERMISSION] = &auth->permissions,
        [ENTRY_TOPICS] = &auth->topics,
        [ENTRY_PARAMETER] = &auth->parameters,
    };
    return maps[kind];
}

static void entry_free(enum entry_kind kind, void *entry)
{
    struct user *user = entry;
    struct vhost_record *vhost = entry;
    struct permission_record *permission = entry;
    struct topic_entry *topics = entry;
    struct parameter *parameter = entry;
    switch (kind) {
    case ENTRY_USER:
        entry_user_free(&user);
        break;
    case ENTRY_VHOST:
        entry_vhost_free(&vhost);
        break;
    case ENTRY_PERMISSION:
        entry_permission_free(&permission);
        break;
    case ENTRY_TOPICS:
        topic_entry_free(&topics);
        break;
    default:
        parameter_free(&parameter);
    }
}

/* ---- Staging. */

static struct staged *stage(struct auth *auth, enum entry_kind kind, struct bytes key)
{
    struct staged *staged = mem_need(sizeof *staged);
    staged->kind = kind;
    staged->key = key;
    TAILQ_INSERT_TAIL(&auth->staged, staged, link);
    auth->staged_count++;
    return staged;
}

static void record_of(struct staged *staged, const char *prefix, struct text *value)
{
    text_add(&staged->record_key, prefix, strlen(prefix));
    text_add_bytes(&staged->record_key, staged->key);
    if (value)
        staged->record = *value;
    else
        staged->erase = true;
}

static const char *const prefixes[ENTRY_KINDS] = {
    [ENTRY_USER] = AUTH_RECORD_KEY_USER,
    [ENTRY_VHOST] = AUTH_RECORD_KEY_VHOST,
    [ENTRY_PERMISSION] = AUTH_RECORD_KEY_PERMISSION,
    [ENTRY_TOPICS] = AUTH_RECORD_KEY_TOPICS,
    [ENTRY_PARAMETER] = AUTH_RECORD_KEY_PARAMETER,
};

void staged_put(struct auth *auth, enum entry_kind kind, struct bytes key, void *entry,
                struct text *record, const char *event)
{
    struct staged *staged = stage(auth, kind, key);
    staged->entry = entry;
    staged->event = event;
    record_of(staged, prefixes[kind], record);
    map_put(&auth->staged_by_key[kind], key, staged);
}

void staged_remove(struct auth *auth, enum entry_kind kind, struct bytes key, const char *event)
{
    struct staged *staged = stage(auth, kind, key);
    staged->event = event;
    record_of(staged, prefixes[kind], NULL);
    map_put(&auth->staged_by_key[kind], key, staged);
}

void staged_limits(struct auth *auth, enum limited limited, struct bytes holder, const char *prefix,
                   const int64_t max[LIMITS_EACH], struct text *record)
{
    struct staged *staged = stage(auth, ENTRY_USER, bytes_of(NULL, 0));
    staged->limits = true;
    staged->limited = limited;
    staged->key = bytes_of(mem_need_text(holder.at, holder.len), holder.len);
    memcpy(staged->max, max, sizeof staged->max);
    record_of(staged, prefix, record);
}

void staged_record(struct auth *auth, const char *key, struct text *record)
{
    struct staged *staged = stage(auth, ENTRY_USER, bytes_of(NULL, 0));
    record_of(staged, key, record);
}

void *staged_find(const struct auth *auth, enum entry_kind kind, struct bytes key)
{
    const struct staged *staged = map_get(&auth->staged_by_key[kind], key);
    return staged ? staged->entry : map_get(map_of((struct auth *)(uintptr_t)auth, kind), key);
}

void *staged_next(const struct auth *auth, enum entry_kind kind, size_t *at)
{
    const struct staged *staged;
    while ((staged = map_next(&auth->staged_by_key[kind], at)))
        if (staged->entry)
            return staged->entry;
    return NULL;
}

bool staged_find_limits(const struct auth *auth, enum limited limited, struct bytes holder,
                        int64_t max[LIMITS_EACH])
{
    const struct staged *staged;
    TAILQ_FOREACH_REVERSE(staged, &auth->staged, staged_list, link)
    if (staged->limits && staged->limited == limited && bytes_equal(staged->key, holder)) {
        memcpy(max, staged->max, sizeof staged->max);
        return true;
    }
    return false;
}

/* ---- The end. */

static enum status store_all(struct auth *auth)
{
    if (!auth->store.write || auth->staged_count == 0)
        return STATUS_OK;
    struct auth_write *writes = mem_need_array(NULL, auth->staged_count, sizeof *writes);
    size_t count = 0;
    const struct staged *staged;
    TAILQ_FOREACH(staged, &auth->staged, link)
    writes[count++] = (struct auth_write){
        text_bytes(&staged->record_key),
        text_bytes(&staged->record),
        staged->erase,
    };
    enum status status = auth->store.write(auth->store.context, writes, count);
    free(writes);
    return status;
}

/* Puts all entries into the directory; each staged->entry is then the one that was replaced. */
static void swap_all(struct auth *auth)
{
    struct staged *staged;
    CHECK(pthread_rwlock_wrlock(&auth->lock) == 0);
    TAILQ_FOREACH(staged, &auth->staged, link)
    {
        if (staged->limits || !staged->key.at)
            continue;
        struct map *map = map_of(auth, staged->kind);
        staged->entry =
            staged->entry ? map_put(map, staged->key, staged->entry) : map_remove(map, staged->key);
    }
    atomic_fetch_add_explicit(&auth->version, 1, memory_order_release);
    auth_unlock(auth);
    TAILQ_FOREACH(staged, &auth->staged, link)
    if (staged->limits)
        auth_limits_set(auth, staged->limited, staged->key, staged->max);
}

/* What the watcher is told of a change of topic permissions. False: nothing. */
static bool tell_topics(const struct auth *auth, const struct staged *staged,
                        struct auth_change *out)
{
    const struct topic_entry *now = map_get(&auth->topics, staged->key);
    const struct topic_entry *entry = now ? now : staged->entry;
    if (!entry)
        return false;
    *out = (struct auth_change){staged->event, {{"user", entry->user}, {"vhost", entry->vhost}}};
    if (!now || !now->changed)
        return true;
    const struct topic_rule *rule = topic_entry_find(now, bytes_of_text(now->changed));
    out->fields[2].key = "exchange";
    out->fields[2].value = now->changed;
    for (size_t i = 0; rule && i < TOPIC_KINDS; i++) {
        static const char *const keys[TOPIC_KINDS] = {"write", "read"};
        out->fields[3 + i].key = keys[i];
        out->fields[3 + i].value = rule->text[i];
    }
    return true;
}

static void tell(const struct auth *auth, const struct staged *staged)
{
    struct auth_change change = {staged->event, {{"name", (const char *)staged->key.at}}};
    const struct user *user = map_get(&auth->users, staged->key);
    if (strcmp(staged->event, EVENT_TAGS_SET) == 0 && user) {
        change.fields[1].key = "tags";
        change.fields[1].value = user->tags;
    }
    if (staged->kind == ENTRY_PARAMETER) {
        change.fields[1].key = "component";
        change.fields[1].value = "global";
    }
    if (staged->kind == ENTRY_PERMISSION) {
        const struct permission_record *now = map_get(&auth->permissions, staged->key);
        const struct permission_record *p = now ? now : staged->entry;
        if (!p)
            return;
        change = (struct auth_change){staged->event, {{"user", p->user}, {"vhost", p->vhost}}};
        for (unsigned i = 0; now && i < PERMISSION_KINDS; i++) {
            static const char *const keys[PERMISSION_KINDS] = {"configure", "write", "read"};
            change.fields[2 + i].key = keys[i];
            change.fields[2 + i].value = p->text[i];
        }
    }
    if (staged->kind == ENTRY_TOPICS && !tell_topics(auth, staged, &change))
        return;
    auth->changed(auth->changed_context, &change);
}

static void tell_all(const struct auth *auth)
{
    const struct staged *staged;
    TAILQ_FOREACH(staged, &auth->staged, link)
    if (staged->event && auth->changed)
        tell(auth, staged);
}

static void drop_all(struct auth *auth)
{
    struct staged *staged;
    while ((staged = TAILQ_FIRST(&auth->staged))) {
        TAILQ_REMOVE(&auth->staged, staged, link);
        if (staged->limits)
            free((void *)(uintptr_t)staged->key.at);
        else if (staged->entry)
            entry_free(staged->kind, staged->entry);
        text_free(&staged->record_key);
        text_free(&staged->record);
        free(staged);
    }
    for (size_t kind = 0; kind < ENTRY_KINDS; kind++)
        map_free(&auth->staged_by_key[kind]);
    auth->staged_count = 0;
}

static enum status commit(struct auth *auth)
{
    enum status status = store_all(auth);
    if (status == STATUS_OK && auth->staged_count) {
        swap_all(auth);
        tell_all(auth);
    }
    drop_all(auth);
    return status;
}

enum status staged_end(struct auth *auth)
{
    return auth->batch ? STATUS_OK : commit(auth);
}

void staged_drop(struct auth *auth)
{
    drop_all(auth);
}

void auth_begin(struct auth *auth)
{
    CHECK(!auth->batch);
    auth->batch = true;
}

bool auth_in_batch(const struct auth *auth)
{
    return auth->batch;
}

enum status auth_commit(struct auth *auth)
{
    CHECK(auth->batch);
    auth->batch = false;
    return commit(auth);
}
