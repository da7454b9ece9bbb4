/* All paths. Literal parts before variable ones where both could fit. */
#include "handlers.h"
#include "route.h"

#define GET           METHOD_GET
#define PUT           METHOD_PUT
#define POST          METHOD_POST
#define DELETE        METHOD_DELETE
#define ANYBODY       ACCESS_ANYBODY
#define USER          ACCESS_USER
#define VHOST         ACCESS_VHOST
#define POLICYMAKER   ACCESS_POLICYMAKER
#define MONITORING    ACCESS_MONITORING
#define ADMINISTRATOR ACCESS_ADMINISTRATOR

/* clang-format off */
const struct route routes[] = {
    {GET,    "/metrics", metrics, ANYBODY},
    {GET,    "/metrics/per-object", metrics_per_object, ANYBODY},
    {GET,    "/metrics/detailed", metrics_detailed, ANYBODY},

    {GET,    "/api/overview", overview, USER},
    {GET,    "/api/whoami", whoami, USER},
    {GET,    "/api/version", version_get, USER},
    {GET,    "/api/extensions", extensions, USER},
    {GET,    "/api/cluster-name", cluster_name, USER},
    {GET,    "/api/nodes", nodes_list, MONITORING},
    {GET,    "/api/nodes/:n", node_get, MONITORING},
    {GET,    "/api/feature-flags", empty_list, ADMINISTRATOR},
    {GET,    "/api/auth", auth_settings, ANYBODY},
    {GET,    "/api/auth/attempts/:n", auth_attempts, MONITORING},
    {GET,    "/api/auth/attempts", auth_attempts, MONITORING},

    {GET,    "/api/connections", connections_list, USER},
    {GET,    "/api/connections/username/:u", connections_of_user, USER},
    {DELETE, "/api/connections/username/:u", connections_of_user_delete, USER},
    {GET,    "/api/connections/:c", connection_get, USER},
    {DELETE, "/api/connections/:c", connection_delete, USER},
    {GET,    "/api/connections/:c/channels", channels_of_connection, USER},
    {GET,    "/api/channels", channels_list, USER},
    {GET,    "/api/channels/:c", channel_get, USER},
    {GET,    "/api/consumers", consumers_list, USER},
    {GET,    "/api/consumers/:v", consumers_list_vhost, VHOST},

    {GET,    "/api/exchanges", exchanges_list, USER},
    {GET,    "/api/exchanges/:v", exchanges_list_vhost, VHOST},
    {GET,    "/api/exchanges/:v/:x", exchange_get, VHOST},
    {PUT,    "/api/exchanges/:v/:x", exchange_put, VHOST},
    {DELETE, "/api/exchanges/:v/:x", exchange_delete, VHOST},
    {POST,   "/api/exchanges/:v/:x/publish", message_publish, VHOST},
    {GET,    "/api/exchanges/:v/:x/bindings/source", bindings_of_source, VHOST},
    {GET,    "/api/exchanges/:v/:x/bindings/destination", bindings_of_destination, VHOST},

    {GET,    "/api/queues", queues_list, USER},
    {GET,    "/api/queues/:v", queues_list_vhost, VHOST},
    {GET,    "/api/queues/:v/:q", api_queue_get, VHOST},
    {PUT,    "/api/queues/:v/:q", queue_put, VHOST},
    {DELETE, "/api/queues/:v/:q", api_queue_delete, VHOST},
    {DELETE, "/api/queues/:v/:q/contents", api_queue_purge, VHOST},
    {POST,   "/api/queues/:v/:q/get", messages_get, VHOST},
    {POST,   "/api/queues/:v/:q/actions", queue_actions, ADMINISTRATOR},
    {GET,    "/api/queues/:v/:q/bindings", bindings_of_queue, VHOST},

    {GET,    "/api/bindings", bindings_list, USER},
    {GET,    "/api/bindings/:v", bindings_list_vhost, VHOST},
    {GET,    "/api/bindings/:v/e/:x/q/:q", bindings_between_queue, VHOST},
    {POST,   "/api/bindings/:v/e/:x/q/:q", binding_post_queue, VHOST},
    {GET,    "/api/bindings/:v/e/:x/q/:q/:p", binding_get_queue, VHOST},
    {DELETE, "/api/bindings/:v/e/:x/q/:q/:p", binding_delete_queue, VHOST},
    {GET,    "/api/bindings/:v/e/:x/e/:y", bindings_between_exchange, VHOST},
    {POST,   "/api/bindings/:v/e/:x/e/:y", binding_post_exchange, VHOST},
    {GET,    "/api/bindings/:v/e/:x/e/:y/:p", binding_get_exchange, VHOST},
    {DELETE, "/api/bindings/:v/e/:x/e/:y/:p", binding_delete_exchange, VHOST},

    {GET,    "/api/vhosts", vhosts_list, USER},
    {GET,    "/api/vhosts/:v", vhost_get, ADMINISTRATOR},
    {PUT,    "/api/vhosts/:v", vhost_put, ADMINISTRATOR},
    {DELETE, "/api/vhosts/:v", vhost_delete, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/permissions", permissions_of_vhost, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/topic-permissions", empty_list, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/connections", connections_list_vhost, VHOST},
    {GET,    "/api/vhosts/:v/channels", channels_list_vhost, VHOST},

    {GET,    "/api/users", users_list, ADMINISTRATOR},
    {GET,    "/api/users/without-permissions", users_without_permissions, ADMINISTRATOR},
    {POST,   "/api/users/bulk-delete", users_bulk_delete, ADMINISTRATOR},
    {GET,    "/api/users/:u", user_get, ADMINISTRATOR},
    {PUT,    "/api/users/:u", user_put, ADMINISTRATOR},
    {DELETE, "/api/users/:u", user_delete, ADMINISTRATOR},
    {GET,    "/api/users/:u/permissions", permissions_of_user, ADMINISTRATOR},
    {GET,    "/api/users/:u/topic-permissions", empty_list, ADMINISTRATOR},
    {GET,    "/api/permissions", permissions_list, ADMINISTRATOR},
    {GET,    "/api/permissions/:v/:u", permission_get, ADMINISTRATOR},
    {PUT,    "/api/permissions/:v/:u", permission_put, ADMINISTRATOR},
    {DELETE, "/api/permissions/:v/:u", permission_delete, ADMINISTRATOR},

    /* What Leveret has none of yet: lists are empty, single ones 404. */
    {GET,    "/api/topic-permissions", empty_list, ADMINISTRATOR},
    {GET,    "/api/parameters", empty_list, POLICYMAKER},
    {GET,    "/api/parameters/:c", empty_list, POLICYMAKER},
    {GET,    "/api/parameters/:c/:w", empty_list, POLICYMAKER},
    {GET,    "/api/global-parameters", empty_list, POLICYMAKER},
    {GET,    "/api/policies", empty_list, USER},
    {GET,    "/api/policies/:v", empty_list, VHOST},
    {GET,    "/api/policies/:v/:n", reply_not_found, VHOST},
    {GET,    "/api/operator-policies", empty_list, USER},
    {GET,    "/api/operator-policies/:v", empty_list, VHOST},
    {GET,    "/api/operator-policies/:v/:n", reply_not_found, VHOST},
    {GET,    "/api/vhost-limits", empty_list, USER},
    {GET,    "/api/vhost-limits/:v", empty_list, VHOST},
    {GET,    "/api/user-limits", empty_list, ADMINISTRATOR},
    {GET,    "/api/user-limits/:u", empty_list, ADMINISTRATOR},

    {GET,    "/api/definitions", definitions_get, ADMINISTRATOR},
    {POST,   "/api/definitions", definitions_post, ADMINISTRATOR},
    {GET,    "/api/definitions/:v", definitions_get_vhost, ADMINISTRATOR},
    {POST,   "/api/definitions/:v", definitions_post_vhost, ADMINISTRATOR},

    {GET,    "/api/aliveness-test/:v", aliveness_test, VHOST},
    {GET,    "/api/healthchecks/node", health_alarms, MONITORING},
    {GET,    "/api/healthchecks/node/:n", health_alarms, MONITORING},
    {GET,    "/api/health/checks/alarms", health_alarms, USER},
    {GET,    "/api/health/checks/local-alarms", health_alarms, USER},
    {GET,    "/api/health/checks/virtual-hosts", health_vhosts, USER},
    {GET,    "/api/health/checks/port-listener/:p", health_port, USER},
    {GET,    "/api/health/checks/protocol-listener/:p", health_protocol, USER},
    {GET,    "/api/health/checks/certificate-expiration/:n/:unit", health_certificates, USER},
    {GET,    "/api/health/checks/is-in-service", health_service, USER},
    {GET,    "/api/health/checks/ready-to-serve-clients", health_service, USER},
    {GET,    "/api/health/checks/node-is-mirror-sync-critical", health_single_node, USER},
    {GET,    "/api/health/checks/node-is-quorum-critical", health_single_node, USER},
    {METHOD_OTHER, NULL, NULL, ADMINISTRATOR},
};
/* clang-format on */
