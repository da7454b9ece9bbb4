/* What carries a connection's bytes: a plain socket; TLS will be another. For the files of net/
 * only.
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
    /* Like read(2) and writev(2) on a non-blocking socket: return the bytes moved, 0 at the end of
     * input, -1 with errno set (EAGAIN: not now). They raise no SIGPIPE. last: shut_output or close
     * follows at once, and the bytes may leave together with it. */
    ssize_t (*read)(struct transport *transport, void *at, size_t bytes);
    ssize_t (*writev)(struct transport *transport, const struct iovec *parts, int count, bool last);
    /* Ends the output: the peer sees the end behind the bytes that were written. */
    void (*shut_output)(struct transport *transport);
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    void *state; /* the implementation's */
};

/* Takes over the socket. */
struct transport transport_plain(int fd);

#endif
