/* Definitions: exchanges, queues, bindings, delay buckets and policies as the journal keeps them,
 * each as one key and one value. Thread: any; no state.
 *
 * A key is at most 1 KiB and begins with the kind of definition (enum definition_kind). A value
 * begins with a format version. A binding's key names its two ends, so recovery restores exchanges
 * and queues first; the journal returns the kinds in no particular order.
 *
 * What can go wrong: a value is cut short, or its version is unknown: then it is refused. */
#ifndef BROKER_DEFINITION_H
#define BROKER_DEFINITION_H

#include "broker/topology/topology.h"
#include "leveret/base/text.h"
#include "leveret/broker/command.h"

enum definition_kind {
    DEFINITION_EXCHANGE = 'x',
    DEFINITION_QUEUE = 'q',
    DEFINITION_BINDING = 'b',
    DEFINITION_DELAY = 'd', /* a lane of delayed messages: struct delay_definition */
    DEFINITION_DEDUP = 'i', /* read and written in dedup/dedup_store.c, like the next */
    DEFINITION_DEDUP_OWNER = 'I',
    DEFINITION_RETURNS = 'n', /* read and written in store/returns.c */
    DEFINITION_POLICY = 'p',
    DEFINITION_OPERATOR_POLICY = 'o',
};

struct queue_definition {
    struct bytes name, arguments; /* arguments: a checked table's contents */
    bool durable, auto_delete, exclusive;
    bool paused;            /* true: it delivers nothing */
    uint64_t lane_id;       /* the id of its first lane in the journal */
    uint64_t priorities_id; /* the first id of a quorum queue's lanes for priorities; 0: none */
};

struct policy_definition {
    bool operator_policy;
    struct bytes name, pattern, definition; /* definition: a checked table's contents */
    int64_t priority;
    enum policy_target target;
};

/* A lane with the delayed messages of an exchange that are due in the same span of time. */
struct delay_definition {
    struct bytes exchange;
    uint32_t span_ms;
    uint64_t start_ms; /* wall clock */
    uint64_t lane_id;
};

/* Each replaces the contents of key and value with those for the journal. value may be NULL, when
 * only the key is needed, to erase the definition. */
void definition_of_exchange(const struct exchange *exchange, struct text *key, struct text *value);
void definition_of_queue(const struct queue_definition *queue, struct text *key,
                         struct text *value);
void definition_of_delay(const struct delay_definition *delay, struct text *key,
                         struct text *value);
void definition_of_binding(const struct binding *binding, struct text *key, struct text *value);
void definition_of_policy(const struct policy_definition *policy, struct text *key,
                          struct text *value);

/* Each reads a definition into *out, which then contains views into key and value. topology_restore
 * takes the exchange, topology_bind the binding. Errors: CORRUPT (the key is of another kind, the
 * value is cut short or contains a malformed table), VERSION. */
MUST_USE enum status definition_read_exchange(struct bytes key, struct bytes value,
                                              struct exchange_declaration *out);
MUST_USE enum status definition_read_queue(struct bytes key, struct bytes value,
                                           struct queue_definition *out);
MUST_USE enum status definition_read_delay(struct bytes key, struct bytes value,
                                           struct delay_definition *out);
MUST_USE enum status definition_read_binding(struct bytes key, struct bytes value,
                                             struct binding_declaration *out);
MUST_USE enum status definition_read_policy(struct bytes key, struct bytes value,
                                            struct policy_definition *out);

#endif
