/* Listening sockets. Accepted sockets are handed to accepted(), non-blocking, close-on-exec,
 * TCP_NODELAY set. When the process runs out of file descriptors, accepting pauses for a moment and
 * a line is logged.
 *
 * Thread: the loop that listens. */
#ifndef LEVERET_NET_LISTENER_H
#define LEVERET_NET_LISTENER_H

#include "leveret/base/log.h"
#include "leveret/runtime/loop.h"

struct listener;

/* address: "5672" (all IPv4 and IPv6 addresses), "127.0.0.1:5672", "[::1]:5672", "localhost:5672"
 * (the name is resolved once, now) or "unix:/path". Port 0: any free port. A listener may have two
 * sockets ("5672": one for IPv4, one for IPv6; on a machine without IPv6 only the first). The file
 * of a Unix socket that nobody listens on is replaced; one that somebody listens on is an error.
 * Errors: MALFORMED, IO (address in use …), with a sentence in *error, which the caller frees. */
MUST_USE enum status listener_new(struct loop *loop, const char *address,
                                  void (*accepted)(void *context, int fd), void *context,
                                  struct log *log, struct listener **out, char **error);
/* The same for a Unix socket at path ("/run/x.sock") that only this process's user, and root, may
 * connect to: its file has the mode 0600 from the beginning. */
MUST_USE enum status listener_new_private(struct loop *loop, const char *path,
                                          void (*accepted)(void *context, int fd), void *context,
                                          struct log *log, struct listener **out, char **error);
/* Options of the sockets that are accepted from now on. */
struct listener_options {
    int backlog; /* connections that wait to be accepted; 0: as many as the listener has anyway */
    bool nodelay, keepalive;
    /* Bytes of the kernel's buffers for one connection; 0: the kernel chooses. */
    int send_bytes, receive_bytes;
    /* A peer that takes nothing for so long is cut off, in milliseconds; 0: the kernel decides. */
    unsigned send_timeout_ms;
};
/* Errors: IO: the kernel refuses one of them. Does nothing for a Unix socket but for the backlog.
 */
MUST_USE enum status listener_tune(struct listener *listener,
                                   const struct listener_options *options);
/* Closes the sockets: who connects is refused. listener_resume opens them again, at the same
 * addresses and port. Errors: as listener_new, with a sentence in *error; the listener then stays
 * suspended. */
void listener_suspend(struct listener *listener);
MUST_USE enum status listener_resume(struct listener *listener, char **error);
/* The port that it listens on (0 for a Unix socket). */
uint16_t listener_port(const struct listener *listener);
/* Its addresses for logs: "0.0.0.0:5672, [::]:5672". */
const char *listener_name(const struct listener *listener);
void listener_free(struct listener **listener);

#endif
