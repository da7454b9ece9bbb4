/* Consumers of a queue, and which of them gets the next message. Thread: the vhost's owner.
 *
 * Normal course: a queue has a level for each priority of its consumers, and a consumer that can
 * take messages stands in the list of its level. consumer_next returns the first consumer of the
 * highest level. A consumer that cannot take now is moved to the list of what it waits for: its own
 * acks (prefetch), its channel (prefetch of all consumers), or its peer (bytes under way). When
 * that has changed, the consumer returns to its level and its queue is scheduled. So a queue whose
 * consumers are all blocked costs a publisher nothing. Consumers that wait for the same channel or
 * peer are woken one after the other, each after the queue of the one before has delivered what it
 * could; the consumer that uses up the room becomes the last in the list for the next time.
 *
 * In a queue with x-single-active-consumer one consumer is active; the others wait in their levels
 * and cost a delivery nothing. When the active consumer ends, the first waiting one of the highest
 * level becomes active; unsettled deliveries stay with the old one. In a quorum queue a consumer of
 * a higher priority takes over from the active one: that one fades, which means that it gets no
 * more messages, and when all its deliveries are settled the first waiting consumer of the highest
 * level becomes active. */
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
    uint32_t members;             /* consumers of this priority, in any state */
    struct consumer_list able;    /* by turn_link: the first gets the next message */
    struct consumer_list waiting; /* by turn_link: the first becomes the single active one */
};
SLIST_HEAD(consumer_levels, consumer_level);

enum consumer_state {
    CONSUMER_ABLE,            /* may take a message, which consumer_next checks; in level->able */
    CONSUMER_WAITING,         /* another consumer is the single active one; in level->waiting */
    CONSUMER_FADING,          /* active until its deliveries are settled; in no list */
    CONSUMER_STOPPED,         /* its consume-ok has not left yet, or it has ended; in no list */
    CONSUMER_BLOCKED_SELF,    /* its prefetch is used up; in no list */
    CONSUMER_BLOCKED_CHANNEL, /* waits for its channel; in channel->wait */
    CONSUMER_BLOCKED_PEER,    /* waits for its peer; in peer->wait */
};

struct consumer {
    struct queue *queue; /* NULL: it has ended, and waits for its deliveries to be settled */
    struct channel *channel;
    struct consumer_level *level;
    TAILQ_ENTRY(consumer) turn_link;    /* in the list of its state: see enum consumer_state */
    TAILQ_ENTRY(consumer) queue_link;   /* in queue->takers.consumers */
    TAILQ_ENTRY(consumer) channel_link; /* in channel->consumers */
    uint64_t number;                    /* in channels.consumer_roster */
    uint8_t state;                      /* enum consumer_state */
    bool no_ack, exclusive;
    bool told;          /* true: its consume-ok has left */
    bool overdue;       /* true: an acknowledgement time-out ended it: its deliveries go back */
    uint32_t id;        /* the session's number for it */
    uint32_t prefetch;  /* unsettled deliveries that it may have; 0: no limit */
    uint32_t unsettled; /* unsettled deliveries that it has */
    int64_t priority;
    uint64_t timeout_ms; /* of its deliveries; SETTING_NONE: the time-out of its queue */
    struct bytes tag, arguments;
    uint8_t data[];
};

struct consumer_options {
    uint32_t id;
    struct bytes tag, arguments;
    bool no_ack, exclusive;
    bool stopped; /* true: it gets no message before consumer_told */
    int64_t priority;
    uint64_t timeout_ms; /* as in struct consumer */
};
/* Counts the memory of a consumer to be made. Errors: PRECONDITION_FAILED, when there is no room
 * for it; nothing is counted then. */
MUST_USE enum status consumer_admitted(struct store *store, struct bytes tag,
                                       struct bytes arguments);
/* Makes a consumer of queue on channel, with the channel's prefetch. Never NULL. */
struct consumer *consumer_new(struct channel *channel, struct queue *queue,
                              const struct consumer_options *options);
/* Takes the consumer out of its queue and its channel. It is freed when its deliveries are settled.
 * An auto-delete queue stays: see queue_consumer_left. */
void consumer_end(struct consumer *consumer);
/* Ends the consumer and tells its channel, because the queue is deleted or has failed. */
void consumer_revoke(struct consumer *consumer);
/* Frees the memory and nothing else; for vhost_free. */
void consumer_destroy(struct consumer *consumer);

/* A delivery of the consumer is settled or requeued. May free a consumer that has ended. */
void consumer_settled(struct consumer *consumer);
/* The consumer may be able to take again: puts it into its level and schedules its queue. */
void consumer_wake(struct consumer *consumer);
/* The consume-ok of the consumer has left: it may get messages. */
void consumer_told(struct consumer *consumer);
/* Whether messages go to the consumer, now or when it is not blocked: true for all but those that
 * wait to be the single active one. */
static inline bool consumer_active(const struct consumer *consumer)
{
    return consumer->state != CONSUMER_WAITING;
}

/* The consumer that gets the next message, or NULL when none can take one. */
struct consumer *consumer_next(struct queue *queue);
/* Delivers a message to the consumer, which becomes the last of its level. lane and seq: the place
 * of the message, for its ack; not used with no_ack. */
void consumer_deliver(struct consumer *consumer, struct message *message, struct lane *lane,
                      uint64_t seq, bool redelivered);

#endif
