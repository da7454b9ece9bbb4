/* Delayed messages, which wait in exchanges of type x-delayed-message: millions on disk, few in
 * memory. Thread: the vhost's owner.
 *
 * A message waits in a *bucket*: a lane for the messages of one exchange that are due in one span
 * of time. A span is a second, a minute, an hour, a day or 32 days long, the longer the further
 * away. Shortly before its time a small bucket is *loaded*: all its messages are in memory and in a
 * heap by due time, from which delays_tick (publish/delay_fire.c) takes those that are due. A
 * bucket that is too large is *split* into buckets of the next finer span, in portions; each
 * message moves in one batch of the journal. The finest span is a millisecond. Its bucket needs no
 * heap: it is a *stream*, from whose head messages are taken as from a queue, however large it is.
 *
 *   rests ──┬─► loading ─► loaded ─► freed when empty (a span of a second or less: when it is over)
 *           ├─► splitting ─────────► freed when empty
 *           └─► stream ────────────► freed when empty
 *
 * No message is taken from the heap while a bucket that begins before its due time is not loaded
 * yet, so that messages leave in the order of their due times, also those that became overdue while
 * the broker was stopped.
 *
 * What can go wrong. The clock jumps: due times are of the wall clock, so messages leave that much
 * earlier or later, at most CLOCK_LOOK_MS after the jump; none is lost or doubled. The broker
 * stops: persistent messages of durable exchanges are still in their buckets, also in the middle of
 * a split. A bucket cannot be read: it is set aside, and its messages stay on disk. */
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

/* The delayed messages of all exchanges of a vhost. */
struct delays {
    struct store *store;
    bool any; /* true: an exchange has kept a message; false: delays_tick has nothing to do */
    TAILQ_HEAD(, delay) all;       /* those of each exchange */
    struct heap wake;              /* delay->wake: by the wall clock */
    struct heap prepare;           /* bucket->prepare: by the wall clock */
    struct bucket_queue open;      /* resting, with an open chunk; the oldest chunk first */
    struct bucket_queue splitting; /* in the order in which they were begun */
    struct bucket_queue spent;     /* loaded and empty, until their span is over */
    unsigned split_count;          /* buckets in splitting */
    uint64_t loaded_bytes;         /* of messages in loaded buckets and streams */
    uint64_t open_bytes;           /* of messages in the open chunks of resting buckets */
    /* Steady clock: delays_tick does nothing before, since the journal is behind; 0: it is not. */
    uint64_t retry_steady_ms;
};
void delays_init(struct delays *delays, struct store *store);

/* Keeps a message in the exchange for delay_ms; takes a reference. *needed is set to the batch that
 * contains it, if it is journalled. */
void delay_keep(struct delays *delays, struct exchange *exchange, struct message *message,
                uint64_t delay_ms, uint64_t *needed);
/* The exchange is deleted: drops its delayed messages. */
void delay_delete(struct delay *delay);
/* How many messages the exchange delays. */
uint64_t delay_messages(const struct delay *delay);

/* Frees the memory, and leaves the journal as it is; for vhost_free. */
void delays_free(struct delays *delays);

/* ---- Recovery. */

/* Makes a bucket that is on record. Returns its lane, which recovery fills, or NULL when the
 * exchange does not delay messages or the span is unknown. */
struct lane *delay_restore(struct delays *delays, struct exchange *exchange,
                           const struct delay_definition *definition);
/* To be called when recovery has filled all lanes. */
void delays_restored(struct delays *delays);

#endif
