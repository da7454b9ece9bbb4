/* How often messages came back from their consumers, in quorum queues and in others that limit it
 * (x-delivery-limit). Thread: the vhost's owner.
 *
 * Normal course: returns_count counts one; the counts of a chunk lie beside it, made with the first
 * return of any of its messages, and are put on record at the end of the turn (returns_flush) as
 * one definition for each chunk, which goes with the chunk. So a queue whose messages do not come
 * back pays nothing.
 *
 * Each message has two counts: of all its returns, and of those among them that are failures, as
 * RabbitMQ 4.3 tells them apart. Which of the two a delivery limit bounds is the queue's business
 * (queue_counted).
 *
 * A delivery that is out when the broker ends comes back, too, and is a failure. On record each
 * count is therefore what it will be if the broker ends now: one more for a message that is out. A
 * message that goes out for the first time needs no record: the lane's delivered mark says after a
 * restart that it was delivered, and a message that may have been delivered and has no count has
 * come back once. returns_lent notes the later deliveries. What exceeds its queue's limit after a
 * restart goes where dead letters go before anybody can get it (returns_restored).
 *
 * What can go wrong: the broker ends before the batch with a count or a mark is on disk: what
 * happened in its last instant is not counted, as it is not marked as redelivered. */
#ifndef BROKER_RETURNS_H
#define BROKER_RETURNS_H

#include <sys/queue.h>

#include "broker/store/lane.h"

/* Why a message comes back. */
enum return_kind {
    RETURN_HANDED_BACK, /* basic.nack, basic.recover, an acknowledgement time-out */
    RETURN_FAILURE,     /* basic.reject; a channel, a connection or the broker ends */
};

struct tally {
    uint32_t returns;  /* of both kinds */
    uint32_t failures; /* of these, RETURN_FAILURE */
};

struct returns {
    struct chunk *chunk;
    TAILQ_ENTRY(returns) link;                 /* in store.returns_changed */
    bool changed;                              /* it is in there */
    bool stored;                               /* the journal has a definition */
    struct tally tallies[JOURNAL_CHUNK_SLOTS]; /* no returns: see returns_of */
};
TAILQ_HEAD(returns_list, returns);

/* How often the message at place has come back. */
static inline struct tally returns_of(struct place place)
{
    const struct returns *returns = place.chunk->returns;
    if (returns && returns->tallies[place.slot].returns)
        return returns->tallies[place.slot];
    uint32_t once = bit_test(place.chunk->redelivered_bits, place.slot);
    return (struct tally){once, once};
}

/* It has come back once more. Returns how often that is now. */
struct tally returns_count(struct place place, enum return_kind kind);
/* It came back before and is out once more. */
void returns_lent(struct place place);

/* The message as it is delivered after it has come back: a copy with the headers x-acquired-count
 * (acquired: how often it was taken and came back) and, above 0, x-delivery-count (counted: what
 * its queue's delivery limit bounds). The caller gets a reference; without memory for a copy, on
 * the message itself. */
struct message *returns_mark(struct message *message, uint32_t acquired, uint32_t counted);

/* Nothing of the chunk is left: here and in the journal. */
void returns_forget(struct chunk *chunk);
/* The same here only. */
void returns_free(struct chunk *chunk);

/* Puts what changed into the batch that is filling. Cheap when nothing did. */
void returns_flush(struct store *store);

/* ---- Recovery: a definition of kind DEFINITION_RETURNS. */

/* Which chunk it belongs to; false when the key makes no sense. */
bool returns_read_key(struct bytes key, uint64_t *lane_id, uint64_t *chunk);
/* Takes over what it says of a chunk; when that is gone (NULL), erases it. Errors: CORRUPT,
 * VERSION. */
MUST_USE enum status returns_restore(struct store *store, uint64_t lane_id, uint64_t number,
                                     struct chunk *chunk, struct bytes value);

#endif
