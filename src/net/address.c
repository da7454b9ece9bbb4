/* Socket addresses as text. */
#include "leveret/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static void unix_text(const struct sockaddr_storage *address, socklen_t len, char host[64])
{
    const struct sockaddr_un *local = (const struct sockaddr_un *)(const void *)address;
    size_t max = len > offsetof(struct sockaddr_un, sun_path)
                     ? len - offsetof(struct sockaddr_un, sun_path)
                     : 0;
    /* The peer of a Unix socket usually has no path; an abstract path begins with a zero byte. */
    int path_len = (int)strnlen(local->sun_path, max);
    if (path_len > 58)
        path_len = 58;
    snprintf(host, 64, "unix:%.*s", path_len, local->sun_path);
}

static void ipv6_text(const struct in6_addr *ip, char host[64], bool *loopback)
{
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        inet_ntop(AF_INET, ip->s6_addr + 12, host, 64);
        *loopback = ip->s6_addr[12] == 127;
        return;
    }
    inet_ntop(AF_INET6, ip, host, 64);
    *loopback = IN6_IS_ADDR_LOOPBACK(ip);
}

void address_text(const struct sockaddr_storage *address, socklen_t len, char host[64],
                  uint16_t *port, bool *loopback)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
    snprintf(host, 64, "?");
    *port = 0;
    *loopback = false;
    switch (len >= sizeof address->ss_family ? address->ss_family : AF_UNSPEC) {
    case AF_UNIX:
        unix_text(address, len, host);
        *loopback = true;
        break;
    case AF_INET:
        inet_ntop(AF_INET, &v4->sin_addr, host, 64);
        *port = ntohs(v4->sin_port);
        *loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
        break;
    case AF_INET6:
        ipv6_text(&v6->sin6_addr, host, loopback);
        *port = ntohs(v6->sin6_port);
        break;
    default:
        break;
    }
}

void address_of_socket(int fd, struct connection_address *out)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    bool own_loopback;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        len = 0;
    address_text(&address, len, out->host, &out->port, &own_loopback);
    len = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &len) != 0)
        len = 0;
    address_text(&address, len, out->peer_host, &out->peer_port, &out->loopback);
}

void address_join(const char *host, uint16_t port, char *text, size_t bytes)
{
    if (strncmp(host, "unix:", 5) == 0)
        snprintf(text, bytes, "%s", host);
    else if (strchr(host, ':'))
        snprintf(text, bytes, "[%s]:%u", host, port);
    else
        snprintf(text, bytes, "%s:%u", host, port);
}
