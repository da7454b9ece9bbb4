/* Fanout exchanges: every binding matches. */
#include "routing.h"

static void fanout_route(struct exchange *exchange, struct routing *routing)
{
    struct binding *b;
    TAILQ_FOREACH(b, &exchange->bindings_from, from_link)
    {
        routing->result->work++;
        routing_reach(routing, b->destination);
    }
}

const struct exchange_type exchange_type_fanout = {
    .name = "fanout", .by_key = true, .route = fanout_route};
