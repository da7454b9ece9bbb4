/* Stopping.
 *
 * Normal course: listeners close; every client gets 320 and has SHUTDOWN_TIMEOUT_MS to answer
 * close-ok; when no worker has sessions any more the main loop ends; journals are committed when
 * the node is freed. What can go wrong: a client does not answer: its connection is cut when the
 * time is over. A second SIGTERM changes nothing, since the stop ends in bounded time. */
#include <stdlib.h>

#include "defaults.h"
#include "server.h"

static void close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        listener_free(&server->listeners[i]);
    server->listener_count = 0;
}

/* Runs on the first worker, whose loop listens. */
static void close_listeners_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct server *server;
    memcpy(&server, letter, sizeof server);
    if (receiver)
        close_listeners(server);
}

static void sessions_gone(void *context)
{
    struct server *server = context;
    if (--server->sessions_ending == 0)
        loop_stop(server->loop);
}

void server_stop(struct server *server)
{
    if (server->stopping)
        return;
    server->stopping = true;
    service_manager_stopping(server->service_manager);
    /* Questions that the API has asked were posted before the sessions' end, so their answers come
     * back before it. */
    if (server->admin)
        admin_free(&server->admin);
    loop_post(workers_loop(server->workers, 0), close_listeners_letter, &server, sizeof server);
    server->sessions_ending = server->sessions_made;
    for (unsigned i = 0; i < server->sessions_made; i++)
        sessions_shut_down(server->sessions[i],
                           "broker forced connection closure with reason 'shutdown'",
                           SHUTDOWN_TIMEOUT_MS, sessions_gone, server);
}

static void stop_now(void *context)
{
    server_stop(context);
}

void server_stop_soon(void *context)
{
    struct server *server = context;
    if (!server->stop_timer)
        server->stop_timer = timer_new(server->loop, stop_now, server);
    timer_set(server->stop_timer, 0);
}

void server_free(struct server *server)
{
    signals_free(server);
    timer_free(&server->descriptors_timer);
    timer_free(&server->stop_timer);
    if (server->workers_running)
        workers_stop(server->workers);
    close_listeners(server);
    if (server->admin)
        admin_free(&server->admin);
    for (unsigned i = 0; i < server->sessions_made; i++)
        sessions_free(&server->sessions[i]);
    if (server->auth)
        auth_free(&server->auth);
    if (server->node)
        node_free(&server->node);
    if (server->workers)
        workers_free(&server->workers);
    if (server->loop)
        loop_free(&server->loop);
    free(server->cors_origins);
    defaults_free(&server->defaults);
    load_free(server);
    free(server->sessions);
    free(server->listeners);
    for (size_t i = 0; i < server->listener_info_count; i++)
        free(server->listener_names[i]);
    free(server->listener_names);
    free(server->listener_infos);
    tls_setup_free(&server->tls);
    free(server->management_tls_address);
    free(server->prometheus_tls_address);
    free(server->management_address);
    free(server->prometheus_address);
    free(server->control_path);
    free(server->node_name);
    pid_file_remove(server);
    service_manager_free(&server->service_manager);
    if (server->log) {
        log_line(server->log, LOG_INFO, "leveretd", "stopped");
        log_close(&server->log);
    }
}
