/* What carries a connection's bytes: a plain socket, or TLS over one (leveret/net/tls.h).
 *
 * Thread: the connection's. */
#ifndef LEVERET_NET_TRANSPORT_H
#define LEVERET_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct transport;

/* The least room of a read, in bytes: a whole record of TLS fits, so that nothing that the socket
 * no longer announces stays behind in the transport. */
#define TRANSPORT_READ_MIN 16384u

struct transport_ops {
    /* Like read(2) and writev(2) on a non-blocking socket: return the bytes moved, 0 at the end of
     * input, -1 with errno set (EAGAIN: not now; EPROTO: see `fault`). They raise no SIGPIPE. last:
     * shut_output or close follows at once, and the bytes may leave together with it. A TLS
     * transport wants TRANSPORT_READ_MIN bytes of room. */
    ssize_t (*read)(struct transport *transport, void *at, size_t bytes);
    ssize_t (*writev)(struct transport *transport, const struct iovec *parts, int count, bool last);
    /* Ends the output: the peer sees the end behind the bytes that were written. */
    void (*shut_output)(struct transport *transport);
    void (*close)(struct transport *transport);
};

struct transport {
    const struct transport_ops *ops;
    int fd;
    bool wants_write; /* true: read goes on when the socket can be written */
    void *state;      /* the implementation's */
};

/* Takes over the socket. */
struct transport transport_plain(int fd);

/* Why a read or a write has failed with EPROTO, as a sentence without its end; NULL for a plain
 * socket. Valid until the transport is closed. */
const char *transport_fault(const struct transport *transport);

#endif
