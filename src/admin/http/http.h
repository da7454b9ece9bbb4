/* The HTTP servers: sockets, limits, requests in and answers out. Thread: the main thread.
 *
 * A request's head is read first; http_service's begin decides whether its body is wanted, and how
 * long it may be. Only then is the body read, and handle called. An answer is sent whole, or
 * streamed: piece by piece, as fast as the client takes it. */
#ifndef LEVERET_ADMIN_HTTP_H
#define LEVERET_ADMIN_HTTP_H

#include "leveret/admin/admin.h"

struct admin;
struct http_server;
struct request;
struct tls;

/* What a server does with requests. */
struct http_service {
    /* Looks at a request whose head is there. True: the body is wanted, of at most body_bytes_max
     * bytes, which this sets, and handle is called once it is there. False: the request has been
     * answered, or will be. */
    bool (*begin)(struct request *request);
    /* Answers a request whose body is there, now or later. */
    void (*handle)(struct request *request);
};

/* What a server's requests may do. */
enum http_purpose {
    HTTP_API,     /* all, for users who log in */
    HTTP_METRICS, /* ask for metrics: they are marked on_metrics_port */
    HTTP_CONTROL  /* all, without a password: those that name no user are marked by_control */
};

/* Listens on address ("15672": all addresses, IPv4 and IPv6; "127.0.0.1:0"; "[::1]:15672").
 * tls: what clients have to speak, which outlives the server; NULL: they speak plain HTTP.
 * HTTP_CONTROL: on the Unix socket at that path, for root and this process's user alone. Errors:
 * MALFORMED, IO with a sentence in *error (free it). */
MUST_USE enum status http_new(struct admin *admin, const char *address,
                              const struct http_limits *limits, enum http_purpose purpose,
                              struct tls *tls, const struct http_service *service,
                              struct http_server **out, char **error);
void http_free(struct http_server **server);
bool http_speaks_tls(const struct http_server *server);
/* The port listened on. */
uint16_t http_port(const struct http_server *server);
/* How many connections are open. */
unsigned http_connections(const struct http_server *server);

/* Parts the request from its connection, which does not answer it any more. To be called before a
 * request is freed. */
void http_forget(struct request *request);

/* ---- A whole answer. */

/* A field of an answer's head. */
struct http_field {
    const char *name, *value;
};

/* Sends the answer and parts the request from its connection; does nothing when the client has
 * left. fields are ended by a NULL name; fields and body may be NULL; the body's text is taken and
 * left empty. When the account has no room for the body, 503 is sent in its place. */
void http_send(struct request *request, int code, const char *content_type,
               const struct http_field *fields, struct text *body);

/* ---- A streamed answer: its length is not known when it begins. */

/* Begins it. */
void http_stream_begin(struct request *request, int code, const char *content_type);
/* Adds to it; the text is taken and left empty. It is dropped when the client has left. */
void http_stream_write(struct request *request, struct text *text);
/* Returns true when the request's answer has been begun with http_stream_begin. */
bool http_is_streaming(const struct request *request);
/* Returns true when the client has closed its side of the connection: nobody reads the stream. */
bool http_stream_left(const struct request *request);
/* Returns true when the client has not taken much of what was written: the caller should make no
 * more of the answer, and call http_stream_wait. */
bool http_stream_full(const struct request *request);
/* Calls more(request) once, in a later turn of the loop: when the client has taken most of what was
 * written, or when it has left (request->http is NULL then, and the request is to be freed). */
void http_stream_wait(struct request *request, void (*more)(struct request *request));
/* Ends it and parts the request from its connection. complete is false when the answer could not be
 * made to its end: the connection is then cut, so that the client notices. */
void http_stream_end(struct request *request, bool complete);

#endif
