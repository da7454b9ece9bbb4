/* Part of the api: the overview and the list of nodes, which has one node. */
#include "admin/resource/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/http/access.h"
#include "admin/http/http.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "admin/metrics/process.h"
#include "admin/metrics/totals.h"
#include "admin/resource/details.h"
#include "leveret/base/clock.h"
#include "leveret/base/identity.h"

/* ---- Overview. */

static void write_listener(struct request *r, struct answer *a, const char *protocol,
                           const char *address, uint16_t port)
{
    if (!answer_object(a, NULL))
        return;
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "protocol", protocol);
    answer_text(a, "ip_address", address);
    answer_uint(a, "port", port);
    answer_bool(a, "tls", false);
    if (answer_object(a, "socket_opts"))
        answer_end(a);
    answer_end(a);
}

static void write_listeners(struct request *r, struct answer *a)
{
    const struct admin_options *o = &r->admin->options;
    if (!answer_array(a, "listeners"))
        return;
    for (size_t i = 0; i < o->listener_count; i++)
        write_listener(r, a, o->listeners[i].protocol, o->listeners[i].address,
                       o->listeners[i].port);
    if (r->admin->server)
        write_listener(r, a, "http", "::", http_port(r->admin->server));
    if (r->admin->metrics_server)
        write_listener(r, a, "http/prometheus", "::", http_port(r->admin->metrics_server));
    answer_end(a);
}

static void write_context(struct request *r, struct answer *a, const char *description,
                          const struct http_server *server)
{
    char port[8];
    if (!server || !answer_object(a, NULL))
        return;
    snprintf(port, sizeof port, "%u", http_port(server));
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "description", description);
    answer_text(a, "path", "/");
    answer_text(a, "port", port);
    answer_end(a);
}

static void write_contexts(struct request *r, struct answer *a)
{
    if (!answer_array(a, "contexts"))
        return;
    write_context(r, a, "Leveret HTTP API", r->admin->server);
    write_context(r, a, "Leveret Prometheus metrics", r->admin->metrics_server);
    answer_end(a);
}

/* Adds up the sums of the vhosts that the user may know of. */
static void sum_visible(const struct request *r, const struct totals *totals,
                        uint64_t values[STATS_COUNT + 3], struct vhost_totals *sum)
{
    *sum = (struct vhost_totals){0};
    memset(values, 0, (STATS_COUNT + 3) * sizeof *values);
    for (size_t i = 0; i < totals->vhost_count; i++) {
        const struct vhost_totals *t = &totals->vhosts[i].totals;
        uint64_t rates[STATS_COUNT];
        if (!access_knows_vhost(r, bytes_of_text(totals->vhosts[i].name)))
            continue;
        stats_values(&t->rates, rates);
        for (size_t j = 0; j < STATS_COUNT; j++)
            values[j] += rates[j];
        sum->queues += t->queues;
        sum->exchanges += t->exchanges;
        sum->consumers += t->consumers;
        sum->messages_ready += t->messages_ready;
        sum->messages_unacknowledged += t->messages_unacknowledged;
    }
    values[STATS_COUNT] = sum->messages_ready;
    values[STATS_COUNT + 1] = sum->messages_unacknowledged;
    values[STATS_COUNT + 2] = sum->messages_ready + sum->messages_unacknowledged;
}

static void write_counts(struct request *r, struct answer *a, const struct totals *totals)
{
    uint64_t values[STATS_COUNT + 3];
    double rates[STATS_COUNT + 3];
    struct vhost_totals sum;
    struct text key = {0};
    bool all = r->rights & RIGHT_MONITORING;
    sum_visible(r, totals, values, &sum);
    samples_key(&key, "overview", bytes_of("", 0), bytes_of_text(all ? "" : r->user));
    samples_look(r->admin->samples, text_bytes(&key), loop_now_ms(r->admin->options.loop), values,
                 STATS_COUNT + 3, rates);
    text_free(&key);
    stats_write(a, values, rates, STATS_ALL);
    if (answer_object(a, "queue_totals")) {
        stats_write_detail(a, "messages_ready", values[STATS_COUNT], rates[STATS_COUNT]);
        stats_write_detail(a, "messages_unacknowledged", values[STATS_COUNT + 1],
                           rates[STATS_COUNT + 1]);
        stats_write_detail(a, "messages", values[STATS_COUNT + 2], rates[STATS_COUNT + 2]);
        answer_end(a);
    }
    if (answer_object(a, "object_totals")) {
        answer_uint(a, "channels", all ? totals->sessions.channels : 0);
        answer_uint(a, "connections", all ? totals->sessions.connections : 0);
        answer_uint(a, "consumers", sum.consumers);
        answer_uint(a, "exchanges", sum.exchanges);
        answer_uint(a, "queues", sum.queues);
        answer_end(a);
    }
}

static void write_churn_fields(struct request *r, struct answer *a, const struct totals *totals)
{
    const struct {
        const char *name;
        uint64_t value;
    } churn[] = {
        {"connection_created", totals->sessions.opened},
        {"connection_closed", totals->sessions.closed},
        {"channel_created", totals->sessions.channels_opened},
        {"channel_closed", totals->sessions.channels_closed},
        {"queue_declared", totals->all.counters.queues_declared},
        {"queue_created", totals->all.counters.queues_created},
        {"queue_deleted", totals->all.counters.queues_deleted},
    };
    enum { COUNT = sizeof churn / sizeof *churn };
    uint64_t values[COUNT];
    double rates[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = churn[i].value;
    samples_look(r->admin->samples, BYTES_LITERAL("churn"), loop_now_ms(r->admin->options.loop),
                 values, COUNT, rates);
    for (size_t i = 0; i < COUNT; i++)
        stats_write_detail(a, churn[i].name, values[i], rates[i]);
}

static void write_tags(struct answer *a, const struct admin_options *o)
{
    const char *tags = auth_parameter(o->auth, PARAMETER_CLUSTER_TAGS);
    answer_json(a, "cluster_tags", tags && *tags == '{' ? tags : "{}");
    if (!answer_object(a, "node_tags"))
        return;
    for (size_t i = 0; i < o->node_tag_count; i++)
        answer_text(a, o->node_tags[i].name, o->node_tags[i].value);
    answer_end(a);
}

static void write_overview(struct request *r, struct answer *a, const struct row *row)
{
    const struct totals *totals = row->info;
    const struct admin_options *o = &r->admin->options;
    answer_text(a, "management_version", o->rabbitmq_version);
    answer_text(a, "rabbitmq_version", o->rabbitmq_version);
    answer_text(a, "product_name", PRODUCT_NAME);
    answer_text(a, "product_version", o->leveret_version);
    answer_text(a, "leveret_version", o->leveret_version);
    answer_text(a, "cluster_name", admin_cluster_name(r->admin));
    write_tags(a, o);
    answer_text(a, "node", o->node_name);
    answer_text(a, "rates_mode", "basic");
    answer_bool(a, "disable_stats", false);
    answer_bool(a, "enable_queue_totals", false);
    answer_text(a, "default_queue_type", queue_type_name(node_default_queue_type(o->node)));
    answer_bool(a, "is_op_policy_updating_enabled", true);
    answer_bool(a, "require_definition_json_extension", false);
    answer_uint(a, "statistics_db_event_queue", 0);
    api_exchange_types_write(a);
    write_counts(r, a, totals);
    if (answer_object(a, "churn_rates")) {
        write_churn_fields(r, a, totals);
        answer_end(a);
    }
    if (r->rights & RIGHT_MONITORING) {
        write_listeners(r, a);
        write_contexts(r, a);
    }
}

static void counted_overview(struct request *r, const struct totals *totals)
{
    static const struct listing_kind kind = {NULL, write_overview, NULL, NULL, NULL};
    const struct row row = {.info = totals};
    listing_respond_one(r, &kind, &row);
}

static void get_overview(struct request *r)
{
    totals_for(r, counted_overview);
}

/* ---- The node. */

static void write_mechanisms(struct request *r, struct answer *a)
{
    const char *at = auth_mechanisms(r->admin->options.auth);
    if (!answer_array(a, "auth_mechanisms"))
        return;
    while (*at) {
        size_t len = strcspn(at, " ");
        answer_object(a, NULL);
        answer_bytes(a, "name", bytes_of(at, len));
        answer_text(a, "description", "SASL mechanism");
        answer_bool(a, "enabled", true);
        answer_end(a);
        at += len + strspn(at + len, " ");
    }
    answer_end(a);
}

static void write_resources(struct request *r, struct answer *a)
{
    struct process_figures p;
    struct node_alarms alarms;
    char pid[16];
    const struct client_sockets sockets = admin_client_sockets(r->admin);
    process_figures(&p);
    node_alarms(r->admin->options.node, &alarms);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    answer_text(a, "os_pid", pid);
    answer_uint(a, "uptime", clock_wall_ms() - r->admin->started_wall_ms);
    answer_uint(a, "processors", p.processors);
    answer_uint(a, "run_queue", 0);
    answer_uint(a, "mem_used", p.resident_bytes);
    answer_uint(a, "mem_limit", alarms.memory_bytes_max);
    answer_bool(a, "mem_alarm", alarms.memory);
    answer_text(a, "mem_calculation_strategy", "rss");
    answer_uint(a, "disk_free", alarms.disk_free_bytes);
    answer_uint(a, "disk_free_limit", alarms.disk_free_bytes_min);
    answer_bool(a, "disk_free_alarm", alarms.disk);
    answer_uint(a, "unwritable_vhosts", alarms.unwritable_vhosts);
    answer_uint(a, "fd_used", p.fds);
    answer_uint(a, "fd_total", p.fds_max);
    answer_uint(a, "sockets_used", sockets.used);
    answer_uint(a, "sockets_total", sockets.max);
    answer_uint(a, "proc_used", p.threads);
    answer_uint(a, "proc_total", p.threads_max);
}

static void render_node(struct request *r, struct answer *a, const struct row *row)
{
    static const char *const empty[] = {"partitions", "applications",    "config_files",
                                        "log_files",  "enabled_plugins", "cluster_links"};
    answer_text(a, "name", r->admin->options.node_name);
    answer_text(a, "type", "disc");
    answer_bool(a, "running", true);
    answer_bool(a, "being_drained", false);
    answer_text(a, "rabbitmq_version", r->admin->options.rabbitmq_version);
    answer_text(a, "rates_mode", "basic");
    write_resources(r, a);
    api_exchange_types_write(a);
    write_mechanisms(r, a);
    write_contexts(r, a);
    write_churn_fields(r, a, row->info);
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (answer_array(a, empty[i]))
            answer_end(a);
}

static const struct listing_kind listing_nodes = {NULL, render_node, NULL, NULL, NULL};

static void counted_nodes(struct request *r, const struct totals *totals)
{
    /* The totals last for this call; a list of one row is written within it. */
    struct listing *listing = listing_new(r, &listing_nodes);
    listing_add(listing, bytes_of("", 0), totals);
    listing_write(r, listing);
}

static void list_nodes(struct request *r)
{
    totals_for(r, counted_nodes);
}

static void counted_node(struct request *r, const struct totals *totals)
{
    const struct row row = {.info = totals};
    listing_respond_one(r, &listing_nodes, &row);
}

static void get_node(struct request *r)
{
    if (request_names_node(r, r->args[0]))
        totals_for(r, counted_node);
}

/* ---- Routes. */

const struct route api_overview[] = {
    {METHOD_GET, "/api/overview", get_overview, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/nodes", list_nodes, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/nodes/:n", get_node, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
