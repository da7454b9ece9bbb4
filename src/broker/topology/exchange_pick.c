/* Exchanges that pick one of their bindings, whatever its key: x-random and x-local-random at
 * random, each with the same probability; x-modulus-hash the one whose index is the routing key's
 * hash modulo their number.
 *
 * The bindings are in an array, ordered by their contents, so that x-modulus-hash sends a key to
 * the same binding after a restart. Adding a binding moves the pointers behind it. */
#include "broker/topology/routing.h"
#include "broker/topology/stable_hash.h"
#include "broker/topology/topology_state.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define ROOM_MIN 8u

/* A binding's entry in the array; binding->place points to it. */
struct pick {
    uint64_t order;
    struct endpoint *destination;
};

struct pick_state {
    struct pick **picks; /* ascending by order */
    size_t count, room;
};

static void pick_open(struct exchange *exchange)
{
    exchange->state = mem_need(sizeof(struct pick_state));
}

static void pick_close(struct exchange *exchange)
{
    struct pick_state *state = exchange->state;
    free(state->picks);
    free(state);
    exchange->state = NULL;
}

/* The index of the first pick whose order is at least the given one. */
static size_t place_of(const struct pick_state *state, uint64_t order)
{
    size_t low = 0, high = state->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->picks[middle]->order < order)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void pick_bind(struct exchange *exchange, struct binding *binding)
{
    struct pick_state *state = exchange->state;
    struct pick *pick = mem_need(sizeof *pick);
    pick->destination = binding->destination;
    pick->order = stable_hash(binding->destination->name, binding->destination->kind);
    pick->order = stable_hash(binding_key(binding), pick->order);
    pick->order = stable_hash(binding_arguments(binding), pick->order);
    binding->place = pick;
    if (state->count == state->room) {
        state->room = state->room ? state->room * 2 : ROOM_MIN;
        state->picks = mem_need_array(state->picks, state->room, sizeof *state->picks);
    }
    size_t place = place_of(state, pick->order);
    memmove(&state->picks[place + 1], &state->picks[place],
            (state->count - place) * sizeof *state->picks);
    state->picks[place] = pick;
    state->count++;
}

static void pick_unbind(struct exchange *exchange, struct binding *binding)
{
    struct pick_state *state = exchange->state;
    struct pick *pick = binding->place;
    size_t place = place_of(state, pick->order);
    while (state->picks[place] != pick) {
        place++;
        CHECK(place < state->count);
    }
    state->count--;
    memmove(&state->picks[place], &state->picks[place + 1],
            (state->count - place) * sizeof *state->picks);
    binding->place = NULL;
    free(pick);
}

static void route_to(const struct exchange *exchange, struct routing *routing, uint64_t number)
{
    const struct pick_state *state = exchange->state;
    routing->result->work++;
    if (state->count)
        routing_reach(routing, state->picks[number % state->count]->destination);
}

static void random_route(struct exchange *exchange, struct routing *routing)
{
    route_to(exchange, routing, random_next(&routing->topology->random));
}

const struct exchange_type exchange_type_random = {
    .name = "x-random",
    .open = pick_open,
    .close = pick_close,
    .bind = pick_bind,
    .unbind = pick_unbind,
    .route = random_route,
};

/* x-local-random picks a queue on the publisher's node; with a single node that is any queue.
 * RabbitMQ refuses a binding with a routing key here, because the type does not use one. */
static enum status local_random_validate_binding(struct bytes exchange_arguments,
                                                 struct bytes routing_key, struct bytes arguments,
                                                 struct refusal *refusal)
{
    (void)exchange_arguments;
    (void)arguments;
    if (routing_key.len == 0)
        return STATUS_OK;
    return refuse(refusal, STATUS_PRECONDITION_FAILED, "Non empty binding '%.*s' key not permitted",
                  BYTES_PRINT(routing_key));
}

const struct exchange_type exchange_type_local_random = {
    .name = "x-local-random",
    .validate_binding = local_random_validate_binding,
    .open = pick_open,
    .close = pick_close,
    .bind = pick_bind,
    .unbind = pick_unbind,
    .route = random_route,
};

static void modulus_route(struct exchange *exchange, struct routing *routing)
{
    route_to(exchange, routing, stable_hash(routing->input->keys[0], 0));
}

const struct exchange_type exchange_type_modulus = {
    .name = "x-modulus-hash",
    .by_key = true,
    .open = pick_open,
    .close = pick_close,
    .bind = pick_bind,
    .unbind = pick_unbind,
    .route = modulus_route,
};
