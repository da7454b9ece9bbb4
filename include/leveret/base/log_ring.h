/* The last lines of the log, in memory: for people who look from elsewhere. Bounded by bytes: a new
 * line takes the place of the oldest ones. Lines are numbered from 0 on, so that a reader sees how
 * many it has missed.
 *
 * Thread: any; each call takes a lock for the length of a copy. */
#ifndef LEVERET_BASE_LOG_RING_H
#define LEVERET_BASE_LOG_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "leveret/base/text.h"

struct log_ring;

/* bytes: of the lines and 8 bytes more for each. */
struct log_ring *log_ring_new(size_t bytes);
void log_ring_free(struct log_ring **ring);

/* Adds a line; one longer than the ring is left out. */
void log_ring_add(struct log_ring *ring, unsigned level, struct bytes line);

/* The numbers of the oldest line that is kept, and of the line that comes next. */
void log_ring_span(struct log_ring *ring, uint64_t *first, uint64_t *end);

/* Appends the first line with a number of at least *next, and a level of at least `level`, to *out,
 * and moves *next behind it. *missed grows by the lines before it that are not kept any more.
 * Returns false when there is none; *next is then where the next line will be. */
bool log_ring_read(struct log_ring *ring, unsigned level, uint64_t *next, uint64_t *missed,
                   struct text *out);

#endif
