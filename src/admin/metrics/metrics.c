/* The paths of metrics: sums on /metrics, single objects on /metrics/per-object and, chosen by the
 * query, on /metrics/detailed; what memory is used for on /metrics/memory-breakdown. */
#include "admin/metrics/metrics.h"

#include "admin/metrics/metrics_node.h"
#include "admin/metrics/objects.h"
#include "admin/metrics/totals.h"

static struct exposition begin(const struct request *r, const char *prefix, const char *endpoint)
{
    struct exposition out = {.open = exposition_is_open(r->accept), .prefix = prefix};
    metrics_identity(&out, r->admin, endpoint);
    return out;
}

/* On the paths that have them all, RabbitMQ's sources of log-ins and states of vhosts are not
 * among the node's families. */
static bool common(const struct request *request, const char *group)
{
    (void)request;
    return !group || (strcmp(group, "auth_attempt_detailed_metrics") != 0 &&
                      strcmp(group, "vhost_status") != 0);
}

static bool chosen(const struct request *request, const char *group)
{
    return group && request_query_has(request, "family", group);
}

static void write_all(struct request *r, const struct totals *totals, const char *endpoint,
                      enum objects_how how)
{
    struct exposition out = begin(r, "rabbitmq_", endpoint);
    metrics_node(&out, r, totals, common);
    metrics_counters(&out, totals);
    metrics_more(&out, r->admin, totals);
    objects_write(r, &out, how, totals);
}

static void counted_sums(struct request *r, const struct totals *totals)
{
    write_all(r, totals, "aggregated", OBJECTS_SUMS);
}

static void counted_per_object(struct request *r, const struct totals *totals)
{
    write_all(r, totals, "per-object", OBJECTS_ALL);
}

static void counted_detailed(struct request *r, const struct totals *totals)
{
    struct exposition out = begin(r, "rabbitmq_detailed_", "detailed");
    metrics_node(&out, r, totals, chosen);
    objects_write(r, &out, OBJECTS_CHOSEN, totals);
}

static void get_per_object(struct request *r)
{
    totals_for(r, counted_per_object);
}

static void get_sums(struct request *r)
{
    totals_for(r, r->admin->options.metrics_per_object ? counted_per_object : counted_sums);
}

static void get_detailed(struct request *r)
{
    totals_for(r, counted_detailed);
}

static void get_memory(struct request *r)
{
    struct exposition out = begin(r, "rabbitmq_", "memory-breakdown");
    metrics_memory(&out, r->admin);
    exposition_end(&out);
    respond_text(r, 200, exposition_content_type(&out), &out.text);
}

/* ---- Routes. */

const struct route metrics_routes[] = {
    {METHOD_GET, "/metrics", get_sums, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/metrics/per-object", get_per_object, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/metrics/detailed", get_detailed, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/metrics/memory-breakdown", get_memory, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
