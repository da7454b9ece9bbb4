/* An endpoint: the destination of a binding, a queue or an exchange. struct queue and struct
 * exchange have a struct endpoint as their first member. Thread: the vhost's owner. */
#ifndef BROKER_ENDPOINT_H
#define BROKER_ENDPOINT_H

#include <sys/queue.h>

#include "leveret/base/bytes.h"

struct binding;
TAILQ_HEAD(binding_list, binding);

enum endpoint_kind { ENDPOINT_QUEUE, ENDPOINT_EXCHANGE };

struct endpoint {
    enum endpoint_kind kind;
    /* True when the endpoint comes back after a restart, so that its bindings are stored: for a
     * queue, when it is durable and not exclusive. */
    bool stored;
    uint64_t number;                 /* unique in the topology; part of a binding's identity */
    uint64_t visited;                /* the stamp of the last route that reached it */
    struct bytes name;               /* points into the queue or exchange; at most NAME_BYTES_MAX */
    struct binding_list bindings_to; /* by binding.to_link */
};

#endif
