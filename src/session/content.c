/* Content assembly: basic.publish, a header frame, body frames (AMQP 0-9-1, 4.2.6) become one
 * message.
 *
 * Normal course: content_begin remembers where to; content_header checks the properties and makes
 * the message; content_body fills it, by reference for large bodies; the last piece sends
 * COMMAND_PUBLISH. What can go wrong: frames out of order (505), malformed properties (502), more
 * body than announced (501); a body that is too large, a wrong user_id or expiration: 406 on the
 * channel, and the rest of the content is dropped with everything else until close-ok. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"

/* RabbitMQ takes no expiration beyond ten years. */
#define EXPIRATION_MS_MAX UINT64_C(315360000000)
#define WHY_MAX           300

bool content_due(const struct channel *channel)
{
    return channel->content && (channel->content->header_due || channel->content->body_due);
}

void content_missing(struct channel *channel)
{
    const struct content *c = channel->content;
    if (content_due(channel))
        session_fail(channel->session, STATUS_UNEXPECTED_FRAME, METHOD_BASIC_PUBLISH,
                     c->header_due
                         ? "expected content header for class 60, got non content header frame "
                           "instead"
                         : "expected content body, got non content body frame instead");
    else
        session_fail(channel->session, STATUS_UNEXPECTED_FRAME, 0,
                     "expected method frame, got non method frame instead");
}

void content_begin(struct channel *channel, const struct basic_publish *publish)
{
    if (publish->immediate) {
        channel_error(channel, STATUS_NOT_IMPLEMENTED, METHOD_BASIC_PUBLISH, "immediate=true");
        return;
    }
    if (!permit_publish(channel, publish->exchange))
        return;
    if (!channel->content)
        channel->content = mem_need(sizeof *channel->content);
    struct content *c = channel->content;
    c->mandatory = publish->mandatory;
    c->exchange_len = (uint8_t)publish->exchange.len;
    c->routing_key_len = (uint8_t)publish->routing_key.len;
    memcpy(c->exchange, publish->exchange.at, publish->exchange.len);
    memcpy(c->routing_key, publish->routing_key.at, publish->routing_key.len);
    c->header_due = true;
}

static void publish(struct channel *channel)
{
    struct content *c = channel->content;
    struct command command = {.type = COMMAND_PUBLISH};
    command.u.publish.message = c->message;
    command.u.publish.mandatory = c->mandatory;
    c->message = NULL;
    c->body_due = false;
    channel_post(channel, &command);
    gate_published(channel->session);
}

/* A whole number of milliseconds, with a sign if need be, as RabbitMQ reads it. Writes into why
 * what is wrong with it, in RabbitMQ's words, and returns false. */
static bool parse_expiration(struct bytes text, uint64_t *out, char why[WHY_MAX])
{
    size_t at = text.len && (text.at[0] == '-' || text.at[0] == '+'), first = at;
    uint64_t value = 0;
    for (; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
        if (value <= EXPIRATION_MS_MAX)
            value = value * 10 + (text.at[at] - '0');
    }
    *out = value;
    if (at == first)
        snprintf(why, WHY_MAX, "no_integer");
    else if (at < text.len)
        snprintf(why, WHY_MAX, "{leftover_string,\"%.*s\"}", (int)(text.len - at), text.at + at);
    else if (value && text.at[0] == '-')
        snprintf(why, WHY_MAX, "{value_negative,%.*s}", BYTES_PRINT(text));
    else if (value > EXPIRATION_MS_MAX)
        snprintf(why, WHY_MAX, "{value_too_large,%.*s}", BYTES_PRINT(text));
    else
        return true;
    return false;
}

/* What the broker itself cares about in the properties. False: the channel has been failed. */
static bool check_properties(struct channel *channel, const struct properties *p, uint64_t *ttl_ms)
{
    char why[WHY_MAX];
    if ((p->present & PROPERTY_EXPIRATION) && !parse_expiration(p->expiration, ttl_ms, why)) {
        channel_error(channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
                      "invalid expiration '%.*s': %s", BYTES_PRINT(p->expiration), why);
        return false;
    }
    if ((p->present & PROPERTY_DELIVERY_MODE) && p->delivery_mode != 1 && p->delivery_mode != 2) {
        channel_error(channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
                      "invalid message: {delivery_mode_unknown,%u}", p->delivery_mode);
        return false;
    }
    const char *user = channel->session->user;
    if ((p->present & PROPERTY_USER_ID) && !bytes_equal_text(p->user_id, user)) {
        channel_error(channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
                      "user_id property set to '%.*s' but authenticated user was '%s'",
                      BYTES_PRINT(p->user_id), user);
        return false;
    }
    return true;
}

void content_header(struct channel *channel, struct bytes payload)
{
    struct session *session = channel->session;
    struct content *c = channel->content;
    if (!c || !c->header_due) {
        content_missing(channel);
        return;
    }
    c->header_due = false;
    struct content_header header;
    struct properties p;
    if (content_header_decode(payload, &header) != STATUS_OK) {
        session_fail(session, STATUS_SYNTAX_ERROR, METHOD_BASIC_PUBLISH,
                     "malformed content header");
        return;
    }
    if (header.class_id != CLASS_BASIC) {
        session_fail(session, STATUS_UNEXPECTED_FRAME, METHOD_BASIC_PUBLISH,
                     "expected content header for class 60, got one for class %u instead",
                     header.class_id);
        return;
    }
    if (properties_decode(header.properties, &p) != STATUS_OK) {
        session_fail(session, STATUS_SYNTAX_ERROR, METHOD_BASIC_PUBLISH, "malformed properties");
        return;
    }
    uint64_t body_max = session->sessions->options.message_bytes_max;
    if (header.body_bytes > body_max) {
        channel_error(channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
                      "message size %" PRIu64 " is larger than configured max size %" PRIu64,
                      header.body_bytes, body_max);
        return;
    }
    uint64_t ttl_ms = MESSAGE_NO_TTL;
    if (!check_properties(channel, &p, &ttl_ms))
        return;
    struct message *message = message_new(bytes_of(c->exchange, c->exchange_len),
                                          bytes_of(c->routing_key, c->routing_key_len),
                                          header.properties, header.body_bytes);
    if (!message) {
        session_fail(session, STATUS_RESOURCE_ERROR, METHOD_BASIC_PUBLISH, "out of memory");
        return;
    }
    message->persistent = p.delivery_mode == 2;
    message->priority = p.priority;
    message->has_headers = (p.present & PROPERTY_HEADERS) != 0;
    message->ttl_ms = ttl_ms;
    c->message = message;
    c->body_due = true;
    if (header.body_bytes == 0)
        publish(channel);
}

void content_body(struct channel *channel, struct bytes piece, bool last_piece,
                  struct buffer *owner)
{
    struct session *session = channel->session;
    struct content *c = channel->content;
    if (!c || !c->body_due) {
        content_missing(channel);
        return;
    }
    if (piece.len > c->message->body_bytes - c->message->body_filled) {
        session_fail(session, STATUS_FRAME_ERROR, METHOD_BASIC_PUBLISH,
                     "more body than the content header announced");
        return;
    }
    if (message_fill(c->message, owner, piece.at, piece.len) != STATUS_OK) {
        session_fail(session, STATUS_RESOURCE_ERROR, METHOD_BASIC_PUBLISH, "out of memory");
        return;
    }
    if (last_piece && message_full(c->message))
        publish(channel);
    else if (session->gate != GATE_OPEN)
        gate_published(session); /* the rest can wait as well */
}

void content_free(struct channel *channel)
{
    if (!channel->content)
        return;
    message_unref(&channel->content->message);
    free(channel->content);
    channel->content = NULL;
}
