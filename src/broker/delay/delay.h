/* What waits in exchanges of type x-delayed-message: millions of messages on disk, few in memory.
 * Thread: the vhost's owner.
 *
 * A message waits in a *bucket*: the lane of one exchange for one span of time, a day, an hour, a
 * minute or a second long, the longer the further away. Shortly before its time a bucket that is
 * small is *loaded*: all of it in memory, in a heap by due time, from which delays_tick takes what
 * is due. One that is too large is *split* into buckets of the next finer span, in portions, each
 * move atomic in the journal. The finest is a millisecond, which needs no heap: it is a *stream*,
 * taken from its head as from a queue, however large it is.
 *
 *   rests ──┬─► loading ─► loaded ─► gone when empty (a second's: when its time is over)
 *           ├─► splitting ─────────► gone when empty
 *           └─► stream ────────────► gone when empty
 *
 * Nothing is taken from the heap while a bucket that begins before it is not loaded yet, so that
 * messages leave in order of their due time even when they are overdue (after a long stop).
 *
 * What can go wrong: the clock jumps: due times are of the wall clock, so messages come that much
 * sooner or later, and within CLOCK_LOOK_MS of the jump; none is lost or doubled. The broker stops:
 * messages of durable exchanges that are persistent are there again, where they were, also in the
 * middle of a split. A bucket cannot be read: it is set aside, what is in it stays on disk. */
#ifndef BROKER_DELAY_H
#define BROKER_DELAY_H

#include "broker/topology/exchange.h"
#include "leveret/base/heap.h"
#include "leveret/base/message.h"

struct bucket;
struct delay;
struct delay_definition;
struct lane;
struct store;

TAILQ_HEAD(bucket_queue, bucket);

/* What waits in all exchanges of a vhost. */
struct delays {
    struct store *store;
    bool any; /* true once an exchange has kept a message: before that there is nothing to do */
    TAILQ_HEAD(, delay) all;
    struct heap wake, prepare;     /* wall clock */
    struct bucket_queue open;      /* resting, with an open chunk, the oldest first */
    struct bucket_queue splitting; /* in turn */
    struct bucket_queue spent;     /* loaded and empty, until their time is over */
    unsigned split_count;
    uint64_t loaded_bytes;    /* of messages in loaded buckets and streams */
    uint64_t open_bytes;      /* of those in the open chunks of resting ones */
    uint64_t retry_steady_ms; /* the disk is behind: nothing is done until then; 0: it is not */
};
void delays_init(struct delays *delays, struct store *store);

/* The exchange keeps a message for that long; takes a reference. *needed is raised to the batch
 * that holds it, if it is journalled. */
void delay_keep(struct delays *delays, struct exchange *exchange, struct message *message,
                uint64_t delay_ms, uint64_t *needed);
/* The exchange goes, and what waits in it. */
void delay_delete(struct delay *delay);
/* How many messages wait. */
uint64_t delay_messages(const struct delay *delay);

/* Frees all without a word; for vhost_free. */
void delays_free(struct delays *delays);

/* ---- Recovery. */

/* A bucket of the exchange that was on record: its lane, to be filled by the journal. NULL: the
 * exchange does not delay, or the span is not known. */
struct lane *delay_restore(struct delays *delays, struct exchange *exchange,
                           const struct delay_definition *definition);
/* All lanes are filled. */
void delays_restored(struct delays *delays);

#endif
