/* The head of an HTTP request: request line and header fields, as RFC 9112 has them. Thread:
 * any. */
#ifndef LEVERET_ADMIN_HEAD_H
#define LEVERET_ADMIN_HEAD_H

#include "leveret/base/bytes.h"

/* Bytes of a head; a longer one is answered 431, or 414 when its first line alone is longer. */
#define HEAD_BYTES_MAX 16384u
/* Header fields of a head; one with more is answered 431. */
#define HEAD_FIELDS_MAX 100u

enum http_method {
    METHOD_GET,
    METHOD_PUT,
    METHOD_POST,
    METHOD_DELETE,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_OTHER, /* any other word */
};

/* What a head says; views into the bytes that were read. */
struct head {
    enum http_method method;
    struct bytes target; /* path and query, as sent */
    bool minor_0;        /* true for HTTP/1.0: no chunks are sent to such a client */
    bool keep_alive;     /* true when the connection may serve another request afterwards */
    bool chunked;        /* true when the body comes in chunks; body_bytes is 0 then */
    bool expects; /* true when the client waits for "100 Continue" before it sends the body */
    uint64_t body_bytes; /* 0 when there is no body */
    bool takes_gzip;     /* true when the answer may be packed by gzip */
    bool by_page; /* true for X-Leveret: 1, which the page sends and no form of a foreign page
                     can */
    /* The fields Authorization, X-Reason, Content-Type, Accept, Origin, Cookie and If-None-Match;
     * at is NULL when the head has none. */
    struct bytes authorization, reason, content_type, accept, origin, cookie, if_none_match;
};

/* The length of the head at the front of bytes, its empty line included; 0 while that line has not
 * come. *scanned (0 at first) remembers where the search goes on when more bytes have come. */
size_t head_length(struct bytes bytes, size_t *scanned);

/* Reads a whole head. Returns 0, or the code to answer with: 400, 417 (Expect), 431, 501 (transfer
 * coding), 505. After an error only minor_0 and keep_alive of *out may be used. */
int head_read(struct bytes bytes, struct head *out);

#endif
