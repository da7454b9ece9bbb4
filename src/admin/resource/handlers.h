/* The handlers that route_table.c names, by resource, and the kinds of listing. Thread: main. */
#ifndef LEVERET_ADMIN_HANDLERS_H
#define LEVERET_ADMIN_HANDLERS_H

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/http/routes.h"
#include "admin/json/form.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"

/* queues.c */
void api_queues_list(struct request *r);
void api_queues_list_vhost(struct request *r);
void api_queue_get(struct request *r);
void api_queue_put(struct request *r);
void api_queue_delete(struct request *r);
void api_queue_purge(struct request *r);
void api_queue_actions(struct request *r);
/* exchanges.c */
void api_exchanges_list(struct request *r);
void api_exchanges_list_vhost(struct request *r);
void api_exchange_get(struct request *r);
void api_exchange_put(struct request *r);
void api_exchange_delete(struct request *r);
/* bindings.c */
void api_bindings_list(struct request *r);
void api_bindings_list_vhost(struct request *r);
void api_bindings_of_queue(struct request *r);
void api_bindings_of_source(struct request *r);
void api_bindings_of_destination(struct request *r);
void api_bindings_between_queue(struct request *r);
void api_bindings_between_exchange(struct request *r);
void api_binding_post_queue(struct request *r);
void api_binding_post_exchange(struct request *r);
void api_binding_get_queue(struct request *r);
void api_binding_get_exchange(struct request *r);
void api_binding_delete_queue(struct request *r);
void api_binding_delete_exchange(struct request *r);
/* consumers.c */
void api_consumers_list(struct request *r);
void api_consumers_list_vhost(struct request *r);
extern const struct listing_kind listing_consumers;
/* channels.c */
void api_channels_list(struct request *r);
void api_channels_list_vhost(struct request *r);
void api_channels_of_connection(struct request *r);
void api_channel_get(struct request *r);
/* connections.c */
void api_connections_list(struct request *r);
void api_connections_list_vhost(struct request *r);
void api_connections_of_user(struct request *r);
void api_connection_get(struct request *r);
void api_connection_delete(struct request *r);
void api_connections_of_user_delete(struct request *r);
/* Closes the connections of users that were deleted, then answers 204, or why not all of them were.
 * The names must live as long as the request, and not in its work, which changes. */
void api_connections_close_of_deleted(struct request *r, const char *const *users, size_t count,
                                      enum status status, const char *text);
/* messages.c */
void api_message_publish(struct request *r);
void api_messages_get(struct request *r);
void api_aliveness_test(struct request *r);
/* limits.c */
void api_vhost_limits_list(struct request *r);
void api_vhost_limits_of(struct request *r);
void api_vhost_limit_put(struct request *r);
void api_vhost_limit_delete(struct request *r);
void api_user_limits_list(struct request *r);
void api_user_limits_of(struct request *r);
void api_user_limit_put(struct request *r);
void api_user_limit_delete(struct request *r);
/* A vhost's or user's limits as an object. */
void api_limits_write(struct answer *a, const char *key, struct auth *auth, enum limited limited,
                      const char *holder);
/* The same of limits that were asked for. */
void api_limits_write_values(struct answer *a, const char *key, enum limited limited,
                             const int64_t max[LIMITS_EACH]);
/* Sets those that the object in the form's field has; none when the field is missing. Errors:
 * MALFORMED with the reason in the form; as auth_put_limit. */
MUST_USE enum status api_limits_from_json(struct admin *admin, enum limited limited,
                                          const char *holder, struct form *form, const char *key);
/* Notes in the form what api_limits_from_json would refuse in it. */
void api_limits_check(enum limited limited, struct form *form, const char *key);
/* users.c */
void api_users_list(struct request *r);
void api_users_without_permissions(struct request *r);
void api_user_get(struct request *r);
void api_user_put(struct request *r);
void api_user_delete(struct request *r);
void api_users_bulk_delete(struct request *r);
void api_whoami(struct request *r);
/* permissions.c */
void api_permissions_list(struct request *r);
void api_permissions_of_vhost(struct request *r);
void api_permissions_of_user(struct request *r);
void api_permission_get(struct request *r);
void api_permission_put(struct request *r);
void api_permission_delete(struct request *r);
/* vhosts.c */
void api_vhosts_list(struct request *r);
void api_vhost_get(struct request *r);
void api_vhost_put(struct request *r);
void api_vhost_delete(struct request *r);
void api_vhost_start(struct request *r);
void api_vhost_protect(struct request *r);
void api_vhost_unprotect(struct request *r);
/* policies.c */
void api_policies_list(struct request *r);
void api_policies_list_vhost(struct request *r);
void api_policy_get(struct request *r);
void api_policy_put(struct request *r);
void api_policy_delete(struct request *r);
void api_operator_policies_list(struct request *r);
void api_operator_policies_list_vhost(struct request *r);
void api_operator_policy_get(struct request *r);
void api_operator_policy_put(struct request *r);
void api_operator_policy_delete(struct request *r);
void api_parameters_list(struct request *r);
void api_parameters_list_component(struct request *r);
void api_parameters_list_vhost(struct request *r);
void api_parameter_get(struct request *r);
void api_parameter_put(struct request *r);
void api_parameter_delete(struct request *r);
/* global_parameters.c */
void api_global_parameters_list(struct request *r);
void api_global_parameter_get(struct request *r);
void api_global_parameter_put(struct request *r);
void api_global_parameter_delete(struct request *r);
void api_cluster_name(struct request *r);
void api_cluster_name_put(struct request *r);
/* Writes them as definitions have them. */
void api_global_parameters_write(struct answer *answer, struct auth *auth);
/* Notes in the form why it is not a global parameter that can be set. */
void api_global_parameter_check(struct form *form, const char *name);
/* Sets one as the form's field "value" says. Errors: as auth_put_parameter, with the reason in the
 * form. */
MUST_USE enum status api_global_parameter_from_json(struct auth *auth, const char *name,
                                                    struct form *form, bool *created);
/* memory.c */
void api_node_memory(struct request *r);
void api_node_memory_relative(struct request *r);
/* watermarks.c */
void api_node_limits_get(struct request *r);
void api_node_limits_put(struct request *r);
/* overview.c */
void api_overview(struct request *r);
void api_nodes_list(struct request *r);
void api_node_get(struct request *r);
/* about.c */
void api_version_get(struct request *r);
void api_auth_settings(struct request *r);
void api_auth_hash_password(struct request *r);
void api_rebalance_queues(struct request *r);
void api_reset(struct request *r);
void api_reset_node(struct request *r);
/* feature_flags.c */
void api_feature_flags(struct request *r);
void api_feature_flag_enable(struct request *r);
/* auth_attempts.c */
void api_auth_attempts(struct request *r);
void api_auth_attempts_source(struct request *r);
void api_auth_attempts_reset(struct request *r);
/* health.c */
void api_health_alarms(struct request *r);
void api_health_vhosts(struct request *r);
void api_health_port(struct request *r);
void api_health_protocol(struct request *r);
void api_health_certificates(struct request *r);
void api_health_service(struct request *r);
void api_health_single_node(struct request *r);
void api_health_store(struct request *r);
void api_health_store_with_data(struct request *r);
void api_health_connections(struct request *r);
void api_health_cluster_size(struct request *r);
/* health_quorum.c */
void api_health_quorum(struct request *r);
void api_health_quorum_matching(struct request *r);
void api_health_quorum_vhost(struct request *r);
void api_health_quorum_vhost_matching(struct request *r);
/* metrics.c */
void api_metrics(struct request *r);
void api_metrics_per_object(struct request *r);
void api_metrics_detailed(struct request *r);
/* definitions.c, import.c */
void api_definitions_get(struct request *r);
void api_definitions_get_vhost(struct request *r);
void api_definitions_post(struct request *r);
void api_definitions_post_vhost(struct request *r);

/* ---- Pieces that several of them use (common.c). */

/* Makes or changes a user as the API and definitions describe him. hashing: of a password hash that
 * does not say; NULL: today's. Errors: MALFORMED with the reason in the form, which names the
 * field; as auth_put_user. (users.c) */
MUST_USE enum status api_user_from_json(struct auth *auth, const char *name, struct form *user,
                                        const char *hashing, bool *created);
/* Notes in the form what api_user_from_json would refuse in it. */
void api_user_check(struct form *form, const char *hashing);
/* Makes or changes a vhost; the user, if there is one ("": none), gets all permissions on a new
 * one. Errors: MALFORMED with the reason in the form, which names the field; as node_add_vhost and
 * auth_put_vhost, with a sentence in *error (may stay NULL; free it). (vhosts.c) */
MUST_USE enum status api_vhost_from_json(struct admin *admin, const char *name, struct form *vhost,
                                         const char *user, bool *created, char **error);
/* Notes in the form what api_vhost_from_json would refuse in it. */
void api_vhost_check(struct form *form);
/* The name of the type of queues that do not say it: the vhost's or else the node's; static.
 * (vhosts.c) */
const char *api_vhost_queue_type(struct admin *admin, const struct vhost_entry *entry);
/* Whether the request's vhost is there and not protected; false: answered 404 or 412.
 * (vhost_protect.c) */
bool api_vhost_may_be_deleted(struct request *r);
/* Fills in what the JSON of a policy says: all but name and operator_policy. *definition is set and
 * to be freed; out has views into it and the JSON. False: *why says in RabbitMQ's words why not,
 * zero-ended. (policies.c) */
bool api_policy_from_json(const struct value *policy, struct command *out, struct text *definition,
                          struct text *why);
/* The name of the queue's type. A view into the info, or static. (queues.c) */
struct bytes api_queue_type(const struct queue_info *queue);
/* A policy as the fields of an object, and as a runtime parameter. (policies.c) */
void api_policy_write(struct answer *answer, struct bytes vhost, const struct policy_info *policy);
void api_policy_write_parameter(struct answer *answer, struct bytes vhost,
                                const struct policy_info *policy, bool operator_policy);
/* ["a", "b"] of "a,b". (users.c) */
void api_tags_write(struct answer *answer, const char *key, const char *tags);
/* Tags as a string or a list of strings → "a,b", not zero-ended; nothing when the field is
 * missing. (users.c) */
void api_tags_read(struct form *form, const char *key, struct text *out);

/* "127.0.0.1:5000 -> …" cut apart, for connection_details. */
void api_connection_write(struct answer *answer, const char *key, struct bytes connection_name);
/* peer_host and peer_port alone, into the object that is open. */
void api_peer_fields(struct answer *answer, struct bytes connection_name);
/* Milliseconds since 1970 as RabbitMQ prints idle_since: "2026-01-31T12:00:00.123+00:00". */
void api_time_write(struct answer *answer, const char *key, uint64_t wall_ms);
/* The exchange types as overview and nodes list them. */
void api_exchange_types_write(struct answer *answer);

#endif
