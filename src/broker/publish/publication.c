/* What a publisher may send: the checks that few messages need. See publication.h, which says the
 * normal course. What can go wrong: a name or body is too large, or a property is not valid; the
 * reason is given in RabbitMQ's words. */
#include "leveret/broker/publication.h"

#include <inttypes.h>
#include <stdio.h>

#include "broker/topology/copies.h"

/* Reads a whole number of milliseconds, which may have a sign, as RabbitMQ does. False: it is not
 * valid, and why says what is wrong with it in RabbitMQ's words. */
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

enum status publication_check(const struct publication *publication,
                              const struct properties *properties, uint64_t *ttl_ms,
                              char why[PUBLICATION_WHY_MAX])
{
    enum status status = check_sizes(publication, why);
    return status == STATUS_OK ? check_properties(publication, properties, ttl_ms, why) : status;
}

enum status publication_refuse(enum status status, char why[PUBLICATION_WHY_MAX])
{
    snprintf(why, PUBLICATION_WHY_MAX, "%s",
             status == STATUS_MALFORMED ? "malformed properties" : "out of memory");
    return status;
}

void publication_each_key(const struct message *message,
                          bool (*each)(void *context, struct bytes key), void *context)
{
    struct copies keys = {0};
    copies_collect(message, &keys);
    for (size_t i = 0; i < keys.count && each(context, keys.keys[i]); i++)
        ;
    copies_free(&keys);
}
