/* A reference-counted block of bytes, shared between the receive path, message bodies, the journal
 * and the send path. Thread: any may take and give up references, since the count is atomic; only
 * the thread that made the block writes its bytes, and only behind those that it has handed out. */
#ifndef LEVERET_BASE_BUFFER_H
#define LEVERET_BASE_BUFFER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    atomic_uint refs;
    uint32_t capacity; /* bytes in data */
    uint8_t data[];
};

/* A block with one reference, its data not initialised; NULL when there is no memory. */
struct buffer *buffer_new(size_t capacity_bytes) __attribute__((warn_unused_result));

/* One more reference; returns its argument. */
static inline struct buffer *buffer_ref(struct buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->refs, 1, memory_order_relaxed);
    return buffer;
}

/* Gives up one reference and nulls the pointer; the last one frees. *buffer may be NULL. */
void buffer_unref(struct buffer **buffer);

/* Whether the caller holds the only reference, so that it may reuse the block. */
static inline int buffer_sole(const struct buffer *buffer)
{
    return atomic_load_explicit(&buffer->refs, memory_order_acquire) == 1;
}

#endif
