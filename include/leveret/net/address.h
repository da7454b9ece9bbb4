/* Socket addresses as text.
 *
 * Thread: any. */
#ifndef LEVERET_NET_ADDRESS_H
#define LEVERET_NET_ADDRESS_H

#include <sys/socket.h>

#include "leveret/net/connection.h"

/* Writes an address as "127.0.0.1" or "unix:/path", and its port (0 for a Unix socket). An IPv4
 * address in the form of an IPv6 one (::ffff:127.0.0.1) is written as IPv4. Sets *loopback to
 * whether it is of this machine. */
void address_text(const struct sockaddr_storage *address, socklen_t len, char host[64],
                  uint16_t *port, bool *loopback);
/* Both ends of a connected socket. An address that the kernel does not tell is "?". */
void address_of_socket(int fd, struct connection_address *out);
/* Writes "host:port", "[host]:port" (IPv6) or "unix:/path" into text. */
void address_join(const char *host, uint16_t port, char *text, size_t bytes);

#endif
