/* Part of the api: the overview; the node: its memory, its settings, what it can be told to do, its
 * log. Thread: the main thread. */
#ifndef LEVERET_ADMIN_NODE_H
#define LEVERET_ADMIN_NODE_H

#include "admin/http/routes.h"

struct answer;

extern const struct route api_overview[], api_memory[], api_node_settings[], api_node_control[],
    api_log[];

/* Writes "memory": its parts and totals, in bytes. */
void memory_told(struct answer *answer, const struct admin *admin);

#endif
