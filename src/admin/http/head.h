/* The head of an HTTP request: request line and header fields, as RFC 9112 has them. Pure. */
#ifndef LEVERET_ADMIN_HEAD_H
#define LEVERET_ADMIN_HEAD_H

#include "admin/http/request.h"

/* A longer head is answered 431, or 414 when its first line is not complete. */
#define HEAD_BYTES_MAX  16384u
#define HEAD_FIELDS_MAX 100u /* more of them: 431 */

/* Views into the bytes that were read. */
struct head {
    enum http_method method;
    struct bytes target; /* path and query, as sent */
    bool minor_0;        /* true for HTTP/1.0: no chunks are sent to such a client */
    bool keep_alive;     /* true when the connection may serve another request afterwards */
    bool chunked;        /* true when the body comes in chunks; body_bytes says nothing then */
    bool expects; /* true when the client waits for "100 Continue" before it sends the body */
    uint64_t body_bytes;                /* 0 when there is no body */
    struct bytes authorization, reason; /* fields Authorization and X-Reason; at is NULL: none */
    struct bytes content_type;          /* field Content-Type; likewise */
};

/* The length of the head that begins with bytes, its empty line included; 0 while that is not
 * there. Search goes on from *scanned, which moves along (0 at first). */
size_t head_length(struct bytes bytes, size_t *scanned);

/* Reads a whole head. Returns 0, or the code to answer with: 400, 417 (Expect), 431, 501 (transfer
 * coding), 505. After an error only minor_0 and keep_alive of *out say anything. */
int head_read(struct bytes bytes, struct head *out);

#endif
