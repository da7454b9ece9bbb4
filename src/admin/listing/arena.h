/* Memory for many small pieces that are freed together. Thread: one at a time. */
#ifndef LEVERET_ADMIN_ARENA_H
#define LEVERET_ADMIN_ARENA_H

#include "leveret/base/bytes.h"

/* All zeros at first. */
struct arena {
    struct arena_chunk *chunks;
    size_t bytes; /* that its chunks take */
};

/* A copy of the bytes, of any alignment; "" for no bytes. */
struct bytes arena_keep(struct arena *arena, struct bytes bytes);
/* The same of a text, with its zero. */
const char *arena_keep_text(struct arena *arena, const char *text);
/* A zeroed piece of memory, aligned for any struct. */
void *arena_object(struct arena *arena, size_t bytes);
void arena_free(struct arena *arena);

#endif
