/* Reference-counted blocks. */
#include "leveret/base/buffer.h"

#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

struct buffer *buffer_new(size_t capacity_bytes)
{
    CHECK(capacity_bytes <= UINT32_MAX);
    struct buffer *buffer = mem_try(sizeof *buffer + capacity_bytes);
    if (!buffer)
        return NULL;
    atomic_init(&buffer->refs, 1);
    buffer->capacity = (uint32_t)capacity_bytes;
    return buffer;
}

void buffer_unref(struct buffer **buffer)
{
    struct buffer *b = *buffer;
    *buffer = NULL;
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        free(b);
}
