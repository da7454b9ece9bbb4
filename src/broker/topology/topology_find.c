/* Part of topology (topology_state.h): finding exchanges, and the stacks of those that wait. */
#include "broker/topology/topology.h"
#include "broker/topology/topology_state.h"
#include "leveret/base/mem.h"

#define STACK_MIN 16u

void topology_stack_push(struct exchange_stack *stack, struct exchange *exchange)
{
    if (stack->count == stack->room) {
        stack->room = stack->room ? stack->room * 2 : STACK_MIN;
        stack->exchanges = mem_need_array(stack->exchanges, stack->room, sizeof(struct exchange *));
    }
    stack->exchanges[stack->count++] = exchange;
}

uint64_t topology_version(const struct topology *topology)
{
    return topology->version;
}

struct exchange *topology_exchange(const struct topology *topology, struct bytes name)
{
    return map_get(&topology->exchanges, name);
}
