/* The address that a listener is asked to listen on, taken apart. */
#include "listener_place.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "leveret/base/number.h"

static bool parse_port(const char *text, uint16_t *port)
{
    uint64_t value;
    if (!number_read(text, UINT16_MAX, &value))
        return false;
    *port = (uint16_t)value;
    return true;
}

bool listener_place_read(const char *address, struct listener_place *out)
{
    *out = (struct listener_place){0};
    if (strncmp(address, "unix:", 5) == 0) {
        out->path = address + 5;
        return out->path[0] != '\0' &&
               strlen(out->path) < sizeof((struct sockaddr_un *)NULL)->sun_path;
    }
    const char *colon = strrchr(address, ':');
    if (!colon)
        return parse_port(address, &out->port);
    const char *from = address;
    size_t len = (size_t)(colon - address);
    bool bracketed = len >= 2 && address[0] == '[' && address[len - 1] == ']';
    if (bracketed)
        from++, len -= 2;
    if (len == 0 || len >= sizeof out->host || !parse_port(colon + 1, &out->port))
        return false;
    memcpy(out->host, from, len);
    /* An IPv6 address without brackets is refused: its last group might be meant as the port. */
    return bracketed == (strchr(out->host, ':') != NULL);
}
