/* The directory: making it, freeing it and asking it.
 *
 * Normal course: auth_new reads everything from the store into its maps; questions take the read
 * lock, look up and leave. What can go wrong: a value that cannot be read (CORRUPT: the broker does
 * not start with guessed permissions); an expression that PCRE2 no longer accepts (CORRUPT too, so
 * that the operator sees it at start and not as refusals later). */
#include "leveret/auth/auth.h"

#include <stdio.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"
#include "staged.h"
#include "topic_entry.h"

/* ---- Life. */

static char *copy(const char *text)
{
    return text ? mem_need_text(text, strlen(text)) : NULL;
}

static char **copy_list(const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    char **out = mem_need((count + 1) * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = copy(list[i]);
    return out;
}

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static void init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t how;
    CHECK(pthread_rwlockattr_init(&how) == 0);
    /* Readers never nest, so writers can be preferred: a change does not have to wait for a pause
     * between log-ins. */
    CHECK(pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
    CHECK(pthread_rwlock_init(lock, &how) == 0);
    pthread_rwlockattr_destroy(&how);
}

static void add_mechanism(char list[MECHANISMS_BYTES_MAX], const char *name, size_t len)
{
    size_t used = strlen(list);
    snprintf(list + used, MECHANISMS_BYTES_MAX - used, "%s%.*s", used ? " " : "", (int)len, name);
}

/* Makes the lists of mechanisms that are offered, for clients without and with a certificate. */
static void set_mechanisms(struct auth *auth, const struct auth_options *options)
{
    static const char external[] = "EXTERNAL";
    const char *at = options->mechanisms  ? options->mechanisms
                     : options->anonymous ? "PLAIN AMQPLAIN ANONYMOUS"
                                          : "PLAIN AMQPLAIN";
    while (*at) {
        size_t len = strcspn(at, " ");
        if (len != sizeof external - 1 || memcmp(at, external, len) != 0)
            add_mechanism(auth->mechanisms, at, len);
        add_mechanism(auth->mechanisms_certified, at, len);
        at += len + (at[len] == ' ');
    }
}

enum status auth_new(const struct auth_options *options, const struct auth_store *store,
                     struct auth **out)
{
    struct auth *auth = mem_need(sizeof *auth);
    bool first = true;

    init_lock(&auth->lock);
    auth->attempts = attempts_new();
    auth->defaults = options->defaults;
    auth->password_rules = options->password_rules;
    auth->password_hashing = password_hashing_find(options->password_hashing);
    TAILQ_INIT(&auth->staged);
    CHECK(pthread_mutex_init(&auth->limits_lock, NULL) == 0);
    static const struct node_limits unlimited = {LIMIT_NONE, LIMIT_NONE, LIMIT_NONE};
    auth_set_node_limits(auth, &unlimited);
    if (store)
        auth->store = *store;
    auth->loopback_users = copy_list(options->loopback_users);
    if (options->anonymous)
        auth->anonymous_user = copy(options->anonymous_user ? options->anonymous_user : "guest");
    set_mechanisms(auth, options);

    enum status status = auth_load(auth, &first);
    if (status == STATUS_OK && first)
        status = auth->store.filled ? STATUS_CORRUPT : auth_first_start(auth, options);
    if (status != STATUS_OK)
        auth_free(&auth);
    *out = auth;
    return status;
}

void auth_free(struct auth **auth)
{
    struct auth *a = *auth;
    struct user *user;
    struct vhost_record *vhost;
    struct permission_record *permission;
    struct parameter *parameter;
    struct topic_entry *topics;

    *auth = NULL;
    if (!a)
        return;
    staged_drop(a);
    for (size_t at = 0; (user = map_next(&a->users, &at));)
        entry_user_free(&user);
    for (size_t at = 0; (vhost = map_next(&a->vhosts, &at));)
        entry_vhost_free(&vhost);
    for (size_t at = 0; (permission = map_next(&a->permissions, &at));)
        entry_permission_free(&permission);
    for (size_t at = 0; (topics = map_next(&a->topics, &at));)
        topic_entry_free(&topics);
    for (size_t at = 0; (parameter = map_next(&a->parameters, &at));)
        parameter_free(&parameter);
    map_free(&a->parameters);
    map_free(&a->users);
    map_free(&a->vhosts);
    map_free(&a->permissions);
    map_free(&a->topics);
    auth_limits_free(a);
    attempts_free(&a->attempts);
    free_list(a->loopback_users);
    free(a->anonymous_user);
    pthread_rwlock_destroy(&a->lock);
    free(a);
}

/* The lock of a const directory: taking it changes nothing that a caller can see. */
static pthread_rwlock_t *lock_of(const struct auth *auth)
{
    return (pthread_rwlock_t *)(uintptr_t)&auth->lock;
}

void auth_read_lock(const struct auth *auth)
{
    CHECK(pthread_rwlock_rdlock(lock_of(auth)) == 0);
}

void auth_unlock(const struct auth *auth)
{
    CHECK(pthread_rwlock_unlock(lock_of(auth)) == 0);
}

/* ---- Asking. */

uint64_t auth_version(const struct auth *auth)
{
    return atomic_load_explicit(&auth->version, memory_order_acquire);
}

const char *auth_mechanisms(const struct auth *auth, bool certified)
{
    return certified ? auth->mechanisms_certified : auth->mechanisms;
}

static bool loopback_only(const struct auth *auth, struct bytes user)
{
    for (char **name = auth->loopback_users; *name; name++)
        if (bytes_equal_text(user, *name))
            return true;
    return false;
}

bool auth_find_secret(const struct auth *auth, struct bytes user, bool loopback,
                      struct password_hash *out)
{
    *out = (struct password_hash){0};
    auth_read_lock(auth);
    const struct user *found = map_get(&auth->users, user);
    if (found)
        *out = found->password;
    bool may = found && (loopback || !loopback_only(auth, user));
    auth_unlock(auth);
    return may;
}

enum status auth_check_password(struct auth *auth, struct bytes user, struct bytes password,
                                bool loopback)
{
    struct password_hash hash;
    bool may = auth_find_secret(auth, user, loopback, &hash);
    /* The password is hashed for users that do not exist too, so that the time does not tell which
     * names exist. An empty password never matches, whatever is stored, as in RabbitMQ. */
    bool matches = password_matches(&hash, password) && password.len > 0;
    return may && matches ? STATUS_OK : STATUS_ACCESS_REFUSED;
}

bool auth_user_mark(const struct auth *auth, struct bytes user, bool loopback, uint64_t *mark)
{
    struct password_hash hash;
    bool may = auth_find_secret(auth, user, loopback, &hash);
    *mark = map_hash(bytes_of(hash.secret, hash.secret_len));
    return may;
}

struct attempts *auth_attempts(struct auth *auth)
{
    return auth->attempts;
}

bool auth_vhost_exists(const struct auth *auth, struct bytes vhost)
{
    auth_read_lock(auth);
    bool found = map_get(&auth->vhosts, vhost) != NULL;
    auth_unlock(auth);
    return found;
}

bool auth_may_open(const struct auth *auth, struct bytes user, struct bytes vhost)
{
    auth_read_lock(auth);
    bool found = entry_of_user(&auth->permissions, user, vhost) != NULL;
    auth_unlock(auth);
    return found;
}

bool auth_allowed(const struct auth *auth, struct bytes user, struct bytes vhost,
                  enum permission permission, struct bytes resource)
{
    struct bytes name = resource.len ? resource : BYTES_LITERAL("amq.default");
    CHECK(permission < PERMISSION_KINDS);
    auth_read_lock(auth);
    const struct permission_record *record = entry_of_user(&auth->permissions, user, vhost);
    bool allowed = record && pattern_matches(record->pattern[permission], name);
    auth_unlock(auth);
    return allowed;
}

void auth_set_loopback_users(struct auth *auth, const char *const *loopback_users)
{
    char **list = copy_list(loopback_users);
    CHECK(pthread_rwlock_wrlock(&auth->lock) == 0);
    char **before = auth->loopback_users;
    auth->loopback_users = list;
    auth_unlock(auth);
    free_list(before);
}

/* ---- Listing: without the lock, since this is the one thread that changes anything. A long list
 * then holds up no change, and with it nobody who asks. */

void auth_each_user(const struct auth *auth, void (*each)(void *, const struct user_info *),
                    void *context)
{
    char hash[PASSWORD_HASH_TEXT_MAX];

    struct map_entry *sorted = map_sorted(&auth->users);
    for (size_t i = 0; i < auth->users.count; i++) {
        const struct user *user = sorted[i].value;
        password_hash_text(&user->password, hash);
        struct user_info info = {user->name, user->tags, hash,
                                 user->password.hashing ? user->password.hashing
                                                        : PASSWORD_HASHING_DEFAULT};
        each(context, &info);
    }
    free(sorted);
}

static struct vhost_entry entry_of(const struct vhost_record *vhost)
{
    return (struct vhost_entry){
        .name = vhost->name,
        .description = vhost->description,
        .tags = vhost->tags,
        .default_queue_type = vhost->default_queue_type,
        .tracing = vhost->tracing,
        .protected_from_deletion = vhost->protected_from_deletion,
    };
}

bool auth_find_vhost(const struct auth *auth, struct bytes name, struct vhost_entry *out)
{
    const struct vhost_record *vhost = map_get(&auth->vhosts, name);
    if (vhost)
        *out = entry_of(vhost);
    return vhost;
}

void auth_each_vhost(const struct auth *auth, void (*each)(void *, const struct vhost_entry *),
                     void *context)
{
    struct map_entry *sorted = map_sorted(&auth->vhosts);
    for (size_t i = 0; i < auth->vhosts.count; i++) {
        struct vhost_entry entry = entry_of(sorted[i].value);
        each(context, &entry);
    }
    free(sorted);
}

void auth_each_permission(const struct auth *auth,
                          void (*each)(void *, const struct permission_info *), void *context)
{
    struct map_entry *sorted = map_sorted(&auth->permissions);
    for (size_t i = 0; i < auth->permissions.count; i++) {
        const struct permission_record *record = sorted[i].value;
        struct permission_info info = {
            record->user, record->vhost, record->text[PERMISSION_CONFIGURE],
            record->text[PERMISSION_WRITE], record->text[PERMISSION_READ]};
        each(context, &info);
    }
    free(sorted);
}

bool auth_user_tags(const struct auth *auth, struct bytes user, char *out, size_t room)
{
    CHECK(room > 0);
    out[0] = '\0';
    auth_read_lock(auth);
    const struct user *found = map_get(&auth->users, user);
    bool exists = found != NULL;
    /* Tags that do not fit are all left out, so that a cut one does not become another tag. */
    if (exists && strlen(found->tags) < room)
        memcpy(out, found->tags, strlen(found->tags) + 1);
    auth_unlock(auth);
    return exists;
}
