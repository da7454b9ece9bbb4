/* Moving: ready messages of a queue are published elsewhere and leave the queue, each in one batch
 * of the journal, so that after a crash it is in one of the two places. Thread: the vhost's owner.
 *
 * Normal course: move_begin notes where each lane of the queue ends, so that what arrives meanwhile
 * is not moved; move_some moves a portion, and is called again until it says MOVE_DONE. Between two
 * calls nothing is held back from consumers: a message that a consumer gets meanwhile is not moved.
 *
 * A moved message gets the header x-redriven, which counts its moves; x-death and all else stays.
 * It keeps its exchange and routing key unless it goes to an exchange. Its returns are forgotten,
 * since the queue that it goes to counts anew. A message is never moved into the queue that it is
 * in.
 *
 * What can go wrong: a message has no place to go to: it is skipped, and the reason is counted. No
 * queue takes it, because the target is at its length limit: it stays, and move_some says
 * MOVE_BLOCKED; the caller tries again later. The chunk is not in memory: it is read as peek does
 * (store/page_reader.h), and options.wake is called. */
#ifndef BROKER_MOVE_H
#define BROKER_MOVE_H

#include "broker/vhost_state.h"

struct moving;

struct move_options {
    struct queue *queue;
    enum move_target target;
    struct bytes exchange;     /* MOVE_TO_EXCHANGE */
    struct bytes routing_key;  /* the same; at NULL: that of each message */
    struct bytes to_queue;     /* MOVE_TO_QUEUE */
    struct bytes user;         /* for vhost_options.may_publish */
    bool unchecked;            /* true: that is not asked */
    struct message_place only; /* seq 0: all messages; else this one alone */
    bool restore_expiration;   /* true: a dead letter gets its original expiration again */
    bool dry;                  /* true: nothing is moved, and what would be is counted */
    void (*wake)(void *context);
    void *context;
};

/* Copies options. Never NULL. */
struct moving *move_begin(struct vhost *vhost, const struct move_options *options);
void move_end(struct moving **moving);

enum move_step {
    MOVE_MORE, /* the portion is done, and there is more */
    MOVE_DONE,
    MOVE_READS,   /* nothing can be moved before wake */
    MOVE_BLOCKED, /* the next message would be refused where it is to go */
    MOVE_DAMAGED, /* messages cannot be read */
    MOVE_GONE,    /* the queue was deleted */
};
/* Looks at no more than max messages, and does no more than this call may; adds to *out. *needed is
 * raised to the journal's batch that contains it all. */
enum move_step move_some(struct moving *moving, uint32_t max, struct moved *out, uint64_t *needed);

#endif
