/* All paths. Literal parts before variable ones where both could fit. */
#include "admin/route_table.h"

#include "admin/http/routes.h"
#include "admin/resource/handlers.h"

#define GET           METHOD_GET
#define PUT           METHOD_PUT
#define POST          METHOD_POST
#define DELETE        METHOD_DELETE
#define ANYBODY       ACCESS_ANYBODY, BODY_SMALL
#define USER          ACCESS_USER, BODY_SMALL
#define VHOST         ACCESS_VHOST, BODY_SMALL
#define KNOWN         ACCESS_KNOWN, BODY_SMALL
#define POLICYMAKER   ACCESS_POLICYMAKER, BODY_SMALL
#define MONITORING    ACCESS_MONITORING, BODY_SMALL
#define ADMINISTRATOR ACCESS_ADMINISTRATOR, BODY_SMALL

#define VHOST_MESSAGE             ACCESS_VHOST, BODY_MESSAGE
#define POLICYMAKER_PARAMETER     ACCESS_POLICYMAKER, BODY_NAMES
#define ADMINISTRATOR_NAMES       ACCESS_ADMINISTRATOR, BODY_NAMES
#define ADMINISTRATOR_DEFINITIONS ACCESS_ADMINISTRATOR, BODY_DEFINITIONS

/* clang-format off */
static const struct route routes[] = {
    /* On the port of metrics alone, anybody may ask for these. */
    {GET,    "/metrics", api_metrics, MONITORING},
    {GET,    "/metrics/per-object", api_metrics_per_object, MONITORING},
    {GET,    "/metrics/detailed", api_metrics_detailed, MONITORING},

    {GET,    "/api/overview", api_overview, USER},
    {GET,    "/api/whoami", api_whoami, USER},
    {GET,    "/api/version", api_version_get, USER},
    {GET,    "/api/extensions", respond_empty_list, USER},
    {GET,    "/api/cluster-name", api_cluster_name, USER},
    {PUT,    "/api/cluster-name", api_cluster_name_put, ADMINISTRATOR},
    {GET,    "/api/nodes", api_nodes_list, MONITORING},
    {GET,    "/api/nodes/:n", api_node_get, MONITORING},
    {GET,    "/api/nodes/:n/memory", api_node_memory, MONITORING},
    {GET,    "/api/nodes/:n/limits", api_node_limits_get, MONITORING},
    {PUT,    "/api/nodes/:n/limits", api_node_limits_put, ADMINISTRATOR},
    {GET,    "/api/nodes/:n/memory/relative", api_node_memory_relative, MONITORING},
    {GET,    "/api/feature-flags", api_feature_flags, USER},
    {PUT,    "/api/feature-flags/:f/enable", api_feature_flag_enable, ADMINISTRATOR},
    {GET,    "/api/deprecated-features", respond_empty_list, USER},
    {GET,    "/api/deprecated-features/used", respond_empty_list, USER},
    {POST,   "/api/rebalance/queues", api_rebalance_queues, ADMINISTRATOR},
    {DELETE, "/api/reset", api_reset, ADMINISTRATOR},
    {DELETE, "/api/reset/:n", api_reset_node, ADMINISTRATOR},
    {GET,    "/api/auth", api_auth_settings, ANYBODY},
    {GET,    "/api/auth/hash_password/:p", api_auth_hash_password, ADMINISTRATOR},
    {GET,    "/api/auth/attempts", api_auth_attempts, MONITORING},
    {GET,    "/api/auth/attempts/:n", api_auth_attempts, MONITORING},
    {DELETE, "/api/auth/attempts/:n", api_auth_attempts_reset, MONITORING},
    {GET,    "/api/auth/attempts/:n/source", api_auth_attempts_source, MONITORING},
    {DELETE, "/api/auth/attempts/:n/source", api_auth_attempts_reset, MONITORING},

    {GET,    "/api/connections", api_connections_list, USER},
    {GET,    "/api/connections/username/:u", api_connections_of_user, USER},
    {DELETE, "/api/connections/username/:u", api_connections_of_user_delete, USER},
    {GET,    "/api/connections/:c", api_connection_get, USER},
    {DELETE, "/api/connections/:c", api_connection_delete, USER},
    {GET,    "/api/connections/:c/channels", api_channels_of_connection, USER},
    {GET,    "/api/channels", api_channels_list, USER},
    {GET,    "/api/channels/:c", api_channel_get, USER},
    {GET,    "/api/consumers", api_consumers_list, USER},
    {GET,    "/api/consumers/:v", api_consumers_list_vhost, VHOST},

    {GET,    "/api/exchanges", api_exchanges_list, USER},
    {GET,    "/api/exchanges/:v", api_exchanges_list_vhost, VHOST},
    {GET,    "/api/exchanges/:v/:x", api_exchange_get, VHOST},
    {PUT,    "/api/exchanges/:v/:x", api_exchange_put, VHOST},
    {DELETE, "/api/exchanges/:v/:x", api_exchange_delete, VHOST},
    {POST,   "/api/exchanges/:v/:x/publish", api_message_publish, VHOST_MESSAGE},
    {GET,    "/api/exchanges/:v/:x/bindings/source", api_bindings_of_source, VHOST},
    {GET,    "/api/exchanges/:v/:x/bindings/destination", api_bindings_of_destination, VHOST},

    {GET,    "/api/queues", api_queues_list, USER},
    {GET,    "/api/queues/detailed", api_queues_list, USER},
    {GET,    "/api/queues/:v", api_queues_list_vhost, VHOST},
    {GET,    "/api/queues/:v/:q", api_queue_get, VHOST},
    {PUT,    "/api/queues/:v/:q", api_queue_put, VHOST},
    {DELETE, "/api/queues/:v/:q", api_queue_delete, VHOST},
    {DELETE, "/api/queues/:v/:q/contents", api_queue_purge, VHOST},
    {POST,   "/api/queues/:v/:q/get", api_messages_get, VHOST},
    {POST,   "/api/queues/:v/:q/actions", api_queue_actions, ADMINISTRATOR},
    {GET,    "/api/queues/:v/:q/bindings", api_bindings_of_queue, VHOST},

    {GET,    "/api/bindings", api_bindings_list, USER},
    {GET,    "/api/bindings/:v", api_bindings_list_vhost, VHOST},
    {GET,    "/api/bindings/:v/e/:x/q/:q", api_bindings_between_queue, VHOST},
    {POST,   "/api/bindings/:v/e/:x/q/:q", api_binding_post_queue, VHOST},
    {GET,    "/api/bindings/:v/e/:x/q/:q/:p", api_binding_get_queue, VHOST},
    {DELETE, "/api/bindings/:v/e/:x/q/:q/:p", api_binding_delete_queue, VHOST},
    {GET,    "/api/bindings/:v/e/:x/e/:y", api_bindings_between_exchange, VHOST},
    {POST,   "/api/bindings/:v/e/:x/e/:y", api_binding_post_exchange, VHOST},
    {GET,    "/api/bindings/:v/e/:x/e/:y/:p", api_binding_get_exchange, VHOST},
    {DELETE, "/api/bindings/:v/e/:x/e/:y/:p", api_binding_delete_exchange, VHOST},

    {GET,    "/api/vhosts", api_vhosts_list, USER},
    {GET,    "/api/vhosts/:v", api_vhost_get, ADMINISTRATOR},
    {PUT,    "/api/vhosts/:v", api_vhost_put, ADMINISTRATOR},
    {DELETE, "/api/vhosts/:v", api_vhost_delete, ADMINISTRATOR},
    {POST,   "/api/vhosts/:v/start/:n", api_vhost_start, ADMINISTRATOR},
    {POST,   "/api/vhosts/:v/deletion/protection", api_vhost_protect, ADMINISTRATOR},
    {DELETE, "/api/vhosts/:v/deletion/protection", api_vhost_unprotect, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/permissions", api_permissions_of_vhost, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/topic-permissions", respond_empty_list, ADMINISTRATOR},
    {GET,    "/api/vhosts/:v/connections", api_connections_list_vhost, VHOST},
    {GET,    "/api/vhosts/:v/channels", api_channels_list_vhost, VHOST},

    {GET,    "/api/users", api_users_list, ADMINISTRATOR},
    {GET,    "/api/users/without-permissions", api_users_without_permissions, ADMINISTRATOR},
    {POST,   "/api/users/bulk-delete", api_users_bulk_delete, ADMINISTRATOR_NAMES},
    {GET,    "/api/users/:u", api_user_get, ADMINISTRATOR},
    {PUT,    "/api/users/:u", api_user_put, ADMINISTRATOR},
    {DELETE, "/api/users/:u", api_user_delete, ADMINISTRATOR},
    {GET,    "/api/users/:u/permissions", api_permissions_of_user, ADMINISTRATOR},
    {GET,    "/api/users/:u/topic-permissions", respond_empty_list, ADMINISTRATOR},
    {GET,    "/api/vhost-limits", api_vhost_limits_list, USER},
    {GET,    "/api/vhost-limits/:v", api_vhost_limits_of, KNOWN},
    {PUT,    "/api/vhost-limits/:v/:n", api_vhost_limit_put, ADMINISTRATOR},
    {DELETE, "/api/vhost-limits/:v/:n", api_vhost_limit_delete, ADMINISTRATOR},
    {GET,    "/api/user-limits", api_user_limits_list, USER},
    {GET,    "/api/user-limits/:u", api_user_limits_of, USER},
    {PUT,    "/api/user-limits/:u/:n", api_user_limit_put, ADMINISTRATOR},
    {DELETE, "/api/user-limits/:u/:n", api_user_limit_delete, ADMINISTRATOR},
    {GET,    "/api/permissions", api_permissions_list, ADMINISTRATOR},
    {GET,    "/api/permissions/:v/:u", api_permission_get, ADMINISTRATOR},
    {PUT,    "/api/permissions/:v/:u", api_permission_put, ADMINISTRATOR},
    {DELETE, "/api/permissions/:v/:u", api_permission_delete, ADMINISTRATOR},

    {GET,    "/api/policies", api_policies_list, USER},
    {GET,    "/api/policies/:v", api_policies_list_vhost, VHOST},
    {GET,    "/api/policies/:v/:n", api_policy_get, POLICYMAKER},
    {PUT,    "/api/policies/:v/:n", api_policy_put, POLICYMAKER},
    {DELETE, "/api/policies/:v/:n", api_policy_delete, POLICYMAKER},
    {GET,    "/api/operator-policies", api_operator_policies_list, USER},
    {GET,    "/api/operator-policies/:v", api_operator_policies_list_vhost, VHOST},
    {GET,    "/api/operator-policies/:v/:n", api_operator_policy_get, ADMINISTRATOR},
    {PUT,    "/api/operator-policies/:v/:n", api_operator_policy_put, ADMINISTRATOR},
    {DELETE, "/api/operator-policies/:v/:n", api_operator_policy_delete, ADMINISTRATOR},
    {GET,    "/api/parameters", api_parameters_list, POLICYMAKER},
    {GET,    "/api/parameters/:c", api_parameters_list_component, POLICYMAKER},
    {GET,    "/api/parameters/:c/:w", api_parameters_list_vhost, POLICYMAKER},
    {GET,    "/api/parameters/:c/:w/:n", api_parameter_get, POLICYMAKER},
    {PUT,    "/api/parameters/:c/:w/:n", api_parameter_put, POLICYMAKER},
    {DELETE, "/api/parameters/:c/:w/:n", api_parameter_delete, POLICYMAKER},

    {GET,    "/api/global-parameters", api_global_parameters_list, POLICYMAKER},
    {GET,    "/api/global-parameters/:n", api_global_parameter_get, POLICYMAKER},
    {PUT,    "/api/global-parameters/:n", api_global_parameter_put, POLICYMAKER_PARAMETER},
    {DELETE, "/api/global-parameters/:n", api_global_parameter_delete, POLICYMAKER},

    /* What Leveret has none of yet. */
    {GET,    "/api/topic-permissions", respond_empty_list, ADMINISTRATOR},

    {GET,    "/api/definitions", api_definitions_get, ADMINISTRATOR},
    {POST,   "/api/definitions", api_definitions_post, ADMINISTRATOR_DEFINITIONS},
    {GET,    "/api/definitions/:v", api_definitions_get_vhost, ADMINISTRATOR},
    {POST,   "/api/definitions/:v", api_definitions_post_vhost, ADMINISTRATOR_DEFINITIONS},

    {GET,    "/api/aliveness-test/:v", api_aliveness_test, VHOST},
    {GET,    "/api/healthchecks/node", api_health_alarms, MONITORING},
    {GET,    "/api/healthchecks/node/:n", api_health_alarms, MONITORING},
    {GET,    "/api/health/checks/alarms", api_health_alarms, USER},
    {GET,    "/api/health/checks/local-alarms", api_health_alarms, USER},
    {GET,    "/api/health/checks/virtual-hosts", api_health_vhosts, USER},
    {GET,    "/api/health/checks/port-listener/:p", api_health_port, USER},
    {GET,    "/api/health/checks/protocol-listener/:p", api_health_protocol, USER},
    {GET,    "/api/health/checks/certificate-expiration/:n/:unit", api_health_certificates, USER},
    {GET,    "/api/health/checks/is-in-service", api_health_service, USER},
    {GET,    "/api/health/checks/ready-to-serve-clients", api_health_service, USER},
    {GET,    "/api/health/checks/node-is-mirror-sync-critical", api_health_single_node, USER},
    {GET,    "/api/health/checks/node-is-quorum-critical", api_health_single_node, USER},
    {GET,    "/api/health/checks/metadata-store/initialized", api_health_store, USER},
    {GET,    "/api/health/checks/metadata-store/initialized/with-data", api_health_store_with_data, USER},
    {GET,    "/api/health/checks/below-node-connection-limit", api_health_connections, USER},
    {GET,    "/api/health/checks/reached-target-cluster-size", api_health_cluster_size, USER},
    {GET,    "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts", api_health_quorum, USER},
    {GET,    "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:p", api_health_quorum_matching, USER},
    {GET,    "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:v", api_health_quorum_vhost, USER},
    {GET,    "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:v/pattern/:p", api_health_quorum_vhost_matching, USER},
    {METHOD_OTHER, NULL, NULL, ADMINISTRATOR},
};
/* clang-format on */

const struct route *const route_tables[] = {routes, NULL};
