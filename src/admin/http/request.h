/* One HTTP request from its arrival to its answer, and the admin that serves it. For this folder
 * only. Thread: main.
 *
 * Rules. A handler answers exactly once, now or from a callback, with a reply_ function; the
 * request is gone after that call. The client may leave meanwhile: the answer then goes nowhere.
 * When the admin is freed with requests under way, their callbacks do not run any more and the
 * requests are freed by whoever holds them. */
#ifndef LEVERET_ADMIN_REQUEST_H
#define LEVERET_ADMIN_REQUEST_H

#include "admin/json/answer.h"
#include "admin/json/value.h"
#include "leveret/admin/admin.h"
#include "leveret/base/map.h"
#include "leveret/base/text.h"

#define REQUEST_ARGS_MAX 6u
#define SAMPLE_PERIOD_MS 5000u

struct http_connection;
struct http_server;
struct samples;
struct client;
struct route;
struct totals;
struct parsing;
struct turn;
struct turns;

struct admin {
    struct admin_options options; /* pointers are the caller's, who outlives us */
    struct http_server *server, *metrics_server;
    struct samples *samples;
    struct turns *turns;
    struct timer *sampler;
    struct request *requests; /* those under way */
    struct parsing *parsing;  /* large bodies that are being parsed: parse.c */
    size_t request_count;
    unsigned refs;
    bool closed;
    struct account *account; /* the node's */
    uint64_t started_wall_ms;
};

/* Sockets of clients, AMQP's and HTTP's, that are open, and how many may be. */
struct client_sockets {
    uint64_t used, max;
};
struct client_sockets client_sockets(const struct admin *admin);

/* A request, a count of totals, and the owner hold one each. */
void admin_ref(struct admin *admin);
void admin_unref(struct admin *admin);

enum http_method {
    METHOD_GET,
    METHOD_PUT,
    METHOD_POST,
    METHOD_DELETE,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_OTHER,
};

/* What a user's tags allow. */
enum rights {
    RIGHT_MANAGEMENT = 1, /* to ask at all */
    RIGHT_POLICYMAKER = 2,
    RIGHT_MONITORING = 4, /* to see others' connections and channels, and the node */
    RIGHT_ADMINISTRATOR = 8,
};

struct request {
    struct admin *admin;
    struct http_connection *http; /* NULL: nobody waits for the answer */
    enum http_method method;
    char *path;                                  /* as sent, without the query */
    char *query;                                 /* without '?'; "" for none */
    char *authorization, *reason, *content_type; /* headers, or NULL */
    char peer[64];                               /* the client's address */
    bool loopback, on_metrics_port;
    uint64_t body_bytes_max; /* what the path takes; set by dispatch_begin */
    struct text body;        /* bytes as sent */
    uint64_t json_bytes;     /* what json is counted as in the account */
    struct value *json;      /* the body read, or NULL */
    const struct route *route;
    struct bytes
        args[REQUEST_ARGS_MAX]; /* what stood for the pattern's names, decoded, zero-ended */
    struct bytes raw_args[REQUEST_ARGS_MAX]; /* the same as sent */
    char user[AUTH_NAME_MAX + 1];            /* "": nobody, the broker itself */
    /* Told how it was answered, instead of a client: code, and for an error its reason. */
    void (*heard)(void *context, int code, const char *reason);
    void *heard_context;
    unsigned rights;
    /* The handler's own. */
    void *work;
    void (*free_work)(void *work);
    struct client *client;
    /* request_ask's. */
    void (*ask_vhost)(struct vhost *vhost, void *argument);
    void (*ask_sessions)(struct sessions *sessions, void *argument);
    void *ask_argument;
    bool asking; /* an owner has it: its answer comes, whatever happens here */
    void (*asked)(struct request *request);
    struct turn *turn;   /* to list things; NULL: none was asked for */
    struct timer *timer; /* for an answer that is due later; NULL: none is */
    struct request *next, **link;
};

/* Makes a request and counts it. */
struct request *request_new(struct admin *admin);
/* Frees a request with its work; also ends its client. For reply_ and shutting down. */
void request_free(struct request *request);

/* A query parameter, decoded into a new text, or NULL. The caller frees it. */
char *request_query(const struct request *request, const char *name);
/* Whether the parameter is there with this value, any of several. */
bool request_query_has(const struct request *request, const char *name, const char *value);
bool request_query_true(const struct request *request, const char *name);

/* The vhost's name in the path: the first argument of routes that have one. */
struct bytes request_vhost(const struct request *request);
/* The same for exchanges: "amq.default" is the default one, named "". */
struct bytes request_exchange(const struct request *request, unsigned arg);

/* Runs ask(vhost, argument) on the vhost's owner, then done(request) here. argument must live as
 * long as request->work. request_ask answers 404 itself and returns false when there is no such
 * vhost; request_try leaves that to the caller. Errors: NOT_FOUND. */
bool request_ask(struct request *request, struct bytes vhost,
                 void (*ask)(struct vhost *vhost, void *argument), void *argument,
                 void (*done)(struct request *request));
MUST_USE enum status request_try(struct request *request, struct bytes vhost,
                                 void (*ask)(struct vhost *vhost, void *argument), void *argument,
                                 void (*done)(struct request *request));
/* The same on a worker's sessions. */
void request_ask_sessions(struct request *request, unsigned worker,
                          void (*ask)(struct sessions *sessions, void *argument), void *argument,
                          void (*done)(struct request *request));
/* Runs next(request) in a later turn of the loop: long work goes on in portions, and others are
 * served between them. */
void request_later(struct request *request, void (*next)(struct request *request));
/* Gives the request its work, zeroed, to be freed with it by free_work. */
void *request_work(struct request *request, size_t bytes, void (*free_work)(void *work));

/* Whether the user may see what is in the vhost (asking: administrators everywhere, others with
 * permissions on it), know that there is such a vhost with its sums, connections and channels
 * (those who monitor too), or work in it (changing: permissions on it are needed whatever the
 * tags). */
bool access_knows_vhost(const struct request *request, struct bytes vhost);
bool access_sees_vhost(const struct request *request, struct bytes vhost);
bool access_enters_vhost(const struct request *request, struct bytes vhost);
/* Whether the permission allows it; if not answers 401 as RabbitMQ does and returns false. */
bool access_allowed(struct request *request, enum permission permission, struct bytes vhost,
                    struct bytes resource);

/* ---- Answers; each ends the request. */
void respond_json(struct request *request, int code, struct answer *answer); /* empties it */
void respond_empty(struct request *request, int code);
void respond_created(struct request *request, bool created); /* 201 or 204 */
void respond_location(struct request *request, const char *location);
void respond_text(struct request *request, int code, const char *type, struct text *text);
void respond_error(struct request *request, int code, const char *error, const char *reason);
void respond_bad_request(struct request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void respond_bad_pair(struct request *request, const char *what,
                      struct bytes value); /* ["not_int", …] */
void respond_not_found(struct request *request);
/* After a deletion: 204, 404 when there was no such thing, or what the status says. */
void respond_deleted(struct request *request, enum status status);
/* True when the name is this node's; otherwise 404 is answered. */
bool request_names_node(struct request *request, struct bytes name);
/* 503: the account has no room for the answer. One that is streamed already is cut off. */
void respond_no_room(struct request *request);
/* Ends an answer that was streamed. */
void respond_streamed(struct request *request);
/* The node has no such vhost that runs: 503 with the reason when it is down, else 404. */
void respond_vhost_missing(struct request *request, struct bytes vhost);
void respond_refused(struct request *request); /* 401 not_authorised, "Access refused." */
void respond_login_failed(struct request *request);
void respond_too_many_attempts(struct request *request); /* 429 */
/* A status of the broker with its text, as the reply of a declare, bind, delete … */
void respond_status(struct request *request, enum status status, const char *text);
/* "404 NOT_FOUND": AMQP's reply code and name of a status. */
const char *respond_code_name(enum status status);

#endif
