/* A lane: messages in order, in chunks. A queue has a lane for each priority that is in use; each
 * bucket of delayed messages has a lane, too. Thread: the vhost's owner.
 *
 * Normal course: lane_store appends a message; lane_head finds the first ready message; lane_lend
 * marks it as delivered; then lane_discard removes it, or lane_give_back makes it ready again in
 * its old place. The chunks stand in a ring, by number (chunk.h); paging.h says which of them are
 * in memory. The lane counts its messages in the owner's struct stock.
 *
 * What can go wrong: a stored message cannot be read back: lane_calls.failed tells the owner, and
 * nothing is thrown away. */
#ifndef BROKER_LANE_H
#define BROKER_LANE_H

#include "broker/store/chunk.h"

struct queue;
struct store;
struct lane;
struct place;

/* Sums over all lanes of an owner. */
struct stock {
    uint64_t ready, unsettled;             /* messages */
    uint64_t ready_bytes, unsettled_bytes; /* of their bodies; exact, in memory or not */
    uint64_t memory_bytes;                 /* of messages in memory */
    /* Durable messages that were appended, and that left; those that recovery has found count as
     * less than 0 that left. The difference (modulo 2^64) is how many are live: stock_persistent.
     */
    uint64_t appended, left;
    uint64_t paged_out, paged_in; /* transient messages that were paged out; messages read back */
};

/* The durable messages that are live. */
static inline uint64_t stock_persistent(const struct stock *stock)
{
    return stock->appended - stock->left;
}

/* The place of a message, valid until its lane changes. place_seq gives the message's sequence
 * number, which names it in its lane for as long as it lives. */
struct place {
    struct chunk *chunk;
    unsigned slot;
};

/* The functions of an owner that its lanes call. */
struct lane_calls {
    /* The messages of a chunk are in memory again. chunk is NULL when a page came for a chunk that
     * has been settled or removed meanwhile. */
    void (*paged_in)(struct lane *lane, struct chunk *chunk);
    /* A stored message of the lane cannot be read. */
    void (*failed)(struct lane *lane);
    /* Whether the owner takes its next message from this lane: then the head stays in memory. */
    bool (*leads)(const struct lane *lane);
    /* A chunk with messages that wait to be dead-lettered is about to be freed. NULL: this owner
     * dead-letters nothing. */
    void (*forgotten)(struct chunk *chunk);
    /* Called for lanes with watched = true: a message was stored; a message is about to leave; all
     * lanes of the owner were emptied at once. NULL: this owner watches none of its lanes. */
    void (*stored)(struct lane *lane, struct place place);
    void (*left)(struct lane *lane, uint64_t seq);
    void (*emptied)(struct lane *lane);
};

/* Which chunks of a lane stay in memory besides the open one. */
enum lane_keep {
    LANE_KEEPS_HEAD, /* those near the head, for a lane from which messages are taken */
    LANE_KEEPS_NONE,
    LANE_KEEPS_ALL,
};

/* How a lane is made. */
struct lane_options {
    struct store *store;
    struct queue *queue; /* the owner; NULL: the owner is not a queue */
    struct stock *stock; /* the owner's, like calls */
    const struct lane_calls *calls;
    bool watched;   /* true: the owner is told what comes and goes (lane_calls.stored …) */
    bool stored;    /* true: persistent messages are journalled */
    bool keeps_all; /* true: with stored, transient messages are journalled as well */
    uint8_t number; /* among its queue's lanes (struct priorities) */
    uint64_t id;    /* in the journal; 0: none yet */
};

struct lane {
    struct store *store;
    struct queue *queue;
    struct stock *stock;
    const struct lane_calls *calls;
    bool watched; /* see lane_options, like the next two; the owner may set this to false */
    bool stored, keeps_all;
    bool failed;    /* true: a page was damaged; nothing more is read */
    bool stalled;   /* true: the journal cannot read a page now, and keeps trying */
    uint8_t number; /* among its queue's lanes (struct priorities); 0: the first one */
    uint8_t keep;   /* enum lane_keep; the owner may change it */
    uint8_t
        counted; /* 1: its ready messages count in store.ready, as those of a queue do; else 0 */

    /* ring[(ring_head + i) & (ring_room - 1)] is the chunk with the number base + i, or NULL when
     * all messages of that chunk are settled. New messages go into the last chunk. */
    struct chunk **ring;
    uint32_t ring_head, ring_count, ring_room;
    uint32_t pages_out; /* page-outs under way */
    uint64_t base;
    uint64_t cursor;             /* a chunk number: no chunk below it has a ready message */
    uint64_t ready;              /* messages */
    uint64_t transient_bytes;    /* of bodies, of those messages in a stored lane that are not
                                    durable */
    uint64_t id;                 /* in the journal; 0: none yet */
    struct journal_lane *handle; /* NULL until the first message is journalled or paged out */
};

/* Makes an empty lane. */
void lane_init(struct lane *lane, const struct lane_options *options);
/* Drops all messages of the lane from memory and from the journal. The lane can be used again: it
 * gets a new id when its next message is journalled. */
void lane_clear(struct lane *lane);
/* Drops all messages of the lane from memory only: for vhost_free. */
void lane_free(struct lane *lane);

static inline uint64_t place_seq(struct place place)
{
    return place.chunk->number * JOURNAL_CHUNK_SLOTS + place.slot;
}

static inline struct message *place_message(struct place place)
{
    return chunk_message(place.chunk, place.slot);
}

/* The place of the message with this sequence number, which must be live. */
struct place lane_place(const struct lane *lane, uint64_t seq);

/* Appends a message and takes a reference. It is ready, or it is unsettled because the caller
 * delivers it at once. *needed is set to the batch that contains it, when it is journalled. */
enum stored_as { STORED_READY, STORED_UNSETTLED };
struct place lane_store(struct lane *lane, struct message *message, uint64_t expires_ms,
                        enum stored_as as, uint64_t *needed);
/* The first ready message; the lane must have one. */
struct place lane_head(struct lane *lane);
/* Makes an unsettled message ready again, and marks it as redelivered. */
void lane_give_back(struct lane *lane, struct place place);
/* Makes a ready message unsettled, because it is delivered. It must be in memory. Returns it; the
 * lane keeps its reference. */
struct message *lane_lend(struct lane *lane, struct place place);
/* Makes a ready message unsettled without a delivery, so that no consumer gets it. It may be in
 * memory or not. */
void lane_hold(struct lane *lane, struct place place);
/* Makes a message ready again that lane_hold has made unsettled. */
void lane_unhold(struct lane *lane, struct place place);
/* Removes a message, ready or not. Returns it with the lane's reference, or NULL when it was not in
 * memory. */
struct message *lane_discard(struct lane *lane, struct place place);
/* Counts an unsettled message as settled whose lane was cleared meanwhile; its bytes were
 * subtracted when the lane was cleared. */
void lane_forget_unsettled(struct lane *lane);
/* Removes the first ready messages, in memory or not, at most max; returns how many. */
uint64_t lane_discard_ready(struct lane *lane, uint64_t max);

/* Closes the open chunk, so that it can leave memory. */
void lane_close(struct lane *lane);

/* The sequence number that the next message gets at least: those of all messages that it has are
 * lower. */
uint64_t lane_end(const struct lane *lane);

/* The chunk with this number, or NULL. */
static inline struct chunk *lane_chunk(const struct lane *lane, uint64_t number)
{
    if (number < lane->base || number - lane->base >= lane->ring_count)
        return NULL;
    return lane->ring[(lane->ring_head + (uint32_t)(number - lane->base)) & (lane->ring_room - 1)];
}

/* The lane's handle in the journal, which is made if the lane has none. */
struct journal_lane *lane_handle(struct lane *lane);

/* ---- Recovery. */

/* Gives a new lane the handle under which the journal has its messages. */
void lane_restore(struct lane *lane, struct journal_lane *handle);
/* Adds a chunk; number: above those of earlier calls; live: its messages, which are all ready;
 * those up to delivered_seq are marked as redelivered. */
void lane_restore_chunk(struct lane *lane, uint64_t number,
                        const uint64_t live[JOURNAL_CHUNK_WORDS], uint64_t body_bytes,
                        bool any_expires, uint64_t delivered_seq);
/* Makes the number of the lane's next chunk higher than this one. */
void lane_restore_upto(struct lane *lane, uint64_t number);

#endif
