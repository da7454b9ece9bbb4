/* Promises: the one path by which confirms and replies about stored things leave. For each channel
 * a queue in order; what stands in it leaves when its batch, and all that stands before it, is on
 * disk. Thread: the vhost's owner.
 *
 * Neighbouring confirms are one entry, so a publish costs O(1) and no memory. Replies that wait for
 * nothing leave at once, unless another reply still waits: replies of a channel keep their order.
 */
#ifndef BROKER_PROMISE_H
#define BROKER_PROMISE_H

#include "leveret/broker/command.h"

struct channel;
struct channels;

struct held_reply;

struct promise {
    uint64_t needed;          /* batch; 0: none */
    uint64_t upto;            /* confirm up to this sequence number */
    struct held_reply *reply; /* NULL: a confirm */
    bool nack;                /* upto alone is refused */
};

/* What stands above is told. */
struct promise_calls {
    /* The answer to COMMAND_CONSUME has left: that consumer may get something. */
    void (*consume_ok_left)(struct channel *channel, uint32_t consumer);
    /* A channel that is closing has nothing to send any more. */
    void (*through)(struct channel *channel);
};

struct promise_queue {
    struct promise *entries;
    uint32_t head, count, room; /* room: a power of two */
    uint32_t replies;           /* how many of them are replies */
};

/* One more publish on a channel in confirm mode; needed: the batch it waits for, 0: none. */
void promise_confirm(struct channel *channel, uint64_t needed);
/* The same for one that was refused. */
void promise_nack(struct channel *channel);
/* Sends a reply as soon as needed is on disk; takes a reference of a message in it. */
void promise_reply(struct channel *channel, const struct event *reply, uint64_t needed);

/* Whether promise_reply would hold a reply that needs this batch. */
bool promise_holds(const struct channel *channel, uint64_t needed);

/* Sends what is due of this channel now, and not at the end of the turn. The channel is not
 * closing.
 */
void promise_release_due(struct channel *channel);

/* Sends what is due. */
void promise_flush(struct channels *channels);
void promise_committed(struct channels *channels);
/* Sends what is due of one channel; drops the confirms (all: the replies as well) that are not. */
void promise_abandon(struct channel *channel, bool all);

/* Publishes that are not confirmed yet. */
uint64_t promise_unconfirmed(const struct channel *channel);

#endif
