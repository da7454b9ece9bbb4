/* The layout of the directory, for the files of auth/. Thread: as auth.h says. */
#ifndef AUTH_DIRECTORY_H
#define AUTH_DIRECTORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "auth_record.h"
#include "leveret/auth/auth.h"
#include "leveret/auth/limits.h"
#include "leveret/base/map.h"
#include "password.h"

/* bytes of VHOST, a zero and USER */
#define PERMISSION_KEY_MAX (2u * AUTH_NAME_MAX + 1u)

/* The first member of each kind of entry is its name, on which maps and staged.c rely. */
struct user {
    char *name, *tags;
    struct password_hash password;
};

struct vhost_record {
    char *name, *description, *tags, *default_queue_type;
    bool tracing, protected_from_deletion;
};

#define PERMISSION_KINDS 3u
struct permission_record {
    char *key; /* vhost, 0, user, 0 */
    size_t key_len;
    const char *user, *vhost; /* point into key */
    char *text[PERMISSION_KINDS];
    struct pattern *pattern[PERMISSION_KINDS]; /* NULL: matches nothing */
};

struct parameter {
    char *name;
    char *json; /* the value */
    char *text; /* the same decoded, when it is a string; else NULL */
};

/* What counts the connections and channels of a vhost, a user or the node. */
struct limit_holder {
    _Atomic int64_t max[LIMITS_EACH];
    uint64_t connections; /* changed under limits_lock */
    _Atomic uint64_t channels;
    char *name; /* NULL: the node */
};

enum entry_kind {
    ENTRY_USER,
    ENTRY_VHOST,
    ENTRY_PERMISSION,
    ENTRY_TOPICS, /* struct topic_entry, by the key of a permission */
    ENTRY_PARAMETER,
    ENTRY_KINDS
};
TAILQ_HEAD(staged_list, staged);

/* Bytes of a list of all mechanisms, with its zero. */
#define MECHANISMS_BYTES_MAX 64u

struct auth {
    /* Held for reading by any thread that asks, for writing by the main thread while it swaps an
     * entry. The main thread reads without it: it is the only one that writes. */
    pthread_rwlock_t lock;
    atomic_uint_fast64_t version;
    struct map users, vhosts, permissions, topics, parameters;

    struct attempts *attempts;

    pthread_mutex_t limits_lock;
    struct map holders[2];    /* by enum limited, by name */
    struct limit_holder node; /* the node's own limits and connections */
    int64_t vhosts_max;       /* LIMIT_NONE: no limit */

    void (*changed)(void *context, const struct auth_change *change);
    void *changed_context;

    struct auth_store store;   /* write is NULL when the directory is kept in memory */
    struct staged_list staged; /* changes that are not stored yet: staged.h */
    size_t staged_count;
    struct map staged_by_key[ENTRY_KINDS]; /* the last one for each key */
    bool batch;                            /* true between auth_begin and auth_commit */
    char **loopback_users;                 /* NULL-ended */
    char *anonymous_user;                  /* NULL: the mechanism is off */
    struct auth_defaults defaults;
    struct password_rules password_rules;
    const char *password_hashing; /* of new passwords; static */
    /* Without and with EXTERNAL. */
    char mechanisms[MECHANISMS_BYTES_MAX], mechanisms_certified[MECHANISMS_BYTES_MAX];
};

void auth_read_lock(const struct auth *auth);
void auth_unlock(const struct auth *auth);

/* Whether the user may log in from there; *out is then a copy of its password hash, because hashing
 * is done without the lock. */
bool auth_find_secret(const struct auth *auth, struct bytes user, bool loopback,
                      struct password_hash *out);

/* Writes the key of a permission; returns its length, or 0 when a name is too long. */
size_t entry_permission_key(struct bytes vhost, struct bytes user, char out[PERMISSION_KEY_MAX]);
/* What a map by such keys has for the user in the vhost, or NULL. */
void *entry_of_user(const struct map *map, struct bytes user, struct bytes vhost);
/* Compiles an expression; the empty one matches only the empty name, as in RabbitMQ. shown: the
 * expression as the user wrote it, for the error. Errors: MALFORMED (also: too long; *error says
 * why, unless error is NULL; free it), NO_MEMORY. */
MUST_USE enum status entry_compile(struct bytes expression, const char *shown, struct pattern **out,
                                   char **error);

/* Making and freeing entries. */
struct user *entry_user_new(const char *name, const char *tags,
                            const struct password_hash *password);
void entry_user_free(struct user **user);
struct vhost_record *entry_vhost_new(const struct vhost_entry *entry);
void entry_vhost_free(struct vhost_record **vhost);
/* Errors: MALFORMED (an expression; *error says which and why) */
MUST_USE enum status entry_permission_new(const char *user, const char *vhost,
                                          const char *const text[PERMISSION_KINDS],
                                          struct permission_record **out, char **error);
void entry_permission_free(struct permission_record **permission);

/* Defined in parameters.c. Returns NULL when json is not a JSON value. */
struct parameter *parameter_new(const char *name, const char *json);
void parameter_free(struct parameter **parameter);

/* Defined in limits.c: reads a record that was loaded, sets limits that are stored, stages that a
 * holder has no limits, and frees all holders. */
MUST_USE enum status auth_limits_load(struct auth *auth, enum limited limited, struct bytes key,
                                      struct bytes value);
void auth_limits_set(struct auth *auth, enum limited limited, struct bytes name,
                     const int64_t max[LIMITS_EACH]);
/* Does nothing when the holder has none. */
void auth_limits_stage_none(struct auth *auth, enum limited limited, struct bytes name);
void auth_limits_free(struct auth *auth);

/* Reads the directory from its store into the maps. *first: true when the store was empty. */
MUST_USE enum status auth_load(struct auth *auth, bool *first);
/* Makes the default user, vhost and permission. */
MUST_USE enum status auth_first_start(struct auth *auth, const struct auth_options *options);

#endif
