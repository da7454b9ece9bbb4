/* Limits: how many connections and queues a vhost may have, how many connections and channels a
 * user. The directory keeps them beside the users and vhosts that they limit. Connections and
 * channels in use are counted here, because those of one user or vhost are spread over workers.
 *
 * Thread: limits are changed by the main thread; seats are taken and left by any.
 * Names and meaning as in RabbitMQ: https://www.rabbitmq.com/vhosts.html#limits and
 * https://www.rabbitmq.com/user-limits.html. */
#ifndef LEVERET_AUTH_LIMITS_H
#define LEVERET_AUTH_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

struct auth;
struct limit_holder;

enum limited { LIMITED_VHOST, LIMITED_USER, LIMITED_NODE };
#define LIMITS_EACH 2u          /* number of limits that a vhost or user can have */
#define LIMIT_NONE  INT64_C(-1) /* as is any negative value */

/* The name of a limit: "max-connections", then "max-queues" of a vhost, "max-channels" of
 * a user. */
const char *limit_name(enum limited limited, unsigned index);

/* ---- Changing: the main thread. */

/* Sets a limit; negative: none. Errors: NOT_FOUND (no such vhost or user), MALFORMED (no limit of
 * that name), IO, NO_SPACE (not stored, nothing changed). */
MUST_USE enum status auth_put_limit(struct auth *auth, enum limited limited, const char *holder,
                                    const char *name, int64_t max);
/* Takes all limits of a vhost or user away. Errors: IO, NO_SPACE. */
MUST_USE enum status auth_clear_limits(struct auth *auth, enum limited limited, const char *holder);
/* Whether a vhost or user can have a limit of this name. */
bool auth_limit_known(enum limited limited, const char *name);

/* ---- Asking: any thread. */

/* The limit, or LIMIT_NONE. */
int64_t auth_limit(struct auth *auth, enum limited limited, struct bytes holder, unsigned index);
#define LIMIT_CONNECTIONS 0u
#define LIMIT_QUEUES      1u /* of a vhost */
#define LIMIT_CHANNELS    1u /* of a user */
/* Each holder with a limit; each() must not call back. */
void auth_each_limited(struct auth *auth, enum limited limited,
                       void (*each)(void *context, const char *holder,
                                    const int64_t max[LIMITS_EACH]),
                       void *context);

/* ---- The node's own limits; LIMIT_NONE: there is none. They are not stored. */

struct node_limits {
    int64_t connections, channels, vhosts;
};
/* The main thread. */
void auth_set_node_limits(struct auth *auth, const struct node_limits *limits);
/* Whether one more vhost would be too many; *max is then the limit. The main thread. */
bool auth_vhosts_full(const struct auth *auth, int64_t *max);
/* Whether one more connection would be too many. Any thread. */
bool auth_connections_full(const struct auth *auth, int64_t *max);

/* ---- Using: any thread. */

/* A seat: one connection, counted in its user's, its vhost's and the node's connections. All zeros:
 * none is taken. */
struct seat {
    struct limit_holder *user, *vhost, *node;
};
/* Takes a seat. Errors: LIMIT; *reached then says whose limit, *max the limit, and nothing is
 * taken. */
MUST_USE enum status seat_take(struct auth *auth, struct bytes user, struct bytes vhost,
                               struct seat *out, enum limited *reached, int64_t *max);
void seat_leave(struct auth *auth, struct seat *seat);
/* Counts a channel that the seat's connection opens. Errors: LIMIT; *reached (the user or the node)
 * and *max are then set and nothing is counted. */
MUST_USE enum status seat_open_channel(struct seat *seat, enum limited *reached, int64_t *max);
void seat_close_channels(struct seat *seat, uint64_t count);

#endif
