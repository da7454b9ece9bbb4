/* Part of the api: opening a vhost that is down. */
#include "admin/resource/vhosts.h"

#include <stdlib.h>

static void start_vhost(struct request *r)
{
    struct admin *admin = r->admin;
    char *error = NULL;
    if (!request_names_node(r, r->args[1]))
        return;
    enum status status = node_restart_vhost(admin->options.node, r->args[0], &error);
    if (status == STATUS_OK) {
        node_tune_vhost(admin->options.node, admin->options.auth, r->args[0]);
        respond_empty(r, 204);
    } else if (status == STATUS_NOT_FOUND && !auth_vhost_exists(admin->options.auth, r->args[0])) {
        respond_not_found(r);
    } else {
        respond_error(r, 503, "service_unavailable", error ? error : status_text(status));
    }
    free(error);
}

/* ---- Routes. */

const struct route api_vhost_start[] = {
    {METHOD_POST, "/api/vhosts/:v/start/:n", start_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
