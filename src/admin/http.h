/* The HTTP servers: evhttp, its sockets, and what of HTTP the rest of the folder needs. Thread:
 * main. */
#ifndef LEVERET_ADMIN_HTTP_H
#define LEVERET_ADMIN_HTTP_H

#include "request.h"

/* Listens on address ("15672": all addresses, IPv4 and IPv6; "127.0.0.1:0"; "[::1]:15672");
 * requests go to route_request. metrics_only: it serves nothing but /metrics. Errors: MALFORMED, IO
 * with a sentence in *error (free it). */
MUST_USE enum status http_new(struct admin *admin, const char *address, bool metrics_only,
                              struct http_server **out, char **error);
void http_free(struct http_server **server);
/* The port listened on. */
uint16_t http_port(const struct http_server *server);

/* Accepts again, if it had stopped for want of descriptors: to be called now and then. */
void http_resume(struct http_server *server);

/* Sends the answer and forgets request->http; without a client it does nothing. header and body may
 * be NULL; the body's bytes are taken and it is left empty. */
void http_send(struct request *request, int code, const char *content_type, const char *header,
               const char *header_value, struct text *body);

#endif
