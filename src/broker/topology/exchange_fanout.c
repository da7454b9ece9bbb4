/* Fanout exchanges: every binding matches. It does too in exchanges of type
 * x-message-deduplication, whose messages dedup.h has checked before. */
#include "broker/topology/dedup_arguments.h"
#include "broker/topology/routing.h"

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

static enum status deduplication_validate(struct bytes arguments, struct refusal *refusal)
{
    return dedup_check_exchange(arguments, true, refusal);
}

const struct exchange_type exchange_type_deduplication = {
    .name = "x-message-deduplication",
    .by_key = true,
    .validate = deduplication_validate,
    .route = fanout_route,
};
