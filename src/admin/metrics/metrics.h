/* Metrics for Prometheus, under RabbitMQ's paths, names and labels. Thread: the main thread. */
#ifndef LEVERET_ADMIN_METRICS_H
#define LEVERET_ADMIN_METRICS_H

#include "admin/http/routes.h"

extern const struct route metrics_routes[];

#endif
