/* Part of admin: what the requests of one API share. See admin_state.h. */
#include "admin/http/admin_state.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "admin/http/http.h"

void admin_ref(struct admin *admin)
{
    admin->refs++;
}

void admin_unref(struct admin *admin)
{
    if (--admin->refs > 0)
        return;
    free(admin->options.node_tags);
    free(admin);
}

struct client_sockets admin_client_sockets(const struct admin *admin)
{
    const struct admin_options *o = &admin->options;
    struct client_sockets sockets = {0};
    if (o->amqp_sockets)
        sockets = (struct client_sockets){atomic_load(&o->amqp_sockets->open),
                                          atomic_load(&o->amqp_sockets->max)};
    if (admin->server) {
        sockets.used += http_connections(admin->server);
        sockets.max += o->limits.connections;
    }
    if (admin->tls_server)
        sockets.used += http_connections(admin->tls_server);
    if (admin->metrics_tls_server)
        sockets.used += http_connections(admin->metrics_tls_server);
    if (admin->metrics_server) {
        sockets.used += http_connections(admin->metrics_server);
        sockets.max += o->metrics_limits.connections;
    }
    return sockets;
}

const char *admin_cluster_name(const struct admin *admin)
{
    const char *named = auth_parameter_text(admin->options.auth, PARAMETER_CLUSTER_NAME);
    return named ? named : admin->options.cluster_name;
}
