/* A route under way, as the exchange types see it. Thread: the vhost's owner. */
#ifndef BROKER_ROUTING_H
#define BROKER_ROUTING_H

#include "broker/topology/route.h"

struct routing {
    const struct route_input *input;
    struct route_result *result;
    struct topology *topology;
    const struct exchange *first; /* where the message was published */
    uint64_t stamp;               /* of this route: endpoints that have it were reached */
    uint64_t matched;             /* calls of routing_reach by the exchange being asked */
};

/* The destination gets the message. */
void routing_reach(struct routing *routing, struct endpoint *destination);
/* The exchange being asked keeps the message in its history, whether it is routed or not. */
void routing_keep_history(struct routing *routing, struct exchange *exchange);
/* The exchange being asked keeps the message: it counts as routed. */
void routing_keep(struct routing *routing, struct exchange *exchange);

#endif
