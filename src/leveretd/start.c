/* Starting: log, file limit, loops, node, users, vhosts, sessions, listeners, API.
 *
 * Normal course: each step needs those before it; after the last a line "ready" says which
 * addresses the broker listens on. What can go wrong: the data directory is locked or damaged, or
 * an address is in use: leveretd prints a sentence about it and ends with code 1, having changed
 * nothing. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "defaults.h"
#include "leveret/base/check.h"
#include "leveret/base/identity.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "leveretd/settings/compatibility.h"
#include "logging.h"
#include "machine.h"
#include "server.h"

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

static enum status explain(enum status status, const char *what, char **error)
{
    if (status != STATUS_OK && !*error && asprintf(error, "%s: %s", what, status_text(status)) < 0)
        *error = NULL;
    return status;
}

/* Each finding is one line of the log. */
static void log_report(const struct server *server)
{
    for (size_t i = 0; i < server->report->count; i++)
        log_line(server->log, LOG_WARNING, "leveretd", "%.2000s", server->report->items[i].text);
}

/* ---- Loops. */

/* Half of the cores. A vhost is served by one worker, and with more workers messages have to pass
 * between them; the other cores are left for the disk, the kernel's network and clients. */
static unsigned workers_wanted(const struct settings *settings)
{
    if (settings->workers)
        return (unsigned)settings->workers;
    unsigned half = machine_cores() / 2;
    return half < 1 ? 1 : half > WORKERS_MAX ? WORKERS_MAX : half;
}

static enum status start_loops(struct server *server, char **error)
{
    enum status status = loop_new(&server->loop);
    if (status == STATUS_OK)
        status = workers_new(workers_wanted(server->settings), &server->workers);
    return explain(status, "event loops", error);
}

/* ---- Descriptors. */

/* With fewer descriptors for connections than this, a warning is logged at start. */
#define CONNECTIONS_WANTED 20000u
/* How often the shares of descriptors are computed again, in milliseconds, because vhosts come and
 * go. */
#define DESCRIPTORS_MS 5000u

static void count_vhost(void *context, const struct vhost_entry *entry)
{
    size_t *count = context;
    (void)entry;
    ++*count;
}

static void plan_descriptors(struct server *server)
{
    const struct settings *settings = server->settings;
    size_t vhosts = 0;
    uint64_t http = 0;
    auth_each_vhost(server->auth, count_vhost, &vhosts);
    if (server->management_address || server->management_tls_address)
        http += settings->http_connections;
    if (server->prometheus_address || server->prometheus_tls_address)
        http += settings->metrics_connections;
    descriptors_plan(machine_file_limit(), vhosts, http, &server->descriptors);
    uint64_t amqp = server->descriptors.amqp;
    atomic_store(&server->amqp_sockets.max, amqp < UINT_MAX ? (unsigned)amqp : UINT_MAX);
}

static void replan_descriptors(void *context)
{
    struct server *server = context;
    plan_descriptors(server);
    timer_set(server->descriptors_timer, DESCRIPTORS_MS);
}

static enum status start_descriptors(struct server *server, char **error)
{
    const struct descriptors *d = &server->descriptors;
    char raised[80] = "";
    (void)error;
    server->management_address = settings_management_address(server->settings);
    server->prometheus_address = settings_prometheus_address(server->settings);
    server->management_tls_address = settings_management_tls_address(server->settings);
    server->prometheus_tls_address = settings_prometheus_tls_address(server->settings);
    plan_descriptors(server);
    server->descriptors_timer = timer_new(server->loop, replan_descriptors, server);
    timer_set(server->descriptors_timer, DESCRIPTORS_MS);
    if (server->files_raised_from)
        snprintf(raised, sizeof raised, " (the hard limit was %llu and has been raised)",
                 (unsigned long long)server->files_raised_from);
    bool few = d->amqp < CONNECTIONS_WANTED;
    log_line(server->log, few ? LOG_WARNING : LOG_INFO, "leveretd",
             "open files: at most %llu%s, %llu of them for the journal and %llu for HTTP, so about "
             "%llu connections fit%s",
             (unsigned long long)d->limit, raised, (unsigned long long)d->journal,
             (unsigned long long)d->http, (unsigned long long)d->amqp,
             few ? "; raise the hard limit of open files (ulimit -Hn, or LimitNOFILE= in a systemd "
                   "unit) for more"
                 : "");
    return STATUS_OK;
}

/* ---- Node and users. */

uint64_t server_memory_bytes(const struct settings *settings)
{
    return settings->memory_total ? settings->memory_total : machine_memory_bytes();
}

void server_node_limits(const struct settings *settings, struct node_options *out)
{
    uint64_t physical = server_memory_bytes(settings);
    out->memory_bytes_max = settings_memory_bytes_max(settings, physical);
    out->disk_free_bytes_min = settings_disk_free_bytes_min(settings, physical);
    out->queues_max = settings->queues_max;
    out->exchanges_max = settings->exchanges_max;
    out->limits.message_bytes_max = settings->message_bytes_max;
    out->limits.consumer_timeout_ms = settings->consumer_timeout_ms;
}

static enum status start_node(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    struct node_options options = {
        .data_dir = settings->data_dir,
        .workers = server->workers,
        .log = server->log,
        .writers = (unsigned)settings->writers,
        .name = server->node_name,
        .announce_vhost = settings->event_vhost ? settings->event_vhost : settings->default_vhost,
        .default_queue_type = (enum queue_type)settings->default_queue_type,
        .dialect =
            {
                .delivery_count = (enum dialect_count)settings->delivery_count,
                .x_death = (enum dialect_deaths)settings->x_death,
                .consumer_timeout = (enum dialect_timeout)settings->consumer_timeout_action,
            },
    };
    server_node_limits(settings, &options);
    return explain(node_new(&options, &server->node, error),
                   settings->data_dir ? settings->data_dir : "node", error);
}

/* The caller frees the array; its texts belong to the settings. */
static struct auth_tag *tags_of(const struct setting_names *names)
{
    struct auth_tag *tags = mem_need((names->count + 1) * sizeof *tags);
    for (size_t i = 0; i < names->count; i++)
        tags[i] = (struct auth_tag){names->items[i].name, names->items[i].value};
    return tags;
}

/* Stores the cluster's name and tags. The broker starts without them, so that a full disk does not
 * prevent it. */
static void identify_cluster(struct server *server)
{
    const struct setting_names *names = &server->settings->cluster_tags;
    struct auth_tag *tags = tags_of(names);
    enum status status = auth_identify_cluster(server->auth);
    if (status == STATUS_OK)
        status = auth_tag_cluster(server->auth, tags, names->count);
    if (status != STATUS_OK)
        log_line(server->log, LOG_WARNING, "leveretd",
                 "cannot store the identity and the tags of the cluster: %s", status_text(status));
    free(tags);
}

static int64_t limit_of(uint64_t setting)
{
    return setting == UINT64_MAX ? LIMIT_NONE : (int64_t)setting;
}

void server_directory_limits(struct server *server)
{
    const struct settings *settings = server->settings;
    const struct node_limits limits = {.connections = limit_of(settings->connections_max),
                                       .channels = limit_of(settings->channels_max),
                                       .vhosts = limit_of(settings->vhosts_max)};
    auth_set_node_limits(server->auth, &limits);
}

static enum status start_auth(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    const struct auth_store *store = node_auth_store(server->node);
    bool users = false;
    enum status status = STATUS_OK;
    if (!store->filled) /* a first start: later ones make no user */
        status = load_look(settings, &users, error);
    if (status != STATUS_OK)
        return status;
    char **loopback_users = settings_loopback_users(settings);
    server->tls.mechanisms = tls_setup_mechanisms(settings);
    struct auth_options options = {
        .no_default_user = users,
        .default_user = settings->default_user,
        .default_pass = settings->default_pass,
        .default_vhost = settings->default_vhost,
        .default_queue_type = queue_type_name((enum queue_type)settings->default_queue_type),
        .loopback_users = (const char *const *)loopback_users,
        .anonymous = settings->anonymous_user != NULL,
        .anonymous_user = settings->anonymous_user,
        .mechanisms = server->tls.mechanisms,
    };
    defaults_make(settings, &options, &server->defaults);
    status = auth_new(&options, store, &server->auth);
    settings_free_list(&loopback_users);
    if (status == STATUS_OK) {
        server_directory_limits(server);
        attempts_set_rate(auth_attempts(server->auth), (unsigned)settings->attempts_per_minute);
    }
    if (status == STATUS_OK)
        node_announce_changes(server->node, server->auth);
    if (status == STATUS_OK)
        identify_cluster(server);
    if (status == STATUS_OK && node_mark_filled(server->node) != STATUS_OK)
        log_line(server->log, LOG_WARNING, "leveretd",
                 "cannot write the file 'made' into %s; the next start tries again",
                 settings->data_dir);
    return explain(status,
                   "the users and permissions in node/ of the data directory are lost or cannot be "
                   "read: restore node/ from a backup",
                   error);
}

struct vhosts_to_open {
    char **names;
    size_t count;
};

static void collect_vhost(void *context, const struct vhost_entry *entry)
{
    struct vhosts_to_open *list = context;
    list->names = mem_need_array(list->names, list->count + 1, sizeof *list->names);
    list->names[list->count++] = copy(entry->name);
}

static enum status start_vhosts(struct server *server, char **error)
{
    struct vhosts_to_open list = {0};

    auth_each_vhost(server->auth, collect_vhost, &list);
    for (size_t i = 0; i < list.count; i++) {
        node_open_vhost(server->node, bytes_of_text(list.names[i]));
        node_tune_vhost(server->node, server->auth, bytes_of_text(list.names[i]));
        free(list.names[i]);
    }
    free(list.names);
    (void)error; /* a vhost that cannot be opened prevents neither the others nor the broker from
                    starting */
    return STATUS_OK;
}

/* ---- Sessions and listeners. */

void server_session_limits(const struct settings *settings, struct session_options *out)
{
    out->channel_max = (uint16_t)settings->channel_max;
    out->frame_max = (uint32_t)settings->frame_bytes_max;
    out->heartbeat_s = (uint16_t)settings->heartbeat_s;
    out->handshake_timeout_ms = (uint32_t)settings->handshake_timeout_ms;
    out->tls_timeout_ms = (uint32_t)settings->tls_timeout_ms;
    out->external = tls_setup_login(settings);
    out->message_bytes_max = settings->message_bytes_max;
    out->output_bytes_max = (uint32_t)settings->output_bytes_max;
    out->first_frame_max = (uint32_t)settings->first_frame_bytes_max;
    out->consumers_max =
        settings->consumers_max < UINT32_MAX ? (uint32_t)settings->consumers_max : 0;
}

static enum status start_sessions(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    unsigned count = workers_count(server->workers);

    server->session_options = (struct session_options){
        .node = server->node,
        .auth = server->auth,
        .log = server->log,
        .product = settings->product,
        .version = settings->version,
        .sockets = &server->amqp_sockets,
        .leveret_version = LEVERET_VERSION,
        .cluster_name = settings->cluster_name ? settings->cluster_name : server->node_name,
    };
    server_session_limits(settings, &server->session_options);
    server->sessions = mem_need(count * sizeof *server->sessions);
    for (; server->sessions_made < count; server->sessions_made++)
        server->sessions[server->sessions_made] = sessions_new(
            workers_loop(server->workers, server->sessions_made), &server->session_options);
    (void)error;
    return STATUS_OK;
}

/* ---- The API. */

static unsigned part_of(unsigned wanted, uint64_t whole, uint64_t all_wanted)
{
    uint64_t part = all_wanted > whole ? wanted * whole / all_wanted : wanted;
    return part ? (unsigned)part : 1;
}

/* Divides HTTP's descriptors between the two servers; when they are few, each has fewer connections
 * than the settings allow. */
static void share_http(const struct server *server, struct admin_options *options)
{
    options->metrics_limits.connections = (unsigned)server->settings->metrics_connections;
    options->metrics_limits.connections_per_address =
        (unsigned)server->settings->metrics_connections_per_address;
    uint64_t whole = server->descriptors.http;
    unsigned api = options->limits.connections, metrics = options->metrics_limits.connections;
    uint64_t wanted = (server->management_address ? api : 0) +
                      (uint64_t)(server->prometheus_address ? metrics : 0);
    options->limits.connections = part_of(api, whole, wanted);
    options->metrics_limits.connections = part_of(metrics, whole, wanted);
}

static void each_setting(const void *settings,
                         void (*each)(void *context, const char *key, const char *value,
                                      const char *origin),
                         void *context)
{
    settings_each(settings, each, context);
}

/* The list belongs to the server; its texts belong to the settings. NULL: there are none. */
static const char *const *cors_origins(struct server *server)
{
    const struct settings *settings = server->settings;
    const struct setting_names *names = &settings->cors_origins;
    size_t count = 0;
    if (!names->count && !settings->cors_origin)
        return NULL;
    server->cors_origins = mem_need((names->count + 2) * sizeof *server->cors_origins);
    if (settings->cors_origin)
        server->cors_origins[count++] = settings->cors_origin;
    for (size_t i = 0; i < names->count; i++)
        server->cors_origins[count++] = names->items[i].value;
    return server->cors_origins;
}

/* NULL: there is no control socket. */
static char *control_path(const struct settings *settings)
{
    const char *name = settings->control_socket;
    char *path;
    if (!name || (name[0] != '/' && !settings->data_dir))
        return NULL;
    if (name[0] == '/')
        return copy(name);
    return asprintf(&path, "%s/%s", settings->data_dir, name) < 0 ? NULL : path;
}

/* NULL: nothing stands in front of paths. */
static const char *path_prefix(const struct settings *settings)
{
    const char *prefix = settings->path_prefix;
    return prefix && strcmp(prefix, "/") != 0 ? prefix : NULL;
}

static enum status start_admin(struct server *server, char **error)
{
    const struct settings *settings = server->settings;
    server->control_path = control_path(settings);
    if (!server->management_address && !server->prometheus_address && !server->control_path &&
        !server->management_tls_address && !server->prometheus_tls_address &&
        !settings->load_definitions)
        return STATUS_OK;
    struct admin_options options = {
        .control = {server, server_listen, server_stop_soon},
        .loop = server->loop,
        .address = server->management_address,
        .metrics_address = server->prometheus_address,
        .tls_address = server->tls.tls[TLS_FOR_API] ? server->management_tls_address : NULL,
        .metrics_tls_address =
            server->tls.tls[TLS_FOR_METRICS] ? server->prometheus_tls_address : NULL,
        .tls = server->tls.tls[TLS_FOR_API],
        .metrics_tls = server->tls.tls[TLS_FOR_METRICS],
        .amqp_tls = server->tls.tls[TLS_FOR_AMQP],
        .control_path = server->control_path,
        .limits = {.connections = (unsigned)settings->http_connections,
                   .connections_per_address = (unsigned)settings->http_connections_per_address,
                   .idle_ms = (uint32_t)settings->http_idle_ms,
                   .request_ms = (uint32_t)settings->http_request_ms,
                   .body_bytes_max = settings->http_body_bytes_max},
        .message_bytes_max = settings->message_bytes_max,
        .physical_bytes = server_memory_bytes(settings),
        .node = server->node,
        .auth = server->auth,
        .log = server->log,
        .sessions = server->sessions,
        .workers = server->sessions_made,
        .each_setting = each_setting,
        .path_prefix = path_prefix(settings),
        .page_csp = settings->page_csp,
        .page_dir = settings->page_dir,
        .login_life_ms = settings->login_life_min * 60000,
        .hsts = settings->hsts,
        .cors_origins = cors_origins(server),
        .cors_max_age_s = (unsigned)settings->cors_max_age_s,
        .metrics_path = settings->metrics_path,
        .metrics_per_object = settings->metrics_per_object,
        .metrics_login = settings->metrics_login,
        .disable_stats = settings->disable_stats,
        .enable_queue_totals = settings->enable_queue_totals,
        .data_dir = settings->data_dir,
        .settings = settings,
        .rabbitmq_version = compatibility_version(settings),
        .leveret_version = LEVERET_VERSION,
        .product_name = settings->product_name ? settings->product_name : PRODUCT_NAME,
        .product_version = settings->product_version ? settings->product_version : LEVERET_VERSION,
        .cluster_name = server->session_options.cluster_name,
        .node_name = server->node_name,
        .node_tags = tags_of(&settings->node_tags),
        .node_tag_count = settings->node_tags.count,
        .listeners = server->listener_infos,
        .listener_count = server->listener_info_count,
    };
    admin_history_default(&options.history);
    admin_history_set(&options.history, 0, settings->history_global_s);
    admin_history_set(&options.history, 1, settings->history_basic_s);
    options.history.bytes_max = settings->history_bytes_max;
    options.metrics_limits = options.limits;
    options.amqp_sockets = &server->amqp_sockets;
    share_http(server, &options);
    enum status status = admin_new(&options, &server->admin, error);
    return explain(status, "management.tcp.port or prometheus.tcp.port", error);
}

static enum status start_workers(struct server *server, char **error)
{
    enum status status = workers_start(server->workers);
    server->workers_running = status == STATUS_OK;
    return explain(status, "worker threads", error);
}

/* ---- The whole start. */

/* Lines of motd_file that are logged. */
#define MOTD_LINES_MAX 20u

/* The banner that motd_file names, in the log: operators see it at each start. */
static void log_motd(const struct server *server)
{
    char line[512];
    const char *path = server->settings->motd_file;
    FILE *file = path ? fopen(path, "re") : NULL;
    if (path && !file)
        log_line(server->log, LOG_WARNING, "leveretd", "motd_file: cannot read %.1000s: %s", path,
                 strerrordesc_np(errno));
    for (unsigned i = 0; file && i < MOTD_LINES_MAX && fgets(line, sizeof line, file); i++) {
        line[strcspn(line, "\r\n")] = '\0';
        log_line(server->log, LOG_INFO, "leveretd", "%.500s", line);
    }
    if (file)
        fclose(file);
}

/* Says where clients are served, in the log and to the service manager. */
static void tell_ready(struct server *server)
{
    struct text where = {0};
    uint16_t api = server->admin ? admin_port(server->admin) : 0;
    uint16_t tls = server->admin ? admin_tls_port(server->admin) : 0;
    uint16_t metrics = server->admin ? admin_metrics_port(server->admin) : 0;

    for (size_t i = 0; i < server->listener_count; i++)
        text_printf(&where, "%s%s", i ? ", " : "AMQP on ", listener_name(server->listeners[i]));
    if (!server->listener_count)
        text_printf(&where, "no AMQP");
    if (api)
        text_printf(&where, "; HTTP API on port %u", api);
    if (tls)
        text_printf(&where, "; HTTPS API on port %u", tls);
    if (metrics)
        text_printf(&where, "; metrics on port %u", metrics);
    text_add(&where, "", 1);
    log_line(server->log, LOG_INFO, "leveretd", "ready: %.2000s; %u worker%s; data in %.1000s",
             (const char *)where.at, server->sessions_made, server->sessions_made == 1 ? "" : "s",
             server->settings->data_dir ? server->settings->data_dir : "memory only");
    service_manager_ready(server->service_manager, server->loop, (const char *)where.at);
    text_free(&where);
}

static char *make_node_name(void)
{
    char host[256] = "localhost", *name;
    if (gethostname(host, sizeof host - 1) != 0)
        snprintf(host, sizeof host, "localhost");
    host[strcspn(host, ".")] = '\0';
    if (asprintf(&name, "leveret@%s", host) < 0)
        name = copy("leveret@localhost");
    return name;
}

static void choose_map_secret(void)
{
    uint8_t secret[MAP_SECRET_BYTES];
    random_bytes(secret, sizeof secret);
    map_set_secret(secret);
}

static enum status start_log(struct server *server, char **error)
{
    struct log_options options;
    char *path;
    logging_options(server->settings, &options, &path);
    enum status status = log_new(&options, &server->log);
    if (status != STATUS_OK)
        explain(status,
                options.journald.on ? "log.file or log.journald"
                : path              ? path
                                    : "log",
                error);
    free(path);
    return status;
}

enum status server_start(struct server *server, char **error)
{
    static enum status (*const steps[])(struct server * server, char **error) = {
        start_loops,       start_node,      start_auth,       start_vhosts,
        start_descriptors, tls_setup_start, start_sessions,   server_start_listeners,
        start_admin,       start_workers,   load_definitions,
    };
    const struct settings *settings = server->settings;

    *error = NULL;
    choose_map_secret();
    /* First, so that no signal ends a broker that starts. */
    enum status status = explain(signals_block(server), "signals", error);
    if (status == STATUS_OK)
        status = start_log(server, error);
    if (status != STATUS_OK)
        return status;
    log_line(server->log, LOG_INFO, "leveretd", "%s %s starting, process %d", PRODUCT_NAME,
             LEVERET_VERSION, (int)getpid());
    log_report(server);
    log_motd(server);
    (void)machine_raise_file_limit(&server->files_raised_from);
    server->node_name = settings->node_name ? copy(settings->node_name) : make_node_name();
    server->service_manager = service_manager_new();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](server, error);
    if (status != STATUS_OK)
        return status;
    node_watch(server->node, server->auth, server->loop);
    signals_watch(server);
    pid_file_write(server);
    tell_ready(server);
    return STATUS_OK;
}
