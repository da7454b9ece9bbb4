/* What a session is made of. */
#include "ctl/api/session.h"

struct http_target session_target(const struct options *options)
{
    return (struct http_target){
        .scheme = options->scheme,
        .host = options->host,
        .port = options->port,
        .prefix = options->prefix,
        .user = options->socket ? NULL : options->user,
        .password = options->password,
        .tls = &options->tls,
        .socket = options->socket,
        .timeout_s = options->timeout_s,
    };
}

void session_place(const struct options *options, char *out, size_t room)
{
    if (options->socket)
        snprintf(out, room, "%s", options->socket);
    else
        snprintf(out, room, "%s:%s", options->host, options->port);
}
