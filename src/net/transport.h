/* What carries a connection's bytes: a plain socket; TLS will be another. Only for src/net.
 *
 * Thread: the connection's. */
#ifndef LEVERET_NET_TRANSPORT_H
#define LEVERET_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct transport;

struct transport_ops {
    /* As read(2) and writev(2) on a non-blocking socket: bytes moved, 0 for the end of input, -1
     * with errno set (EAGAIN: not now). No SIGPIPE. last: shut_output or close follows at once, and
     * the bytes may leave together with that. */
    ssize_t (*read)(struct transport *transport, void *at, size_t bytes);
    ssize_t (*writev)(struct transport *transport, const struct iovec *parts, int count, bool last);
    /* No more output: the peer sees the end after what was written. */
    void (*shut_output)(struct transport *transport);
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    void *state; /* the implementation's */
};

/* Takes the socket. */
struct transport transport_plain(int fd);

#endif
