/* The part of route.c that exchange types use: a route that is being done. Thread: the vhost's
 * owner. */
#ifndef BROKER_ROUTING_H
#define BROKER_ROUTING_H

#include "broker/topology/route.h"

struct routing {
    const struct route_input *input;
    struct route_result *result;
    struct topology *topology;
    const struct exchange *first; /* the exchange that the route began with */
    uint64_t stamp;               /* the route's number; endpoints that have it were reached */
    uint64_t
        matched; /* how often the exchange being asked has called routing_reach or routing_keep */
};

/* Adds a destination that gets the message. */
void routing_reach(struct routing *routing, struct endpoint *destination);
/* The exchange being asked keeps the message in its history, whether or not the message reaches a
 * queue. */
void routing_keep_history(struct routing *routing, struct exchange *exchange);
/* The exchange being asked keeps the message: it counts as routed. */
void routing_keep(struct routing *routing, struct exchange *exchange);

#endif
