/* What RabbitMQ 3.13 and 4.3 mean differently by the same thing, and which of the two counts here.
 * Fixed while the broker runs. Any thread.
 *
 * All zeros is Leveret's default: what 3.13 gives and 4.3 took away stays, what 4.3 adds is there.
 * Each member is a configuration key of leveretd; `compatibility` sets all of them together
 * (leveretd/compatibility.c). docs/migrating.md tells users which to choose. */
#ifndef LEVERET_BASE_DIALECT_H
#define LEVERET_BASE_DIALECT_H

/* quorum_queue.delivery_count: which returns count for a delivery limit. */
enum dialect_count {
    /* All, for a limit that an argument or a policy says; failures, for the limit of 20 that a
     * quorum queue has when its dead-letter exchange exists. */
    COUNT_RETURNS,
    /* basic.reject, a channel or connection that ends; not basic.nack, basic.recover or an
     * acknowledgement time-out. */
    COUNT_FAILURES,
};

/* x_death.from_clients: the x-death header of a message that a client publishes. */
enum dialect_deaths {
    DEATHS_COUNT,  /* its counts go on with the next death */
    DEATHS_IGNORE, /* the next death begins the header anew */
};

/* consumer_timeout.action: what happens when a delivery was unsettled for too long. */
enum dialect_timeout {
    /* The consumer is cancelled and its deliveries return; the channel of a client without the
     * capability consumer_cancel_notify is closed. */
    TIMEOUT_CANCELS,
    TIMEOUT_CLOSES, /* the channel is closed, with 406 */
};

struct dialect {
    enum dialect_count delivery_count;
    enum dialect_deaths x_death;
    enum dialect_timeout consumer_timeout;
};

#endif
