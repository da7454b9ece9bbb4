/* A message: immutable once finished, reference counted. Thread: the one that made it, until it is
 * finished; then any.
 *
 * It stands in base/ because the receive path, the core, the journal and the send path all hold the
 * same object: a body is received once and then never copied (docs/architecture.md).
 *
 * The envelope is kept in wire format, so that a delivery copies it as it is: exchange (short
 * string), routing key (short string), then the property flags and property list of the content
 * header (AMQP 0-9-1, 4.2.6.1). A small body follows the envelope in the same allocation; a large
 * one is a list of slices of reference-counted receive buffers.
 *
 * Reference rules: message_new gives the caller one reference; code that stores the pointer takes a
 * reference of its own; the header of a function that consumes the caller's reference
 * says "takes". */
#ifndef LEVERET_BASE_MESSAGE_H
#define LEVERET_BASE_MESSAGE_H

#include <stdatomic.h>

#include "leveret/base/buffer.h"
#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

/* A body of at most this many bytes is copied behind the envelope; a larger one is kept
 * as slices. */
#define MESSAGE_INLINE_BODY_MAX 4096u
/* The ttl_ms of a message without an expiration property. */
#define MESSAGE_NO_TTL UINT64_MAX

struct message_slice {
    struct buffer *owner; /* one reference */
    const uint8_t *at;
    size_t len;
};

struct message {
    atomic_uint refs;
    uint32_t envelope_bytes;  /* exchange + routing key + properties */
    uint16_t properties_from; /* offset of the property flags in the envelope */
    uint8_t exchange_len;
    uint8_t routing_key_len;
    bool persistent;  /* delivery-mode 2 */
    uint8_t priority; /* 0 when absent: see message_has_priority */
    bool has_headers; /* a headers property is present */
    bool blind; /* the headers contain BCC or a header of the broker's own, which receivers must not
                   see */
    uint32_t slice_count; /* 0: the body is inline */
    uint32_t slice_room;  /* allocated slices */
    uint64_t ttl_ms;      /* the expiration property, or MESSAGE_NO_TTL */
    uint64_t body_bytes;  /* as the content header announced it */
    uint64_t body_filled; /* received so far; equal to body_bytes once finished */
    struct message_slice *slices;
    uint8_t data[]; /* envelope, then the inline body */
};

/* A message with one reference and an empty body of body_bytes to be filled. properties is the
 * content header's payload from the property flags on, which are always there. persistent,
 * priority, ttl_ms, has_headers and blind are left at their defaults (false, 0, none, false, false)
 * for the caller to set before it shares the message. A client's message is made by
 * broker/publication.h, which checks it first. Errors: NULL when there is no memory, or when
 * exchange or routing_key has more than 255 bytes. */
struct message *message_new(struct bytes exchange, struct bytes routing_key,
                            struct bytes properties, uint64_t body_bytes)
    __attribute__((warn_unused_result));

/* Appends body bytes while the message is being filled, by copy (inline bodies, and pieces too
 * small to be worth a reference) or by taking a reference on owner, in which at must lie. The sum
 * must not exceed body_bytes. Errors: NO_MEMORY. */
MUST_USE enum status message_fill(struct message *message, struct buffer *owner, const uint8_t *at,
                                  size_t len);

/* A finished message with other properties: the same exchange, routing key, body (shared when it is
 * sliced), persistence, priority, ttl_ms, has_headers and blind. One reference for the caller.
 * Errors: NULL when there is no memory. */
struct message *message_with_properties(const struct message *message, struct bytes properties)
    __attribute__((warn_unused_result));

/* The same with another exchange and routing key too (at most 255 bytes each). */
struct message *message_readdressed(const struct message *message, struct bytes exchange,
                                    struct bytes routing_key, struct bytes properties)
    __attribute__((warn_unused_result));

static inline bool message_full(const struct message *message)
{
    return message->body_filled == message->body_bytes;
}

static inline struct message *message_ref(struct message *message)
{
    atomic_fetch_add_explicit(&message->refs, 1, memory_order_relaxed);
    return message;
}

/* Frees the message. Only message_unref calls it. */
void message_destroy(struct message *message);

/* Gives up one reference and nulls the pointer. *message may be NULL. */
static inline void message_unref(struct message **message)
{
    struct message *m = *message;
    *message = NULL;
    if (!m)
        return;
    /* The holder of the only reference needs no atomic write. */
    if (atomic_load_explicit(&m->refs, memory_order_acquire) == 1 ||
        atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) == 1)
        message_destroy(m);
}

/* Views into the message, valid as long as the caller holds a reference. */
static inline struct bytes message_exchange(const struct message *m)
{
    return bytes_of(m->data + 1, m->exchange_len);
}

static inline struct bytes message_routing_key(const struct message *m)
{
    return bytes_of(m->data + 2 + m->exchange_len, m->routing_key_len);
}

/* Property flags and property list, as in the content header. */
static inline struct bytes message_properties(const struct message *m)
{
    return bytes_of(m->data + m->properties_from, m->envelope_bytes - m->properties_from);
}

/* Whether the message has a priority property: bit 11 of the property flags. */
static inline bool message_has_priority(const struct message *m)
{
    return m->data[m->properties_from] & 0x08;
}

/* The number of pieces of the body (0 for an empty one) and the piece at index. */
static inline uint32_t message_body_pieces(const struct message *m)
{
    return m->slice_count ? m->slice_count : (m->body_bytes > 0);
}

static inline struct bytes message_body_piece(const struct message *m, uint32_t index)
{
    if (m->slice_count)
        return bytes_of(m->slices[index].at, m->slices[index].len);
    return bytes_of(m->data + m->envelope_bytes, (size_t)m->body_bytes);
}

/* Roughly the bytes of memory that the message takes: for watermarks and paging. */
static inline size_t message_memory(const struct message *m)
{
    return sizeof *m + m->envelope_bytes + (size_t)m->body_bytes +
           m->slice_room * sizeof(struct message_slice);
}

#endif
