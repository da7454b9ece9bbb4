/* Consumers: who takes messages from a queue, and who is next. Thread: the vhost's owner.
 *
 * Normal course: a consumer stands in the list of its priority level in its queue. consumer_next
 * takes the first of the highest level; one that cannot take now is moved to where it is waited
 * for: its own acks, its channel (global prefetch), or its peer (bytes under way). When that
 * changes it comes back to its level and the queue is scheduled. So a queue whose consumers are all
 * blocked costs a publisher nothing. Those that wait for the same thing come back one by one, each
 * after its queue has had what there is: the one that used it up is the last next time.
 *
 * Of a queue with x-single-active-consumer one consumer is active; the others wait in their levels
 * and cost a delivery nothing. When the active one ends, the first of the highest level follows it;
 * what it still holds stays with it. In a quorum queue a consumer of a higher priority takes over:
 * the active one fades, which means that it gets nothing more, and once all that it holds is
 * settled the best of those that wait is active in its place. */
#ifndef BROKER_CONSUMER_H
#define BROKER_CONSUMER_H

#include <sys/queue.h>

#include "broker/channel/wait.h"
#include "leveret/base/bytes.h"
#include "leveret/base/message.h"

struct channel;
struct lane;
struct queue;
struct consumer;
struct store;

struct consumer_level {
    SLIST_ENTRY(consumer_level) link; /* highest priority first */
    int64_t priority;
    uint32_t members;             /* consumers of this priority, able or not */
    struct consumer_list able;    /* by turn_link: the first one is next */
    struct consumer_list waiting; /* by turn_link: to be the single active one, in their order */
};
SLIST_HEAD(consumer_levels, consumer_level);

enum consumer_state {
    CONSUMER_ABLE,            /* in level->able, as far as is known */
    CONSUMER_WAITING,         /* in level->waiting: another one is active */
    CONSUMER_FADING,          /* active until what it holds is settled: in no list */
    CONSUMER_STOPPED,         /* its reply has not left yet, or it is cancelled: in no list */
    CONSUMER_BLOCKED_SELF,    /* its prefetch is used up: in no list */
    CONSUMER_BLOCKED_CHANNEL, /* in channel->wait */
    CONSUMER_BLOCKED_PEER,    /* in peer->wait */
};

struct consumer {
    struct queue *queue; /* NULL once cancelled */
    struct channel *channel;
    struct consumer_level *level;
    TAILQ_ENTRY(consumer) turn_link;    /* by state, see above */
    TAILQ_ENTRY(consumer) queue_link;   /* queue->takers.consumers */
    TAILQ_ENTRY(consumer) channel_link; /* channel->consumers */
    uint64_t number;                    /* in the vhost's roster */
    uint8_t state;                      /* enum consumer_state */
    bool no_ack, exclusive;
    bool told;         /* its consume-ok has left */
    bool overdue;      /* cancelled by an acknowledgement time-out: what it holds goes back */
    uint32_t id;       /* the session's number */
    uint32_t prefetch; /* 0: no limit */
    uint32_t unsettled;
    int64_t priority;
    uint64_t timeout_ms; /* of its deliveries; SETTING_NONE: its queue's */
    struct bytes tag, arguments;
    uint8_t data[];
};

struct consumer_options {
    uint32_t id;
    struct bytes tag, arguments;
    bool no_ack, exclusive, stopped;
    int64_t priority;
    uint64_t timeout_ms; /* SETTING_NONE: its queue's */
};
/* Whether there is memory for one more, which is counted then. Errors: PRECONDITION_FAILED. */
MUST_USE enum status consumer_admitted(struct store *store, struct bytes tag,
                                       struct bytes arguments);
/* A new consumer of queue on channel, with the channel's prefetch. Never NULL. */
struct consumer *consumer_new(struct channel *channel, struct queue *queue,
                              const struct consumer_options *options);
/* Takes the consumer out of queue and channel. It is freed when its deliveries are settled. Does
 * not delete the queue. */
void consumer_end(struct consumer *consumer);
/* Ends the consumer and tells its channel, because the queue is gone or failed. */
void consumer_revoke(struct consumer *consumer);
/* Frees without a word; for vhost_free. */
void consumer_destroy(struct consumer *consumer);

/* One of its deliveries is settled (or requeued). May free a consumer that has ended. */
void consumer_settled(struct consumer *consumer);
/* What blocked it may be over. */
void consumer_wake(struct consumer *consumer);
/* Its consume-ok has left: it may get something. */
void consumer_told(struct consumer *consumer);
/* Whether it is one that deliveries go to: not one that waits for another one's end. */
static inline bool consumer_active(const struct consumer *consumer)
{
    return consumer->state != CONSUMER_WAITING;
}

/* The consumer whose turn it is, or NULL when none can take. */
struct consumer *consumer_next(struct queue *queue);
/* Delivers and passes the turn on. lane and seq: where the message is to be settled; not used by a
 * no_ack consumer, to whom the message goes for good. */
void consumer_deliver(struct consumer *consumer, struct message *message, struct lane *lane,
                      uint64_t seq, bool redelivered);

#endif
