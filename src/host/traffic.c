/* Part of node: the bytes that clients of a vhost have sent and got. */
#include "node_internal.h"

void node_count_traffic(struct node *node, struct bytes vhost, uint64_t received_bytes,
                        uint64_t sent_bytes)
{
    struct home *home = node_find_home(node, vhost);
    if (!home)
        return;
    atomic_fetch_add_explicit(&home->received_bytes, received_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&home->sent_bytes, sent_bytes, memory_order_relaxed);
}

void node_vhost_traffic(struct node *node, struct bytes vhost, uint64_t *received_bytes,
                        uint64_t *sent_bytes)
{
    struct home *home = node_find_home(node, vhost);
    *received_bytes = home ? atomic_load_explicit(&home->received_bytes, memory_order_relaxed) : 0;
    *sent_bytes = home ? atomic_load_explicit(&home->sent_bytes, memory_order_relaxed) : 0;
}
