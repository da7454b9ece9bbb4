/* A lane: messages in order, each in one place, in chunks. A queue has one for each priority; other
 * parts of the core that keep messages may have lanes of their own. Thread: the vhost's owner.
 *
 * Normal course: lane_store puts a message behind the others; lane_head finds the first one that is
 * ready; lane_lend marks it as delivered, lane_discard ends it, lane_give_back makes it ready again
 * in its old place. Storage is a ring of chunks by chunk number; what is where is in chunk.h, which
 * chunks are in memory is paging.c's. Counters are kept for the owner in its stock.
 *
 * What can go wrong: a stored message cannot be read back: the owner's `failed` is called; nothing
 * is thrown away. */
#ifndef BROKER_LANE_H
#define BROKER_LANE_H

#include "broker/store/chunk.h"

struct queue;
struct store;
struct lane;
struct place;

/* What an owner has in its lanes, all together. */
struct stock {
    uint64_t ready, unsettled;
    uint64_t ready_bytes, unsettled_bytes; /* of their bodies; exact, in memory or not */
    uint64_t memory_bytes;                 /* of messages in memory */
    uint64_t persistent;                   /* live and durable messages */
};

/* A message's place. Its number in the lane, seq, is what outlives changes to the lane. */
struct place {
    struct chunk *chunk;
    unsigned slot;
};

/* What an owner is told, and asked. */
struct lane_calls {
    /* The messages of a chunk are in memory again; NULL: those of one that has gone meanwhile. */
    void (*paged_in)(struct lane *lane, struct chunk *chunk);
    /* What is stored cannot be read. */
    void (*failed)(struct lane *lane);
    /* Whether the owner takes from this lane next, so that its head is to be in memory. */
    bool (*leads)(const struct lane *lane);
    /* A chunk with messages that wait to be dead-lettered goes. NULL: this owner has none. */
    void (*forgotten)(struct chunk *chunk);
    /* Of a lane that is watched: a message was stored; one is about to leave; all lanes of the
     * owner were emptied at once. NULL: this owner watches none. */
    void (*stored)(struct lane *lane, struct place place);
    void (*left)(struct lane *lane, uint64_t seq);
    void (*emptied)(struct lane *lane);
};

/* Which chunks of a lane stay in memory besides the open one. */
enum lane_keep {
    LANE_KEEPS_HEAD, /* those near the head: somebody takes from it */
    LANE_KEEPS_NONE, /* it rests */
    LANE_KEEPS_ALL,
};

/* What an owner says about a lane at first. */
struct lane_options {
    struct store *store;
    struct queue *queue; /* the owner; NULL: not a queue's */
    struct stock *stock; /* the owner's, like calls */
    const struct lane_calls *calls;
    bool watched;   /* true: the owner is told what comes and goes (lane_calls.stored …) */
    bool stored;    /* persistent messages are journalled … */
    bool keeps_all; /* … and transient ones, too */
    uint8_t number; /* among its queue's lanes (struct priorities) */
    uint64_t id;    /* in the journal; 0: none yet */
};

struct lane {
    struct store *store;
    struct queue *queue;
    struct stock *stock;
    const struct lane_calls *calls;
    bool watched; /* the owner may end it */
    bool stored, keeps_all;
    bool failed;     /* is not read any more */
    bool stalled;    /* what is wanted of it cannot be read just now; the journal goes on trying */
    uint8_t number;  /* among its queue's lanes (struct priorities); 0: the first one */
    uint8_t keep;    /* enum lane_keep; the owner may change it */
    uint8_t counted; /* 1: its messages are ready in a queue, for the vhost's totals; else 0 */

    /* ring[(ring_head + i) & (ring_room - 1)] is chunk base + i, NULL when all its messages are
     * settled; the last one is open. */
    struct chunk **ring;
    uint32_t ring_head, ring_count, ring_room;
    uint32_t pages_out; /* page-outs under way */
    uint64_t base;
    uint64_t cursor; /* a chunk number: nothing below it is ready */
    uint64_t ready;
    uint64_t id;                 /* 0: none yet */
    struct journal_lane *handle; /* made when there is something to keep */
};

/* Makes an empty lane. */
void lane_init(struct lane *lane, const struct lane_options *options);
/* Drops all that is in the lane, here and in the journal; it can be used again under another id. */
void lane_clear(struct lane *lane);
/* The same here only: for vhost_free. */
void lane_free(struct lane *lane);

static inline uint64_t place_seq(struct place place)
{
    return place.chunk->number * JOURNAL_CHUNK_SLOTS + place.slot;
}

static inline struct message *place_message(struct place place)
{
    return chunk_message(place.chunk, place.slot);
}

/* The place of a message that is live. */
struct place lane_place(const struct lane *lane, uint64_t seq);

/* Puts a message last, ready or unsettled (on its way to somebody who will settle it); takes a
 * reference. *needed is set to the batch that holds it, when it is journalled. */
enum stored_as { STORED_READY, STORED_UNSETTLED };
struct place lane_store(struct lane *lane, struct message *message, uint64_t expires_ms,
                        enum stored_as as, uint64_t *needed);
/* The first message that is ready; the caller makes sure that there is one. */
struct place lane_head(struct lane *lane);
/* An unsettled message becomes ready again, marked as redelivered. */
void lane_give_back(struct lane *lane, struct place place);
/* A ready message becomes unsettled. Returns it (the lane keeps its reference). In memory only. */
struct message *lane_lend(struct lane *lane, struct place place);
/* The same without a delivery, in memory or not: nobody else is to have it meanwhile. */
void lane_hold(struct lane *lane, struct place place);
/* A message leaves, ready or not. Returns it with the lane's reference; NULL when it was not in
 * memory. */
struct message *lane_discard(struct lane *lane, struct place place);
/* An unsettled message of a lane that was cleared meanwhile ends; its bytes went with the lane. */
void lane_forget_unsettled(struct lane *lane);
/* Discards the first ready messages, in memory or not, at most max; returns how many. */
uint64_t lane_discard_ready(struct lane *lane, uint64_t max);

/* The open chunk takes no more, so that it can leave memory. */
void lane_close(struct lane *lane);

/* The chunk of this number, or NULL. */
static inline struct chunk *lane_chunk(const struct lane *lane, uint64_t number)
{
    if (number < lane->base || number - lane->base >= lane->ring_count)
        return NULL;
    return lane->ring[(lane->ring_head + (uint32_t)(number - lane->base)) & (lane->ring_room - 1)];
}

/* The lane's handle in the journal, made if need be. */
struct journal_lane *lane_handle(struct lane *lane);

/* ---- Recovery. */

/* The journal has it under this handle. */
void lane_restore(struct lane *lane, struct journal_lane *handle);
/* Adds a chunk, in ascending order, with what is alive in it; all of it ready. */
void lane_restore_chunk(struct lane *lane, uint64_t number,
                        const uint64_t live[JOURNAL_CHUNK_WORDS], uint64_t body_bytes,
                        bool any_expires, uint64_t delivered_seq);
/* The next chunk's number will be above this. */
void lane_restore_upto(struct lane *lane, uint64_t number);

#endif
