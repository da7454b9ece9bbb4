/* What the configuration gives a new vhost and a new node: users, permissions, limits; and which
 * passwords users may choose. Thread: the main thread. */
#ifndef LEVERET_AUTH_DEFAULTS_H
#define LEVERET_AUTH_DEFAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/status.h"

struct auth;

/* A user who is made with each vhost whose name the expression fits, if there is no such user yet,
 * and who gets these permissions on it. */
struct default_user {
    const char *name, *vhost_pattern;
    const char *password; /* NULL: the user cannot log in until a password is set */
    const char *tags, *configure, *write, *read;
};

/* Limits that a new vhost gets whose name the expression fits. */
struct default_limits {
    const char *vhost_pattern;
    int64_t max[2]; /* LIMIT_CONNECTIONS, LIMIT_QUEUES; LIMIT_NONE: none */
};

struct auth_defaults {
    const struct default_user *users;
    size_t user_count;
    const struct default_limits *limits;
    size_t limits_count;
};

/* Gives a vhost that has been made the users and limits of its name, as part of a batch that the
 * caller has begun. An expression that is malformed fits nothing. Errors: as auth_put_user. */
MUST_USE enum status auth_apply_defaults(struct auth *auth, const char *vhost);

/* ---- Passwords. */

struct password_rules {
    unsigned bytes_min; /* 0: no bound */
    const char *regexp; /* it must match somewhere in the password; NULL: none */
};

/* Whether a user may have this password; NULL: none at all, which no rule allows. When not, *why is
 * a sentence in RabbitMQ's words, which the caller frees. */
bool auth_password_allowed(const struct auth *auth, const char *password, char **why);

#endif
