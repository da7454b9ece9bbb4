/* Content: basic.publish, a header frame and body frames (AMQP 0-9-1, 4.2.6) become one message.
 *
 * Normal course: content_begin keeps exchange and routing key; content_header makes the message,
 * after publication.h has found nothing wrong with it; content_body fills it, by reference when the
 * body is large; the last piece sends COMMAND_PUBLISH. What can go wrong: frames out of order
 * (505), malformed properties (502), more body than the header announced (501); a body that is too
 * large, a wrong user_id or expiration: 406 on the channel, and the rest of the content is dropped,
 * as everything is until close-ok. */
#include "content.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gate.h"
#include "leveret/base/mem.h"
#include "leveret/broker/publication.h"
#include "leveret/wire/properties.h"
#include "permit.h"
#include "session_channel.h"
#include "session_memory.h"
#include "session_state.h"
#include "sessions_state.h"

bool content_due(const struct session_channel *channel)
{
    return channel->content && (channel->content->header_due || channel->content->body_due);
}

void content_missing(struct session_channel *channel)
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

void content_begin(struct session_channel *channel, const struct basic_publish *publish)
{
    if (publish->immediate) {
        session_channel_fail(channel, STATUS_NOT_IMPLEMENTED, METHOD_BASIC_PUBLISH,
                             "immediate=true");
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

/* The message is whole, or is dropped: its bytes no longer count as a part of one. */
static void uncount(struct session_channel *channel)
{
    struct sessions *sessions = channel->session->sessions;
    sessions->memory.content_bytes -= channel->content->counted_bytes;
    channel->content->counted_bytes = 0;
    session_memory_changed(sessions);
}

/* Counts more bytes of a message that is not whole. Returns false when such messages hold too much
 * together: then the channel has been failed. */
static bool count(struct session_channel *channel, size_t bytes)
{
    struct session_memory *memory = &channel->session->sessions->memory;
    channel->content->counted_bytes += bytes;
    memory->content_bytes += bytes;
    session_memory_changed(channel->session->sessions);
    if (memory->content_bytes <= memory->content_bytes_max)
        return true;
    session_channel_fail(
        channel, STATUS_PRECONDITION_FAILED, METHOD_BASIC_PUBLISH,
        "message refused: messages of which a part has come take as much memory as they "
        "may, %" PRIu64 " bytes",
        account_limit_bytes(memory->account, ACCOUNT_CONTENTS));
    return false;
}

/* Holds a message that came whole to the user's topic permissions. Returns false when the channel
 * has failed: its content may be gone with it, and is dropped otherwise. */
static bool permit_topics(struct session_channel *channel)
{
    struct message *message = message_ref(channel->content->message);
    bool permitted = topics_permit_message(channel, message);
    message_unref(&message);
    if (permitted || !channel->content)
        return permitted;
    message_unref(&channel->content->message);
    channel->content->body_due = false;
    uncount(channel);
    return false;
}

static void publish(struct session_channel *channel)
{
    struct content *c = channel->content;
    struct command command = {.type = COMMAND_PUBLISH};
    if (__builtin_expect(channel->session->topics.confined, 0) && !permit_topics(channel))
        return;
    command.u.publish.message = c->message;
    command.u.publish.mandatory = c->mandatory;
    c->message = NULL;
    c->body_due = false;
    if (__builtin_expect(c->counted_bytes != 0, 0))
        uncount(channel);
    if (__builtin_expect(channel->tx_mode, 0))
        channel->tx_has_publishes = true;
    session_channel_post(channel, &command);
    gate_published(channel->session);
}

/* Tells the client why its message is refused: an error of the channel, or of the connection. */
static void refuse(struct session_channel *channel, enum status status, const char *why)
{
    if (status == STATUS_PRECONDITION_FAILED)
        session_channel_fail(channel, status, METHOD_BASIC_PUBLISH, "%s", why);
    else
        session_fail(channel->session,
                     status == STATUS_NO_MEMORY ? STATUS_RESOURCE_ERROR : STATUS_SYNTAX_ERROR,
                     METHOD_BASIC_PUBLISH, "%s", why);
}

void content_header(struct session_channel *channel, struct bytes payload)
{
    struct session *session = channel->session;
    struct content *c = channel->content;
    if (!c || !c->header_due) {
        content_missing(channel);
        return;
    }
    c->header_due = false;
    struct content_header header;
    if (payload.len < CONTENT_HEADER_BYTES) {
        session_fail_unknown_frame(session, FRAME_HEADER, payload);
        return;
    }
    if (properties_header_decode(payload, &header) != STATUS_OK) {
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
    const struct publication publication = {
        .exchange = bytes_of(c->exchange, c->exchange_len),
        .routing_key = bytes_of(c->routing_key, c->routing_key_len),
        .properties = header.properties,
        .body_bytes = header.body_bytes,
        .body_bytes_max = session->sessions->options.message_bytes_max,
        .user = session->user,
    };
    char why[PUBLICATION_WHY_MAX];
    struct message *message;
    enum status status = publication_message(&publication, &message, why);
    if (!message) {
        refuse(channel, status, why);
        return;
    }
    c->message = message;
    c->body_due = true;
    if (header.body_bytes == 0)
        publish(channel);
    else if (__builtin_expect(message->envelope_bytes > MESSAGE_INLINE_BODY_MAX, 0))
        (void)count(channel, message->envelope_bytes);
}

void content_body(struct session_channel *channel, struct bytes piece, bool last_piece,
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
    else
        (void)count(channel, piece.len);
}

void content_free(struct session_channel *channel)
{
    if (!channel->content)
        return;
    uncount(channel);
    message_unref(&channel->content->message);
    free(channel->content);
    channel->content = NULL;
}
