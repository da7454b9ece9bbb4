/* The HTTP client: one request at a time, over one connection that is kept open. */
#ifndef LEVERETCTL_HTTP_H
#define LEVERETCTL_HTTP_H

#include <stdbool.h>

#include "ctl/options/options.h"
#include "leveret/base/text.h"

#define HTTP_BODY_BYTES_MAX ((size_t)1 << 30) /* bytes of an answer; a larger one is an error */

struct http;

struct http_target {
    const char *scheme, *host, *port, *prefix;
    const struct options_tls *tls; /* for https */
    const char *socket;            /* a Unix socket in place of host and port; NULL: none */
    const char *user, *password;   /* user NULL: nobody logs in */
    long timeout_s;                /* longest time of a request; 0: no limit */
};

struct http_answer {
    long status;
    struct text body;
    char wrong[320]; /* why a request got no answer */
};

/* Returns NULL when libcurl does not start. The target is copied. */
struct http *http_new(const struct http_target *target);
void http_free(struct http **http);

/* path begins with /; header is NULL or one more header line. Returns false when there is no
 * answer; `wrong` then says why. The caller frees the body in both cases. */
bool http_do(struct http *http, const char *method, const char *path, struct bytes body,
             const char *header, struct http_answer *answer);

/* Follows a stream of server-sent events until it ends, the time of the target does not count. each
 * is called with the data of every event and its name (NULL: it has none); it returns false to end
 * the stream. An answer that is no stream is in the answer's body, as with http_do; a stream that
 * was ended by each counts as good. */
bool http_follow(struct http *http, const char *path,
                 bool (*each)(void *context, const char *name, const char *data), void *context,
                 struct http_answer *answer);

/* For options_reader.take_uri. */
const char *http_take_uri(const char *uri, struct uri_parts *parts);

/* Adds one segment of a path, percent-encoded. */
void http_quote(struct text *path, const char *segment);

#endif
