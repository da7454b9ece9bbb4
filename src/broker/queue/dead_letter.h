/* Dead letters: messages that leave a queue other than by an ack. Thread: the vhost's owner.
 *
 * Normal course: dead_letter notes the message beside its chunk; the message stays in its queue,
 * unsettled. Before the call into the core ends dead_letters_send (publish/dead_letter_send.c)
 * publishes it to the queue's dead-letter exchange and discards it from the queue. Both are in one
 * batch of the journal, so that after a crash it is in one of the two places. Dead letters beyond
 * the number that one call may send are sent by vhost_tick.
 *
 * What can go wrong. The message is not in memory: its chunk is read first, a few chunks at a time.
 * No queue takes it: it is dropped, unless the strategy of its queue is at-least-once: then it is
 * held, and tried again by a timer and soon after the topology has changed. Its queue is deleted:
 * its dead letters that wait are dropped with it. */
#ifndef BROKER_DEAD_LETTER_H
#define BROKER_DEAD_LETTER_H

#include "broker/queue/deaths.h"
#include "broker/queue/queue.h"

/* Why a message leaves. */
enum death {
    DEATH_REJECTED = COUNTED_REJECTED,
    DEATH_EXPIRED = COUNTED_EXPIRED,
    DEATH_MAXLEN = COUNTED_MAXLEN,
    DEATH_DELIVERY_LIMIT = COUNTED_DELIVERY_LIMIT,
};

void dead_letters_init(struct dead_letters *letters);

/* Removes a message, ready or unsettled, from its queue for this reason. If the queue has a
 * dead-letter exchange, the message is published there before the call into the core ends, or, when
 * it is not in memory, after it has been read; else it is dropped. */
void dead_letter(struct lane *lane, struct place place, enum death reason);

/* Counts messages that left for this reason; dead_letter counts its own. */
void dead_letter_count(const struct queue *queue, enum death reason, uint64_t messages);

/* Whether dead letters of the queue are published. If not, dead_letter drops them at once, also
 * when they are not in memory. */
bool dead_letter_wanted(const struct queue *queue);
/* Whether so many dead letters wait to be sent that expiry and length limits must not make more in
 * this queue. */
bool dead_letter_crowded(const struct queue *queue);

/* The messages of a chunk are in memory again. */
void dead_letter_paged_in(struct chunk *chunk);
/* The messages of a lane cannot be read: dead letters among them are not sent. */
void dead_letter_failed(struct lane *lane);
/* A chunk with dead letters is about to be freed: drops them. */
void dead_letter_forget(struct chunk *chunk);

/* ---- For publish/dead_letter_send.c. */

/* Whether the queue's dead letters are kept until a queue has taken them (at-least-once). */
bool dead_letter_is_kept(const struct queue *queue);

#endif
