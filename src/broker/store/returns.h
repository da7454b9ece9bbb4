/* Returns: how often each message came back from its consumers, in quorum queues and in other
 * queues with a delivery limit (x-delivery-limit). Thread: the vhost's owner.
 *
 * Normal course: returns_count counts a return. The counts of a chunk are allocated with the first
 * return of any of its messages. At the end of the turn returns_flush puts them on record, as one
 * definition for each chunk, which is erased with the chunk. So a queue whose messages do not come
 * back pays nothing.
 *
 * Each message has two counts: of all its returns, and of those among them that are failures, as
 * RabbitMQ 4.3 distinguishes them. queue_counted chooses the count that a delivery limit bounds.
 *
 * A delivery that is out when the broker ends comes back, too, and counts as a failure. So each
 * count on record is the one that is right if the broker ends now: for a message that is out, one
 * more than in memory. The first delivery of a message needs no record: after a restart the lane's
 * delivered mark says that it was delivered, and a message with that mark and without a count has
 * come back once. returns_lent notes the later deliveries. At a start recovery dead-letters the
 * messages above the limit of their queue, before a consumer can get them (vhost/recover.c).
 *
 * What can go wrong: the broker ends before the batch with a count or a delivered mark is on disk.
 * Then the return is not counted, and the message is not marked as redelivered either. */
#ifndef BROKER_RETURNS_H
#define BROKER_RETURNS_H

#include <sys/queue.h>

#include "broker/store/lane.h"

/* Why a message comes back. */
enum return_kind {
    RETURN_HANDED_BACK, /* basic.nack, basic.recover, an acknowledgement time-out */
    RETURN_FAILURE,     /* basic.reject; a channel, a connection or the broker ends */
};

/* How often one message came back. */
struct tally {
    uint32_t returns;  /* of both kinds */
    uint32_t failures; /* those with RETURN_FAILURE */
};

/* The counts of a chunk. */
struct returns {
    struct chunk *chunk;
    TAILQ_ENTRY(returns) link; /* in store.returns_changed */
    bool changed;              /* true: it is in that list */
    bool stored;               /* true: the journal has a definition */
    /* By slot. A message without returns here may have come back once: see returns_of. */
    struct tally tallies[JOURNAL_CHUNK_SLOTS];
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

/* Counts that the message at place has come back once more. Returns its counts. */
struct tally returns_count(struct place place, enum return_kind kind);
/* Notes that a message that came back before is delivered once more, so that the record is written
 * again. */
void returns_lent(struct place place);

/* Returns the form of a message that is delivered after it has come back: a copy with the header
 * x-acquired-count (acquired: how often it has come back) and, when counted is above 0, the header
 * x-delivery-count (counted: the count that its queue's delivery limit bounds). The caller gets a
 * reference, to the message itself when there is no memory for a copy. */
struct message *returns_mark(struct message *message, uint32_t acquired, uint32_t counted);

/* Drops the counts of a chunk from memory and from the journal. */
void returns_forget(struct chunk *chunk);
/* Drops them from memory only. */
void returns_free(struct chunk *chunk);

/* Puts the counts that changed into the batch that is filling. Cheap when none did. */
void returns_flush(struct store *store);

/* ---- Recovery: a definition of kind DEFINITION_RETURNS. */

/* Reads the chunk that a definition belongs to. Returns false when the key is malformed. */
bool returns_read_key(struct bytes key, uint64_t *lane_id, uint64_t *chunk);
/* Gives a chunk the counts of its definition. chunk NULL: the chunk is gone, and the definition is
 * erased. Errors: CORRUPT, VERSION. */
MUST_USE enum status returns_restore(struct store *store, uint64_t lane_id, uint64_t number,
                                     struct chunk *chunk, struct bytes value);

#endif
