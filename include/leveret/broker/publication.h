/* What a publisher may send: the one check of names and properties, for AMQP and for the HTTP API.
 * Thread: any; no state.
 *
 * Normal course: publication_message makes a message of what a client sends; it is the only place
 * where a client's input becomes a message. vhost_apply (COMMAND_PUBLISH) then checks what depends
 * on the vhost: the exchange, the vhost's size limit, the headers CC and BCC. What can go wrong:
 * the input is refused, with the reason in RabbitMQ's words. */
#ifndef LEVERET_BROKER_PUBLICATION_H
#define LEVERET_BROKER_PUBLICATION_H

#include "leveret/base/message.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"

/* Bytes of the reason for a refusal, with its zero; a longer reason is cut. */
#define PUBLICATION_WHY_MAX 600u
/* The longest expiration in milliseconds: ten years, as in RabbitMQ. A message with a longer one is
 * refused. */
#define EXPIRATION_MS_MAX UINT64_C(315360000000)

struct publication {
    struct bytes exchange, routing_key;
    struct bytes properties; /* flags and list, as in a content header; not checked yet */
    uint64_t body_bytes;
    uint64_t body_bytes_max; /* a larger body is refused */
    const char *user;        /* the user who publishes: a user_id property must say the same name */
};

/* Whether nothing of the message can be wrong any more once its properties have been decoded. True
 * for most messages; the others go through publication_check. */
static inline bool publication_is_plain(const struct publication *publication,
                                        const struct properties *p)
{
    return !(p->present & (PROPERTY_EXPIRATION | PROPERTY_USER_ID)) &&
           publication->exchange.len <= NAME_BYTES_MAX &&
           publication->routing_key.len <= NAME_BYTES_MAX &&
           publication->body_bytes <= publication->body_bytes_max;
}

/* Checks the names, the size, the expiration and the user_id. Sets *ttl_ms when there is an
 * expiration. Errors: PRECONDITION_FAILED; why then says the reason. */
MUST_USE enum status publication_check(const struct publication *publication,
                                       const struct properties *properties, uint64_t *ttl_ms,
                                       char why[PUBLICATION_WHY_MAX]) __attribute__((cold));

/* Writes the reason for MALFORMED or NO_MEMORY; returns the status. */
MUST_USE enum status publication_refuse(enum status status, char why[PUBLICATION_WHY_MAX])
    __attribute__((cold));

/* Makes the message when all has been checked. What the core needs of the properties is noted in
 * it; its body is still to be filled in. Errors: NULL when there is no memory. */
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
 * wrong, in RabbitMQ's words, without the reply code's name. Inline, because it is called for each
 * message. Errors: MALFORMED (the properties cannot be read), PRECONDITION_FAILED (a name above
 * NAME_BYTES_MAX, a body above the maximum, an expiration or a user_id that is not valid),
 * NO_MEMORY. */
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
        /* A copy, so that the compiler can keep the caller's struct in registers in all other
         * cases. */
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

/* Calls each() with every routing key of a message: its own, then those of its headers CC and BCC;
 * until each() returns false. */
void publication_each_key(const struct message *message,
                          bool (*each)(void *context, struct bytes key), void *context);

#endif
