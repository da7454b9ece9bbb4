/* The HTTP API and metrics, on the main thread's loop. What it tells comes from the owners: it asks
 * workers and vhosts with node_ask_vhost and sessions_ask and answers when they have. */
#ifndef LEVERET_ADMIN_ADMIN_H
#define LEVERET_ADMIN_ADMIN_H

#include "leveret/auth/parameters.h"
#include "leveret/base/text.h"
#include "leveret/net/quota.h"
#include "leveret/session/session.h"

struct admin;

/* What strangers may take of an HTTP server. */
struct http_limits {
    unsigned connections; /* open at once; an idle one makes room for the next, else 503 */
    unsigned connections_per_address; /* of these from one address, loopback included */
    uint32_t idle_ms;                 /* a connection without a request ends after this time */
    uint32_t request_ms;              /* from a request's first byte to the end of its head */
    uint64_t body_bytes_max; /* of a request with definitions; others have less (route.h) */
};

struct admin_options {
    struct loop *loop;           /* the main thread's */
    const char *address;         /* as listener_new: "15672", "127.0.0.1:0"; NULL: no API */
    const char *metrics_address; /* "15692"; NULL: only on the API's port */
    struct http_limits limits, metrics_limits;
    const struct quota *amqp_sockets; /* NULL: not known */
    uint64_t message_bytes_max;       /* of a message: bounds the bodies of requests that publish */
    uint64_t physical_bytes;          /* memory that the broker may use, for relative watermarks */
    struct node *node;
    struct auth *auth;
    struct log *log;
    struct sessions **sessions; /* one for each worker */
    unsigned workers;
    const char *rabbitmq_version; /* of the dialect */
    const char *leveret_version, *node_name;
    const char *cluster_name;   /* until somebody names the cluster: auth_cluster_name */
    struct auth_tag *node_tags; /* node_tag_count of them; shown. Taken over */
    size_t node_tag_count;
    struct admin_listener { /* what the broker listens on, for overview and nodes */
        const char *protocol, *address;
        uint16_t port;
    } * listeners;
    size_t listener_count;
};

/* Errors: MALFORMED, IO (address in use), with a sentence in *error (free it). */
MUST_USE enum status admin_new(const struct admin_options *options, struct admin **out,
                               char **error);
/* Ends the API. Best while the main loop still runs for a moment: what was asked comes back then
 * and frees the rest. With workers and loop stopped, what is under way is not freed. */
void admin_free(struct admin **admin);

/* Imports definitions as if they came to the API from nobody in particular; takes the text's bytes.
 * done() is called once, on the loop or before this returns: code 204 or 200 when the definitions
 * were carried out as far as they can be (what was not is logged), 400 and above, with the reason,
 * when they were refused and nothing has changed. */
#define ADMIN_IMPORT_BYTES_MAX (256u << 20)
void admin_import(struct admin *admin, struct text *json,
                  void (*done)(void *context, int code, const char *reason), void *context);

/* The ports listened on; 0: none. */
uint16_t admin_port(const struct admin *admin);
uint16_t admin_metrics_port(const struct admin *admin);

#endif
