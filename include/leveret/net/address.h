/* Socket addresses as text. Any thread. */
#ifndef LEVERET_NET_ADDRESS_H
#define LEVERET_NET_ADDRESS_H

#include <sys/socket.h>

#include "leveret/net/connection.h"

/* An address as "127.0.0.1" or "unix:/path" and its port (0 for Unix sockets). IPv4 addresses that
 * come in IPv6's dress are shown as IPv4. Sets *loopback. */
void address_text(const struct sockaddr_storage *address, socklen_t len, char host[64],
                  uint16_t *port, bool *loopback);
/* Both ends of a connected socket. What cannot be found out is shown as "?". */
void address_of_socket(int fd, struct connection_address *out);
/* "host:port", "[host]:port" or "unix:/path" into text. */
void address_join(const char *host, uint16_t port, char *text, size_t bytes);

#endif
