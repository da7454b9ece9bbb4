/* The layout of a topology, for topology.c, route.c and the default exchange.
 * Thread: the vhost's owner. */
#ifndef BROKER_TOPOLOGY_STATE_H
#define BROKER_TOPOLOGY_STATE_H

#include "broker/topology/topology.h"
#include "leveret/base/random.h"
#include "leveret/base/roster.h"
#include "leveret/base/text.h"

struct exchange_stack {
    struct exchange **exchanges;
    size_t count, room;
};

struct topology {
    char *vhost_text; /* the vhost's name, zero-ended; vhost is a view of it */
    struct bytes vhost;
    const struct map *queues; /* owned by the core */
    struct topology_observer observer;

    struct map exchanges; /* by name */
    struct map bindings;  /* by identity */
    struct roster exchange_list, binding_list;
    uint64_t last_endpoint;
    uint64_t version;

    struct exchange_stack
        doomed; /* auto-delete exchanges without bindings, to be freed at the end of the call */
    struct exchange_stack pending; /* exchanges that a route has reached and not asked yet */
    uint64_t stamp;                /* the number of the last route */
    struct random_stream random;   /* the numbers that x-random picks by */
    struct text scratch, sorted;   /* used to build the identity of a binding that is looked up */
};

void topology_stack_push(struct exchange_stack *stack, struct exchange *exchange);

#endif
