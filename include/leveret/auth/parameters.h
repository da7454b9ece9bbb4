/* Global parameters: values that tools keep in the broker by name, as JSON. The directory keeps
 * them beside users and vhosts. The broker itself uses two of them: cluster_name is the cluster's
 * name, cluster_tags an object that the overview shows.
 *
 * Thread: the main thread; auth_cluster_name: any. Names and meaning as in RabbitMQ:
 * https://www.rabbitmq.com/docs/parameters. */
#ifndef LEVERET_AUTH_PARAMETERS_H
#define LEVERET_AUTH_PARAMETERS_H

#include <stddef.h>

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct auth;

#define PARAMETERS_MAX      1024u  /* number of parameters; one more is refused */
#define PARAMETER_BYTES_MAX 65536u /* bytes of one value as JSON; a longer one is refused */
/* Bytes of all names and values together; more are refused. */
#define PARAMETERS_BYTES_MAX (4u << 20)
/* Levels of arrays and objects in a value; a deeper one is refused. */
#define PARAMETER_DEPTH_MAX    64u
#define PARAMETER_CLUSTER_NAME "cluster_name"
#define PARAMETER_CLUSTER_TAGS "cluster_tags"
#define PARAMETER_CLUSTER_ID   "internal_cluster_id"
#define CLUSTER_NAME_BYTES_MAX 255u

/* Returns NULL when a parameter of this name may have this value, else a static sentence that says
 * why not. Does not check that json is a JSON value. */
const char *auth_check_parameter(const char *name, const char *json);
/* Makes or changes a parameter. Errors: MALFORMED (auth_check_parameter says why, or json is not a
 * JSON value), LIMIT (too many parameters or bytes), IO, NO_SPACE (not stored, nothing changed). */
MUST_USE enum status auth_put_parameter(struct auth *auth, const char *name, const char *json,
                                        bool *created);
/* Errors: NOT_FOUND, IO, NO_SPACE. */
MUST_USE enum status auth_delete_parameter(struct auth *auth, const char *name);
/* Gives the cluster a permanent identity, unless it has one. Errors: as auth_put_parameter. */
MUST_USE enum status auth_identify_cluster(struct auth *auth);

/* A tag of the cluster, from the configuration. */
struct auth_tag {
    const char *name, *value;
};
/* Sets the cluster's tags; with count 0 the cluster keeps those that it has. Errors: as
 * auth_put_parameter. */
MUST_USE enum status auth_tag_cluster(struct auth *auth, const struct auth_tag *tags, size_t count);

/* The value as JSON, valid until the next change; NULL: there is no such parameter. */
const char *auth_parameter(const struct auth *auth, const char *name);
/* The text of a parameter whose value is a string, valid as long; otherwise NULL. */
const char *auth_parameter_text(const struct auth *auth, const char *name);
/* Calls each() for every parameter, in no order; each() must not change the directory. */
void auth_each_parameter(const struct auth *auth,
                         void (*each)(void *context, const char *name, const char *json),
                         void *context);

/* Copies the cluster's name; returns false, copying nothing, when it was given none.
 * Thread: any. */
bool auth_cluster_name(const struct auth *auth, char out[CLUSTER_NAME_BYTES_MAX + 1]);

#endif
