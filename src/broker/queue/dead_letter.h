/* Dead letters: what leaves a queue other than by an ack, and where it goes. Thread: the vhost's
 * owner.
 *
 * Normal course: dead_letter notes the message beside its chunk (it stays in its queue, unsettled);
 * before the call into the core ends dead_letters_send publishes it to the queue's dead-letter
 * exchange and discards it here. Both are in one batch of the journal, so a crash leaves it in one
 * of the two places. What one call cannot do for length is left to vhost_tick.
 *
 * What can go wrong. The message is not in memory: its chunk is read first, a few at a time. No
 * queue takes it: dropped, unless the queue's strategy is at-least-once: then it is held, and tried
 * again on a timer and soon after the topology has changed. The queue is deleted: what waits goes
 * with it. */
#ifndef BROKER_DEAD_LETTER_H
#define BROKER_DEAD_LETTER_H

#include "broker/queue/queue.h"

enum death {
    DEATH_REJECTED = COUNTED_REJECTED,
    DEATH_EXPIRED = COUNTED_EXPIRED,
    DEATH_MAXLEN = COUNTED_MAXLEN,
    DEATH_DELIVERY_LIMIT = COUNTED_DELIVERY_LIMIT,
};

/* The dead letters of one chunk. */
enum deaths_state { DEATHS_UNLISTED, DEATHS_DUE, DEATHS_UNREAD, DEATHS_READING, DEATHS_HELD };

struct dead {
    uint16_t slot;
    uint8_t reason; /* enum death */
};

struct deaths {
    struct chunk *chunk;
    struct dying *dying;
    TAILQ_ENTRY(deaths) link; /* by state */
    uint8_t state;            /* enum deaths_state */
    bool retried;             /* was held before */
    uint16_t next, count;     /* entries[next .. count) wait */
    uint16_t room;
    struct dead *entries;
};
TAILQ_HEAD(deaths_list, deaths);

/* What a queue has of them. Made with its first one, kept as long as the queue. */
struct dying {
    struct queue *queue;
    uint64_t count;          /* of messages, held or not */
    uint64_t dropped;        /* letters that would have been too many (offspring.h) */
    bool told;               /* of the first of these */
    struct deaths_list held; /* no queue took them */
    TAILQ_ENTRY(dying) link; /* in dead_letters.holding while held is not empty */
};
TAILQ_HEAD(dying_list, dying);

/* What a vhost has of them; part of struct queues. */
struct dead_letters {
    uint64_t count;             /* of all queues' dying messages */
    struct deaths_list due;     /* to be sent now */
    struct deaths_list unread;  /* not in memory, not asked for yet */
    struct deaths_list reading; /* asked for */
    unsigned readings;          /* how many stand in reading */
    uint64_t due_count;         /* messages in due */
    unsigned sent_in_turn;      /* work done since the last vhost_flush or vhost_tick */
    struct dying_list holding;  /* whose turn it is next comes first */
    unsigned holding_count;     /* how many queues stand there */
    uint64_t retry_ms;          /* steady: when held ones are tried; UINT64_MAX: there are none */
    uint64_t version;           /* of the topology that they were tried with */
};

void dead_letters_init(struct dead_letters *letters);

/* A message leaves its queue, ready or unsettled, for this reason: it goes to the dead-letter
 * exchange if the queue has one (before the call into the core ends), and is dropped if not. It may
 * be out of memory: then it goes when it has been read. */
void dead_letter(struct lane *lane, struct place place, enum death reason);

/* Counts messages that die so; dead_letter does for its own. */
void dead_letter_count(const struct queue *queue, enum death reason, uint64_t messages);

/* Whether messages of the queue go anywhere: if not, dead_letter drops them, in memory or not. */
bool dead_letter_wanted(const struct queue *queue);
/* Whether so many are due that no more should be made by what can wait (expiry, length limits). */
bool dead_letter_crowded(const struct queue *queue);

/* The messages of a chunk with dead letters are in memory; cannot be read; go with their queue. */
void dead_letter_paged_in(struct chunk *chunk);
void dead_letter_failed(struct lane *lane);
void dead_letter_forget(struct chunk *chunk);

/* ---- For publish/dead_letter_send.c. */

/* Whether the queue's dead letters are kept until a queue has taken them. */
bool dead_letter_is_kept(const struct queue *queue);
/* The one place where deaths change lists, and what is counted by list. */
void deaths_move(struct deaths *deaths, enum deaths_state state);
/* They go: none waits any more. */
void deaths_free(struct deaths *deaths);
/* One more, behind the others. */
void deaths_add(struct deaths *deaths, struct dead dead);
/* The first one leaves. */
struct dead deaths_take(struct deaths *deaths);

#endif
