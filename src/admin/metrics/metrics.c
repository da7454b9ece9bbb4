/* Metrics in Prometheus's text format (0.0.4): sums on /metrics, single objects on
 * /metrics/per-object and /metrics/detailed.
 *
 * Most families are rows of a table: name, type, help, and where the value is. What RabbitMQ has
 * has RabbitMQ's name; the names of all else begin with leveret_. What is not counted is left out,
 * not told as 0. */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "admin/metrics/metrics.h"
#include "admin/metrics/process.h"
#include "admin/metrics/totals.h"
#include "leveret/base/identity.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* ---- Lines. */

void metrics_label(struct text *out, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.at[i];
        if (c == '\n')
            text_add(out, "\\n", 2);
        else if (c == '"' || c == '\\')
            text_printf(out, "\\%c", c);
        else
            text_add(out, &value.at[i], 1);
    }
}

void metrics_family(struct text *out, const char *prefix, const char *name, const char *type,
                    const char *help)
{
    text_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", prefix, name, help, prefix, name, type);
}

static void single(struct text *out, const char *name, const char *type, const char *help,
                   const char *labels, uint64_t value)
{
    metrics_family(out, "", name, type, help);
    text_printf(out, "%s%s %" PRIu64 "\n", name, labels, value);
}

static void single_real(struct text *out, const char *name, const char *type, const char *help,
                        double value)
{
    metrics_family(out, "", name, type, help);
    text_printf(out, "%s %.6f\n", name, value);
}

/* ---- Families of the sums. */

#define AMQP "{protocol=\"amqp091\"}"

static const struct {
    const char *name, *type, *help, *labels;
    size_t offset; /* of the value, in struct totals */
} families[] = {
#define OF(member) offsetof(struct totals, member)
    {"rabbitmq_connections", "gauge", "Connections currently open", "", OF(sessions.connections)},
    {"rabbitmq_channels", "gauge", "Channels currently open", "", OF(sessions.channels)},
    {"rabbitmq_consumers", "gauge", "Consumers currently connected", "", OF(all.consumers)},
    {"rabbitmq_queues", "gauge", "Queues available", "", OF(all.queues)},
    {"rabbitmq_exchanges", "gauge", "Exchanges available", "", OF(all.exchanges)},
    {"rabbitmq_connections_opened_total", "counter", "Total number of connections opened", "",
     OF(sessions.opened)},
    {"rabbitmq_connections_closed_total", "counter",
     "Total number of connections closed or terminated", "", OF(sessions.closed)},
    {"leveret_connections_refused_total", "counter",
     "Total number of connections closed before they had logged in, for others or for memory", "",
     OF(sessions.refused)},
    {"rabbitmq_channels_opened_total", "counter", "Total number of channels opened", "",
     OF(sessions.channels_opened)},
    {"rabbitmq_channels_closed_total", "counter", "Total number of channels closed", "",
     OF(sessions.channels_closed)},
    {"rabbitmq_global_consumers", "gauge", "Current number of consumers", AMQP, OF(all.consumers)},
    {"rabbitmq_global_messages_received_total", "counter",
     "Total number of messages received from publishers", AMQP, OF(all.rates.publish)},
    {"rabbitmq_global_messages_confirmed_total", "counter",
     "Total number of messages confirmed to publishers", AMQP, OF(all.rates.confirm)},
    {"rabbitmq_global_messages_unroutable_returned_total", "counter",
     "Total number of messages published as mandatory and returned as unroutable", AMQP,
     OF(all.rates.return_unroutable)},
    {"rabbitmq_global_messages_received_confirm_total", "counter",
     "Total number of messages received from publishers expecting confirmations", AMQP,
     OF(all.counters.received_confirm)},
    {"rabbitmq_global_messages_routed_total", "counter",
     "Total number of messages routed to queues", AMQP, OF(all.counters.routed)},
    {"rabbitmq_global_messages_unroutable_dropped_total", "counter",
     "Total number of messages published as non-mandatory and dropped as unroutable", AMQP,
     OF(all.rates.drop_unroutable)},
    {"rabbitmq_global_publishers", "gauge", "Current number of publishers", AMQP,
     OF(all.counters.publishers)},
    {"rabbitmq_queues_declared_total", "counter", "Total number of queues declared", "",
     OF(all.counters.queues_declared)},
    {"rabbitmq_queues_created_total", "counter", "Total number of queues created", "",
     OF(all.counters.queues_created)},
    {"rabbitmq_queues_deleted_total", "counter", "Total number of queues deleted", "",
     OF(all.counters.queues_deleted)},
    {"leveret_bindings", "gauge", "Bindings available", "", OF(all.bindings)},
    {"leveret_vhosts", "gauge", "Virtual hosts", "", OF(vhost_count)},
    {"leveret_messages_rejected_total", "counter", "Total number of messages rejected by consumers",
     "", OF(all.rates.reject)},
    {"leveret_dead_letters_dropped_total", "counter",
     "Total number of dead letters dropped since there would have been too many of one message", "",
     OF(all.counters.dead_letters_dropped)},
    {"leveret_journal_syncs_failed_total", "counter",
     "Batches whose write or sync failed and was tried again", "", OF(journal.syncs_failed)},
    {"leveret_journal_written_bytes_total", "counter", "Bytes written by the journals", "",
     OF(journal.bytes_written)},
    {"leveret_journal_blocks_written_total", "counter", "Message blocks written by the journals",
     "", OF(journal.blocks_written)},
    {"leveret_journal_pages_in_total", "counter", "Chunks of messages read back from disk", "",
     OF(journal.pages_in)},
    {"leveret_journal_pages_out_total", "counter", "Chunks of transient messages paged out to disk",
     "", OF(journal.pages_out)},
    {"rabbitmq_io_read_ops_total", "counter", "Total number of I/O read operations", "",
     OF(journal.io.reads)},
    {"rabbitmq_io_read_bytes_total", "counter", "Total number of I/O bytes read", "",
     OF(journal.io.read_bytes)},
    {"rabbitmq_io_write_ops_total", "counter", "Total number of I/O write operations", "",
     OF(journal.io.writes)},
    {"rabbitmq_io_write_bytes_total", "counter", "Total number of I/O bytes written", "",
     OF(journal.io.write_bytes)},
    {"rabbitmq_io_sync_ops_total", "counter", "Total number of I/O sync operations", "",
     OF(journal.io.syncs)},
#undef OF
};

static void write_families(struct text *out, const struct totals *totals)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        single(out, families[i].name, families[i].type, families[i].help, families[i].labels,
               *(const uint64_t *)(const void *)((const char *)totals + families[i].offset));
}

static void write_io_times(struct text *out, const struct journal_io *io)
{
    single_real(out, "rabbitmq_io_read_time_seconds_total", "counter", "Total I/O read time",
                (double)io->read_us / 1e6);
    single_real(out, "rabbitmq_io_write_time_seconds_total", "counter", "Total I/O write time",
                (double)io->write_us / 1e6);
    single_real(out, "rabbitmq_io_sync_time_seconds_total", "counter", "Total I/O sync time",
                (double)io->sync_us / 1e6);
}

static void write_history(struct text *out, const struct admin *admin)
{
    single(out, "leveret_history_bytes", "gauge",
           "Memory that samples of the broker's numbers take", "", archive_bytes(admin->archive));
    single(out, "leveret_history_series", "gauge", "Objects of which samples are kept", "",
           archive_series(admin->archive));
}

static void write_journal_and_workers(struct text *out, const struct totals *totals)
{
    write_io_times(out, &totals->journal.io);
    const char *name = "leveret_journal_commit_seconds";
    metrics_family(out, "", name, "summary", "Time from hand-over of a batch until it is synced");
    text_printf(out, "%s_sum %.6f\n%s_count %" PRIu64 "\n", name,
                (double)totals->journal.commit_us_sum / 1e6, name, totals->journal.batches);
    name = "leveret_mailbox_letters";
    metrics_family(out, "", name, "gauge", "Letters waiting in a worker's mailbox");
    for (unsigned i = 0; i < totals->workers; i++)
        text_printf(out, "%s{worker=\"%u\"} %zu\n", name, i, totals->mailbox_depths[i]);
}

/* ---- The node. */

static void write_identity(struct text *out, const struct admin *admin, const char *endpoint)
{
    const struct admin_options *o = &admin->options;
    const char *identity = auth_parameter_text(o->auth, PARAMETER_CLUSTER_ID);
    metrics_family(out, "", "rabbitmq_build_info", "gauge", "Versions");
    text_printf(out, "rabbitmq_build_info{rabbitmq_version=\"%s\",product_name=\"",
                o->rabbitmq_version);
    metrics_label(out, bytes_of_text(o->product_name));
    text_printf(out, "\",product_version=\"");
    metrics_label(out, bytes_of_text(o->product_version));
    text_printf(out, "\"} 1\n");
    metrics_family(out, "", "rabbitmq_identity_info", "gauge", "Node and cluster identity");
    text_printf(out, "rabbitmq_identity_info{rabbitmq_node=\"");
    metrics_label(out, bytes_of_text(o->node_name));
    text_printf(out, "\",rabbitmq_cluster=\"");
    metrics_label(out, bytes_of_text(admin_cluster_name(admin)));
    text_printf(out, "\",rabbitmq_cluster_permanent_id=\"");
    metrics_label(out, bytes_of_text(identity ? identity : ""));
    text_printf(out, "\",rabbitmq_endpoint=\"%s\"} 1\n", endpoint);
}

static void write_alarms(struct text *out, const struct node_alarms *a)
{
    single(out, "rabbitmq_unreachable_cluster_peers_count", "gauge",
           "Number of peers in the cluster that this node cannot reach", "", 0);
    single(out, "rabbitmq_alarms_memory_used_watermark", "gauge",
           "is 1 if the memory watermark alarm is in effect", "", a->memory);
    single(out, "rabbitmq_alarms_free_disk_space_watermark", "gauge",
           "is 1 if the free disk space watermark alarm is in effect", "", a->disk);
    single(out, "leveret_vhosts_unwritable", "gauge", "Virtual hosts whose journals cannot write",
           "", a->unwritable_vhosts);
    single(out, "rabbitmq_resident_memory_limit_bytes", "gauge", "Memory high watermark in bytes",
           "", a->memory_bytes_max);
    single(out, "rabbitmq_disk_space_available_bytes", "gauge", "Disk space available in bytes", "",
           a->disk_free_bytes);
    single(out, "rabbitmq_disk_space_available_limit_bytes", "gauge",
           "Free disk space low watermark in bytes", "", a->disk_free_bytes_min);
}

static void write_memory(struct text *out, const struct account *account)
{
    const char *name = "leveret_memory_bytes";
    metrics_family(out, "", name, "gauge", "Memory that clients make the broker hold, by kind");
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++)
        text_printf(out, "%s{kind=\"%s\"} %" PRIu64 "\n", name,
                    account_kind_name((enum account_kind)kind),
                    account_bytes(account, (enum account_kind)kind));
    name = "leveret_memory_limit_bytes";
    metrics_family(out, "", name, "gauge", "What each kind of memory may come to");
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++)
        text_printf(out, "%s{kind=\"%s\"} %" PRIu64 "\n", name,
                    account_kind_name((enum account_kind)kind),
                    account_limit_bytes(account, (enum account_kind)kind));
}

static void write_process(struct text *out, const struct admin *admin)
{
    struct process_figures p;
    process_figures(&p);
    const struct client_sockets sockets = admin_client_sockets(admin);
    single(out, "rabbitmq_process_open_fds", "gauge", "Open file descriptors", "", p.fds);
    single(out, "rabbitmq_process_max_fds", "gauge", "Open file descriptors limit", "", p.fds_max);
    single(out, "rabbitmq_process_open_tcp_sockets", "gauge", "Open sockets", "", sockets.used);
    single(out, "rabbitmq_process_max_tcp_sockets", "gauge", "Open sockets limit", "", sockets.max);
    single(out, "rabbitmq_process_resident_memory_bytes", "gauge", "Memory used in bytes", "",
           p.resident_bytes);
    single(out, "process_open_fds", "gauge", "Open file descriptors", "", p.fds);
    single(out, "process_max_fds", "gauge", "Open file descriptors limit", "", p.fds_max);
    single(out, "process_resident_memory_bytes", "gauge", "Resident memory in bytes", "",
           p.resident_bytes);
    single(out, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes", "",
           p.virtual_bytes);
    single(out, "process_threads", "gauge", "Threads", "", p.threads);
    single_real(out, "process_cpu_seconds_total", "counter", "CPU time, user and system",
                p.cpu_seconds);
    single_real(out, "process_start_time_seconds", "gauge", "Start time since the epoch",
                (double)admin->started_wall_ms / 1000.0);
}

static void write_attempts(struct text *out, const struct admin *admin)
{
    struct attempts_counts counts[ATTEMPT_PROTOCOLS];
    static const struct {
        const char *name, *help;
    } of[] = {
        {"rabbitmq_auth_attempts_total", "Total number of authentication attempts"},
        {"rabbitmq_auth_attempts_failed_total", "Total number of failed authentication attempts"},
        {"rabbitmq_auth_attempts_succeeded_total",
         "Total number of successful authentication attempts"},
    };
    for (unsigned i = 0; i < ATTEMPT_PROTOCOLS; i++)
        attempts_totals(auth_attempts(admin->options.auth), (enum attempt_protocol)i, &counts[i]);
    for (unsigned f = 0; f < sizeof of / sizeof *of; f++) {
        metrics_family(out, "", of[f].name, "counter", of[f].help);
        for (unsigned i = 0; i < ATTEMPT_PROTOCOLS; i++) {
            uint64_t failed = counts[i].failed, all = counts[i].all;
            text_printf(out, "%s{protocol=\"%s\"} %" PRIu64 "\n", of[f].name,
                        attempts_protocol_name((enum attempt_protocol)i),
                        f == 0   ? all
                        : f == 1 ? failed
                                 : all - failed);
        }
    }
}

static void write_node(struct text *out, struct request *r, const char *endpoint)
{
    struct node_alarms alarms;
    node_alarms(r->admin->options.node, &alarms);
    write_identity(out, r->admin, endpoint);
    write_alarms(out, &alarms);
    write_memory(out, node_account(r->admin->options.node));
    write_process(out, r->admin);
    write_attempts(out, r->admin);
    write_history(out, r->admin);
}

/* ---- Answers. */

static void write_depths(struct text *out, const struct vhost_totals *all)
{
    single(out, "rabbitmq_queue_messages_ready", "gauge",
           "Messages ready to be delivered to consumers", "", all->messages_ready);
    single(out, "rabbitmq_queue_messages_unacked", "gauge",
           "Messages delivered to consumers but not yet acknowledged", "",
           all->messages_unacknowledged);
    single(out, "rabbitmq_queue_messages", "gauge",
           "Sum of ready and unacknowledged messages - total queue depth", "",
           all->messages_ready + all->messages_unacknowledged);
    single(out, "rabbitmq_queue_disk_reads_total", "counter",
           "Total number of times queues read messages from disk", "", all->disk_reads);
    single(out, "rabbitmq_queue_disk_writes_total", "counter",
           "Total number of times queues wrote messages to disk", "", all->disk_writes);
}

/* Sums over all exchanges. On the other paths metrics_objects writes a line for each exchange. */
static void write_exchanges(struct text *out, const struct rates *rates)
{
    single(out, "rabbitmq_exchange_messages_published_total", "counter",
           "Total number of messages published into an exchange", "", rates->publish);
    single(out, "rabbitmq_exchange_messages_confirmed_total", "counter",
           "Total number of messages published into an exchange and confirmed", "", rates->confirm);
    single(out, "rabbitmq_exchange_messages_unroutable_returned_total", "counter",
           "Total number of messages published as mandatory and returned as unroutable", "",
           rates->return_unroutable);
    single(out, "rabbitmq_exchange_messages_unroutable_dropped_total", "counter",
           "Total number of messages published as non-mandatory and dropped as unroutable", "",
           rates->drop_unroutable);
}

static void counted(struct request *r, const struct totals *totals)
{
    struct text out = {0};
    write_families(&out, totals);
    metrics_counters(&out, totals);
    write_depths(&out, &totals->all);
    write_exchanges(&out, &totals->all.rates);
    write_journal_and_workers(&out, totals);
    write_node(&out, r, "aggregated");
    respond_text(r, 200, CONTENT_TYPE, &out);
}

static void counted_per_object(struct request *r, const struct totals *totals)
{
    struct text out = {0};
    write_families(&out, totals);
    metrics_counters(&out, totals);
    write_journal_and_workers(&out, totals);
    write_node(&out, r, "per-object");
    metrics_objects(r, &out, "rabbitmq_", CONTENT_TYPE);
}

static void get_per_object(struct request *r)
{
    totals_for(r, counted_per_object);
}

static void get_sums(struct request *r)
{
    if (r->admin->options.metrics_per_object) {
        get_per_object(r);
        return;
    }
    totals_for(r, counted);
}

static void get_detailed(struct request *r)
{
    struct text out = {0};
    write_identity(&out, r->admin, "detailed");
    metrics_objects(r, &out, "rabbitmq_detailed_", CONTENT_TYPE);
}

/* ---- Routes. */

const struct route metrics_routes[] = {
    {METHOD_GET, "/metrics", get_sums, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/metrics/per-object", get_per_object, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/metrics/detailed", get_detailed, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
