/* Where RabbitMQ 3.13 and 4.3 behave differently, and which of the two Leveret follows. Fixed while
 * the broker runs. Thread: any.
 *
 * All zeros is Leveret's default: what 3.13 has and 4.3 removed is kept, and what 4.3 added is
 * there. Each member is a configuration key of leveretd; `compatibility` sets all of them together
 * (leveretd/compatibility.c). docs/migrating.md tells users which to choose. */
#ifndef LEVERET_BASE_DIALECT_H
#define LEVERET_BASE_DIALECT_H

/* quorum_queue.delivery_count: which returns count for a delivery limit. */
enum dialect_count {
    /* All returns count for a limit that an argument or a policy sets. For the limit of 20 that a
     * quorum queue has by default when its dead-letter exchange exists, only failures count. */
    COUNT_RETURNS,
    /* Only failures count: basic.reject, and the end of a channel or connection. basic.nack,
     * basic.recover and acknowledgement time-outs do not count. */
    COUNT_FAILURES,
};

/* x_death.from_clients: the x-death header of a message that a client publishes. */
enum dialect_deaths {
    DEATHS_COUNT,  /* the next death increases its counts */
    DEATHS_IGNORE, /* the next death starts a new header */
};

/* consumer_timeout.action: what happens when a delivery stays unsettled for too long. */
enum dialect_timeout {
    /* The consumer is cancelled and its deliveries return to the queue. If the client lacks the
     * capability consumer_cancel_notify, its channel is closed instead. */
    TIMEOUT_CANCELS,
    TIMEOUT_CLOSES, /* the channel is closed, with 406 */
};

struct dialect {
    enum dialect_count delivery_count;
    enum dialect_deaths x_death;
    enum dialect_timeout consumer_timeout;
};

#endif
