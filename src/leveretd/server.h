/* The running server: everything that leveretd holds. start.c makes it, stop.c frees it. Thread:
 * the main thread. */
#ifndef LEVERETD_SERVER_H
#define LEVERETD_SERVER_H

#include "descriptors.h"
#include "leveret/admin/admin.h"
#include "leveret/net/listener.h"
#include "leveret/net/quota.h"
#include "leveretd/settings/sources.h"
#include "service_manager.h"
#include "tls_setup.h"

/* How long a stop waits for clients' close-ok, in milliseconds; then their connections are cut. */
#define SHUTDOWN_TIMEOUT_MS 3000u

/* A connection that arrived before clients are served. */
struct kept {
    int fd;
    struct tls *tls; /* NULL: it speaks none */
};

struct server {
    const struct sources *sources;
    struct settings *settings;
    const struct report *report; /* what reading the sources at the start found */
    struct log *log;
    struct service_manager *service_manager; /* NULL: there is none */
    struct loop *loop;                       /* the main thread's */
    struct workers *workers;
    struct node *node;
    struct auth *auth;
    struct defaults *defaults; /* what auth's options point to */

    struct session_options session_options;
    struct sessions **sessions; /* one for each worker */
    unsigned sessions_made;
    unsigned next_session; /* the worker that gets the next connection; used by the first worker */

    /* True once clients are served; until then connections are kept (load.c). Used by the first
     * worker once it runs. */
    bool open;
    struct kept *kept;
    size_t kept_count;

    struct listener **listeners; /* they listen on the first worker's loop */
    size_t listener_count;
    /* What the API shows of listeners. It outlives them, so the names are copies. */
    struct admin_listener *listener_infos;
    char **listener_names;
    size_t listener_info_count;
    char *management_address, *prometheus_address, *control_path, *node_name;
    char *management_tls_address, *prometheus_tls_address;
    struct tls_setup tls;
    struct admin *admin;
    const char **cors_origins; /* admin_options.cors_origins; NULL: none */

    int signal_fd;
    struct watch *signal_watch;
    uint64_t files_raised_from; /* the hard limit of open files at start; 0: not raised */
    struct descriptors descriptors;
    struct quota amqp_sockets;
    struct timer *descriptors_timer;
    uint64_t full_logged_ms; /* used by the first worker */
    bool workers_running, stopping;
    bool pid_file_written;    /* true while the file of pid_file is this process's */
    struct timer *stop_timer; /* runs when the API has asked for the end */
    unsigned sessions_ending; /* number of workers that still have sessions */
};

/* Starts all parts, each after those that it depends on. On error *error is a sentence, which the
 * caller frees, and the caller must call server_free. */
MUST_USE enum status server_start(struct server *server, char **error);

/* Defined in load.c: imports the files of load_definitions, then serves clients. Errors: IO (a
 * file), MALFORMED (refused), with a sentence in *error, and a line for each thing that was wrong.
 */
MUST_USE enum status load_definitions(struct server *server, char **error);
/* Defined in load.c: *users is true when these files have users, so that no default user is made.
 * Errors: IO, MALFORMED (no JSON), with a sentence in *error. */
MUST_USE enum status load_look(const struct settings *settings, bool *users, char **error);
/* Keeps a connection that arrives before clients are served; called on the first worker. */
void load_keep(struct server *server, struct kept kept);
void load_free(struct server *server);
/* Defined in pid_file.c: the file of the key pid_file. */
void pid_file_write(struct server *server);
void pid_file_remove(struct server *server);
/* Defined in listen.c: opens the listeners. Errors: as listener_new, with a sentence in *error that
 * names the key. */
MUST_USE enum status server_start_listeners(struct server *server, char **error);
/* Defined in listen.c: gives a new connection to a worker. */
void server_accept(struct server *server, struct kept accepted);

/* Defined in listen.c: closes or opens the listeners, on the worker that they listen on; see
 * admin_control.listen. */
void server_listen(void *context, bool on, void (*done)(void *done_context, const char *error),
                   void *done_context);

/* Ends the broker in a later turn of the main loop; see admin_control.stop. */
void server_stop_soon(void *context);
/* Stops accepting, tells clients 320, and ends the main loop when they are gone. */
void server_stop(struct server *server);
/* Commits, closes and frees all. */
void server_free(struct server *server);
/* Reads the configuration again, applies the settings that can change, and opens the log file
 * again. */
void server_reload(struct server *server);

/* The memory that relative watermarks are of: the machine's, or what
 * total_memory_available_override_value says. Bytes. */
uint64_t server_memory_bytes(const struct settings *settings);
/* Fill in the limits of a part's options, at the start and when the configuration is read again. */
void server_node_limits(const struct settings *settings, struct node_options *out);
/* Gives the directory the limits of the node. */
void server_directory_limits(struct server *server);
void server_session_limits(const struct settings *settings, struct session_options *out);

/* Signals, as events of the main loop. signals_block must be called before any thread is started.
 * Errors: IO. */
MUST_USE enum status signals_block(struct server *server);
void signals_watch(struct server *server);
void signals_free(struct server *server);

#endif
