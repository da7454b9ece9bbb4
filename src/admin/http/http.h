/* The HTTP servers: sockets, limits, and what of HTTP the rest of the folder needs. Thread: main.
 *
 * A request's head is read first; dispatch_begin decides whether its body is wanted, and of which
 * length at most. Only then is the body read, and dispatch_handle called with it. An answer is sent
 * whole, or streamed as the client takes it. */
#ifndef LEVERET_ADMIN_HTTP_H
#define LEVERET_ADMIN_HTTP_H

#include "admin/http/request.h"

/* Listens on address ("15672": all addresses, IPv4 and IPv6; "127.0.0.1:0"; "[::1]:15672").
 * metrics_only: it serves nothing but /metrics. Errors: MALFORMED, IO with a sentence in *error
 * (free it). */
MUST_USE enum status http_new(struct admin *admin, const char *address,
                              const struct http_limits *limits, bool metrics_only,
                              struct http_server **out, char **error);
void http_free(struct http_server **server);
/* The port listened on. */
uint16_t http_port(const struct http_server *server);
/* Connections that are open. */
unsigned http_connections(const struct http_server *server);

/* The request no longer belongs to its connection, which will not answer it: before it is freed. */
void http_forget(struct request *request);

/* Sends the answer and forgets request->http; without a client it does nothing. header and body may
 * be NULL; the body's bytes are taken and it is left empty. When the account has no room for the
 * body, 503 is sent in its place. */
void http_send(struct request *request, int code, const char *content_type, const char *header,
               const char *header_value, struct text *body);

/* ---- An answer whose length is not known when it begins. */

/* Begins it. */
void http_stream_begin(struct request *request, int code, const char *content_type);
/* Adds to it; the text's bytes are taken and it is left empty. Without a client it is dropped. */
void http_stream_write(struct request *request, struct text *text);
/* Whether the request's answer has been begun so. */
bool http_is_streaming(const struct request *request);
/* Whether the client has enough to take: http_stream_wait before more is made. */
bool http_stream_full(const struct request *request);
/* Calls more(request) once, on a later turn, when the client has taken most of what there is, or
 * has left (request->http is NULL then: no more is to be made). */
void http_stream_wait(struct request *request, void (*more)(struct request *request));
/* Ends it and forgets request->http. complete false: something went wrong, and the connection is
 * cut so that the client notices. */
void http_stream_end(struct request *request, bool complete);

#endif
