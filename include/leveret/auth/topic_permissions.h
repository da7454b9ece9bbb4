/* Topic permissions: which routing keys a user may publish with to an exchange of type topic, and
 * which it may bind with. They restrict further what the permissions of auth.h allow. A user
 * without an entry for the exchange may use every routing key.
 *
 * Thread: any may ask; the main thread changes and lists. Names and meaning as in RabbitMQ:
 * https://www.rabbitmq.com/docs/access-control#topic-authorisation. */
#ifndef LEVERET_AUTH_TOPIC_PERMISSIONS_H
#define LEVERET_AUTH_TOPIC_PERMISSIONS_H

#include "leveret/auth/auth.h"

/* Number of exchanges for which a user may have topic permissions in a vhost; one more is refused
 * with LIMIT. */
#define TOPIC_PERMISSIONS_MAX 1024u

/* In an expression, "{username}", "{vhost}" and "{client_id}" stand for the user's name, the
 * vhost's and the client property client_id of the connection, as literals. The last one stays as
 * it is for a connection that does not have the property. */
struct topic_permission {
    const char *user, *vhost, *exchange; /* exchange: "" is the default exchange */
    const char *write, *read;            /* regular expressions */
};

/* ---- Asking. */

/* Whether the user has any topic permission in the vhost. */
bool auth_has_topic_permissions(const struct auth *auth, struct bytes user, struct bytes vhost);

/* What a client does with a routing key. */
struct topic_use {
    struct bytes user, vhost, exchange, routing_key;
    enum permission permission; /* PERMISSION_WRITE: publishes; PERMISSION_READ: binds or unbinds */
    struct bytes client_id;     /* at is NULL: the connection has none */
};
/* Returns false when the user has an entry for the exchange whose expression does not match the
 * routing key. Whether that refuses anything depends on the exchange's type, which the directory
 * does not know. */
bool auth_topic_allowed(const struct auth *auth, const struct topic_use *use);

/* Sorted by vhost, user and exchange. each() must not change the directory. */
void auth_each_topic_permission(const struct auth *auth,
                                void (*each)(void *context, const struct topic_permission *),
                                void *context);

/* ---- Changing. */

/* Whether the expressions are regular expressions. Errors: MALFORMED (*error says where; free
 * it). */
MUST_USE enum status auth_check_topic_permission(const char *write, const char *read, char **error);
/* Makes or changes the entry for an exchange. Errors: NOT_FOUND (user or vhost), MALFORMED (an
 * expression or the exchange's name; *error says where; free it), LIMIT (TOPIC_PERMISSIONS_MAX),
 * IO, NO_SPACE (not stored, nothing changed). */
MUST_USE enum status auth_put_topic_permission(struct auth *auth,
                                               const struct topic_permission *permission,
                                               bool *created, char **error);
/* Removes the entry for an exchange, or all of the user's in the vhost when exchange is NULL.
 * Errors: NOT_FOUND (the user has no entry in the vhost), IO, NO_SPACE. */
MUST_USE enum status auth_delete_topic_permission(struct auth *auth, const char *user,
                                                  const char *vhost, const char *exchange);

#endif
