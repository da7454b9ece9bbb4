/* The running server: everything that leveretd holds, put together in start.c and taken apart in
 * stop.c. Thread: the main thread. */
#ifndef LEVERETD_SERVER_H
#define LEVERETD_SERVER_H

#include "descriptors.h"
#include "leveret/admin/admin.h"
#include "leveret/net/listener.h"
#include "leveret/net/quota.h"
#include "settings.h"

/* How long clients may take to say close-ok at shutdown. */
#define SHUTDOWN_TIMEOUT_MS 3000u

/* The sources of the configuration, to read them again on SIGHUP. */
struct sources {
    const char *file; /* NULL: none */
    const char *const *assignments;
    size_t assignment_count;
    char *const *environment;
};
/* Reads all sources in order; false with errors appended. *out is always made. */
bool sources_read(const struct sources *sources, struct settings **out, struct text *errors);

struct server {
    const struct sources *sources;
    struct settings *settings;
    struct log *log;
    struct loop *loop; /* the main thread's */
    struct workers *workers;
    struct node *node;
    struct auth *auth;

    struct session_options session_options;
    struct sessions **sessions; /* one for each worker */
    unsigned sessions_made;
    unsigned next_session; /* whose turn the next connection is; the first worker's */

    /* Of the first worker once it runs: true when clients are served. Until then those that connect
     * are kept. */
    bool open;
    int *kept;
    size_t kept_count;

    struct listener **listeners; /* on the first worker's loop */
    size_t listener_count;
    /* What the API says of them: it outlives them, so the names are copies. */
    struct admin_listener *listener_infos;
    char **listener_names;
    size_t listener_info_count;
    char *management_address, *prometheus_address, *node_name;
    struct admin *admin;

    int signal_fd;
    struct watch *signal_watch;
    uint64_t files_raised_from; /* the hard limit of open files at start; 0: not raised */
    struct descriptors descriptors;
    struct quota amqp_sockets;
    struct timer *descriptors_timer;
    uint64_t full_logged_ms; /* the first worker's */
    bool workers_running, stopping;
    unsigned sessions_ending; /* workers whose sessions are not gone yet */
};

/* Starts everything, in the order in which it depends on each other. On error *error (owned) is a
 * sentence, and what was started is to be taken down with server_free. */
MUST_USE enum status server_start(struct server *server, char **error);

/* load.c: imports the file of load_definitions, then serves clients. Errors: IO (the file), MALFORMED
 * (refused), with a sentence in *error. */
MUST_USE enum status load_definitions(struct server *server, char **error);
/* A connection that has come before; the first worker. */
void load_keep(struct server *server, int fd);
void load_free(struct server *server);
/* start.c: a connection that has come. */
void server_accept(struct server *server, int fd);

/* Stops accepting, tells clients 320, and ends the main loop when they are gone. */
void server_stop(struct server *server);
/* Commits, closes and frees all. */
void server_free(struct server *server);
/* Reads the configuration again and takes over what can change meanwhile; the log file is opened
 * anew. */
void server_reload(struct server *server);

/* The limits among a part's options, at the start and when they are read again. */
void server_node_limits(const struct settings *settings, struct node_options *out);
void server_session_limits(const struct settings *settings, struct session_options *out);

/* Signals, as events of the main loop. signals_block comes first, before any thread is started.
 * Errors: IO. */
MUST_USE enum status signals_block(struct server *server);
void signals_watch(struct server *server);
void signals_free(struct server *server);

#endif
