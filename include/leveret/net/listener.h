/* Listening sockets. Accepted sockets are handed to accepted(), non-blocking, close-on-exec,
 * TCP_NODELAY set.
 *
 * Thread: the loop that listens. When the process runs out of file descriptors, accepting pauses
 * for a moment and a line is logged; it never spins. */
#ifndef LEVERET_NET_LISTENER_H
#define LEVERET_NET_LISTENER_H

#include "leveret/base/log.h"
#include "leveret/runtime/loop.h"

struct listener;

/* address: "5672" (all IPv4 and IPv6 addresses), "127.0.0.1:5672", "[::1]:5672", "localhost:5672"
 * (a name is resolved once, now), "unix:/path". Port
 * 0: any free one. One listener may hold several sockets ("5672": one for IPv4, one for IPv6; IPv6
 * is left out silently on machines without it). A stale Unix socket file is replaced, a live one is
 * an error. Errors: MALFORMED, IO (address in use …), with a sentence in *error (free it). */
MUST_USE enum status listener_new(struct loop *loop, const char *address,
                                  void (*accepted)(void *context, int fd), void *context,
                                  struct log *log, struct listener **out, char **error);
/* The port it listens on (0 for Unix sockets). */
uint16_t listener_port(const struct listener *listener);
/* Its addresses for logs: "0.0.0.0:5672, [::]:5672". */
const char *listener_name(const struct listener *listener);
void listener_free(struct listener **listener);

#endif
