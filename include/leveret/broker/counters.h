/* What a vhost has counted since it was opened. The HTTP API and metrics make sums and rates of it.
 * Thread: the vhost's owner writes the counters; any thread may use a copy. */
#ifndef LEVERET_BROKER_COUNTERS_H
#define LEVERET_BROKER_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* Counts of what happens to messages. A vhost, a channel and a queue each have one, in which only
 * the members that make sense for it are counted. */
struct rates {
    uint64_t publish, confirm, return_unroutable, drop_unroutable, deliver, deliver_no_ack, get,
        get_no_ack, get_empty, ack, redeliver, reject;
};

/* The types of queues; some counters are kept for each of them. */
enum counted_type { COUNTED_CLASSIC, COUNTED_QUORUM, COUNTED_TYPES };
/* What becomes of a message that dies in a queue. */
enum counted_strategy {
    COUNTED_DISABLED,      /* it is dropped: the queue has no dead-letter exchange, or it is gone */
    COUNTED_AT_MOST_ONCE,  /* it is published to the dead-letter exchange once */
    COUNTED_AT_LEAST_ONCE, /* it is published again until a queue has taken it */
    COUNTED_STRATEGIES
};
/* Why a message dies. */
enum counted_death {
    COUNTED_REJECTED,
    COUNTED_EXPIRED,
    COUNTED_MAXLEN,
    COUNTED_DELIVERY_LIMIT,
    COUNTED_DEATHS
};

/* Classes of body sizes. Class i holds bodies of up to counted_size_bytes[i] bytes that are too
 * large for class i - 1; the last class has no limit. */
#define COUNTED_SIZES 9u
extern const uint64_t counted_size_bytes[COUNTED_SIZES - 1];

/* All members are uint64_t, so that counters_add can add them as an array of words. */
struct counters {
    struct rates by_type[COUNTED_TYPES]; /* for each type of queue: members deliver … reject */
    uint64_t queues_declared;            /* declarations that were not passive */
    uint64_t queues_created, queues_deleted;
    uint64_t received_confirm; /* messages published on channels in confirm mode */
    uint64_t routed;           /* a published message counts once for each queue that it goes to */
    uint64_t publishers;       /* channels that are open and have published */
    /* Dead letters that were dropped because dead-lettering had made too many of one message. */
    uint64_t dead_letters_dropped;
    uint64_t dead_lettered[COUNTED_TYPES][COUNTED_STRATEGIES][COUNTED_DEATHS];
    /* Messages that died with COUNTED_AT_LEAST_ONCE and that a queue has taken since. */
    uint64_t dead_letters_confirmed[COUNTED_TYPES];
    uint64_t sizes[COUNTED_SIZES]; /* published messages, by the size of their bodies */
    uint64_t body_bytes;           /* of all published messages together */
};

/* Adds each counter of *more to *sum. */
void counters_add(struct counters *sum, const struct counters *more);
/* The same for rates. */
void counters_add_rates(struct rates *sum, const struct rates *more);

#endif
