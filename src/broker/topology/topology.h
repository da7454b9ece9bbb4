/* The exchanges and bindings of one vhost, and who may change them how. The queues are the core's;
 * the topology knows them as endpoints. Thread: the vhost's owner.
 *
 * Normal course: a queue is made, the core calls topology_join for it; bindings are made and
 * removed; before a queue is freed the core calls topology_leave, which removes its bindings and
 * with them auto-delete exchanges that have lost their last one. What changes is told to the
 * observer, which is where the core journals and counts: declared and recovered things alike, so
 * the core mutes itself while it recovers.
 *
 * Errors of all functions come with a text in *refusal. */
#ifndef BROKER_TOPOLOGY_H
#define BROKER_TOPOLOGY_H

#include "broker/topology/exchange.h"
#include "leveret/base/map.h"

struct message;

struct exchange_declaration;

/* What a binding takes: by itself, and on the ring of a consistent-hash exchange. */
struct binding_size {
    uint64_t bytes, ring_bytes;
};

/* Told about each change, after it is made and before anything is freed (predeclared exchanges: not
 * told). Must not change the topology. Any function may be NULL. */
struct topology_observer {
    void *context;
    void (*exchange_added)(void *context, const struct exchange *exchange);
    void (*exchange_removed)(void *context, const struct exchange *exchange);
    void (*binding_added)(void *context, const struct binding *binding);
    void (*binding_removed)(void *context, const struct binding *binding);
    /* Whether there is room for one more; what was said yes to is told to be gone when it goes.
     * Errors: PRECONDITION_FAILED. */
    enum status (*exchange_admitted)(void *context, const struct exchange_declaration *declaration,
                                     struct refusal *refusal);
    enum status (*binding_admitted)(void *context, const struct binding_size *size,
                                    struct refusal *refusal);
    void (*binding_gone)(void *context, const struct binding_size *size);
    /* Whether an exchange's dedup knows the message already: dedup_refuses. */
    bool (*refuses)(struct dedup *dedup, const struct message *message, uint64_t *needed);
};

/* queues: the core's map from name to struct queue *, whose first member is a struct endpoint; it
 * is only read. vhost and the observer are copied, the map is not. Never NULL; holds the
 * predeclared exchanges. */
struct topology *topology_new(struct bytes vhost, const struct map *queues,
                              const struct topology_observer *observer);
/* Where x-random begins to pick; from 0 on when not called. */
void topology_seed(struct topology *topology, uint64_t seed);
/* Frees all exchanges and bindings without telling the observer. The queues may be gone already. */
void topology_free(struct topology **topology);

/* Changes with everything that may change a route: whoever remembers routes compares it. */
uint64_t topology_version(const struct topology *topology);

/* The exchange of this name ("" is the default exchange), or NULL. Valid until topology_version
 * changes. */
struct exchange *topology_exchange(const struct topology *topology, struct bytes name);

struct exchange_declaration {
    struct bytes name, type, arguments; /* arguments: a checked table's contents */
    bool passive, durable, auto_delete, internal;
};
/* Makes an exchange, or checks that the existing one is the same (passive: that it exists). *out
 * may be NULL. Errors: NOT_FOUND, ACCESS_REFUSED (the default exchange, amq.*),
 * PRECONDITION_FAILED. */
MUST_USE enum status topology_declare(struct topology *topology,
                                      const struct exchange_declaration *declaration,
                                      struct exchange **out, struct refusal *refusal);
/* Whether topology_declare would make the exchange if it is not there; its errors. */
MUST_USE enum status topology_check_new(const struct exchange_declaration *declaration,
                                        struct bytes vhost, struct refusal *refusal);
/* The type of an exchange that each vhost has from the start; NULL: no such one. */
const char *topology_predeclared_type(struct bytes name);
/* For recovery and for the broker's own exchanges (amq.rabbitmq.*): names are not reserved. */
MUST_USE enum status topology_restore(struct topology *topology,
                                      const struct exchange_declaration *declaration,
                                      struct exchange **out, struct refusal *refusal);

/* A policy says where goes what finds no destination (at NULL: it says nothing); the exchange's own
 * argument is over it. The name must stay where it is until the next call. */
void topology_set_alternate(struct topology *topology, struct exchange *exchange,
                            struct bytes alternate);

/* Whether topology_delete would do it; its errors. */
MUST_USE enum status topology_check_delete(const struct topology *topology, struct bytes name,
                                           bool if_unused, struct refusal *refusal);
/* Deleting what is not there succeeds. Errors: ACCESS_REFUSED (default and predeclared),
 * PRECONDITION_FAILED (in use). */
MUST_USE enum status topology_delete(struct topology *topology, struct bytes name, bool if_unused,
                                     struct refusal *refusal);

/* A binding by name. Binding twice is binding once; unbinding what is not bound succeeds. Whether
 * the caller may touch the queue (exclusive: RESOURCE_LOCKED) is the core's to check before.
 * Errors: NOT_FOUND, ACCESS_REFUSED (the default exchange), PRECONDITION_FAILED (arguments that the
 * type refuses). */
struct binding_declaration {
    struct bytes source, destination, routing_key, arguments;
    enum endpoint_kind kind; /* of the destination */
};
MUST_USE enum status topology_bind(struct topology *topology,
                                   const struct binding_declaration *declaration,
                                   struct refusal *refusal);
MUST_USE enum status topology_unbind(struct topology *topology,
                                     const struct binding_declaration *declaration,
                                     struct refusal *refusal);

/* A new queue: fills in its endpoint; name must stay where it is. Before it gets into the map of
 * queues. */
void topology_join(struct topology *topology, struct endpoint *endpoint, struct bytes name,
                   bool stored);
/* Before an endpoint with many bindings goes: removes some of those that lead to it, and for an
 * exchange those that lead from it, at most max. Returns how many; the endpoint stays. */
uint64_t topology_shed(struct topology *topology, struct endpoint *endpoint, uint64_t max);
/* The queue goes: removes its bindings (telling the observer). After it left the map of queues. */
void topology_leave(struct topology *topology, struct endpoint *endpoint);

/* Whether a client may publish here. Errors: ACCESS_REFUSED (an internal exchange). */
MUST_USE enum status topology_check_publish(const struct topology *topology,
                                            const struct exchange *exchange,
                                            struct refusal *refusal);

/* Listings: up to max objects after the one that *after names (0 at first). */
size_t topology_list_exchanges(const struct topology *topology, uint64_t *after,
                               const struct exchange **out, size_t max);
size_t topology_list_bindings(const struct topology *topology, uint64_t *after,
                              const struct binding **out, size_t max);
size_t topology_exchange_count(const struct topology *topology);
size_t topology_binding_count(const struct topology *topology);

#endif
