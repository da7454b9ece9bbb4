/* Which broker: an AMQP URI taken apart (https://www.rabbitmq.com/uri-spec.html). Any thread. */
#ifndef LEVERET_PERF_TARGET_H
#define LEVERET_PERF_TARGET_H

#include "leveret/base/status.h"

#define TARGET_TEXT_MAX 256u

struct target {
    char host[TARGET_TEXT_MAX]; /* name or address; a path when it starts with '/': Unix socket */
    char port[8];
    char user[TARGET_TEXT_MAX];
    char password[TARGET_TEXT_MAX];
    char vhost[TARGET_TEXT_MAX];
};

/* Takes "amqp://user:password@host:port/vhost", each part but the scheme optional and percent
 * encoded ("amqp://%2Frun%2Fleveret.sock" is a Unix socket). Errors: MALFORMED. */
MUST_USE enum status target_parse(const char *uri, struct target *out);

#endif
