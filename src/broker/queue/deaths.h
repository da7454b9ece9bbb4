/* Deaths: lists of the dead letters that wait, of a chunk, a queue and a vhost. Thread: the
 * vhost's owner.
 *
 * The dead letters of a chunk are kept beside it (struct deaths), four bytes each, in the order in
 * which they died. A struct deaths stands in the list of what all its messages wait for: to be
 * sent, to be read (both lists of the vhost), or to be taken by a queue (a list of their own
 * queue). A dead letter that no queue took holds up those behind it in its chunk, and becomes the
 * last of them for the next attempt. */
#ifndef BROKER_DEATHS_H
#define BROKER_DEATHS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct chunk;
struct queue;

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
