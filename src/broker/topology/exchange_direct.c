/* The default exchange: the routing key is a queue's name. Direct exchanges: a hash map from
 * routing key to a chain of bindings. A route costs one look-up for each key, and a step for each
 * binding that matches.
 *
 * The map's key lies in the first binding of its chain; when that binding goes, the key of the next
 * is used. */
#include "broker/topology/routing.h"

#include "broker/topology/topology_state.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

static void default_route(struct exchange *exchange, struct routing *routing)
{
    (void)exchange;
    const struct route_input *input = routing->input;
    for (size_t i = 0; i < input->key_count; i++) {
        struct endpoint *queue = map_get(routing->topology->queues, input->keys[i]);
        routing->result->work++;
        if (queue)
            routing_reach(routing, queue);
    }
}

const struct exchange_type exchange_type_default = {
    .name = "direct", .by_key = true, .route = default_route};

static void direct_open(struct exchange *exchange)
{
    exchange->state = mem_need(sizeof(struct map));
}

static void direct_close(struct exchange *exchange)
{
    map_free(exchange->state);
    free(exchange->state);
    exchange->state = NULL;
}

static void direct_bind(struct exchange *exchange, struct binding *binding)
{
    struct map *keys = exchange->state;
    struct binding *first = map_get(keys, binding_key(binding));
    if (first)
        binding_chain_add(&first, binding);
    else
        (void)map_put(keys, binding_key(binding), binding);
}

static void direct_unbind(struct exchange *exchange, struct binding *binding)
{
    struct map *keys = exchange->state;
    bool was_first = !binding->previous;
    struct binding *first = binding;
    binding_chain_remove(&first, binding);
    if (!was_first)
        return;
    if (first)
        (void)map_put(keys, binding_key(first), first);
    else
        (void)map_remove(keys, binding_key(binding));
}

static void direct_route(struct exchange *exchange, struct routing *routing)
{
    const struct route_input *input = routing->input;
    for (size_t i = 0; i < input->key_count; i++) {
        const struct binding *b = map_get(exchange->state, input->keys[i]);
        routing->result->work++;
        for (; b; b = b->next) {
            routing->result->work++;
            routing_reach(routing, b->destination);
        }
    }
}

const struct exchange_type exchange_type_direct = {
    .name = "direct",
    .by_key = true,
    .open = direct_open,
    .close = direct_close,
    .bind = direct_bind,
    .unbind = direct_unbind,
    .route = direct_route,
};
