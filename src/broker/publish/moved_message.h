/* The form of a message that is moved from queue to queue (move.h), and where a dead letter came
 * from. Thread: any; pure functions. */
#ifndef BROKER_MOVED_MESSAGE_H
#define BROKER_MOVED_MESSAGE_H

#include "leveret/base/message.h"

/* The header that counts how often a message was moved. */
#define REDRIVEN_HEADER "x-redriven"

/* Where a dead letter came from: views into the message. */
struct origin {
    struct bytes queue;      /* in which it died first */
    struct bytes exchange;   /* to which it was published */
    struct bytes keys;       /* an array's contents: the routing keys, the message's own first */
    struct bytes expiration; /* that it had; at NULL: none */
};

/* Returns false when the message is no dead letter, or when a client wrote what stands in it and
 * the vhost does not trust that. */
bool letter_origin(const struct message *message, struct origin *out);
/* The message's own routing key among the origin's. Returns false when there is none. */
bool letter_key(const struct origin *origin, struct bytes *key);

/* What is to change in a message. */
struct moved_form {
    struct bytes exchange, routing_key;
    const struct origin *origin; /* NULL: nothing is restored */
    bool copies;             /* true: the origin's other routing keys become the header CC, if the
                                message has none */
    bool restore_expiration; /* true: the message gets the origin's expiration */
};
/* One reference for the caller. Errors: NULL when there is no memory, or a name is too long. */
struct message *moved_message(const struct message *message, const struct moved_form *form)
    __attribute__((warn_unused_result));

#endif
