/* Content: the frames of a publish on their way to becoming one message.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_CONTENT_H
#define LEVERET_SESSION_CONTENT_H

#include "leveret/base/buffer.h"
#include "leveret/base/message.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/method.h"

struct session_channel;

/* Bytes of a content header frame before its properties: class, weight, body size (AMQP 0-9-1,
 * 4.2.6.1). A shorter payload is no header. */
#define CONTENT_HEADER_BYTES 12u

/* A publish whose method has come. */
struct content {
    bool header_due, body_due; /* the next frame must be the header; a piece of the body */
    bool mandatory;
    uint8_t exchange_len, routing_key_len;
    char exchange[NAME_BYTES_MAX], routing_key[NAME_BYTES_MAX];
    struct message *message; /* while the body is due; else NULL */
    uint64_t counted_bytes;  /* of the message, in content_bytes of struct session_memory */
};

/* The method basic.publish. */
void content_begin(struct session_channel *channel, const struct basic_publish *publish);
/* Whether a header or body frame must come next. */
bool content_due(const struct session_channel *channel);
/* Fails the session: another frame came where content_due, or a content frame where not. */
void content_missing(struct session_channel *channel);
/* The payload of a header frame. */
void content_header(struct session_channel *channel, struct bytes payload);
/* A piece of a body frame. last_piece: the frame ends with it. owner: the block in which it lies,
 * or NULL when it has to be copied. */
void content_body(struct session_channel *channel, struct bytes piece, bool last_piece,
                  struct buffer *owner);
/* Forgets a content that is not whole. */
void content_free(struct session_channel *channel);

#endif
