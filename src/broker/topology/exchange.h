/* An exchange, and the table of what each exchange type does. Exchanges are made and freed by
 * topology.c; a type is one file that fills in a struct exchange_type and is listed in
 * exchange_type.c. Thread: the vhost's owner. */
#ifndef BROKER_EXCHANGE_H
#define BROKER_EXCHANGE_H

#include "broker/call/refusal.h"
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
    /* The route depends on the routing key alone and on nothing random: a caller may remember it
     * while topology_version stays. */
    bool by_key;
    /* Whether an exchange can have these arguments. NULL: it can. Errors: PRECONDITION_FAILED. */
    enum status (*validate)(struct bytes arguments, struct refusal *refusal);
    /* Whether an exchange with these arguments can have this binding. NULL: it can. Errors:
     * PRECONDITION_FAILED. */
    enum status (*validate_binding)(struct bytes exchange_arguments, struct bytes routing_key,
                                    struct bytes arguments, struct refusal *refusal);
    /* Makes and frees exchange->state; at close no bindings are left. NULL: there is no state. */
    void (*open)(struct exchange *exchange);
    void (*close)(struct exchange *exchange);
    /* Bytes that the type's index takes for a binding, and its ring, by estimate: added to what
     * *out has. NULL: none. */
    void (*size)(const struct binding *binding, struct binding_size *out);
    /* Puts a binding into the type's index and takes it out. NULL: bindings_from is enough. */
    void (*bind)(struct exchange *exchange, struct binding *binding);
    void (*unbind)(struct exchange *exchange, struct binding *binding);
    /* Calls routing_reach for the destination of each binding that matches, or routing_keep. */
    void (*route)(struct exchange *exchange, struct routing *routing);
};

struct exchange {
    struct endpoint endpoint; /* first; name, stored (the same as durable) */
    const struct exchange_type *type;
    const struct exchange_type *inner; /* of x-delayed-message: whose state this is; else NULL */
    struct topology *topology;
    void *state;                       /* the type's own */
    struct delay *delay;               /* what waits in it (delay.h); NULL: nothing ever did */
    struct dedup *dedup;               /* what came before; NULL: it takes anything */
    struct history *history;           /* the last messages (history.h); NULL: it keeps none */
    struct binding_list bindings_from; /* by binding.from_link */
    uint64_t bindings_from_count;
    uint64_t number;                 /* in the topology's roster */
    struct bytes arguments;          /* a checked table's contents */
    struct effective_policy *policy; /* what applies to it; NULL: nothing */
    struct bytes alternate;          /* where what finds no destination goes; empty: nowhere */
    bool durable, auto_delete, internal, predeclared;
    bool doomed;                      /* auto-delete, waiting to be deleted */
    uint64_t publish_in, publish_out; /* messages, counted by the publisher's side */
    /* Of clients' messages that found no queue: mandatory, and not. */
    uint64_t unroutable_returned, unroutable_dropped;
    uint8_t data[]; /* name, arguments */
};

/* The type of this name, or NULL. "" has a type of its own that is not found here. */
const struct exchange_type *exchange_type_find(struct bytes name);

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
