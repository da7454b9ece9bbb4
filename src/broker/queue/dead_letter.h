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

#include "broker/queue/queue.h"

/* Why a message leaves. */
enum death {
    DEATH_REJECTED = COUNTED_REJECTED,
    DEATH_EXPIRED = COUNTED_EXPIRED,
    DEATH_MAXLEN = COUNTED_MAXLEN,
    DEATH_DELIVERY_LIMIT = COUNTED_DELIVERY_LIMIT,
};

/* The list in which the dead letters of a chunk stand: none, dead_letters.due, .unread, .reading,
 * dying.held. */
enum deaths_state { DEATHS_UNLISTED, DEATHS_DUE, DEATHS_UNREAD, DEATHS_READING, DEATHS_HELD };

/* A message of a chunk that waits to be dead-lettered. */
struct dead {
    uint16_t slot;
    uint8_t reason; /* enum death */
};

/* The dead letters of one chunk. */
struct deaths {
    struct chunk *chunk;
    struct dying *dying;
    TAILQ_ENTRY(deaths) link; /* in the list that `state` names */
    uint8_t state;            /* enum deaths_state */
    bool retried;             /* true: it was held before */
    uint16_t next, count;     /* entries[next .. count) wait */
    uint16_t room;
    struct dead *entries;
};
TAILQ_HEAD(deaths_list, deaths);

/* The dead letters of one queue. Made with its first dead letter, kept as long as the queue. */
struct dying {
    struct queue *queue;
    uint64_t count;   /* messages that wait, held or not */
    uint64_t dropped; /* dead letters dropped since they were too many (publish/offspring.h) */
    bool told;        /* true: the first drop has been told */
    struct deaths_list held; /* those that no queue took */
    TAILQ_ENTRY(dying) link; /* in dead_letters.holding while held is not empty */
};
TAILQ_HEAD(dying_list, dying);

/* The dead letters of a vhost; part of struct queues. */
struct dead_letters {
    uint64_t count;             /* messages that wait, of all queues */
    struct deaths_list due;     /* to be sent now */
    struct deaths_list unread;  /* not in memory; the journal has not been asked for them */
    struct deaths_list reading; /* not in memory; the journal has been asked for them */
    unsigned readings;          /* chunks in reading */
    uint64_t due_count;         /* messages in due */
    unsigned sent_in_turn;      /* work of sending since the last vhost_flush or vhost_tick */
    struct dying_list holding;  /* queues with held ones; the first is tried next */
    unsigned holding_count;     /* queues in holding */
    uint64_t retry_ms; /* steady clock: the next attempt with held ones; UINT64_MAX: none */
    uint64_t version;  /* of the topology at the last attempt */
};

void dead_letters_init(struct dead_letters *letters);

/* Removes a message, ready or unsettled, from its queue for this reason. If the queue has a
 * dead-letter exchange, the message is published there before the call into the core ends, or, when
 * it is not in memory, after it has been read; else it is dropped. */
void dead_letter(struct lane *lane, struct place place, enum death reason);

/* Counts messages that left for this reason; dead_letter counts its own. */
void dead_letter_count(const struct queue *queue, enum death reason, uint64_t messages);

/* Whether dead letters of the queue are published: if not, dead_letter drops them, in memory or
 * not.
 */
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
/* Moves the dead letters of a chunk to the list of another state. Nothing else changes these lists
 * and their counts. */
void deaths_move(struct deaths *deaths, enum deaths_state state);
/* Takes the struct out of its list and frees it. */
void deaths_free(struct deaths *deaths);
/* Adds a dead letter behind the others. */
void deaths_add(struct deaths *deaths, struct dead dead);
/* Takes the first dead letter out; there must be one. */
struct dead deaths_take(struct deaths *deaths);

#endif
