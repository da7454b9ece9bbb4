/* What a publisher may send: the one check of names and properties, for all ways in (AMQP, the HTTP
 * API). Thread: any.
 *
 * Two gates. publication_message makes a message of what a client says, or tells why not: only here
 * does a client's input become a message. vhost_apply (COMMAND_PUBLISH) then checks what the vhost
 * decides: the exchange, its size limit, the headers CC and BCC. */
#ifndef LEVERET_BROKER_PUBLICATION_H
#define LEVERET_BROKER_PUBLICATION_H

#include "leveret/base/message.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"

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

/* Whether the properties hold nothing that a client can get wrong although it can be read: so it is
 * with most messages, which are not looked at any further. */
static inline bool publication_is_plain(const struct publication *publication,
                                        const struct properties *p)
{
    return !(p->present & (PROPERTY_EXPIRATION | PROPERTY_USER_ID)) &&
           publication->exchange.len <= NAME_BYTES_MAX &&
           publication->routing_key.len <= NAME_BYTES_MAX &&
           publication->body_bytes <= publication->body_bytes_max;
}

/* Looks at all of it. Errors: PRECONDITION_FAILED with the reason. *ttl_ms is left alone without an
 * expiration. */
MUST_USE enum status publication_check(const struct publication *publication,
                                       const struct properties *properties, uint64_t *ttl_ms,
                                       char why[PUBLICATION_WHY_MAX]) __attribute__((cold));

/* Writes the reason for a status that needs no more words; returns the status. */
MUST_USE enum status publication_refuse(enum status status, char why[PUBLICATION_WHY_MAX])
    __attribute__((cold));

/* The message of what has been checked, with what the core asks of its properties; its body is to
 * be filled. Errors: NULL when there is no memory. */
static inline struct message *publication_make(const struct publication *publication,
                                               const struct properties *p, uint64_t ttl_ms)
{
    struct message *message = message_new(publication->exchange, publication->routing_key,
                                          publication->properties, publication->body_bytes);
    if (!message)
        return NULL;
    message->persistent = p->delivery_mode == 2;
    message->priority = p->priority;
    message->has_headers = (p->present & PROPERTY_HEADERS) != 0;
    message->ttl_ms = ttl_ms;
    return message;
}

/* Makes the message; one reference for the caller. On an error *out is NULL and why says what is
 * wrong, in RabbitMQ's words, without the code's name. Inline, since it is on the way of each
 * message. Errors: MALFORMED (the properties cannot be read), PRECONDITION_FAILED (a name above
 * NAME_BYTES_MAX, a body above the maximum, an expiration or user_id that cannot be), NO_MEMORY. */
MUST_USE static inline enum status publication_message(const struct publication *publication,
                                                       struct message **out,
                                                       char why[PUBLICATION_WHY_MAX])
{
    struct properties p;
    uint64_t ttl_ms = MESSAGE_NO_TTL;
    *out = NULL;
    if (__builtin_expect(properties_decode(publication->properties, &p) != STATUS_OK, 0))
        return publication_refuse(STATUS_MALFORMED, why);
    if (__builtin_expect(!publication_is_plain(publication, &p), 0)) {
        /* A copy, so that the caller's struct need not be in memory for the others. */
        const struct publication copy = *publication;
        uint64_t expiration_ms = ttl_ms;
        enum status status = publication_check(&copy, &p, &expiration_ms, why);
        if (status != STATUS_OK)
            return status;
        ttl_ms = expiration_ms;
    }
    *out = publication_make(publication, &p, ttl_ms);
    return __builtin_expect(*out != NULL, 1) ? STATUS_OK
                                             : publication_refuse(STATUS_NO_MEMORY, why);
}

#endif
