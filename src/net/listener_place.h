/* The address that a listener is asked to listen on, taken apart.
 *
 * Thread: any. */
#ifndef LEVERET_NET_LISTENER_PLACE_H
#define LEVERET_NET_LISTENER_PLACE_H

#include <stdbool.h>
#include <stdint.h>

struct listener_place {
    char host[64]; /* an IP address or a name; "": all addresses */
    uint16_t port;
    const char *path; /* of a Unix socket, a part of the text that was read; else NULL */
};

/* Takes an address apart: see listener_new. Returns false when it is none. */
bool listener_place_read(const char *address, struct listener_place *out);

#endif
