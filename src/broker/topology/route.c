/* A route: asks the exchange, and then each exchange that was reached, once.
 *
 * What can go wrong. A cycle of exchanges: an endpoint that carries this route's stamp is not
 * reached again. An alternate exchange that does not exist: the message is not routed, as if there
 * were none. A chain of thousands of exchanges: they wait in an array, so that there is no
 * recursion. */
#include "broker/topology/routing.h"

#include "broker/topology/topology_state.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"

#define QUEUES_MIN    16u
#define KEEPERS_MIN   2u
#define SIEVES_MIN    2u
#define HISTORIES_MIN 2u

/* The number of queues that a message can go to without its work being counted; a route with more
 * is `special`. */
#define ROUTE_NARROW 16u

void route_result_free(struct route_result *result)
{
    free(result->queues);
    free(result->keepers);
    free(result->sieves);
    free(result->histories);
    *result = (struct route_result){0};
}

static void note_queue(struct route_result *result, struct endpoint *queue)
{
    if (result->count == result->room) {
        result->room = result->room ? result->room * 2 : QUEUES_MIN;
        result->queues = mem_need_array(result->queues, result->room, sizeof(struct endpoint *));
    }
    result->queues[result->count++] = queue;
}

void routing_reach(struct routing *routing, struct endpoint *destination)
{
    routing->matched++;
    if (destination->visited == routing->stamp)
        return;
    destination->visited = routing->stamp;
    if (destination->kind == ENDPOINT_QUEUE)
        note_queue(routing->result, destination);
    else
        topology_stack_push(&routing->topology->pending, (struct exchange *)destination);
}

void routing_keep(struct routing *routing, struct exchange *exchange)
{
    struct route_result *result = routing->result;
    routing->matched++;
    if (result->keeper_count == result->keeper_room) {
        result->keeper_room = result->keeper_room ? result->keeper_room * 2 : KEEPERS_MIN;
        result->keepers =
            mem_need_array(result->keepers, result->keeper_room, sizeof(struct exchange *));
    }
    result->keepers[result->keeper_count++] = exchange;
}

void routing_keep_history(struct routing *routing, struct exchange *exchange)
{
    struct route_result *result = routing->result;
    if (!exchange->history) /* the topology is used without a core, in tests */
        return;
    if (result->history_count == result->history_room) {
        result->history_room = result->history_room ? result->history_room * 2 : HISTORIES_MIN;
        result->histories =
            mem_need_array(result->histories, result->history_room, sizeof *result->histories);
    }
    result->histories[result->history_count++] = exchange->history;
}

/* Whether an exchange that deduplicates lets the message pass. A message that comes back to the
 * exchange after its delay always passes: it was checked when it was published. */
static bool lets_pass(struct routing *routing, struct exchange *exchange)
{
    const struct route_input *input = routing->input;
    struct route_result *result = routing->result;
    result->by_key = false;
    if (!input->message || (input->at_once && exchange == routing->first))
        return true;
    if (routing->topology->observer.knows(exchange->dedup, input->message,
                                          &result->duplicate_needed)) {
        result->duplicate = true;
        return false;
    }
    if (result->sieve_count == result->sieve_room) {
        result->sieve_room = result->sieve_room ? result->sieve_room * 2 : SIEVES_MIN;
        result->sieves = mem_need_array(result->sieves, result->sieve_room, sizeof *result->sieves);
    }
    result->sieves[result->sieve_count++] = exchange->dedup;
    return true;
}

static void ask(struct routing *routing, struct exchange *exchange)
{
    if (exchange->dedup && !lets_pass(routing, exchange))
        return;
    routing->matched = 0;
    if (!exchange->type->by_key)
        routing->result->by_key = false;
    exchange->type->route(exchange, routing);
    if (routing->matched || exchange->alternate.len == 0)
        return;
    struct exchange *alternate = topology_exchange(routing->topology, exchange->alternate);
    if (alternate)
        routing_reach(routing, &alternate->endpoint);
}

void route(struct topology *topology, struct exchange *exchange, const struct route_input *input,
           struct route_result *result)
{
    struct exchange_stack *pending = &topology->pending;
    struct routing routing = {input, result, topology, exchange, ++topology->stamp, 0};

    result->count = 0;
    result->keeper_count = 0;
    result->sieve_count = 0;
    result->history_count = 0;
    result->duplicate = false;
    result->delay_malformed = false;
    result->duplicate_needed = 0;
    result->by_key = true;
    result->work = 0;
    exchange->endpoint.visited = routing.stamp;
    ask(&routing, exchange);
    while (pending->count)
        ask(&routing, pending->exchanges[--pending->count]);
    result->special = result->keeper_count || result->sieve_count || result->history_count ||
                      result->duplicate || result->delay_malformed || result->count > ROUTE_NARROW;
}

void route_message(struct topology *topology, struct exchange *exchange,
                   const struct message *message, struct route_result *result)
{
    struct bytes key = message_routing_key(message);
    struct route_input input = {&key, 1, message, false};
    route(topology, exchange, &input, result);
}
