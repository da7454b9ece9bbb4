/* One HTTP request from its arrival to its answer. Thread: the main thread.
 *
 * Rules. A handler answers exactly once, now or from a callback, with one of the functions of
 * respond.h; the request is freed by that call. The client may leave before the answer: the answer
 * is then dropped. When the admin is freed while requests wait for an owner's answer, their
 * callbacks are not called any more, and the requests are freed when that answer comes. */
#ifndef LEVERET_ADMIN_REQUEST_H
#define LEVERET_ADMIN_REQUEST_H

#include "admin/history/ranges.h"
#include "admin/http/admin_state.h"
#include "admin/http/head.h"
#include "admin/json/value.h"

/* Variable parts that the pattern of a route may have; a pattern with more fits no path. */
#define REQUEST_ARGS_MAX 6u

struct client;
struct events;
struct http_connection;
struct turn;

struct request {
    struct admin *admin;
    struct http_connection *http; /* NULL: no client waits for the answer (any more) */
    enum http_method method;
    char *path;  /* as sent, without the query */
    char *query; /* without '?'; "" when there is none */
    /* Header fields; NULL: the head had none. */
    char *authorization, *reason, *content_type, *accept, *origin, *cookie, *if_none_match;
    bool takes_gzip, by_page; /* see struct head */
    char peer[64];            /* the client's address */
    uint16_t port;            /* that the client has asked */
    bool secure;              /* true when it came over TLS */
    bool loopback;            /* true when the client is on this machine */
    bool by_control;          /* true when it came to the control socket with no user: everything is
                                 allowed */
    bool on_metrics_port;     /* true when it came to the port that serves metrics only */
    uint64_t body_bytes_max;  /* a longer body is refused; set by dispatch_begin */
    struct text body;         /* bytes as sent */
    uint64_t json_bytes;      /* what the account was told for json */
    struct value *json;       /* the body, parsed; NULL: there was none */
    const struct route *route;
    struct sample_ranges ranges; /* the samples that the query asks for: request_ranges */
    /* The variable parts of the path, in their order: decoded, with a zero behind them. */
    struct bytes args[REQUEST_ARGS_MAX];
    struct bytes raw_args[REQUEST_ARGS_MAX]; /* the same as sent */
    char user[AUTH_NAME_MAX + 1];            /* "": the broker itself asks, or nobody logged in */
    unsigned rights;                         /* of the user: enum rights */
    /* For a request that no client sent: called once with the answer's code and, for an error, its
     * reason. */
    void (*heard)(void *context, int code, const char *reason);
    void *heard_context;
    /* The handler's own data, and what frees it: request_work. */
    void *work;
    void (*free_work)(void *work);
    /* The request's link to a vhost, and what closes it; NULL: it has none. */
    struct client *client;
    void (*close_client)(struct request *request);
    /* What request_try, request_ask_sessions and request_later were given. */
    void (*ask_vhost)(struct vhost *vhost, void *argument);
    void (*ask_sessions)(struct sessions *sessions, void *argument);
    void *ask_argument;
    void (*asked)(struct request *request);
    bool asking;         /* true while a callback is sure to come: the request must not be freed */
    struct turn *turn;   /* its turn to gather rows: turns.h; NULL: it asked for none */
    struct timer *timer; /* for an answer that is due later; NULL: none is */
    struct events *events; /* its answer is a stream of events; NULL: it is not */
    struct request *next, **link;
};

/* Makes a request of the admin's, and counts it there. */
struct request *request_new(struct admin *admin);
/* Frees a request, its work, its turn and its client. For answers, and for the admin's end. */
void request_free(struct request *request);

/* A parameter of the query, decoded; NULL: there is none. The caller frees it. */
char *request_query(const struct request *request, const char *name);
/* The first parameter of that name at or behind *from, which begins as request->query, decoded;
 * *from moves behind it. NULL: there is none (any more). The caller frees it. */
char *request_query_next(const char **from, const char *name);
/* Returns true when the parameter is there with this value; it may stand there several times. */
bool request_query_has(const struct request *request, const char *name, const char *value);
/* Returns true when the parameter's value is "true". */
bool request_query_true(const struct request *request, const char *name);

/* Reads the query's ranges (lengths_age, lengths_incr …) into request->ranges. Returns false when
 * one is wrong, and has answered 400. */
bool request_ranges(struct request *request);

/* Returns true when the method may change something. */
bool request_changes(const struct request *request);

/* The vhost's name in the path: the first variable part of the routes that have one. */
struct bytes request_vhost(const struct request *request);
/* The exchange's name in the path: "amq.default" stands for the default exchange, "". */
struct bytes request_exchange(const struct request *request, unsigned arg);
/* Returns true when the name is this node's; otherwise answers 404 and returns false. */
bool request_names_node(struct request *request, struct bytes name);

/* Runs ask(vhost, argument) on the vhost's owner, then done(request) here. argument must live as
 * long as request->work. Errors: NOT_FOUND, INTERNAL_ERROR (the vhost is down): done is not
 * called. */
MUST_USE enum status request_try(struct request *request, struct bytes vhost,
                                 void (*ask)(struct vhost *vhost, void *argument), void *argument,
                                 void (*done)(struct request *request));
/* The same; when the vhost is not there or is down, answers so and returns false. */
bool request_ask(struct request *request, struct bytes vhost,
                 void (*ask)(struct vhost *vhost, void *argument), void *argument,
                 void (*done)(struct request *request));
/* Runs ask(sessions, argument) on a worker, then done(request) here. */
void request_ask_sessions(struct request *request, unsigned worker,
                          void (*ask)(struct sessions *sessions, void *argument), void *argument,
                          void (*done)(struct request *request));
/* Runs next(request) in a later turn of the loop: long work goes on in portions, and others are
 * served between them. */
void request_later(struct request *request, void (*next)(struct request *request));

/* Gives the request a new work of so many bytes, zeroed, and frees the one that it had. free_work
 * is called with it when the request is freed. */
void *request_work(struct request *request, size_t bytes, void (*free_work)(void *work));

#endif
