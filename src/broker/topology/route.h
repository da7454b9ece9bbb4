/* From an exchange and a message to the queues that get it. Thread: the vhost's owner.
 *
 * Normal course: route() asks the exchange's type; the type calls routing_reach for each
 * destination; queues are noted, exchanges wait in a list and are asked in turn. Each endpoint is
 * reached once in a route, however many paths lead to it, so cycles end. An exchange that found no
 * destination hands the message to its alternate exchange. Nothing is allocated once the arrays
 * have grown. */
#ifndef BROKER_ROUTE_H
#define BROKER_ROUTE_H

#include "broker/topology/exchange.h"
#include "leveret/base/message.h"

/* The queues that a message reaches, and the exchanges that do more with it. All zeros at first;
 * reused for the next route. */
struct route_result {
    /* Exchanges that keep the message to route it after its delay. Each stands here once, and is
     * valid as long as queues. */
    struct exchange **keepers;
    size_t keeper_count, keeper_room;
    /* Exchanges' dedups that have let the message pass; they must be told when it is taken. */
    struct dedup **sieves;
    size_t sieve_count, sieve_room;
    /* The histories of exchanges that keep it for queues that will be bound. */
    struct history **histories;
    size_t history_count, history_room;
    bool duplicate;       /* true when an exchange that deduplicates has stopped the message */
    bool delay_malformed; /* true when a delaying exchange found an x-delay that is not a delay */
    bool special; /* true when any of the five above is set, or there are more than ROUTE_NARROW
                     queues */
    uint64_t duplicate_needed; /* the batch that must be on disk before the duplicate may be
                                  confirmed: the first message waits for it */
    /* Each queue stands here once, in no promised order; valid until topology_version changes. */
    struct endpoint **queues;
    size_t count, room;
    /* True when the route depends on exchange and routing key alone: a caller may then remember it
     * until topology_version changes. */
    bool by_key;
    uint64_t work; /* number of index entries and bindings that the route has looked at */
};
void route_result_free(struct route_result *result);

/* What a route depends on. */
struct route_input {
    const struct bytes *keys;      /* the routing key, then those of CC and BCC */
    size_t key_count;              /* at least 1 */
    const struct message *message; /* its headers are used; NULL: there are none */
    bool at_once; /* true when no exchange may keep the message, though it has a delay */
};

/* Fills result with the queues; result->count is 0 when the message reaches none. */
void route(struct topology *topology, struct exchange *exchange, const struct route_input *input,
           struct route_result *result);
/* The same for a message's own routing key. */
void route_message(struct topology *topology, struct exchange *exchange,
                   const struct message *message, struct route_result *result);

#endif
