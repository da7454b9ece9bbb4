/* What the broker listens on: see listeners.h. */
#include "admin/resource/listeners.h"

#include <string.h>

#include "admin/http/admin_state.h"
#include "admin/http/http.h"

size_t listeners_all(const struct admin *admin, struct listening out[LISTENERS_MAX])
{
    const struct admin_options *o = &admin->options;
    const struct {
        const struct http_server *server;
        const char *protocol;
        const struct tls *tls;
    } servers[] = {
        {admin->server, "http", NULL},
        {admin->tls_server, "https", o->tls},
        {admin->metrics_server, "http/prometheus", NULL},
        {admin->metrics_tls_server, "https/prometheus", o->metrics_tls},
    };
    size_t server_count = sizeof servers / sizeof *servers, n = 0;
    for (size_t i = 0; i < o->listener_count && n + server_count < LISTENERS_MAX; i++) {
        const struct admin_listener *l = &o->listeners[i];
        const struct tls *tls = strcmp(l->protocol, "amqp/ssl") == 0 ? o->amqp_tls : NULL;
        out[n++] = (struct listening){l->protocol, l->address, l->port, tls};
    }
    for (size_t i = 0; i < server_count; i++)
        if (servers[i].server)
            out[n++] = (struct listening){servers[i].protocol, "::", http_port(servers[i].server),
                                          servers[i].tls};
    return n;
}
