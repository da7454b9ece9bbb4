/* The handlers that route_table.c names, by resource, and the kinds of listing. Thread: main. */
#ifndef LEVERET_ADMIN_HANDLERS_H
#define LEVERET_ADMIN_HANDLERS_H

#include "listing.h"
#include "samples.h"

/* queues.c */
void queues_list(struct request *r);
void queues_list_vhost(struct request *r);
void api_queue_get(struct request *r);
void queue_put(struct request *r);
void api_queue_delete(struct request *r);
void api_queue_purge(struct request *r);
void queue_actions(struct request *r);
/* exchanges.c */
void exchanges_list(struct request *r);
void exchanges_list_vhost(struct request *r);
void exchange_get(struct request *r);
void exchange_put(struct request *r);
void exchange_delete(struct request *r);
/* bindings.c */
void bindings_list(struct request *r);
void bindings_list_vhost(struct request *r);
void bindings_of_queue(struct request *r);
void bindings_of_source(struct request *r);
void bindings_of_destination(struct request *r);
void bindings_between_queue(struct request *r);
void bindings_between_exchange(struct request *r);
void binding_post_queue(struct request *r);
void binding_post_exchange(struct request *r);
void binding_get_queue(struct request *r);
void binding_get_exchange(struct request *r);
void binding_delete_queue(struct request *r);
void binding_delete_exchange(struct request *r);
/* consumers.c */
void consumers_list(struct request *r);
void consumers_list_vhost(struct request *r);
extern const struct listing_kind listing_consumers;
/* channels.c */
void channels_list(struct request *r);
void channels_list_vhost(struct request *r);
void channels_of_connection(struct request *r);
void channel_get(struct request *r);
/* connections.c */
void connections_list(struct request *r);
void connections_list_vhost(struct request *r);
void connections_of_user(struct request *r);
void connection_get(struct request *r);
void connection_delete(struct request *r);
void connections_of_user_delete(struct request *r);
/* messages.c */
void message_publish(struct request *r);
void messages_get(struct request *r);
void aliveness_test(struct request *r);
/* users.c */
void users_list(struct request *r);
void users_without_permissions(struct request *r);
void user_get(struct request *r);
void user_put(struct request *r);
void user_delete(struct request *r);
void users_bulk_delete(struct request *r);
void whoami(struct request *r);
/* permissions.c */
void permissions_list(struct request *r);
void permissions_of_vhost(struct request *r);
void permissions_of_user(struct request *r);
void permission_get(struct request *r);
void permission_put(struct request *r);
void permission_delete(struct request *r);
/* vhosts.c */
void vhosts_list(struct request *r);
void vhost_get(struct request *r);
void vhost_put(struct request *r);
void vhost_delete(struct request *r);
/* overview.c */
void overview(struct request *r);
void nodes_list(struct request *r);
void node_get(struct request *r);
void version_get(struct request *r);
void cluster_name(struct request *r);
void empty_list(struct request *r);
void extensions(struct request *r);
void auth_attempts(struct request *r);
void auth_settings(struct request *r);
/* health.c */
void health_alarms(struct request *r);
void health_vhosts(struct request *r);
void health_port(struct request *r);
void health_protocol(struct request *r);
void health_certificates(struct request *r);
void health_service(struct request *r);
void health_single_node(struct request *r);
/* metrics.c */
void metrics(struct request *r);
void metrics_per_object(struct request *r);
void metrics_detailed(struct request *r);
/* definitions.c, import.c */
void definitions_get(struct request *r);
void definitions_get_vhost(struct request *r);
void definitions_post(struct request *r);
void definitions_post_vhost(struct request *r);

/* ---- Pieces that several of them use (common.c). */

/* A boolean of the body: "true" and "false" are taken as well. False: answered 400. */
bool body_bool(struct request *r, const char *key, bool otherwise, bool *out);
/* The body's "arguments" as a table. False: answered 400. Free *out. */
bool body_arguments(struct request *r, struct text *out);
/* A text of the body; NULL when it is missing or none. Valid as long as the request. */
const char *body_text(const struct request *r, const char *key);
/* Whether all keys (NULL-ended) are there. False: answered 400 as RabbitMQ does. */
bool body_requires(struct request *r, const char *const *keys);

/* Makes or changes a user as the API and definitions describe him. Errors: as auth_put_user.
 * (users.c) */
MUST_USE enum status user_from_json(struct auth *auth, const char *name, const struct value *user,
                                    bool *created);
/* Makes or changes a vhost; the user gets all permissions on a new one. Errors: as node_add_vhost,
 * auth_put_vhost, with a sentence in *error (may stay NULL; free it). (vhosts.c) */
MUST_USE enum status vhost_from_json(struct admin *admin, const char *name,
                                     const struct value *vhost, const char *user, bool *created,
                                     char **error);
/* ["a", "b"] of "a,b". (users.c) */
void tags_write(struct answer *answer, const char *key, const char *tags);
/* Tags as a text or a list → "a,b", not zero-ended. False: neither. (users.c) */
bool tags_read(const struct value *value, struct text *out);

/* "127.0.0.1:5000 -> …" cut apart, for connection_details. */
void peer_write(struct answer *answer, const char *key, struct bytes connection_name);
/* peer_host and peer_port alone, into the object that is open. */
void peer_fields(struct answer *answer, struct bytes connection_name);
/* The properties key of a binding: how its place in the API is called. */
void properties_key(struct text *out, struct bytes routing_key, struct bytes arguments);
/* Milliseconds since 1970 as RabbitMQ prints idle_since: "2026-01-31T12:00:00.123+00:00". */
void time_write(struct answer *answer, const char *key, uint64_t wall_ms);
/* The exchange types as overview and nodes list them. */
void exchange_types_write(struct answer *answer);

#endif
