/* Part of leveret/net/transport.h: a connection's bytes go over the plain socket. */
#include <sys/socket.h>
#include <unistd.h>

#include "leveret/net/transport.h"

static ssize_t plain_read(struct transport *transport, void *at, size_t bytes)
{
    return recv(transport->fd, at, bytes, MSG_DONTWAIT);
}

static ssize_t plain_writev(struct transport *transport, const struct iovec *parts, int count,
                            bool last)
{
    int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (last ? MSG_MORE : 0);
    if (count == 1)
        return send(transport->fd, parts->iov_base, parts->iov_len, flags);
    struct msghdr message = {.msg_iov = (struct iovec *)(void *)(size_t)parts,
                             .msg_iovlen = (size_t)count};
    return sendmsg(transport->fd, &message, flags);
}

static void plain_shut_output(struct transport *transport)
{
    (void)shutdown(transport->fd, SHUT_WR);
}

static void plain_close(struct transport *transport)
{
    (void)close(transport->fd);
    transport->fd = -1;
}

struct transport transport_plain(int fd)
{
    static const struct transport_ops ops = {plain_read, plain_writev, plain_shut_output,
                                             plain_close};
    return (struct transport){.ops = &ops, .fd = fd};
}
