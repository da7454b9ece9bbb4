/* What a vhost has counted since it was opened. The HTTP API and metrics make sums and rates of it.
 * Written by the vhost's owner; copies are anybody's. */
#ifndef LEVERET_BROKER_COUNTERS_H
#define LEVERET_BROKER_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* What happens to messages: of a vhost, a channel or a queue, each as far as it concerns that. */
struct rates {
    uint64_t publish, confirm, return_unroutable, drop_unroutable, deliver, deliver_no_ack, get,
        get_no_ack, get_empty, ack, redeliver, reject;
};

/* Types of queues that are counted apart. */
enum counted_type { COUNTED_CLASSIC, COUNTED_QUORUM, COUNTED_TYPES };
/* What becomes of messages that die in a queue: it has no dead-letter exchange that exists; it has
 * one; it keeps them until a queue has taken them. */
enum counted_strategy {
    COUNTED_DISABLED,
    COUNTED_AT_MOST_ONCE,
    COUNTED_AT_LEAST_ONCE,
    COUNTED_STRATEGIES
};
/* Why they die. */
enum counted_death {
    COUNTED_REJECTED,
    COUNTED_EXPIRED,
    COUNTED_MAXLEN,
    COUNTED_DELIVERY_LIMIT,
    COUNTED_DEATHS
};

/* Body sizes: up to counted_size_bytes[i], and more than those before; the last has no limit. */
#define COUNTED_SIZES 9u
extern const uint64_t counted_size_bytes[COUNTED_SIZES - 1];

/* All members are uint64_t, so that sums are of words. */
struct counters {
    struct rates by_type[COUNTED_TYPES]; /* by type of queue: deliver … reject */
    uint64_t queues_declared;            /* by declarations that were not passive */
    uint64_t queues_created, queues_deleted;
    uint64_t received_confirm; /* of the published: on channels that confirm */
    uint64_t routed;           /* a published message counts once for each queue that it goes to */
    uint64_t publishers;       /* channels that are open and have published */
    uint64_t dead_letters_dropped; /* there would have been too many of one message */
    uint64_t dead_lettered[COUNTED_TYPES][COUNTED_STRATEGIES][COUNTED_DEATHS];
    uint64_t dead_letters_confirmed[COUNTED_TYPES]; /* at least once, and a queue has taken them */
    uint64_t sizes[COUNTED_SIZES]; /* published messages, by size of their bodies */
    uint64_t body_bytes;           /* of these together */
};

/* Adds each counter of more. */
void counters_add(struct counters *sum, const struct counters *more);
void rates_add(struct rates *sum, const struct rates *more);

#endif
