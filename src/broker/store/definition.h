/* Exchanges, queues, bindings and policies as the journal keeps them: one key and one value each.
 * Thread: any; no state.
 *
 * A key begins with the kind of thing: 'x' exchange, 'q' queue, 'b' binding, 'd' what waits in a
 * delaying exchange, 'p' policy, 'o' operator policy, and is at most 1 KiB. A value begins with a
 * format version. Bindings name their ends, so recovery restores exchanges and queues first; the
 * journal gives no order between kinds.
 *
 * What can go wrong: a value that is cut short or of a version not known is refused, never guessed.
 */
#ifndef BROKER_DEFINITION_H
#define BROKER_DEFINITION_H

#include "broker/topology/topology.h"
#include "leveret/base/text.h"
#include "leveret/broker/command.h"

enum definition_kind {
    DEFINITION_EXCHANGE = 'x',
    DEFINITION_QUEUE = 'q',
    DEFINITION_BINDING = 'b',
    DEFINITION_DELAY = 'd',
    DEFINITION_DEDUP = 'i', /* dedup_store.c, like the next */
    DEFINITION_DEDUP_OWNER = 'I',
    DEFINITION_RETURNS = 'n', /* returns.h */
    DEFINITION_POLICY = 'p',
    DEFINITION_OPERATOR_POLICY = 'o',
};

struct queue_definition {
    struct bytes name, arguments; /* arguments: a checked table's contents */
    bool durable, auto_delete, exclusive;
    uint64_t lane_id;       /* of its first lane in the journal */
    uint64_t priorities_id; /* of the lanes of a quorum queue's priorities; 0: it has none */
};

struct policy_definition {
    bool operator_policy;
    struct bytes name, pattern, definition; /* definition: a checked table's contents */
    int64_t priority;
    enum policy_target target;
};

/* The lane with the messages of an exchange that are due in one span of time. */
struct delay_definition {
    struct bytes exchange;
    uint32_t span_ms;
    uint64_t start_ms; /* wall clock */
    uint64_t lane_id;
};

/* Each replaces key and value with what the journal keeps. value may be NULL: the key alone, for
 * erasing. */
void definition_of_exchange(const struct exchange *exchange, struct text *key, struct text *value);
void definition_of_queue(const struct queue_definition *queue, struct text *key,
                         struct text *value);
void definition_of_delay(const struct delay_definition *delay, struct text *key,
                         struct text *value);
void definition_of_binding(const struct binding *binding, struct text *key, struct text *value);
void definition_of_policy(const struct policy_definition *policy, struct text *key,
                          struct text *value);

/* Reading back; views into key and value. *out is what topology_restore and topology_bind take.
 * Errors: CORRUPT (cut short, a table that is none, another kind of key), VERSION. */
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
