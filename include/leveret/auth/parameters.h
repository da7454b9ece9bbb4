/* Global parameters: values that tools keep in the broker by name, as JSON. They are in the
 * directory beside users and vhosts, and are data: the broker itself knows two of them.
 * cluster_name is the cluster's name, cluster_tags an object that the overview shows.
 *
 * Thread: the main thread, but for auth_cluster_name.
 * Names and meaning as in RabbitMQ: https://www.rabbitmq.com/docs/parameters. */
#ifndef LEVERET_AUTH_PARAMETERS_H
#define LEVERET_AUTH_PARAMETERS_H

#include <stddef.h>

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct auth;

#define PARAMETERS_MAX         1024u      /* so many there are at most */
#define PARAMETER_BYTES_MAX    65536u     /* of one value as JSON */
#define PARAMETERS_BYTES_MAX   (4u << 20) /* of all names and values together */
#define PARAMETER_DEPTH_MAX    64u        /* levels of arrays and objects in a value */
#define PARAMETER_CLUSTER_NAME "cluster_name"
#define PARAMETER_CLUSTER_TAGS "cluster_tags"
#define PARAMETER_CLUSTER_ID   "internal_cluster_id"
#define CLUSTER_NAME_BYTES_MAX 255u

/* Whether a parameter of this name may have this value: a static sentence why not, or NULL. That
 * json is a JSON value is not checked here. */
const char *auth_check_parameter(const char *name, const char *json);
/* Makes or changes a parameter. Errors: MALFORMED (auth_check_parameter says why, or json is not a
 * JSON value), LIMIT (there are as many parameters or bytes as there may be), IO, NO_SPACE (not
 * stored, nothing changed). */
MUST_USE enum status auth_put_parameter(struct auth *auth, const char *name, const char *json,
                                        bool *created);
/* Errors: NOT_FOUND, IO, NO_SPACE. */
MUST_USE enum status auth_delete_parameter(struct auth *auth, const char *name);
/* Gives the cluster the identity that it keeps, unless it has one. Errors: as auth_put_parameter.
 */
MUST_USE enum status auth_identify_cluster(struct auth *auth);

/* What the configuration calls the cluster and a node. */
struct auth_tag {
    const char *name, *value;
};
/* Makes them the cluster's tags; without any the cluster keeps those that it has. Errors: as
 * auth_put_parameter. */
MUST_USE enum status auth_tag_cluster(struct auth *auth, const struct auth_tag *tags, size_t count);

/* The value as JSON, valid until the next change; NULL: there is no such parameter. */
const char *auth_parameter(const struct auth *auth, const char *name);
/* The text of one whose value is a string, as long; otherwise NULL. */
const char *auth_parameter_text(const struct auth *auth, const char *name);
/* Each parameter, in no order; each() must not change the directory. */
void auth_each_parameter(const struct auth *auth,
                         void (*each)(void *context, const char *name, const char *json),
                         void *context);

/* The name that somebody gave the cluster, copied; otherwise nothing is copied and false returned.
 * Any thread. */
bool auth_cluster_name(const struct auth *auth, char out[CLUSTER_NAME_BYTES_MAX + 1]);

#endif
