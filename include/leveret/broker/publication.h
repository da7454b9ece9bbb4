/* What a publisher may send: the one check of names and properties, for all ways in (AMQP, the HTTP
 * API). Any thread.
 *
 * Two gates. publication_message makes a message of what a client says, or tells why not: only here
 * does a client's input become a message. vhost_apply (COMMAND_PUBLISH) then checks what the vhost
 * decides: the exchange, its size limit, the headers CC and BCC. */
#ifndef LEVERET_BROKER_PUBLICATION_H
#define LEVERET_BROKER_PUBLICATION_H

#include "leveret/base/message.h"

/* Bytes of the reason, its zero included; what is longer is cut. */
#define PUBLICATION_WHY_MAX 600u
/* The longest expiration that is taken, in milliseconds: ten years, as in RabbitMQ. */
#define EXPIRATION_MS_MAX UINT64_C(315360000000)

struct publication {
    struct bytes exchange, routing_key;
    struct bytes properties; /* flags and list, as in a content header; not checked yet */
    uint64_t body_bytes, body_bytes_max;
    const char *user; /* who publishes: a user_id property must say the same */
};

/* Makes the message, whose body is then to be filled; one reference for the caller. On an error
 * *out is NULL and why says what is wrong, in RabbitMQ's words, without the code's name. Errors:
 * MALFORMED (the properties cannot be read), PRECONDITION_FAILED (a name above NAME_BYTES_MAX, a
 * body above the maximum, expiration, delivery mode or user_id that cannot be), NO_MEMORY. */
MUST_USE enum status publication_message(const struct publication *publication,
                                         struct message **out, char why[PUBLICATION_WHY_MAX]);

#endif
