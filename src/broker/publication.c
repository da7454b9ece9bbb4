/* What a publisher may send. See publication.h.
 *
 * Normal course: names and size are compared, the properties decoded and checked, the message made
 * with what the core wants to know of them. What can go wrong: see the header; nothing is kept
 * then. */
#include "leveret/broker/publication.h"

#include <inttypes.h>
#include <stdio.h>

#include "leveret/wire/cursor.h"
#include "leveret/wire/properties.h"

/* The properties that a client can get wrong although they can be read. */
#define CHECKED (PROPERTY_EXPIRATION | PROPERTY_DELIVERY_MODE | PROPERTY_USER_ID)

/* A whole number of milliseconds, with a sign if need be, as RabbitMQ reads it. Writes into why
 * what is wrong with it, in RabbitMQ's words, and returns false. */
static bool parse_expiration(struct bytes text, uint64_t *out, char *why, size_t room)
{
    size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+'), first = at;
    uint64_t value = 0;
    for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
        if (value <= EXPIRATION_MS_MAX)
            value = value * 10 + (text.at[at] - '0');
    }
    *out = value;
    if (at == first)
        snprintf(why, room, "no_integer");
    else if (at < text.len)
        snprintf(why, room, "{leftover_string,\"%.*s\"}", (int)(text.len - at), text.at + at);
    else if (value && text.at[0] == '-')
        snprintf(why, room, "{value_negative,%.*s}", BYTES_PRINT(text));
    else if (value > EXPIRATION_MS_MAX)
        snprintf(why, room, "{value_too_large,%.*s}", BYTES_PRINT(text));
    else
        return true;
    return false;
}

static enum status check_properties(const struct publication *publication,
                                    const struct properties *p, uint64_t *ttl_ms,
                                    char why[PUBLICATION_WHY_MAX])
{
    char wrong[300];
    if ((p->present & PROPERTY_EXPIRATION) &&
        !parse_expiration(p->expiration, ttl_ms, wrong, sizeof wrong)) {
        snprintf(why, PUBLICATION_WHY_MAX, "invalid expiration '%.*s': %s",
                 BYTES_PRINT(p->expiration), wrong);
        return STATUS_PRECONDITION_FAILED;
    }
    if ((p->present & PROPERTY_DELIVERY_MODE) && p->delivery_mode != 1 && p->delivery_mode != 2) {
        snprintf(why, PUBLICATION_WHY_MAX, "invalid message: {delivery_mode_unknown,%u}",
                 p->delivery_mode);
        return STATUS_PRECONDITION_FAILED;
    }
    if ((p->present & PROPERTY_USER_ID) && !bytes_equal_text(p->user_id, publication->user)) {
        snprintf(why, PUBLICATION_WHY_MAX,
                 "user_id property set to '%.*s' but authenticated user was '%s'",
                 BYTES_PRINT(p->user_id), publication->user);
        return STATUS_PRECONDITION_FAILED;
    }
    return STATUS_OK;
}

static enum status check_sizes(const struct publication *p, char why[PUBLICATION_WHY_MAX])
{
    const char *name = p->exchange.len > NAME_BYTES_MAX      ? "exchange name"
                       : p->routing_key.len > NAME_BYTES_MAX ? "routing key"
                                                             : NULL;
    if (name)
        snprintf(why, PUBLICATION_WHY_MAX, "%s is longer than %u bytes", name, NAME_BYTES_MAX);
    else if (p->body_bytes > p->body_bytes_max)
        snprintf(why, PUBLICATION_WHY_MAX,
                 "message size %" PRIu64 " is larger than configured max size %" PRIu64,
                 p->body_bytes, p->body_bytes_max);
    else
        return STATUS_OK;
    return STATUS_PRECONDITION_FAILED;
}

enum status publication_message(const struct publication *publication, struct message **out,
                                char why[PUBLICATION_WHY_MAX])
{
    struct properties p;
    uint64_t ttl_ms = MESSAGE_NO_TTL;
    *out = NULL;
    if (properties_decode(publication->properties, &p) != STATUS_OK) {
        snprintf(why, PUBLICATION_WHY_MAX, "malformed properties");
        return STATUS_MALFORMED;
    }
    enum status status = check_sizes(publication, why);
    if (status == STATUS_OK && (p.present & CHECKED))
        status = check_properties(publication, &p, &ttl_ms, why);
    if (status != STATUS_OK)
        return status;
    struct message *message = message_new(publication->exchange, publication->routing_key,
                                          publication->properties, publication->body_bytes);
    if (!message) {
        snprintf(why, PUBLICATION_WHY_MAX, "out of memory");
        return STATUS_NO_MEMORY;
    }
    message->persistent = p.delivery_mode == 2;
    message->priority = p.priority;
    message->has_headers = (p.present & PROPERTY_HEADERS) != 0;
    message->ttl_ms = ttl_ms;
    *out = message;
    return STATUS_OK;
}
