/* What metrics.c and metrics_objects.c share. Thread: main. */
#ifndef LEVERET_ADMIN_METRICS_H
#define LEVERET_ADMIN_METRICS_H

#include "admin/http/request.h"

/* HELP and TYPE of a family. */
void metrics_family(struct text *out, const char *prefix, const char *name, const char *type,
                    const char *help);
/* A label's value, escaped. */
void metrics_label(struct text *out, struct bytes value);

/* Adds families with a line for each queue, connection and channel to out (taken), then answers.
 * With the query's family= (queue_coarse_metrics, queue_metrics, …) and vhost= only those; without
 * family, and not detailed, all. */
void metrics_objects(struct request *r, struct text *out, const char *prefix,
                     const char *content_type);

/* Appends the families of metrics_counters.c. */
void metrics_counters(struct text *out, const struct totals *totals);

#endif
