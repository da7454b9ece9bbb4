/* Part of admin: what the requests of one API share. For src/admin only. Thread: the main thread.
 */
#ifndef LEVERET_ADMIN_ADMIN_STATE_H
#define LEVERET_ADMIN_ADMIN_STATE_H

#include "leveret/admin/admin.h"

struct http_server;
struct parsing;
struct request;
struct route;
struct archive;
struct events;
struct move_tasks;
struct sampler;
struct tickets;
struct turns;

struct admin {
    struct admin_options options;            /* what its pointers point to outlives the admin */
    const struct route *const *route_tables; /* see routes_find */
    struct http_server *server, *metrics_server, *control_server;
    struct http_server *tls_server, *metrics_tls_server; /* HTTPS; each of the five may be NULL */
    struct archive *archive;  /* samples of all objects, for rates and history */
    struct sampler *sampler;  /* brings them */
    struct move_tasks *moves; /* tasks that move messages */
    struct turns *turns;
    struct tickets *tickets;  /* of those who have logged in by the page */
    struct request *requests; /* the first of those that are not answered yet */
    size_t request_count;     /* how many those are */
    struct parsing *parsing;  /* the first of the large bodies that are being parsed: body.c */
    unsigned refs;            /* see admin_ref */
    bool closed;              /* true once admin_free was called: nothing is answered any more */
    struct account *account;  /* the node's */
    struct events *events;    /* the first of the streams that have not ended: events.h */
    uint64_t started_wall_ms;
};

/* Counts a user of struct admin, which is freed when the last one is gone. Each request is a user,
 * each count of totals, and the caller of admin_new until admin_free. */
void admin_ref(struct admin *admin);
void admin_unref(struct admin *admin);

/* How many sockets of AMQP and HTTP clients are open, and how many may be. */
struct client_sockets {
    uint64_t used, max;
};
struct client_sockets admin_client_sockets(const struct admin *admin);

/* The cluster's name: what somebody called it, or else what the options say. Valid until the
 * directory of users (auth) changes. */
const char *admin_cluster_name(const struct admin *admin);

#endif
