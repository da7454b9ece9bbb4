/* The directory: users, passwords, vhosts' names and permissions. Asking takes a read lock for the
 * length of the call. Thread: any may ask; only the main thread changes the directory.
 *
 * A change is written to the store first; a change that could not be stored is not made. */
#ifndef LEVERET_AUTH_AUTH_H
#define LEVERET_AUTH_AUTH_H

#include "leveret/auth/attempts.h"
#include "leveret/auth/defaults.h"
#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct auth;

struct auth_options {
    const char *default_user, *default_pass,
        *default_vhost;             /* made at first start: guest, guest, "/" */
    bool no_default_user;           /* true: of these only the vhost is made */
    const char *default_queue_type; /* of that vhost; NULL: the node's is used */
    /* Of the default user: tags separated by commas, and permissions on that vhost; NULL:
     * administrator, and everything. */
    const char *default_tags, *default_configure, *default_write, *default_read;
    /* What these point to must outlive the directory. */
    struct auth_defaults defaults;
    struct password_rules password_rules;
    const char *password_hashing; /* of new passwords: a module of RabbitMQ; NULL: SHA-256 */
    const char *const
        *loopback_users; /* NULL-ended list of users who may log in from loopback only */
    bool anonymous;      /* true: the mechanism ANONYMOUS is on, and logs in as anonymous_user */
    const char *anonymous_user;
    /* The mechanisms that are offered, separated by spaces; NULL: PLAIN, AMQPLAIN, and ANONYMOUS if
     * it is on. */
    const char *mechanisms;
};

/* The store that keeps the directory. All NULL: it is kept in memory (tests). The functions return
 * a status; each() calls back for all pairs whose key begins with prefix. */
struct auth_write {
    struct bytes key, value;
    bool erase; /* true: the key is erased and value is not used */
};
struct auth_store {
    void *context;
    /* Writes all of the pairs or none, and syncs. */
    enum status (*write)(void *context, const struct auth_write *writes, size_t count);
    enum status (*each)(void *context, struct bytes prefix,
                        void (*each)(void *context, struct bytes key, struct bytes value),
                        void *each_context);
    bool filled; /* true when a directory was stored here before; if the store is empty now, it was
                    lost */
};

/* Reads the directory; at first start makes the default user (tag administrator), vhost and
 * permission. Errors: IO, CORRUPT (also: lost, see auth_store), NO_SPACE, VERSION. */
MUST_USE enum status auth_new(const struct auth_options *options, const struct auth_store *store,
                              struct auth **out);
void auth_free(struct auth **auth);

/* A watcher is told of each change after it was made, on the main thread: an event ("user.created")
 * and pairs of key and value, ended by a NULL key. There is at most one watcher; NULL: none. */
struct auth_change {
    const char *event;
    struct {
        const char *key, *value;
    } fields[8];
};
void auth_set_watcher(struct auth *auth,
                      void (*changed)(void *context, const struct auth_change *change),
                      void *context);

/* ---- Asking: any thread. */

/* A number that grows with each change; a caller that remembers answers compares it. */
uint64_t auth_version(const struct auth *auth);

/* Bytes of a name of a user or vhost, of tags and of a description; longer ones are refused with
 * MALFORMED. */
#define AUTH_NAME_MAX              255u
#define AUTH_TAGS_BYTES_MAX        1024u /* of a user or vhost */
#define AUTH_DESCRIPTION_BYTES_MAX 4096u /* of a vhost */
/* The client that logs in. */
struct login_peer {
    enum attempt_protocol protocol;
    const char *address;   /* without port */
    bool loopback;         /* true when the client is on this machine */
    uint64_t now_ms;       /* steady */
    const char *certified; /* the user whom its certificate names; NULL or "": it has none */
};
/* The result of a log-in. */
struct login {
    char user[AUTH_NAME_MAX + 1]; /* the user who logged in, or the name in a response that failed;
                                     "" when it has none */
    uint32_t late_ms;             /* of a failure: how long the answer must be delayed */
    bool tell; /* false when it should not be logged, because there were too many like it */
};
/* Checks a SASL response (connection.start-ok, AMQP 0-9-1 1.4.2.2) of mechanism PLAIN, AMQPLAIN or
 * ANONYMOUS or EXTERNAL, and counts the attempt. Errors: ACCESS_REFUSED, LIMIT (too many failures
 * before: the password has not been looked at), NOT_IMPLEMENTED (mechanism unknown or off; not
 * counted), MALFORMED. */
MUST_USE enum status auth_login(struct auth *auth, struct bytes mechanism, struct bytes response,
                                const struct login_peer *peer, struct login *out);
/* The same for a name and password (HTTP). Errors: ACCESS_REFUSED, LIMIT. */
MUST_USE enum status auth_login_password(struct auth *auth, struct bytes user,
                                         struct bytes password, const struct login_peer *peer,
                                         struct login *out);
/* Checks that the password is right and that the user may log in from there, without counting an
 * attempt. Errors: ACCESS_REFUSED. */
MUST_USE enum status auth_check_password(struct auth *auth, struct bytes user,
                                         struct bytes password, bool loopback);
/* Sets *mark to a number that stays the same as long as the user has the same password, in this
 * process. Returns false when there is no such user, or it may not log in from there. */
bool auth_user_mark(const struct auth *auth, struct bytes user, bool loopback, uint64_t *mark);
/* The attempts that auth_login and auth_login_password count. */
struct attempts *auth_attempts(struct auth *auth);
/* The mechanisms offered, separated by spaces: "PLAIN AMQPLAIN". certified: whether the client has
 * a certificate that names a user: only then EXTERNAL is among them. */
const char *auth_mechanisms(const struct auth *auth, bool certified);

bool auth_vhost_exists(const struct auth *auth, struct bytes vhost);
/* Whether the user has any permission entry on the vhost (connection.open). */
bool auth_may_open(const struct auth *auth, struct bytes user, struct bytes vhost);

enum permission { PERMISSION_CONFIGURE, PERMISSION_WRITE, PERMISSION_READ };
/* Whether the user's regular expression of that kind matches the resource's name; the default
 * exchange's name is "amq.default" in the match, as in RabbitMQ. */
bool auth_allowed(const struct auth *auth, struct bytes user, struct bytes vhost,
                  enum permission permission, struct bytes resource);

/* ---- Listing: the main thread; each() must not change the directory. */
struct user_info {
    const char *name;
    const char *tags;          /* "administrator,monitoring" */
    const char *password_hash; /* base64 of salt and hash; "" for none */
    const char *hashing;       /* "rabbit_password_hashing_sha256" … */
};
struct vhost_entry {
    const char *name, *description, *tags;
    const char *default_queue_type; /* "quorum"; "": the node's is used */
    bool tracing;
    bool protected_from_deletion; /* true: the API refuses to delete it */
};
struct permission_info {
    const char *user, *vhost, *configure, *write, *read;
};
void auth_each_user(const struct auth *auth, void (*each)(void *, const struct user_info *),
                    void *);
void auth_each_vhost(const struct auth *auth, void (*each)(void *, const struct vhost_entry *),
                     void *);
void auth_each_permission(const struct auth *auth,
                          void (*each)(void *, const struct permission_info *), void *);
/* Returns false when there is no such vhost. The texts in *out are valid until the next change. */
bool auth_find_vhost(const struct auth *auth, struct bytes name, struct vhost_entry *out);
/* Copies the user's tags. Returns false when there is no such user. Thread: any. */
bool auth_user_tags(const struct auth *auth, struct bytes user, char *out, size_t room);

/* ---- Changing: the main thread. Errors besides: IO, NO_SPACE (not stored, nothing changed). */

/* A batch: many changes with one write to the disk. After auth_begin, changes are checked and kept
 * aside (each sees those before it). auth_commit stores all of them with one write and then makes
 * them visible together, or makes none: IO, NO_SPACE. auth_cancel forgets them. An entry that is
 * made in a batch cannot be deleted in the same one. */
void auth_begin(struct auth *auth);
/* True between auth_begin and its end. */
bool auth_in_batch(const struct auth *auth);
MUST_USE enum status auth_commit(struct auth *auth);
void auth_cancel(struct auth *auth);

/* A hash of the password with a new salt, by the algorithm of new passwords, as base64: what
 * auth_put_user takes as hash. Thread: any. Errors: INTERNAL_ERROR (the library refuses). */
#define AUTH_HASH_TEXT_BYTES 93u /* the longest hash with its zero */
MUST_USE enum status auth_hash_password(const struct auth *auth, struct bytes password,
                                        char out[AUTH_HASH_TEXT_BYTES]);
/* Whether auth_put_user would take the hash, and auth_put_permission the expressions. Errors:
 * MALFORMED (*error as there). */
MUST_USE enum status auth_check_hash(const char *hash, const char *hashing);
MUST_USE enum status auth_check_permission(const char *configure, const char *write,
                                           const char *read, char **error);

/* Replaces the list of users who may log in from loopback only (auth_options). */
void auth_set_loopback_users(struct auth *auth, const char *const *loopback_users);

/* Makes or changes a user. password NULL and hash NULL: no password (log-in impossible). hash:
 * base64 as in RabbitMQ's definitions, with hashing (NULL: SHA-256). tags: comma-separated.
 * *created: true when the user is new. Errors: MALFORMED (name empty or too long, hash or hashing
 * unknown). */
MUST_USE enum status auth_put_user(struct auth *auth, const char *name, const char *password,
                                   const char *hash, const char *hashing, const char *tags,
                                   bool *created);
MUST_USE enum status auth_set_password(struct auth *auth, const char *name, const char *password);
MUST_USE enum status auth_set_tags(struct auth *auth, const char *name, const char *tags);
/* Deletes a user and its permissions. Errors: NOT_FOUND. */
MUST_USE enum status auth_delete_user(struct auth *auth, const char *name);
/* Deletes all of them with one write, skipping those that do not exist. */
MUST_USE enum status auth_delete_users(struct auth *auth, const char *const *names, size_t count);
/* Makes a vhost, or replaces all of its attributes; a text that is NULL becomes "". Errors:
 * MALFORMED (name empty or too long, text too long). */
MUST_USE enum status auth_put_vhost(struct auth *auth, const struct vhost_entry *entry,
                                    bool *created);
MUST_USE enum status auth_delete_vhost(struct auth *auth, const char *name);
/* Errors: NOT_FOUND (user or vhost), MALFORMED (a regular expression; *error says where;
 * free it). */
MUST_USE enum status auth_put_permission(struct auth *auth, const char *user, const char *vhost,
                                         const char *configure, const char *write, const char *read,
                                         bool *created, char **error);
MUST_USE enum status auth_delete_permission(struct auth *auth, const char *user, const char *vhost);

#endif
