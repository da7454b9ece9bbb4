/* The exchanges and bindings of one vhost, and the rules for changing them. The core owns the
 * queues; the topology knows them as endpoints. Thread: the vhost's owner.
 *
 * Normal course: a queue is made, the core calls topology_join for it; bindings are made and
 * removed; before a queue is freed the core calls topology_leave, which removes its bindings and
 * with them auto-delete exchanges that have lost their last one. The observer is told of every
 * change; the core journals and counts there. It is told of what is recovered as well, so the
 * core's observer does nothing during recovery.
 *
 * Errors of all functions come with a text in *refusal. */
#ifndef BROKER_TOPOLOGY_H
#define BROKER_TOPOLOGY_H

#include "broker/topology/exchange.h"
#include "leveret/base/map.h"

struct message;

struct exchange_declaration;

/* The bytes that a binding takes: by itself, and on the ring of a consistent-hash exchange. */
struct binding_size {
    uint64_t bytes, ring_bytes;
};

/* Called for each change, after it is made and before anything is freed, but not for predeclared
 * exchanges. The functions must not change the topology. Each may be NULL. */
struct topology_observer {
    void *context;
    void (*exchange_added)(void *context, const struct exchange *exchange);
    void (*exchange_removed)(void *context, const struct exchange *exchange);
    void (*binding_added)(void *context, const struct binding *binding);
    void (*binding_removed)(void *context, const struct binding *binding);
    /* Whether the account has room for one more. For each that was admitted the observer is told
     * when it goes. Errors: PRECONDITION_FAILED. */
    enum status (*exchange_admitted)(void *context, const struct exchange_declaration *declaration,
                                     struct refusal *refusal);
    enum status (*binding_admitted)(void *context, const struct binding_size *size,
                                    struct refusal *refusal);
    void (*binding_gone)(void *context, const struct binding_size *size);
    /* Whether an exchange's dedup knows the message already (dedup.h). */
    bool (*knows)(struct dedup *dedup, const struct message *message, uint64_t *needed);
};

/* queues: the core's map from name to struct queue *, whose first member is a struct endpoint; the
 * topology only reads it. vhost and the observer are copied, the map is not. Never returns NULL;
 * the predeclared exchanges exist already. */
struct topology *topology_new(struct bytes vhost, const struct map *queues,
                              const struct topology_observer *observer);
/* Sets the seed of x-random's picks, which is 0 without this call. */
void topology_seed(struct topology *topology, uint64_t seed);
/* Frees all exchanges and bindings without telling the observer. The queues may be freed before. */
void topology_free(struct topology **topology);

/* A number that changes with everything that may change a route. A caller that remembers a route
 * compares it. */
uint64_t topology_version(const struct topology *topology);

/* The exchange of this name ("" is the default exchange), or NULL. Valid until topology_version
 * changes. */
struct exchange *topology_exchange(const struct topology *topology, struct bytes name);

struct exchange_declaration {
    struct bytes name, type, arguments; /* arguments: a checked table's contents */
    bool passive, durable, auto_delete, internal;
};
/* Makes an exchange, or checks that the existing one is the same; with passive, only checks that it
 * exists. *out may be NULL. Errors: NOT_FOUND, ACCESS_REFUSED (the default exchange, amq.*),
 * PRECONDITION_FAILED. */
MUST_USE enum status topology_declare(struct topology *topology,
                                      const struct exchange_declaration *declaration,
                                      struct exchange **out, struct refusal *refusal);
/* Whether topology_declare would make the exchange if it does not exist; the same errors. */
MUST_USE enum status topology_check_new(const struct exchange_declaration *declaration,
                                        struct bytes vhost, struct refusal *refusal);
/* The type of the predeclared exchange with this name; NULL when there is none. */
const char *topology_predeclared_type(struct bytes name);
/* As topology_declare, but reserved names are allowed: for recovery, and for the broker's own
 * exchanges (amq.rabbitmq.*). */
MUST_USE enum status topology_restore(struct topology *topology,
                                      const struct exchange_declaration *declaration,
                                      struct exchange **out, struct refusal *refusal);

/* Sets the alternate exchange that a policy gives (at NULL: none). The exchange's own argument
 * takes precedence. The name must stay where it is until the next call. */
void topology_set_alternate(struct topology *topology, struct exchange *exchange,
                            struct bytes alternate);

/* Whether topology_delete would succeed; the same errors. */
MUST_USE enum status topology_check_delete(const struct topology *topology, struct bytes name,
                                           bool if_unused, struct refusal *refusal);
/* Deletes an exchange; succeeds when there is none. Errors: ACCESS_REFUSED (default and
 * predeclared), PRECONDITION_FAILED (in use). */
MUST_USE enum status topology_delete(struct topology *topology, struct bytes name, bool if_unused,
                                     struct refusal *refusal);

/* A binding by the names of its ends. Binding again changes nothing; unbinding what is not bound
 * succeeds. The core checks before the call whether the client may use the queue (exclusive:
 * RESOURCE_LOCKED). Errors: NOT_FOUND, ACCESS_REFUSED (the default exchange), PRECONDITION_FAILED
 * (arguments that the type refuses). */
struct binding_declaration {
    struct bytes source, destination, routing_key, arguments;
    enum endpoint_kind kind; /* what the destination is */
};
MUST_USE enum status topology_bind(struct topology *topology,
                                   const struct binding_declaration *declaration,
                                   struct refusal *refusal);
MUST_USE enum status topology_unbind(struct topology *topology,
                                     const struct binding_declaration *declaration,
                                     struct refusal *refusal);

/* Fills in the endpoint of a new queue, before the queue goes into the map of queues. name must
 * stay where it is. */
void topology_join(struct topology *topology, struct endpoint *endpoint, struct bytes name,
                   bool stored);
/* Removes at most max bindings of an endpoint that is going to be removed, so that this can be done
 * in portions: those that lead to it and, for an exchange, those that lead from it. Returns how
 * many; the endpoint stays. */
uint64_t topology_shed(struct topology *topology, struct endpoint *endpoint, uint64_t max);
/* Removes the bindings of a queue, telling the observer, after the queue has left the map of
 * queues. */
void topology_leave(struct topology *topology, struct endpoint *endpoint);

/* Whether a client may publish to the exchange. Errors: ACCESS_REFUSED (it is internal). */
MUST_USE enum status topology_check_publish(const struct topology *topology,
                                            const struct exchange *exchange,
                                            struct refusal *refusal);

/* Listings: up to max objects with numbers above *after (0 at first), which becomes the last one's
 * number. */
size_t topology_list_exchanges(const struct topology *topology, uint64_t *after,
                               const struct exchange **out, size_t max);
size_t topology_list_bindings(const struct topology *topology, uint64_t *after,
                              const struct binding **out, size_t max);
/* The exchange with the next number above *after, which becomes its number; NULL: there is none. */
struct exchange *topology_next_exchange(const struct topology *topology, uint64_t *after);
size_t topology_exchange_count(const struct topology *topology);
size_t topology_binding_count(const struct topology *topology);

#endif
