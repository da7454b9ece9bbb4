/* What a binding can lead to: the head that queues and exchanges have in common.
 * struct queue and struct exchange have a struct endpoint as their first member.
 * Thread: the vhost's owner. */
#ifndef BROKER_ENDPOINT_H
#define BROKER_ENDPOINT_H

#include <sys/queue.h>

#include "leveret/base/bytes.h"

struct binding;
TAILQ_HEAD(binding_list, binding);

enum endpoint_kind { ENDPOINT_QUEUE, ENDPOINT_EXCHANGE };

struct endpoint {
    enum endpoint_kind kind;
    /* It comes back after a restart (a queue: durable and not exclusive), so its bindings are kept.
     */
    bool stored;
    uint64_t number;                 /* unique in the topology; part of a binding's identity */
    uint64_t visited;                /* the stamp of the last route that came here */
    struct bytes name;               /* points into the queue or exchange; at most 255 bytes */
    struct binding_list bindings_to; /* by binding.to_link */
};

#endif
