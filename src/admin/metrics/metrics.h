/* Metrics in Prometheus's text format, and what the files that write them share. Thread: the main
 * thread. */
#ifndef LEVERET_ADMIN_METRICS_H
#define LEVERET_ADMIN_METRICS_H

#include "admin/http/routes.h"

struct totals;

extern const struct route metrics_routes[];

/* Writes the lines HELP and TYPE of a family; its name is prefix and name together. */
void metrics_family(struct text *out, const char *prefix, const char *name, const char *type,
                    const char *help);
/* Writes a label's value, escaped. */
void metrics_label(struct text *out, struct bytes value);

/* Writes the families of metrics_counters.c. */
void metrics_counters(struct text *out, const struct totals *totals);

/* Answers with out (which is taken) and, behind it, families with a line for each queue, exchange,
 * connection and channel. With the prefix "rabbitmq_" these are all families; with another one only
 * those that the query names with family= ("queue_coarse_metrics", …). The query's vhost= limits
 * them to the objects of one vhost. */
void metrics_objects(struct request *request, struct text *out, const char *prefix,
                     const char *content_type);

#endif
