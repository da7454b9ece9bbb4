/* Reading the configuration again while the broker runs.
 *
 * Normal course: the log file is opened again; all sources are read as at the start; settings that
 * can change are given to the parts that use them, and one line of the log names them; another line
 * names those that need a restart. What can go wrong: an error in the configuration: no setting
 * changes, and the errors are logged. */
#include <stdlib.h>

#include "logging.h"
#include "server.h"

/* Gives each part of the broker its limits. */
static void hand_out(struct server *server)
{
    const struct settings *settings = server->settings;
    struct node_options node = {0};
    char **loopback_users = settings_loopback_users(settings);

    server_node_limits(settings, &node);
    node_set_limits(server->node, &node);
    server_directory_limits(server);
    if (server->admin)
        admin_set_metrics_login(server->admin, settings->metrics_login);
    auth_set_loopback_users(server->auth, (const char *const *)loopback_users);
    settings_free_list(&loopback_users);
    server_session_limits(settings, &server->session_options);
    for (unsigned i = 0; i < server->sessions_made; i++)
        sessions_set_limits(server->sessions[i], &server->session_options);
}

static void set_log(struct server *server)
{
    struct log_options options;
    char *path;
    logging_options(server->settings, &options, &path);
    if (log_set_options(server->log, &options) != STATUS_OK)
        log_line(server->log, LOG_ERROR, "leveretd",
                 "SIGHUP: the log cannot write to %.1000s; what it had is used on",
                 path ? path : "systemd's journal");
    free(path);
}

static void take_over(struct server *server, const struct settings *wanted)
{
    struct text live = {0}, waiting = {0};

    settings_differences(server->settings, wanted, &live, &waiting);
    settings_take_live(server->settings, wanted);
    set_log(server);
    tls_setup_reload(server);
    log_line(server->log, LOG_INFO, "leveretd",
             "SIGHUP: log reopened, configuration read again; changed: %.*s",
             BYTES_PRINT(live.len ? text_bytes(&live) : BYTES_LITERAL("nothing")));
    if (waiting.len)
        log_line(server->log, LOG_WARNING, "leveretd",
                 "SIGHUP: changed, but used at the next start only: %.*s",
                 BYTES_PRINT(text_bytes(&waiting)));
    hand_out(server);
    text_free(&live);
    text_free(&waiting);
}

/* Each finding is one line of the log. */
static void log_errors(const struct server *server, const struct report *report)
{
    log_line(server->log, LOG_ERROR, "leveretd",
             "SIGHUP: the configuration has errors and stays as it was");
    for (size_t i = 0; i < report->count; i++)
        if (report_is_error(report, &report->items[i]))
            log_line(server->log, LOG_ERROR, "leveretd", "SIGHUP: %.2000s", report->items[i].text);
}

void server_reload(struct server *server)
{
    struct settings *wanted;
    struct report report = {0};

    service_manager_reloading(server->service_manager);
    if (log_reopen(server->log) != STATUS_OK)
        log_line(server->log, LOG_ERROR, "leveretd",
                 "SIGHUP: the log file could not be opened anew; the old one stays");
    sources_read(server->sources, &wanted, &report);
    if (report_is_good(&report))
        take_over(server, wanted);
    else
        log_errors(server, &report);
    settings_free(&wanted);
    report_free(&report);
    service_manager_reloaded(server->service_manager);
}
