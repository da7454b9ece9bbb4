/* Messages: one allocation for the envelope and a small body, slices for a large one. */
#include "leveret/base/message.h"

#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* A piece of a body with fewer bytes than this is copied, so that it does not keep a large receive
 * block alive. Copies share blocks of COPY_BLOCK_BYTES, so that a body that arrives byte by byte
 * takes little more memory than its length. */
#define SLICE_COPY_MAX   1024u
#define COPY_BLOCK_BYTES 8192u

struct message *message_new(struct bytes exchange, struct bytes routing_key,
                            struct bytes properties, uint64_t body_bytes)
{
    if (exchange.len > UINT8_MAX || routing_key.len > UINT8_MAX)
        return NULL;
    size_t envelope = 2 + exchange.len + routing_key.len + properties.len;
    if (envelope > UINT32_MAX)
        return NULL;
    size_t inline_body = body_bytes <= MESSAGE_INLINE_BODY_MAX ? (size_t)body_bytes : 0;
    struct message *m = mem_try(sizeof *m + envelope + inline_body);
    if (!m)
        return NULL;
    atomic_init(&m->refs, 1);
    m->envelope_bytes = (uint32_t)envelope;
    m->properties_from = (uint16_t)(2 + exchange.len + routing_key.len);
    m->exchange_len = (uint8_t)exchange.len;
    m->routing_key_len = (uint8_t)routing_key.len;
    m->persistent = false;
    m->priority = 0;
    m->has_headers = false;
    m->blind = false;
    m->slice_count = 0;
    m->slice_room = 0;
    m->ttl_ms = MESSAGE_NO_TTL;
    m->body_bytes = body_bytes;
    m->body_filled = 0;
    m->slices = NULL;

    uint8_t *at = m->data;
    *at++ = m->exchange_len;
    if (exchange.len)
        memcpy(at, exchange.at, exchange.len);
    at += exchange.len;
    *at++ = m->routing_key_len;
    if (routing_key.len)
        memcpy(at, routing_key.at, routing_key.len);
    at += routing_key.len;
    if (properties.len)
        memcpy(at, properties.at, properties.len);
    return m;
}

static bool room_for_slice(struct message *m)
{
    if (m->slice_count < m->slice_room)
        return true;
    uint32_t room = m->slice_room ? m->slice_room * 2 : 4;
    struct message_slice *slices = mem_try_array(m->slices, room, sizeof *slices);
    if (!slices)
        return false;
    m->slices = slices;
    m->slice_room = room;
    return true;
}

/* Extends the last slice by a piece of the body: by the piece itself when it lies right behind the
 * slice, or by a copy of a small piece when the slice's block has room and no other holder. Returns
 * false when neither can be done. */
static bool extend_last_slice(struct message *m, const struct buffer *owner, const uint8_t *at,
                              size_t len)
{
    if (!m->slice_count)
        return false;
    struct message_slice *last = &m->slices[m->slice_count - 1];
    if (owner && last->owner == owner && last->at + last->len == at) {
        last->len += len;
        return true;
    }
    struct buffer *block = last->owner;
    size_t used = (size_t)(last->at - block->data) + last->len;
    if (len >= SLICE_COPY_MAX || len > block->capacity - used || block == owner ||
        !buffer_sole(block))
        return false;
    memcpy(block->data + used, at, len);
    last->len += len;
    return true;
}

static struct buffer *copy_piece(const struct message *m, const uint8_t *at, size_t len)
{
    uint64_t left = m->body_bytes - m->body_filled;
    size_t capacity = left < COPY_BLOCK_BYTES ? (size_t)left : COPY_BLOCK_BYTES;
    struct buffer *block = buffer_new(len > capacity ? len : capacity);
    if (block)
        memcpy(block->data, at, len);
    return block;
}

enum status message_fill(struct message *message, struct buffer *owner, const uint8_t *at,
                         size_t len)
{
    CHECK(len <= message->body_bytes - message->body_filled);
    if (len == 0)
        return STATUS_OK;
    if (message->body_bytes <= MESSAGE_INLINE_BODY_MAX) {
        memcpy(message->data + message->envelope_bytes + message->body_filled, at, len);
        message->body_filled += len;
        return STATUS_OK;
    }
    if (!extend_last_slice(message, owner, at, len)) {
        if (!room_for_slice(message))
            return STATUS_NO_MEMORY;
        struct buffer *held = owner;
        if (!owner || len < SLICE_COPY_MAX) {
            held = copy_piece(message, at, len);
            if (!held)
                return STATUS_NO_MEMORY;
            at = held->data;
        } else {
            (void)buffer_ref(owner);
        }
        message->slices[message->slice_count++] = (struct message_slice){held, at, len};
    }
    message->body_filled += len;
    return STATUS_OK;
}

struct message *message_with_properties(const struct message *message, struct bytes properties)
{
    return message_readdressed(message, message_exchange(message), message_routing_key(message),
                               properties);
}

struct message *message_readdressed(const struct message *message, struct bytes exchange,
                                    struct bytes routing_key, struct bytes properties)
{
    struct message *copy = message_new(exchange, routing_key, properties, message->body_bytes);
    if (!copy)
        return NULL;
    copy->persistent = message->persistent;
    copy->priority = message->priority;
    copy->ttl_ms = message->ttl_ms;
    copy->has_headers = message->has_headers;
    copy->blind = message->blind;
    for (uint32_t i = 0; i < message_body_pieces(message); i++) {
        struct bytes piece = message_body_piece(message, i);
        struct buffer *owner = message->slice_count ? message->slices[i].owner : NULL;
        if (message_fill(copy, owner, piece.at, piece.len)) {
            message_unref(&copy);
            return NULL;
        }
    }
    return copy;
}

void message_destroy(struct message *message)
{
    for (uint32_t i = 0; i < message->slice_count; i++)
        buffer_unref(&message->slices[i].owner);
    free(message->slices);
    free(message);
}
