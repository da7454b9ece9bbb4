/* From an exchange and a message to the queues that get it. Thread: the vhost's owner.
 *
 * Normal course: route() asks the exchange's type; the type calls routing_reach for each
 * destination; queues are noted, exchanges wait in a list and are asked in turn. Each endpoint is
 * reached once a route, however many paths lead there, so cycles end. An exchange that found no
 * destination hands the message to its alternate exchange. Nothing is allocated once the arrays
 * have grown. */
#ifndef BROKER_ROUTE_H
#define BROKER_ROUTE_H

#include "broker/topology/exchange.h"
#include "leveret/base/message.h"

/* Where the queues go; reused from route to route. All zeros at first. */
struct route_result {
    /* Exchanges that keep the message, to route it later; each once, valid as the queues are. */
    struct exchange **keepers;
    size_t keeper_count, keeper_room;
    /* What deduplicates and has let the message pass: told when it is taken. */
    struct dedup **sieves;
    size_t sieve_count, sieve_room;
    /* What keeps it for those that will be bound. */
    struct history **histories;
    size_t history_count, history_room;
    bool duplicate;            /* an exchange knew it: it does not go from there */
    bool delay_malformed;      /* an exchange that delays found no delay in its x-delay */
    bool special;              /* any of the five above, or many queues */
    uint64_t duplicate_needed; /* the batch that the first one waits for */
    struct endpoint *
        *queues; /* each once, in no promised order; valid until topology_version changes */
    size_t count, room;
    /* The route depends on exchange and routing key alone: it may be remembered while
     * topology_version stays. */
    bool by_key;
    uint64_t work; /* index places and bindings looked at by this route: what tests measure */
};
void route_result_free(struct route_result *result);

/* What is routed by. */
struct route_input {
    const struct bytes *keys;      /* the routing key, then those of CC and BCC */
    size_t key_count;              /* at least 1 */
    const struct message *message; /* for its headers; NULL: none */
    bool at_once;                  /* no exchange keeps it, though it asks for a delay */
};

/* Fills result with the queues; result->count is 0 when nothing routed. */
void route(struct topology *topology, struct exchange *exchange, const struct route_input *input,
           struct route_result *result);
/* The same for a message's own routing key. */
void route_message(struct topology *topology, struct exchange *exchange,
                   const struct message *message, struct route_result *result);

#endif
