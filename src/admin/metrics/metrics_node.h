/* Part of metrics: families of the node, with one line or a few. Thread: the main thread. */
#ifndef LEVERET_ADMIN_METRICS_NODE_H
#define LEVERET_ADMIN_METRICS_NODE_H

#include "admin/http/request.h"
#include "admin/metrics/exposition.h"

struct totals;

/* Returns true when the request wants the families of this group; NULL stands for those that are in
 * no group of RabbitMQ's. */
typedef bool metrics_wanted(const struct request *request, const char *group);

/* The versions and the identity of the node, which every answer has. endpoint: "aggregated",
 * "per-object", "detailed" or "memory-breakdown". */
void metrics_identity(struct exposition *out, const struct admin *admin, const char *endpoint);
/* RabbitMQ's families of the node, those that are wanted. */
void metrics_node(struct exposition *out, struct request *request, const struct totals *totals,
                  metrics_wanted *wanted);
/* RabbitMQ's families that no group has and that tell of alarms, those of any process, and
 * Leveret's own. */
void metrics_more(struct exposition *out, const struct admin *admin, const struct totals *totals);
/* What the node's memory is used for. */
void metrics_memory(struct exposition *out, const struct admin *admin);
/* Deliveries by type of queue, dead letters by cause, messages by size. */
void metrics_counters(struct exposition *out, const struct totals *totals);

#endif
