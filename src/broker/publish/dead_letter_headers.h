/* Part of dead_letter (queue/dead_letter.h): the headers of a dead letter, which are x-death,
 * x-first-death-* and x-last-death-*, in RabbitMQ's form (https://www.rabbitmq.com/dlx.html).
 * Thread: any; pure functions. */
#ifndef BROKER_DEAD_LETTER_HEADERS_H
#define BROKER_DEAD_LETTER_HEADERS_H

#include "broker/topology/own_headers.h"
#include "leveret/base/message.h"

/* How a message died, and where its dead letter goes. */
struct dead_letter_details {
    const char *reason;       /* "rejected" … */
    struct bytes queue;       /* the queue that it died in */
    uint64_t at_s;            /* the time of its death by the wall clock, in seconds */
    struct bytes exchange;    /* the dead letter is published to this exchange */
    struct bytes routing_key; /* and by this key; at NULL: by the message's own, with CC and BCC */
};

/* Makes the dead letter of a message: the same message with this death on record, without an
 * expiration. The names in details have at most NAME_BYTES_MAX bytes. One reference for the caller.
 * Errors: NULL when there is no memory. */
struct message *dead_letter_message(const struct message *message,
                                    const struct dead_letter_details *details)
    __attribute__((warn_unused_result));

/* Notes that the message's x-death was written by a client and is not trusted, so that its next
 * death is recorded as its first one. Replaces the message (and the reference) by one with the
 * header DEATHS_DISOWNED_HEADER, which is stored with the message like BCC and hidden from its
 * receivers. Leaves a message without x-death alone. Errors: NO_MEMORY, and the message is as it
 * was. */
MUST_USE enum status dead_letter_disown(struct message **message);

/* Whether a dead letter that gets into this queue would go round in a circle: it has died there
 * before, and no client has rejected it since. */
bool dead_letter_cycles(const struct message *letter, struct bytes queue);

#endif
