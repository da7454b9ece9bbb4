/* An exchange, and the functions of its type. Exchanges are made and freed by topology.c; a type is
 * one file, which defines a struct exchange_type that exchange_type.c lists. Thread: the vhost's
 * owner. */
#ifndef BROKER_EXCHANGE_H
#define BROKER_EXCHANGE_H

#include "broker/call/refuse.h"
#include "broker/call/sampled.h"
#include "broker/topology/binding.h"

struct dedup;
struct history;
struct delay;
struct topology;
struct routing;
struct exchange;
struct effective_policy;
struct binding_size;

struct exchange_type {
    const char *name;
    /* True when routes of this type depend on the routing key alone and on nothing random: a caller
     * may then remember a route until topology_version changes. */
    bool by_key;
    /* Whether an exchange can have these arguments. NULL: any. Errors: PRECONDITION_FAILED. */
    enum status (*validate)(struct bytes arguments, struct refusal *refusal);
    /* Whether an exchange with these arguments can have this binding. NULL: any. Errors:
     * PRECONDITION_FAILED. */
    enum status (*validate_binding)(struct bytes exchange_arguments, struct bytes routing_key,
                                    struct bytes arguments, struct refusal *refusal);
    /* Make and free exchange->state; close is called when no bindings are left. NULL: the type has
     * no state. */
    void (*open)(struct exchange *exchange);
    void (*close)(struct exchange *exchange);
    /* Adds to *out an estimate of the bytes that the binding takes in the type's index, and on its
     * ring. NULL: none. */
    void (*size)(const struct binding *binding, struct binding_size *out);
    /* Put a binding into the type's index and take it out. NULL: the type has no index but
     * bindings_from. */
    void (*bind)(struct exchange *exchange, struct binding *binding);
    void (*unbind)(struct exchange *exchange, struct binding *binding);
    /* Calls routing_reach for the destination of each binding that matches, or routing_keep when
     * the message has to wait. */
    void (*route)(struct exchange *exchange, struct routing *routing);
};

struct exchange {
    struct endpoint endpoint; /* first; name, stored (the same as durable) */
    const struct exchange_type *type;
    const struct exchange_type *inner; /* the type that an x-delayed-message exchange routes by, to
                                          which `state` belongs; else NULL */
    struct topology *topology;
    void *state;         /* made by type->open */
    struct delay *delay; /* messages that wait in it (delay.h); NULL until the first */
    struct dedup
        *dedup; /* identifiers of earlier messages (dedup.h); NULL: it does not deduplicate */
    struct history *history;           /* the last messages (history.h); NULL: it keeps none */
    struct binding_list bindings_from; /* by binding.from_link */
    uint64_t bindings_from_count;
    uint64_t number;                 /* in the topology's roster */
    struct bytes arguments;          /* a checked table's contents */
    struct effective_policy *policy; /* the policy that applies to it; NULL: none */
    struct bytes alternate; /* the exchange that gets messages without a destination; empty: none */
    bool durable, auto_delete, internal, predeclared;
    bool doomed; /* true once it has lost its last binding and waits for its deletion (auto-delete)
                  */
    uint64_t publish_in, publish_out; /* messages published to it, and sent on from it to queues */
    /* Clients' messages that reached no queue: those that were mandatory, and the others. */
    uint64_t unroutable_returned, unroutable_dropped;
    struct sampled sampled; /* born_wall_ms is set by the observer, after exchange_added */
    uint8_t data[];         /* name, arguments */
};

/* The type of this name, or NULL. The default exchange's type has no name and is not found. */
const struct exchange_type *exchange_type_find(struct bytes name);
/* True for a topic exchange, and for an x-delayed-message exchange that routes like one. */
bool exchange_routes_by_topic(const struct exchange *exchange);

extern const struct exchange_type exchange_type_default;
extern const struct exchange_type exchange_type_direct;
extern const struct exchange_type exchange_type_fanout;
extern const struct exchange_type exchange_type_topic;
extern const struct exchange_type exchange_type_headers;
extern const struct exchange_type exchange_type_delayed;
extern const struct exchange_type exchange_type_deduplication;
extern const struct exchange_type exchange_type_hash;
extern const struct exchange_type exchange_type_modulus;
extern const struct exchange_type exchange_type_random;
extern const struct exchange_type exchange_type_local_random;
extern const struct exchange_type exchange_type_history;

#endif
