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
#include "leveret/base/message.h"

struct delay;
struct delay_definition;
struct lane;
struct vhost;

/* The exchange keeps a message for that long; takes a reference. *needed is raised to the batch
 * that holds it, if it is journalled. */
void delay_keep(struct vhost *vhost, struct exchange *exchange, struct message *message,
                uint64_t delay_ms, uint64_t *needed);
/* The exchange goes, and what waits in it. */
void delay_delete(struct delay *delay);
/* How many messages wait. */
uint64_t delay_messages(const struct delay *delay);

/* Of all exchanges, of a vhost that has delays: routes what is due and gets ready what will be, a
 * bounded amount. */
void delays_tick(struct vhost *vhost);
/* The steady_ms at which delays_tick has something to do; UINT64_MAX: never. */
uint64_t delays_deadline_ms(const struct vhost *vhost);
/* Frees all without a word; for vhost_free. */
void delays_free(struct vhost *vhost);

/* ---- Recovery. */

/* A bucket that was on record: its lane, to be filled by the journal. NULL: no exchange that
 * delays, or a span that is not known. */
struct lane *delay_restore(struct vhost *vhost, const struct delay_definition *definition);
/* All lanes are filled. */
void delays_restored(struct vhost *vhost);

#endif
