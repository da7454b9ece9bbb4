/* The address of a broker, from an AMQP URI (https://www.rabbitmq.com/uri-spec.html).
 * Thread: any. */
#ifndef LEVERET_PERF_TARGET_H
#define LEVERET_PERF_TARGET_H

#include <stdbool.h>

#include "leveret/base/status.h"

/* Bytes of each part of a URI with its zero; a longer part is MALFORMED. */
#define TARGET_TEXT_MAX 256u

struct secure;

struct target {
    bool tls;                   /* true: "amqps://" */
    char host[TARGET_TEXT_MAX]; /* name or address; a path when it starts with '/': Unix socket */
    char port[8];
    char user[TARGET_TEXT_MAX];
    char password[TARGET_TEXT_MAX];
    char vhost[TARGET_TEXT_MAX];
    struct secure *secure; /* what TLS needs; NULL: none is spoken. Not parsed, and not owned */
};

/* Parses "amqps://…" (port 5671) or "amqp://user:password@host:port/vhost", where each part but the
 * scheme is optional and percent-encoded ("amqp://%2Frun%2Fleveret.sock" is a Unix socket). Errors:
 * MALFORMED. */
MUST_USE enum status target_parse(const char *uri, struct target *out);

#endif
