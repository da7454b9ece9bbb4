/* Promises: the only path by which confirms and replies leave that wait for the disk. Each channel
 * has a queue of them; an entry leaves when its batch is on disk and all entries before it have
 * left. Thread: the vhost's owner.
 *
 * Confirms that follow each other are one entry, so a publish costs O(1) and no memory. A reply
 * that waits for no batch leaves at once, unless an earlier reply still waits: the replies of a
 * channel keep their order. */
#ifndef BROKER_PROMISE_H
#define BROKER_PROMISE_H

#include "leveret/broker/command.h"

struct channel;
struct channels;

struct held_reply;

struct promise {
    uint64_t needed;          /* the batch that must be on disk; 0: none */
    uint64_t upto;            /* a confirm: of all publishes up to this sequence number */
    struct held_reply *reply; /* NULL: a confirm */
    bool nack;                /* true: the publish with the number upto is refused, and no other */
};

/* Functions of the folders above this one, which are called when an entry has left. */
struct promise_calls {
    /* The answer to COMMAND_CONSUME has left: that consumer may get messages now. */
    void (*consume_ok_left)(struct channel *channel, uint32_t consumer);
    /* A channel with closing = true has sent all its replies; the callee frees it. */
    void (*through)(struct channel *channel);
};

struct promise_queue {
    struct promise *entries;
    uint32_t head, count, room; /* room: a power of two */
    uint32_t replies;           /* how many entries are replies */
};

/* Promises a confirm for the next publish of a channel in confirm mode; needed: the batch that the
 * confirm waits for, 0: none. */
void promise_confirm(struct channel *channel, uint64_t needed);
/* The same for a publish that was refused: it gets a nack. */
void promise_nack(struct channel *channel);
/* Sends a reply as soon as the batch `needed` is on disk; takes a reference of its message. */
void promise_reply(struct channel *channel, const struct event *reply, uint64_t needed);

/* Whether promise_reply would hold a reply that needs this batch. */
bool promise_holds(const struct channel *channel, uint64_t needed);

/* Sends the promises of this channel that can leave, before the end of the turn. The channel must
 * not be closing. */
void promise_release_due(struct channel *channel);

/* Sends the promises of all channels that can leave: those of promises_due at the end of a turn;
 * those of promises_held after store->committed has grown. */
void promise_flush(struct channels *channels);
void promise_committed(struct channels *channels);
/* Sends the promises of a channel that can leave, and drops its other confirms; all: drops its
 * other replies as well. */
void promise_abandon(struct channel *channel, bool all);

/* How many publishes of the channel are not confirmed yet. */
uint64_t promise_unconfirmed(const struct channel *channel);

#endif
