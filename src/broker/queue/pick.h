/* Picking messages of a queue by their place, without taking them or reading them: for peek.
 * Thread: the vhost's owner. */
#ifndef BROKER_PICK_H
#define BROKER_PICK_H

#include "broker/queue/queue.h"

/* A message of the queue. */
struct pick {
    struct lane *lane;
    uint64_t seq;      /* it may be gone when it is looked at: then its slot is not live */
    uint64_t position; /* how many messages with a wanted state stand before it in the queue */
};

/* Which messages are wanted. */
struct pick_range {
    unsigned states; /* MESSAGE_STATE_… (leveret/broker/command.h), added up */
    bool from_tail;  /* true: the last ones, the newest first */
    bool from_place; /* true: from this place on, which may be that of a message that is gone */
    unsigned lane;   /* that place: the number of the lane, and the seq */
    uint64_t seq;
    uint64_t offset; /* messages to skip at first */
};

/* Fills at most max picks, in the order in which the queue delivers: lanes of higher priority
 * first. Returns how many. Adds the cost to *work. */
size_t queue_pick(struct queue *queue, const struct pick_range *range, struct pick *out, size_t max,
                  uint64_t *work);

/* The state of the message in a live slot: one of MESSAGE_STATE_… */
unsigned queue_message_state(struct place place);

#endif
