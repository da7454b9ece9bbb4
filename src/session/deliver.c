/* Messages to frames: method, content header, body (AMQP 0-9-1, 4.2.6).
 *
 * Normal course: method and header frames, and a small body, are written into the connection's
 * output in one piece; a large body follows as references into the message, cut into frames of the
 * negotiated size. What can go wrong: a client does not read, and the output grows: the core's
 * window for the peer bounds it (credit_due in session_state.h). */
#include "deliver.h"

#include "content.h"
#include "error_reply.h"
#include "leveret/wire/frame.h"
#include "leveret/wire/method.h"
#include "leveret/wire/reply.h"
#include "session_state.h"

static void put_frame(struct writer *w, enum frame_type type, uint16_t channel, size_t bytes)
{
    frame_put_header(w->at, type, channel, (uint32_t)bytes);
    w->at += FRAME_HEADER_BYTES;
}

static void put_header_frame(struct writer *w, uint16_t channel, const struct message *message)
{
    struct bytes properties = message_properties(message);
    put_frame(w, FRAME_HEADER, channel, CONTENT_HEADER_BYTES + properties.len);
    write_u16(w, CLASS_BASIC);
    write_u16(w, 0);
    write_u64(w, message->body_bytes);
    write_raw(w, properties.at, properties.len);
    write_u8(w, FRAME_END);
}

/* Appends the body as frames that refer to the message. The end octet of a frame is written
 * together with the header of the next frame. */
static void append_body(struct session *session, uint16_t channel, struct message *message)
{
    struct connection *connection = session->connection;
    uint64_t payload_max =
        session->frame_max ? session->frame_max - FRAME_OVERHEAD_BYTES : UINT32_MAX;
    uint64_t left = message->body_bytes, frame_left = 0;
    uint32_t pieces = message_body_pieces(message);
    for (uint32_t i = 0; i < pieces; i++) {
        struct bytes piece = message_body_piece(message, i);
        while (piece.len) {
            if (frame_left == 0) {
                bool first = left == message->body_bytes;
                frame_left = left < payload_max ? left : payload_max;
                uint8_t *at = connection_reserve(connection, FRAME_OVERHEAD_BYTES);
                if (!first)
                    *at = FRAME_END;
                frame_put_header(at + !first, FRAME_BODY, channel, (uint32_t)frame_left);
                connection_commit(connection, FRAME_HEADER_BYTES + !first);
            }
            size_t n = piece.len < frame_left ? piece.len : (size_t)frame_left;
            connection_append_message(connection, message, bytes_of(piece.at, n));
            piece.at += n;
            piece.len -= n;
            frame_left -= n;
            left -= n;
        }
    }
    *connection_reserve(connection, 1) = FRAME_END;
    connection_commit(connection, 1);
}

/* Writes header frame and body behind the method frame, which w holds already, and commits all that
 * was written since begin. w has room for a body that is copied. */
static void finish(struct session *session, uint16_t channel, struct message *message,
                   struct writer *w, const uint8_t *begin)
{
    put_header_frame(w, channel, message);
    size_t body = (size_t)message->body_bytes;
    bool copied = message->slice_count == 0 &&
                  (session->frame_max == 0 || body + FRAME_OVERHEAD_BYTES <= session->frame_max);
    if (copied && body) {
        put_frame(w, FRAME_BODY, channel, body);
        write_raw(w, message->data + message->envelope_bytes, body);
        write_u8(w, FRAME_END);
    }
    connection_commit(session->connection, (size_t)(w->at - begin));
    if (!copied)
        append_body(session, channel, message);
}

/* Reserves room for a method frame with method_bytes of payload, the header frame and a body that
 * is copied. Returns where it begins. */
static uint8_t *reserve(struct session *session, const struct message *message, size_t method_bytes,
                        struct writer *w)
{
    size_t bytes = 3 * FRAME_OVERHEAD_BYTES + method_bytes + CONTENT_HEADER_BYTES +
                   message->envelope_bytes - message->properties_from;
    if (message->slice_count == 0)
        bytes += (size_t)message->body_bytes;
    uint8_t *at = connection_reserve(session->connection, bytes);
    *w = writer_of(at, bytes);
    return at;
}

void deliver_message(struct session *session, uint16_t channel, struct bytes tag,
                     uint64_t delivery_tag, bool redelivered, struct message *message)
{
    size_t method_bytes = 4 + 1 + tag.len + 8 + 1 + message->properties_from;
    struct writer w;
    uint8_t *begin = reserve(session, message, method_bytes, &w);
    put_frame(&w, FRAME_METHOD, channel, method_bytes);
    write_u32(&w, METHOD_BASIC_DELIVER);
    write_short_string(&w, tag);
    write_u64(&w, delivery_tag);
    write_u8(&w, redelivered);
    write_raw(&w, message->data, message->properties_from); /* exchange, routing key */
    write_u8(&w, FRAME_END);
    finish(session, channel, message, &w, begin);
}

void deliver_got(struct session *session, uint16_t channel, uint64_t delivery_tag, bool redelivered,
                 uint32_t left, struct message *message)
{
    size_t method_bytes = 4 + 8 + 1 + message->properties_from + 4u;
    struct writer w;
    uint8_t *begin = reserve(session, message, method_bytes, &w);
    put_frame(&w, FRAME_METHOD, channel, method_bytes);
    write_u32(&w, METHOD_BASIC_GET_OK);
    write_u64(&w, delivery_tag);
    write_u8(&w, redelivered);
    write_raw(&w, message->data, message->properties_from);
    write_u32(&w, left);
    write_u8(&w, FRAME_END);
    finish(session, channel, message, &w, begin);
}

void deliver_return(struct session *session, uint16_t channel, enum status status,
                    struct message *message)
{
    struct bytes text = bytes_of_text(reply_name(error_reply_code(status)));
    size_t method_bytes = 4 + 2 + 1 + text.len + message->properties_from;
    struct writer w;
    uint8_t *begin = reserve(session, message, method_bytes, &w);
    put_frame(&w, FRAME_METHOD, channel, method_bytes);
    write_u32(&w, METHOD_BASIC_RETURN);
    write_u16(&w, error_reply_code(status));
    write_short_string(&w, text);
    write_raw(&w, message->data, message->properties_from);
    write_u8(&w, FRAME_END);
    finish(session, channel, message, &w, begin);
}
