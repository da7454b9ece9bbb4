/* What a message looks like that has died: headers x-death, x-first-death-* and x-last-death-*, in
 * RabbitMQ's form (https://www.rabbitmq.com/dlx.html). Pure functions; any thread. */
#ifndef BROKER_DEATH_H
#define BROKER_DEATH_H

#include "broker/topology/own_headers.h"
#include "leveret/base/message.h"

/* A death. */
struct death_notice {
    const char *reason; /* "rejected" … */
    struct bytes queue;
    uint64_t at_s;            /* wall clock */
    struct bytes exchange;    /* where the dead letter is published */
    struct bytes routing_key; /* by which; at NULL: by the message's own, CC and BCC included */
};

/* The message to publish: the dead one with the death on record, without an expiration. Names in
 * notice: at most NAME_BYTES_MAX bytes. One reference for the caller. Errors: NULL when there is no
 * memory. */
struct message *death_message(const struct message *message, const struct death_notice *notice)
    __attribute__((warn_unused_result));

/* The next death of the message is its first one, whatever a client wrote into its headers: for
 * what a client publishes where its x-death is not to be trusted. Replaces the message (and the
 * reference) by one with a note (DEATHS_DISOWNED_HEADER), which stays with it like BCC and which
 * its receivers do not see; leaves a message without x-death alone. Errors: NO_MEMORY, and the
 * message is as it was. */
MUST_USE enum status deaths_disown(struct message **message);

/* Whether a dead letter that gets into this queue would go round in a circle: it has died there
 * before, and nobody has rejected it since. */
bool death_cycles(const struct message *letter, struct bytes queue);

#endif
