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
#include "admin/resource/listeners.h"
#include "admin/sampling/broker_numbers.h"
#include "leveret/base/clock.h"
#include "leveret/base/identity.h"

/* ---- Overview. */

static void write_listeners(struct request *r, struct answer *a)
{
    struct listening all[LISTENERS_MAX];
    size_t count = listeners_all(r->admin, all);
    if (!answer_array(a, "listeners"))
        return;
    for (size_t i = 0; i < count; i++) {
        answer_object(a, NULL);
        answer_text(a, "node", r->admin->options.node_name);
        answer_text(a, "protocol", all[i].protocol);
        answer_text(a, "ip_address", all[i].address);
        answer_uint(a, "port", all[i].port);
        answer_bool(a, "tls", all[i].tls != NULL);
        if (answer_object(a, "socket_opts"))
            answer_end(a);
        answer_end(a);
    }
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
    answer_text(a, "path", r->admin->options.path_prefix ? r->admin->options.path_prefix : "/");
    answer_text(a, "port", port);
    answer_end(a);
}

static void write_contexts(struct request *r, struct answer *a)
{
    if (!answer_array(a, "contexts"))
        return;
    write_context(r, a, "Leveret HTTP API", r->admin->server);
    write_context(r, a, "Leveret HTTP API (TLS)", r->admin->tls_server);
    write_context(r, a, "Leveret Prometheus metrics (TLS)", r->admin->metrics_tls_server);
    write_context(r, a, "Leveret Prometheus metrics", r->admin->metrics_server);
    answer_end(a);
}

/* Adds up the sums of the vhosts that the user may know of. */
static void sum_visible(const struct request *r, const struct totals *totals,
                        struct vhost_totals *sum)
{
    *sum = (struct vhost_totals){0};
    for (size_t i = 0; i < totals->vhost_count; i++)
        if (access_knows_vhost(r, bytes_of_text(totals->vhosts[i].name)))
            totals_add(sum, &totals->vhosts[i].totals);
}

/* Where the samples of all vhosts that the user may know of have ended. */
static uint64_t visible_end_ms(const struct request *r, const struct totals *totals)
{
    uint64_t end_ms = clock_wall_ms() / SERIES_TICK_MS * SERIES_TICK_MS;
    for (size_t i = 0; i < totals->vhost_count; i++) {
        struct bytes name = bytes_of_text(totals->vhosts[i].name);
        if (!access_knows_vhost(r, name))
            continue;
        uint64_t its_ms = stats_end_ms(r, 'v', name);
        end_ms = its_ms < end_ms ? its_ms : end_ms;
    }
    return end_ms;
}

/* What is told of those vhosts together, to a user who may not know of all. */
static void tell_visible(const struct request *r, const struct totals *totals, unsigned wanted,
                         struct told *out)
{
    static const uint64_t zeros[VHOST_NUMBERS];
    const struct archive_object nothing = {
        .kind = ARCHIVE_VHOST, .born_ms = clock_wall_ms(), .values = zeros};
    uint64_t end_ms = visible_end_ms(r, totals);
    stats_tell_until(r, 'v', bytes_of("", 0), &nothing, wanted, end_ms, out);
    for (size_t i = 0; i < totals->vhost_count; i++) {
        struct bytes name = bytes_of_text(totals->vhosts[i].name);
        uint64_t values[VHOST_NUMBERS];
        struct told told;
        if (!access_knows_vhost(r, name))
            continue;
        totals_values(&totals->vhosts[i].totals, 0, 0, values);
        totals_tell(r, name, &totals->vhosts[i].totals, values, wanted, end_ms, &told);
        told_add(out, &told);
        told_free(&told);
    }
}

static void tell_overview(const struct request *r, const struct totals *totals,
                          const struct vhost_totals *sum, const uint64_t values[VHOST_NUMBERS],
                          struct told *out)
{
    const unsigned wanted = 1u << RANGE_LENGTHS | 1u << RANGE_RATES;
    uint64_t born[VHOST_NUMBERS];
    const struct archive_object object = {.kind = ARCHIVE_OVERVIEW,
                                          .born_ms = r->admin->started_wall_ms,
                                          .values = values,
                                          .born = born};
    if (!(r->rights & RIGHT_MONITORING)) {
        tell_visible(r, totals, wanted, out);
        return;
    }
    stats_born(sum->born_ready, born);
    stats_tell(r, 'n', bytes_of("", 0), &object, wanted, out);
}

static void write_counts(struct request *r, struct answer *a, const struct totals *totals)
{
    uint64_t values[VHOST_NUMBERS];
    struct vhost_totals sum;
    struct told told;
    bool all = r->rights & RIGHT_MONITORING;
    sum_visible(r, totals, &sum);
    totals_values(&sum, 0, 0, values);
    tell_overview(r, totals, &sum, values, &told);
    stats_write(a, values, &told, STATS_ALL);
    if (answer_object(a, "queue_totals")) {
        stats_write_lengths(a, values, &told);
        answer_end(a);
    }
    told_free(&told);
    if (answer_object(a, "object_totals")) {
        answer_uint(a, "channels", all ? totals->sessions.channels : 0);
        answer_uint(a, "connections", all ? totals->sessions.connections : 0);
        answer_uint(a, "consumers", sum.consumers);
        answer_uint(a, "exchanges", sum.exchanges);
        answer_uint(a, "queues", sum.queues);
        answer_end(a);
    }
}

/* The node's numbers now, and what is told of them. */
static void tell_node(const struct request *r, const struct totals *totals, uint64_t fds,
                      uint64_t values[NODE_NUMBERS], struct told *out)
{
    uint64_t born[NODE_NUMBERS];
    broker_numbers(r->admin, fds, &totals->sessions, &totals->all.counters, &totals->journal,
                   values);
    const struct archive_object object = broker_object(r->admin, values, born);
    stats_tell(r, 'n', bytes_of("", 0), &object, 1u << RANGE_NODE, out);
}

static void write_node_numbers(struct answer *a, const uint64_t *values, const struct told *told,
                               unsigned from, unsigned to)
{
    static const char *const names[NODE_NUMBERS] = {
        [NODE_MEM_USED] = "mem_used",
        [NODE_FD_USED] = "fd_used",
        [NODE_SOCKETS_USED] = "sockets_used",
        [NODE_PROC_USED] = "proc_used",
        [NODE_DISK_FREE] = "disk_free",
        [NODE_CONNECTION_CREATED] = "connection_created",
        [NODE_CONNECTION_CLOSED] = "connection_closed",
        [NODE_CHANNEL_CREATED] = "channel_created",
        [NODE_CHANNEL_CLOSED] = "channel_closed",
        [NODE_QUEUE_DECLARED] = "queue_declared",
        [NODE_QUEUE_CREATED] = "queue_created",
        [NODE_QUEUE_DELETED] = "queue_deleted",
        [NODE_IO_READ_COUNT] = "io_read_count",
        [NODE_IO_READ_BYTES] = "io_read_bytes",
        [NODE_IO_WRITE_COUNT] = "io_write_count",
        [NODE_IO_WRITE_BYTES] = "io_write_bytes",
        [NODE_IO_SYNC_COUNT] = "io_sync_count",
    };
    for (unsigned i = from; i < to; i++)
        if (names[i])
            stats_write_detail(a, names[i], values[i], told, i, RANGE_NODE);
}

static void write_churn(struct request *r, struct answer *a, const struct totals *totals)
{
    uint64_t values[NODE_NUMBERS];
    struct told told;
    tell_node(r, totals, 0, values, &told);
    write_node_numbers(a, values, &told, NODE_CONNECTION_CREATED, NODE_IO_READ_COUNT);
    told_free(&told);
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

/* The ages that clients may ask samples of. */
static void write_retention(struct answer *a, const struct admin_history *history)
{
    static const char *const names[HISTORY_POLICIES] = {"global", "basic", "detailed"};
    if (!answer_object(a, "sample_retention_policies"))
        return;
    for (unsigned i = 0; i < HISTORY_POLICIES; i++) {
        if (!answer_array(a, names[i]))
            continue;
        for (unsigned t = 0; t < HISTORY_TRACKS_MAX && history->of[i][t].step_s; t++)
            if (history->of[i][t].told_s)
                answer_uint(a, NULL, history->of[i][t].told_s);
        answer_end(a);
    }
    answer_end(a);
}

static void write_overview(struct request *r, struct answer *a, const struct row *row)
{
    const struct totals *totals = row->info;
    const struct admin_options *o = &r->admin->options;
    answer_text(a, "management_version", o->rabbitmq_version);
    answer_text(a, "rabbitmq_version", o->rabbitmq_version);
    answer_text(a, "product_name", o->product_name);
    answer_text(a, "product_version", o->product_version);
    answer_text(a, "leveret_version", o->leveret_version);
    answer_text(a, "cluster_name", admin_cluster_name(r->admin));
    write_tags(a, o);
    answer_text(a, "node", o->node_name);
    answer_text(a, "rates_mode", "basic");
    /* There is no Erlang here. */
    answer_text(a, "erlang_version", "");
    answer_text(a, "erlang_full_version", "");
    answer_text(a, "release_series_support_status", "supported");
    answer_bool(a, "disable_stats", o->disable_stats);
    answer_bool(a, "enable_queue_totals", o->enable_queue_totals);
    answer_text(a, "default_queue_type", queue_type_name(node_default_queue_type(o->node)));
    answer_bool(a, "is_op_policy_updating_enabled", true);
    answer_bool(a, "require_definition_json_extension", false);
    answer_uint(a, "statistics_db_event_queue", 0);
    write_retention(a, &o->history);
    api_exchange_types_write(a);
    write_counts(r, a, totals);
    if (answer_object(a, "churn_rates")) {
        write_churn(r, a, totals);
        answer_end(a);
    }
    if (r->rights & RIGHT_MONITORING) {
        write_listeners(r, a);
        write_contexts(r, a);
    }
}

static void counted_overview(struct request *r, const struct totals *totals)
{
    static const struct listing_kind kind = {
        .render = write_overview,
        .small = "management_version,rabbitmq_version,erlang_version,erlang_full_version,"
                 "release_series_support_status,product_name,product_version,leveret_version,"
                 "cluster_name,cluster_tags,node,node_tags,rates_mode,disable_stats,"
                 "enable_queue_totals,default_queue_type,is_op_policy_updating_enabled,"
                 "require_definition_json_extension,sample_retention_policies,exchange_types,"
                 "object_totals"};
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
    const char *at = auth_mechanisms(r->admin->options.auth, true);
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

static void write_io(struct answer *a, const uint64_t *values, const struct told *told)
{
    write_node_numbers(a, values, told, NODE_IO_READ_COUNT, NODE_NUMBERS);
    stats_write_mean(a, "io_read_avg_time", values, told, NODE_IO_READ_US, NODE_IO_READ_COUNT);
    stats_write_mean(a, "io_write_avg_time", values, told, NODE_IO_WRITE_US, NODE_IO_WRITE_COUNT);
    stats_write_mean(a, "io_sync_avg_time", values, told, NODE_IO_SYNC_US, NODE_IO_SYNC_COUNT);
}

static void write_resources(struct request *r, struct answer *a, const struct totals *totals)
{
    uint64_t values[NODE_NUMBERS];
    struct told told;
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
    answer_uint(a, "mem_limit", alarms.memory_bytes_max);
    answer_bool(a, "mem_alarm", alarms.memory);
    answer_text(a, "mem_calculation_strategy", "rss");
    answer_uint(a, "disk_free_limit", alarms.disk_free_bytes_min);
    answer_bool(a, "disk_free_alarm", alarms.disk);
    answer_uint(a, "unwritable_vhosts", alarms.unwritable_vhosts);
    answer_uint(a, "fd_total", p.fds_max);
    answer_uint(a, "sockets_total", sockets.max);
    answer_uint(a, "proc_total", p.threads_max);
    tell_node(r, totals, p.fds, values, &told);
    write_node_numbers(a, values, &told, 0, NODE_IO_READ_COUNT);
    write_io(a, values, &told);
    told_free(&told);
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
    answer_text(a, "db_dir", r->admin->options.data_dir ? r->admin->options.data_dir : "");
    if (request_query_true(r, "memory"))
        memory_told(a, r->admin);
    write_resources(r, a, row->info);
    api_exchange_types_write(a);
    write_mechanisms(r, a);
    write_contexts(r, a);
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++)
        if (answer_array(a, empty[i]))
            answer_end(a);
}

static const struct listing_kind listing_nodes = {.render = render_node};

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
