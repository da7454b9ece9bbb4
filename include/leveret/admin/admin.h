/* The HTTP API and metrics. Thread: the main thread. What a client asks is often known to another
 * thread, the owner of a vhost or of connections: the API asks it with node_ask_vhost or
 * sessions_ask, and answers the client when the owner has answered. */
#ifndef LEVERET_ADMIN_ADMIN_H
#define LEVERET_ADMIN_ADMIN_H

#include "leveret/auth/parameters.h"
#include "leveret/base/text.h"
#include "leveret/net/quota.h"
#include "leveret/session/session.h"

struct admin;

/* What clients may take of an HTTP server. */
struct http_limits {
    /* Connections open at once, and how many of them may come from one address, loopback included.
     * At the limit the connection that has been idle longest is closed for a new one; when none is
     * idle the new one is answered 503 and closed. */
    unsigned connections, connections_per_address;
    uint32_t idle_ms;    /* a connection that sends no request for this long is closed */
    uint32_t request_ms; /* a head that takes longer, from its first byte to its end, gets 408 */
    /* Bytes of a request's body with definitions; a longer one gets 413. Other bodies may have
     * less: enum body_class. */
    uint64_t body_bytes_max;
};

/* How long samples of the broker's numbers are kept, for the three policies of RabbitMQ: of the
 * node and of vhosts (0); of queues, exchanges, channels and connections (1); RabbitMQ has a third
 * one (2) for numbers that Leveret does not have. */
#define HISTORY_POLICIES   3u
#define HISTORY_TRACKS_MAX 4u
struct admin_history {
    /* The finest resolution first, which is 5 s; step_s 0 ends them. told_s: the age that clients
     * are told they may ask for; 0: none. */
    struct {
        uint32_t step_s, keep_s, told_s;
    } of[HISTORY_POLICIES][HISTORY_TRACKS_MAX];
    uint64_t bytes_max; /* of the samples of objects; those that changed longest ago go above it */
};
/* RabbitMQ's defaults, and 64 MiB. */
void admin_history_default(struct admin_history *out);
/* Sets a policy by the keys "minute", "hour" and "day": the seconds between samples that are kept
 * so long, rounded up to multiples of 5; 0: the key was not given. Without any the policy stays as
 * it is. */
void admin_history_set(struct admin_history *history, unsigned policy, const uint64_t seconds[3]);

/* What leveretd does for the API. */
struct admin_control {
    void *context;
    /* Closes or opens the sockets that AMQP listens on, then calls done(done_context, error) on the
     * main loop: error NULL, or a sentence that is valid during the call. */
    void (*listen)(void *context, bool on, void (*done)(void *done_context, const char *error),
                   void *done_context);
    /* Ends the broker as SIGTERM does, in a later turn of the loop. */
    void (*stop)(void *context);
};

struct admin_options {
    struct admin_history history;
    struct admin_control control;
    struct loop *loop;           /* the main thread's */
    const char *address;         /* as for listener_new: "15672", "127.0.0.1:0"; NULL: no API */
    const char *metrics_address; /* "15692"; NULL: metrics are on the API's port only */
    /* The same with HTTPS, and what it speaks; NULL: none. */
    const char *tls_address, *metrics_tls_address;
    struct tls *tls, *metrics_tls;
    /* The certificate of AMQP's listeners, for health checks; NULL: there is none. */
    struct tls *amqp_tls;
    /* Where requests of root and of this process's user are taken without a password, on a Unix
     * socket; NULL: nowhere. */
    const char *control_path;
    struct http_limits limits, metrics_limits;
    const struct quota *amqp_sockets; /* AMQP's sockets; NULL: nobody counts them */
    uint64_t message_bytes_max;       /* bytes of a message's body: see BODY_MESSAGE */
    uint64_t physical_bytes;          /* memory that the broker may use, for relative watermarks */
    struct node *node;
    struct auth *auth;
    struct log *log;
    struct sessions **sessions; /* one for each worker */
    unsigned workers;
    /* Calls each() for every key of the configuration, with texts that are valid during the call
     * and show no secret; settings is handed to it. NULL: no key is told. */
    void (*each_setting)(const void *settings,
                         void (*each)(void *context, const char *key, const char *value,
                                      const char *origin),
                         void *context);
    const void *settings;
    /* In front of every path on the API's port, "/broker"; NULL: nothing. */
    const char *path_prefix;
    const char *page_csp;   /* Content-Security-Policy of the page; NULL: the page's own */
    const char *page_dir;   /* where the page's files are read, for who works on them; NULL: they
                               are those that the program was built with */
    uint64_t login_life_ms; /* how long a log-in of the page lasts */
    const char *hsts;       /* Strict-Transport-Security of the API's answers; NULL: none is sent */
    /* Origins whose pages may use the API from a browser, NULL-ended, "*" for all; NULL: none. */
    const char *const *cors_origins;
    unsigned cors_max_age_s;  /* how long a browser may keep the answer to its question */
    const char *metrics_path; /* on the port of metrics, in place of /metrics; NULL: /metrics */
    bool metrics_per_object;  /* true: /metrics has a line for each object */
    /* true: answers tell no statistics (listing_kind.small), but for sums of queues if these are on
     */
    bool disable_stats, enable_queue_totals;
    const char *data_dir;         /* shown for the node; NULL: nothing is stored */
    bool metrics_login;           /* true: the port of metrics asks for a login, too */
    const char *rabbitmq_version; /* the version that clients are told */
    const char *leveret_version, *node_name;
    const char *product_name, *product_version; /* shown in the overview and the metrics */
    const char *cluster_name;   /* what the cluster is called until a client has named it */
    struct auth_tag *node_tags; /* shown in the overview; the admin frees them */
    size_t node_tag_count;
    struct admin_listener { /* what the broker listens on, shown in the overview */
        const char *protocol, *address;
        uint16_t port;
    } * listeners;
    size_t listener_count;
};

/* Opens the servers. Errors: MALFORMED, IO (an address is in use), with a sentence in *error, which
 * the caller frees. */
MUST_USE enum status admin_new(const struct admin_options *options, struct admin **out,
                               char **error);
/* Ends the API. Requests that wait for an owner's answer are freed when it comes, so the main loop
 * should run on for a moment; what waits when workers and loop are stopped is never freed. */
void admin_free(struct admin **admin);

/* Bytes that a file of definitions may have; leveretd refuses to import a larger one. */
#define ADMIN_IMPORT_BYTES_MAX (256u << 20)
/* The code when some entries could not be carried out, and the others were. */
#define ADMIN_IMPORT_IN_PART 202
/* Imports definitions for the broker itself. The text is taken and left empty. done is called once,
 * on the loop or before this returns: with 204, 200 or ADMIN_IMPORT_IN_PART when the definitions
 * were carried out as far as they can be (the log says what was not), with 400 or more and the
 * reason when they were refused and nothing has changed: a line for each error. */
void admin_import(struct admin *admin, struct text *json,
                  void (*done)(void *context, int code, const char *reason), void *context);
/* Whether definitions have users in them. Errors: MALFORMED (no JSON), with the reason in *error,
 * which the caller frees. */
MUST_USE enum status admin_definitions_look(struct bytes json, bool *users, char **error);

/* Changes metrics_login. */
void admin_set_metrics_login(struct admin *admin, bool login);
/* The ports that are listened on; 0: there is none. */
uint16_t admin_port(const struct admin *admin);
uint16_t admin_metrics_port(const struct admin *admin);
uint16_t admin_tls_port(const struct admin *admin);

#endif
