/* Part of metrics: families of the node.
 *
 * Most are rows of a table: the group that RabbitMQ's family= calls them by, the metric, and where
 * the value is. What RabbitMQ has has RabbitMQ's name; the names of all else begin with leveret_.
 * What is not counted is left out, not told as 0. */
#include "admin/metrics/metrics_node.h"

#include <stddef.h>
#include <stdlib.h>

#include "admin/listing/gather.h"
#include "admin/metrics/memory_figures.h"
#include "admin/metrics/process.h"
#include "admin/metrics/totals.h"
#include "leveret/base/identity.h"

#define C METRIC_COUNTER
#define G METRIC_GAUGE

struct row_of {
    const char *group; /* NULL: it is on /metrics and /metrics/per-object alone */
    struct metric metric;
    size_t offset; /* of the value */
    const char *labels;
};

static void write_row(struct exposition *out, const struct row_of *row, const void *values)
{
    exposition_family(out, &row->metric);
    exposition_sample(out, &row->metric, row->labels ? row->labels : "",
                      *(const uint64_t *)(const void *)((const char *)values + row->offset));
}

/* ---- Identity. */

static void text_label(struct exposition *out, const char *before, const char *value)
{
    text_add(&out->text, before, strlen(before));
    exposition_label(out, bytes_of_text(value));
}

static void end_labels(struct exposition *out)
{
    text_add(&out->text, "\"}", 2);
    exposition_value(out, 1);
}

void metrics_identity(struct exposition *out, const struct admin *admin, const char *endpoint)
{
    static const struct metric build = {"build_info", METRIC_INFO, "Versions"};
    static const struct metric identity = {"identity_info", METRIC_INFO,
                                           "Node and cluster identity"};
    const struct admin_options *o = &admin->options;
    const char *prefix = out->prefix;
    const char *id = auth_parameter_text(o->auth, PARAMETER_CLUSTER_ID);
    out->prefix = "rabbitmq_"; /* on all paths */
    exposition_family(out, &build);
    exposition_name(out, build.name, "");
    text_label(out, "{rabbitmq_version=\"", o->rabbitmq_version);
    text_label(out, "\",prometheus_plugin_version=\"", o->rabbitmq_version);
    text_label(out, "\",prometheus_client_version=\"\",erlang_version=\"\",product_name=\"",
               o->product_name);
    text_label(out, "\",product_version=\"", o->product_version);
    end_labels(out);
    exposition_family(out, &identity);
    exposition_name(out, identity.name, "");
    text_label(out, "{rabbitmq_node=\"", o->node_name);
    text_label(out, "\",rabbitmq_cluster=\"", admin_cluster_name(admin));
    text_label(out, "\",rabbitmq_cluster_permanent_id=\"", id ? id : "");
    text_label(out, "\",rabbitmq_endpoint=\"", endpoint);
    end_labels(out);
    out->prefix = prefix;
}

/* ---- What the system says. */

struct node_figures {
    struct process_figures process;
    struct node_alarms alarms;
    struct client_sockets sockets;
};

#define F(member) offsetof(struct node_figures, member)
static const struct row_of system_rows[] = {
    {"node_coarse_metrics", {"process_open_fds", G, "Open file descriptors"}, F(process.fds), NULL},
    {"node_coarse_metrics",
     {"process_open_tcp_sockets", G, "Open TCP sockets"},
     F(sockets.used),
     NULL},
    {"node_coarse_metrics",
     {"process_resident_memory_bytes", G, "Memory used in bytes"},
     F(process.resident_bytes),
     NULL},
    {"node_coarse_metrics",
     {"disk_space_available_bytes", G, "Disk space available in bytes"},
     F(alarms.disk_free_bytes),
     NULL},
    {"node_metrics",
     {"process_max_fds", G, "Open file descriptors limit"},
     F(process.fds_max),
     NULL},
    {"node_metrics",
     {"process_max_tcp_sockets", G, "Open TCP sockets limit"},
     F(sockets.max),
     NULL},
    {"node_metrics",
     {"resident_memory_limit_bytes", G, "Memory high watermark in bytes"},
     F(alarms.memory_bytes_max),
     NULL},
    {"node_metrics",
     {"disk_space_available_limit_bytes", G, "Free disk space low watermark in bytes"},
     F(alarms.disk_free_bytes_min),
     NULL},
};
static const struct row_of process_rows[] = {
    {NULL, {"open_fds", G, "Open file descriptors"}, F(process.fds), NULL},
    {NULL, {"max_fds", G, "Open file descriptors limit"}, F(process.fds_max), NULL},
    {NULL,
     {"resident_memory_bytes", G, "Resident memory in bytes"},
     F(process.resident_bytes),
     NULL},
    {NULL, {"virtual_memory_bytes", G, "Virtual memory in bytes"}, F(process.virtual_bytes), NULL},
    {NULL, {"threads", G, "Threads"}, F(process.threads), NULL},
};
#undef F

/* ---- Sums over all vhosts and workers. */

#define AMQP      "{protocol=\"amqp091\"}"
#define T(member) offsetof(struct totals, member)
static const struct row_of total_rows[] = {
    {NULL, {"connections", G, "Connections currently open"}, T(sessions.connections), NULL},
    {NULL, {"channels", G, "Channels currently open"}, T(sessions.channels), NULL},
    {NULL, {"consumers", G, "Consumers currently connected"}, T(all.consumers), NULL},
    {NULL, {"queues", G, "Queues available"}, T(all.queues), NULL},
    {NULL, {"exchanges", G, "Exchanges available"}, T(all.exchanges), NULL},
    {"connection_churn_metrics",
     {"connections_opened_total", C, "Total number of connections opened"},
     T(sessions.opened),
     NULL},
    {"connection_churn_metrics",
     {"connections_closed_total", C, "Total number of connections closed or terminated"},
     T(sessions.closed),
     NULL},
    {"connection_churn_metrics",
     {"channels_opened_total", C, "Total number of channels opened"},
     T(sessions.channels_opened),
     NULL},
    {"connection_churn_metrics",
     {"channels_closed_total", C, "Total number of channels closed"},
     T(sessions.channels_closed),
     NULL},
    {"connection_churn_metrics",
     {"queues_declared_total", C, "Total number of queues declared"},
     T(all.counters.queues_declared),
     NULL},
    {"connection_churn_metrics",
     {"queues_created_total", C, "Total number of queues created"},
     T(all.counters.queues_created),
     NULL},
    {"connection_churn_metrics",
     {"queues_deleted_total", C, "Total number of queues deleted"},
     T(all.counters.queues_deleted),
     NULL},
    {NULL, {"global_consumers", G, "Current number of consumers"}, T(all.consumers), AMQP},
    {NULL,
     {"global_publishers", G, "Current number of publishers"},
     T(all.counters.publishers),
     AMQP},
    {NULL,
     {"global_messages_received_total", C, "Total number of messages received from publishers"},
     T(all.rates.publish),
     AMQP},
    {NULL,
     {"global_messages_received_confirm_total", C,
      "Total number of messages received from publishers expecting confirmations"},
     T(all.counters.received_confirm),
     AMQP},
    {NULL,
     {"global_messages_confirmed_total", C, "Total number of messages confirmed to publishers"},
     T(all.rates.confirm),
     AMQP},
    {NULL,
     {"global_messages_routed_total", C, "Total number of messages routed to queues"},
     T(all.counters.routed),
     AMQP},
    {NULL,
     {"global_messages_unroutable_returned_total", C,
      "Total number of messages published as mandatory and returned as unroutable"},
     T(all.rates.return_unroutable),
     AMQP},
    {NULL,
     {"global_messages_unroutable_dropped_total", C,
      "Total number of messages published as non-mandatory and dropped as unroutable"},
     T(all.rates.drop_unroutable),
     AMQP},
    {NULL,
     {"exchange_messages_confirmed_total", C,
      "Total number of messages published into an exchange and confirmed"},
     T(all.rates.confirm),
     NULL},
    {"node_persister_metrics",
     {"io_read_ops_total", C, "Total number of I/O read operations"},
     T(journal.io.reads),
     NULL},
    {"node_persister_metrics",
     {"io_read_bytes_total", C, "Total number of I/O bytes read"},
     T(journal.io.read_bytes),
     NULL},
    {"node_persister_metrics",
     {"io_write_ops_total", C, "Total number of I/O write operations"},
     T(journal.io.writes),
     NULL},
    {"node_persister_metrics",
     {"io_write_bytes_total", C, "Total number of I/O bytes written"},
     T(journal.io.write_bytes),
     NULL},
    {"node_persister_metrics",
     {"io_sync_ops_total", C, "Total number of I/O sync operations"},
     T(journal.io.syncs),
     NULL},
};
static const struct row_of own_rows[] = {
    {NULL,
     {"connections_refused_total", C,
      "Total number of connections closed before they had logged in, for others or for memory"},
     T(sessions.refused),
     NULL},
    {NULL, {"bindings", G, "Bindings available"}, T(all.bindings), NULL},
    {NULL, {"vhosts", G, "Virtual hosts"}, T(vhost_count), NULL},
    {NULL,
     {"messages_rejected_total", C, "Total number of messages rejected by consumers"},
     T(all.rates.reject),
     NULL},
    {NULL,
     {"dead_letters_dropped_total", C,
      "Total number of dead letters dropped since there would have been too many of one message"},
     T(all.counters.dead_letters_dropped),
     NULL},
    {NULL,
     {"journal_syncs_failed_total", C, "Batches whose write or sync failed and was tried again"},
     T(journal.syncs_failed),
     NULL},
    {NULL,
     {"journal_written_bytes_total", C, "Bytes written by the journals"},
     T(journal.bytes_written),
     NULL},
    {NULL,
     {"journal_blocks_written_total", C, "Message blocks written by the journals"},
     T(journal.blocks_written),
     NULL},
    {NULL,
     {"journal_pages_in_total", C, "Chunks of messages read back from disk"},
     T(journal.pages_in),
     NULL},
    {NULL,
     {"journal_pages_out_total", C, "Chunks of transient messages paged out to disk"},
     T(journal.pages_out),
     NULL},
};
static const struct row_of time_rows[] = {
    {"node_persister_metrics",
     {"io_read_time_seconds_total", C, "Total I/O read time"},
     T(journal.io.read_us),
     NULL},
    {"node_persister_metrics",
     {"io_write_time_seconds_total", C, "Total I/O write time"},
     T(journal.io.write_us),
     NULL},
    {"node_persister_metrics",
     {"io_sync_time_seconds_total", C, "Total I/O sync time"},
     T(journal.io.sync_us),
     NULL},
};
#undef T

#define LENGTH(rows) (sizeof(rows) / sizeof *(rows))

/* ---- Log-ins. */

#define ATTEMPT_FAMILIES 3u
static uint64_t attempts_value(const struct attempts_counts *counts, unsigned family)
{
    return family == 0 ? counts->all : family == 1 ? counts->all - counts->failed : counts->failed;
}

static void write_attempts(struct exposition *out, const struct admin *admin)
{
    static const struct metric metrics[ATTEMPT_FAMILIES] = {
        {"auth_attempts_total", C, "Total number of authentication attempts"},
        {"auth_attempts_succeeded_total", C, "Total number of successful authentication attempts"},
        {"auth_attempts_failed_total", C, "Total number of failed authentication attempts"},
    };
    struct attempts_counts counts[ATTEMPT_PROTOCOLS];
    for (unsigned i = 0; i < ATTEMPT_PROTOCOLS; i++)
        attempts_totals(auth_attempts(admin->options.auth), (enum attempt_protocol)i, &counts[i]);
    for (unsigned f = 0; f < ATTEMPT_FAMILIES; f++) {
        exposition_family(out, &metrics[f]);
        for (unsigned i = 0; i < ATTEMPT_PROTOCOLS; i++) {
            exposition_name(out, metrics[f].name, "");
            text_label(out, "{protocol=\"", attempts_protocol_name((enum attempt_protocol)i));
            text_add(&out->text, "\"}", 2);
            exposition_value(out, attempts_value(&counts[i], f));
        }
    }
}

static void write_attempt_sources(struct exposition *out, const struct admin *admin)
{
    static const struct metric metrics[ATTEMPT_FAMILIES] = {
        {"auth_attempts_detailed_total", C,
         "Total number of authentication attempts with source info"},
        {"auth_attempts_detailed_succeeded_total", C,
         "Total number of successful authentication attempts with source info"},
        {"auth_attempts_detailed_failed_total", C,
         "Total number of failed authentication attempts with source info"},
    };
    size_t count;
    struct attempts_source *sources = attempts_sources(auth_attempts(admin->options.auth), &count);
    for (unsigned f = 0; f < ATTEMPT_FAMILIES; f++) {
        exposition_family(out, &metrics[f]);
        for (size_t i = 0; i < count; i++) {
            exposition_name(out, metrics[f].name, "");
            text_label(out, "{remote_address=\"", sources[i].address);
            text_label(out, "\",username=\"", "");
            exposition_label(out, bytes_of(sources[i].user, sources[i].user_len));
            text_label(out, "\",protocol=\"", attempts_protocol_name(sources[i].protocol));
            text_add(&out->text, "\"}", 2);
            exposition_value(out, attempts_value(&sources[i].counts, f));
        }
    }
    free(sources);
}

/* ---- Virtual hosts. */

static void write_vhosts(struct exposition *out, struct request *r)
{
    static const struct metric metric = {"vhost_status", G, "Whether a given vhost is running"};
    const char *prefix = out->prefix;
    size_t count;
    char **names = gather_vhost_names(r->admin, &count);
    out->prefix = "rabbitmq_cluster_";
    exposition_family(out, &metric);
    for (size_t i = 0; i < count; i++) {
        char *down = node_vhost_down(r->admin->options.node, bytes_of_text(names[i]));
        exposition_name(out, metric.name, "");
        text_label(out, "{vhost=\"", names[i]);
        text_add(&out->text, "\"}", 2);
        exposition_value(out, down == NULL);
        free(down);
    }
    gather_names_free(names, count);
    out->prefix = prefix;
}

/* ---- All. */

static void write_rows(struct exposition *out, struct request *r, const struct row_of *rows,
                       size_t count, const void *values, metrics_wanted *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (wanted(r, rows[i].group))
            write_row(out, &rows[i], values);
}

static void read_node(const struct admin *admin, struct node_figures *out)
{
    process_figures(&out->process);
    node_alarms(admin->options.node, &out->alarms);
    out->sockets = admin_client_sockets(admin);
}

void metrics_node(struct exposition *out, struct request *r, const struct totals *totals,
                  metrics_wanted *wanted)
{
    struct node_figures figures;
    read_node(r->admin, &figures);
    write_rows(out, r, system_rows, LENGTH(system_rows), &figures, wanted);
    if (wanted(r, "node_metrics"))
        exposition_one_real(
            out, "erlang_uptime_seconds", G, "Node uptime",
            (double)(loop_wall_ms(r->admin->options.loop) - r->admin->started_wall_ms) / 1000.0);
    write_rows(out, r, total_rows, LENGTH(total_rows), totals, wanted);
    for (size_t i = 0; i < LENGTH(time_rows); i++)
        if (wanted(r, time_rows[i].group))
            exposition_one_real(out, time_rows[i].metric.name, C, time_rows[i].metric.help,
                                (double)*(const uint64_t *)(const void *)((const char *)totals +
                                                                          time_rows[i].offset) /
                                    1e6);
    if (wanted(r, "auth_attempt_metrics"))
        write_attempts(out, r->admin);
    if (wanted(r, "auth_attempt_detailed_metrics"))
        write_attempt_sources(out, r->admin);
    if (wanted(r, "vhost_status"))
        write_vhosts(out, r);
}

static void write_alarms(struct exposition *out, const struct node_alarms *a)
{
    exposition_one(out, "unreachable_cluster_peers_count", G,
                   "Number of peers in the cluster that this node cannot reach", 0);
    exposition_one(out, "alarms_memory_used_watermark", G,
                   "is 1 if the memory watermark alarm is in effect", a->memory);
    exposition_one(out, "alarms_free_disk_space_watermark", G,
                   "is 1 if the free disk space watermark alarm is in effect", a->disk);
    /* Near its limit of descriptors the broker closes idle connections, and takes no new ones: it
     * has no such alarm, as RabbitMQ 4 has none. */
    exposition_one(out, "alarms_file_descriptor_limit", G,
                   "is 1 if file descriptor limit alarm is in effect", 0);
}

static void write_kinds(struct exposition *out, const struct account *account)
{
    static const struct metric held = {"memory_bytes", G,
                                       "Memory that clients make the broker hold, by kind"};
    static const struct metric limit = {"memory_limit_bytes", G,
                                        "What each kind of memory may come to"};
    const struct metric *const metrics[] = {&held, &limit};
    for (unsigned m = 0; m < LENGTH(metrics); m++) {
        exposition_family(out, metrics[m]);
        for (unsigned i = 0; i < ACCOUNT_KIND_COUNT; i++) {
            enum account_kind kind = (enum account_kind)i;
            exposition_name(out, metrics[m]->name, "");
            text_label(out, "{kind=\"", account_kind_name(kind));
            text_add(&out->text, "\"}", 2);
            exposition_value(out, m == 0 ? account_bytes(account, kind)
                                         : account_limit_bytes(account, kind));
        }
    }
}

static void write_journal_and_workers(struct exposition *out, const struct totals *totals)
{
    static const struct metric commit = {"journal_commit_seconds", METRIC_SUMMARY,
                                         "Time from hand-over of a batch until it is synced"};
    static const struct metric letters = {"mailbox_letters", G,
                                          "Letters waiting in a worker's mailbox"};
    exposition_family(out, &commit);
    exposition_name(out, commit.name, "_sum");
    exposition_real(out, (double)totals->journal.commit_us_sum / 1e6);
    exposition_name(out, commit.name, "_count");
    exposition_value(out, totals->journal.batches);
    exposition_family(out, &letters);
    for (unsigned i = 0; i < totals->workers; i++) {
        exposition_name(out, letters.name, "{worker=\"");
        text_add_number(&out->text, i);
        text_add(&out->text, "\"}", 2);
        exposition_value(out, totals->mailbox_depths[i]);
    }
}

void metrics_more(struct exposition *out, const struct admin *admin, const struct totals *totals)
{
    struct node_figures figures;
    const char *prefix = out->prefix;
    read_node(admin, &figures);
    write_alarms(out, &figures.alarms);
    out->prefix = "process_";
    for (size_t i = 0; i < LENGTH(process_rows); i++)
        write_row(out, &process_rows[i], &figures);
    exposition_one_real(out, "cpu_seconds_total", C, "CPU time, user and system",
                        figures.process.cpu_seconds);
    exposition_one_real(out, "start_time_seconds", G, "Start time since the epoch",
                        (double)admin->started_wall_ms / 1000.0);
    out->prefix = "leveret_";
    for (size_t i = 0; i < LENGTH(own_rows); i++)
        write_row(out, &own_rows[i], totals);
    exposition_one(out, "vhosts_unwritable", G, "Virtual hosts whose journals cannot write",
                   figures.alarms.unwritable_vhosts);
    write_kinds(out, node_account(admin->options.node));
    write_journal_and_workers(out, totals);
    exposition_one(out, "history_bytes", G, "Memory that samples of the broker's numbers take",
                   archive_bytes(admin->archive));
    exposition_one(out, "history_series", G, "Objects of which samples are kept",
                   archive_series(admin->archive));
    out->prefix = prefix;
}

void metrics_memory(struct exposition *out, const struct admin *admin)
{
    struct memory_figures figures;
    memory_figures(admin, &figures);
    for (unsigned i = 0; i < MEMORY_PART_COUNT; i++) {
        enum memory_part part = (enum memory_part)i;
        struct text name = {0};
        text_printf(&name, "memory_%s_bytes%c", memory_part_metric(part), '\0');
        exposition_one(out, (const char *)name.at, G, memory_part_help(part), figures.parts[part]);
        text_free(&name);
    }
}
