/* Part of the api: health checks. One answers 200 {"status": "ok"}, or 503 with what is wrong. */
#include "admin/resource/health.h"

#include "admin/json/answer.h"
#include "admin/metrics/totals.h"

void health_respond_ok(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_text(&a, "status", "ok");
    answer_end(&a);
    respond_json(r, 200, &a);
}

void health_begin_failed(struct answer *a, const char *reason)
{
    answer_object(a, NULL);
    answer_text(a, "status", "failed");
    answer_text(a, "reason", reason);
}

static void write_alarm(struct request *r, struct answer *a, const char *resource)
{
    answer_object(a, NULL);
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "resource", resource);
    answer_end(a);
}

static void check_alarms(struct request *r)
{
    struct answer a = {0};
    struct node_alarms alarms;
    node_alarms(r->admin->options.node, &alarms);
    if (!alarms.memory && !alarms.disk) {
        health_respond_ok(r);
        return;
    }
    health_begin_failed(&a, "There are alarms in effect on the node");
    answer_array(&a, "alarms");
    if (alarms.memory)
        write_alarm(r, &a, "memory");
    if (alarms.disk)
        write_alarm(r, &a, "disk");
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 503, &a);
}

static void counted(struct request *r, const struct totals *totals)
{
    struct answer a = {0};
    size_t down = 0;
    health_begin_failed(&a, "Some virtual hosts are down, or cannot write");
    answer_array(&a, "virtual-hosts");
    for (size_t i = 0; i < totals->vhost_count; i++)
        if (!totals->vhosts[i].answered ||
            node_vhost_unwritable(r->admin->options.node, bytes_of_text(totals->vhosts[i].name))) {
            down++;
            answer_text(&a, NULL, totals->vhosts[i].name);
        }
    answer_end(&a);
    answer_end(&a);
    if (down) {
        respond_json(r, 503, &a);
    } else {
        answer_free(&a);
        health_respond_ok(r);
    }
}

/* Is well when each vhost's owner and each worker answers, and each vhost can write. */
static void check_vhosts(struct request *r)
{
    totals_for(r, counted);
}

static void check_service(struct request *r)
{
    totals_for(r, counted);
}

static void check_single_node(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_text(&a, "status", "ok");
    answer_text(&a, "reason", "single node cluster");
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* ---- What the node has. */

/* Is always well: the directory was read before the API was opened. */
static void check_store(struct request *r)
{
    health_respond_ok(r);
}

static void note_vhost(void *context, const struct vhost_entry *vhost)
{
    (void)vhost;
    *(bool *)context = true;
}

static void check_store_with_data(struct request *r)
{
    struct answer a = {0};
    bool some = false;
    auth_each_vhost(r->admin->options.auth, note_vhost, &some);
    if (some) {
        health_respond_ok(r);
        return;
    }
    health_begin_failed(&a, "The metadata store has no data");
    answer_end(&a);
    respond_json(r, 503, &a);
}

static void check_connections(struct request *r)
{
    const struct quota *sockets = r->admin->options.amqp_sockets;
    struct answer a = {0};
    uint64_t open = sockets ? atomic_load(&sockets->open) : 0;
    uint64_t max = sockets ? atomic_load(&sockets->max) : UINT64_MAX;
    int64_t limit;
    bool limited = auth_connections_full(r->admin->options.auth, &limit);
    if (open < max && !limited) {
        health_respond_ok(r);
        return;
    }
    if (limited)
        max = (uint64_t)limit;
    health_begin_failed(&a, limited ? "node connection limit is reached"
                                    : "The node has as many connections as it may have");
    answer_uint(&a, "limit", max);
    answer_uint(&a, "connections", open);
    answer_end(&a);
    respond_json(r, 503, &a);
}

/* Is always well: a cluster of one node is as large as it is meant to be. */
static void check_cluster_size(struct request *r)
{
    health_respond_ok(r);
}

/* ---- Routes. */

const struct route api_health[] = {
    {METHOD_GET, "/api/healthchecks/node", check_alarms, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/healthchecks/node/:n", check_alarms, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/alarms", check_alarms, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/local-alarms", check_alarms, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/virtual-hosts", check_vhosts, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/is-in-service", check_service, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/ready-to-serve-clients", check_service, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/node-is-mirror-sync-critical", check_single_node, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/node-is-quorum-critical", check_single_node, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/metadata-store/initialized", check_store, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/metadata-store/initialized/with-data", check_store_with_data,
     ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/below-node-connection-limit", check_connections, ACCESS_USER,
     BODY_SMALL},
    {METHOD_GET, "/api/health/checks/reached-target-cluster-size", check_cluster_size, ACCESS_USER,
     BODY_SMALL},
    ROUTES_END,
};
