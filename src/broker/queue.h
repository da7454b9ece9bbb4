/* A queue: messages in order, each in one place, and who consumes them. Messages are in lanes
 * (lane.h): one, or one for each priority. Thread: the vhost's owner.
 *
 * Normal course: queue_publish hands a message straight to a consumer when none waits before it,
 * and else stores it; queue_dispatch (dispatch.c) takes from the head for consumers that can take;
 * queue_settle ends a message; queue_requeue puts it back into its old place.
 *
 * What can go wrong: a stored message cannot be read back. Then the queue is failed: its consumers
 * are cancelled and it refuses everything but being deleted; nothing of it is thrown away. */
#ifndef BROKER_QUEUE_H
#define BROKER_QUEUE_H

#include "consumer.h"
#include "endpoint.h"
#include "lane.h"
#include "leveret/base/heap.h"
#include "leveret/broker/vhost.h"
#include "returns.h"
#include "settings.h"

struct channel;
struct effective_policy;
struct dying;
struct peer;

/* A COMMAND_GET that waits for the head to come back from disk. */
struct waiting_get {
    TAILQ_ENTRY(waiting_get) link;         /* in queue->waiting_gets */
    TAILQ_ENTRY(waiting_get) channel_link; /* in channel->gets */
    struct channel *channel;
    struct queue *queue;
    bool no_ack;
};

/* The lanes above that of priority 0, of a queue with x-max-priority. Each is made with its first
 * message. */
struct priorities {
    unsigned max;
    uint64_t first_id;      /* of the lane of priority 0; theirs follow. 0: not stored */
    uint64_t ready_bits[4]; /* by priority; a lane whose bit is not set has nothing that is ready */
    struct lane *lanes[];   /* that of priority 1 first; NULL: not made yet */
};

struct queue {
    struct endpoint endpoint; /* first */
    struct vhost *vhost;
    uint64_t number; /* in the vhost's roster */
    bool durable, auto_delete, exclusive;
    bool stored;             /* journalled: durable and not exclusive */
    bool deleted;            /* lives on only for the unsettled deliveries that name it */
    bool failed;             /* its messages cannot be read back */
    bool due;                /* in vhost->due: to be dispatched */
    bool expiring;           /* has had messages that expire: the head is to be watched */
    bool over;               /* in vhost->over: has more than its limits allow */
    struct channel *held_by; /* due, but waits in that channel's list; NULL: in vhost->due */
    struct peer *owner;      /* of an exclusive queue */
    TAILQ_ENTRY(queue) owner_link, due_link, over_link;
    struct queue_settings settings;
    struct effective_policy *policy; /* what applies to it; NULL: nothing */
    struct bytes arguments;
    uint64_t definition_batch; /* what a promise about its existence waits for */

    struct dedup *dedup; /* what was there before; NULL: it takes anything */
    struct stock stock;
    struct lane lane;              /* of priority 0 */
    struct priorities *priorities; /* NULL: no others */
    struct dying *dying;           /* dead letters; NULL: there were none */

    /* Consumers. */
    struct consumer_levels levels; /* those that may be able to take, by priority */
    struct consumer_list consumers;
    struct consumer *active; /* with x-single-active-consumer: whom deliveries go to */
    uint32_t consumer_count;
    bool had_consumer, exclusive_consumer;
    TAILQ_HEAD(, waiting_get) waiting_gets;

    /* Time. */
    struct heap_node expiry; /* wall: when the head message may be expired */
    struct heap_node idle;   /* steady: when x-expires may be over */
    uint64_t used_steady_ms; /* last declare, get or consumer */
    uint64_t idle_since_wall_ms;

    struct rates rates;
    struct rates *type_rates; /* the vhost's, of this type of queue */
    uint8_t data[];           /* name, arguments */
};

static inline enum counted_type queue_counted_type(const struct queue *queue)
{
    return queue->settings.type == QUEUE_QUORUM ? COUNTED_QUORUM : COUNTED_CLASSIC;
}

static inline struct queue *queue_of(struct endpoint *endpoint)
{
    return (struct queue *)endpoint;
}

/* ---- Life. */

struct queue_options {
    struct bytes name, arguments; /* the arguments were parsed: queue_settings_parse */
    bool durable, auto_delete, exclusive;
    struct peer *owner; /* when exclusive */
    uint64_t lane_id;   /* when recovered, else 0 */
};
/* Whether there is memory for it, which is counted then. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_admitted(struct vhost *vhost, const struct queue_options *options);
/* Makes a queue and adds it to the vhost's maps and topology; journals nothing. Never NULL. */
struct queue *queue_new(struct vhost *vhost, const struct queue_options *options);
/* Takes the queue out of everything: cancels consumers, drops messages and lane, erases the
 * definition. It is freed when no unsettled delivery names it any more. */
void queue_delete(struct queue *queue);
/* Before that, for a queue that may have many of them: takes bindings and consumers off it, a
 * portion in each call. Returns whether none is left. */
bool queue_unhook(struct queue *queue);
/* queue->settings are others than before: limits that are lower now are enforced, in portions. */
void queue_settings_changed(struct queue *queue);
/* Frees without a word to anybody; for vhost_free. */
void queue_destroy(struct queue *queue);

/* ---- Messages. */

/* A message comes in: delivered at once, stored, or expired. Takes a reference if it keeps it.
 * *needed is raised to the batch that a promise for it waits for. Returns false when the queue is
 * at its limit and refuses it. */
bool queue_publish(struct queue *queue, struct message *message, uint64_t *needed);

/* The lane for this priority, made if need be: the highest that the queue has, if it is above. */
struct lane *queue_upper_lane(struct queue *queue, unsigned priority);
static inline struct lane *queue_lane(struct queue *queue, unsigned priority)
{
    return queue->priorities && priority ? queue_upper_lane(queue, priority) : &queue->lane;
}

/* The next one of the lanes that were made, upwards from &queue->lane; NULL at the end. */
struct lane *queue_lane_above(struct queue *queue, const struct lane *lane);

/* Whether the lane has the queue's head, if anything is ready. */
bool queue_leads(const struct lane *lane);

/* How many lanes the queue may have. */
static inline unsigned queue_lanes(const struct queue *queue)
{
    return queue->priorities ? queue->priorities->max + 1 : 1;
}

/* The head: the first message that is ready, of the highest priority. The caller makes sure that
 * there is one. */
struct place queue_head(struct queue *queue);
/* The lane of the head. */
struct lane *queue_leader(struct queue *queue);
/* The head goes to somebody who will settle it: it stays, no longer ready. Returns the message (the
 * queue keeps its reference). It must be in memory. */
struct message *queue_lend(struct queue *queue, struct place place);
/* The head goes for good. The caller gets the queue's reference. It must be in memory. */
struct message *queue_take(struct queue *queue, struct place place);
/* An unsettled delivery ends. The queue may be deleted, and is freed with its last one. */
void queue_settle(struct lane *lane, uint64_t seq);
/* An unsettled delivery ends and goes where dead letters go. */
void queue_reject(struct lane *lane, uint64_t seq);
/* An unsettled delivery comes back to its place, marked as redelivered. */
void queue_requeue(struct lane *lane, uint64_t seq, enum return_kind kind);
/* Of a message's returns, how many the queue's delivery limit counts. */
uint32_t queue_counted(const struct queue *queue, struct tally tally);
/* Whether a message of the queue that came back so often is not to be delivered again. */
bool queue_returned_too_often(const struct queue *queue, struct tally tally);
/* Whether the queue counts returns. */
static inline bool queue_counts(const struct queue *queue)
{
    return queue->settings.delivery_limit != SETTING_NONE;
}
/* Drops what is ready, the first ones, at most max (all when that costs no more); returns how many.
 */
uint64_t queue_purge(struct queue *queue, uint64_t max);

/* A lane of a queue has been filled by recovery. */
void queue_restored(struct lane *lane);

/* ---- Dispatch (dispatch.c). */

/* The queue has something for its consumers, or a consumer is able again: dispatched before the
 * command ends. Cheap when nothing is ready. */
void queue_schedule(struct queue *queue);
/* Messages have come back from a channel, to the queues that are due now. With more to come these
 * are held until it is called without; returns whether nothing more comes. */
bool queues_hold(struct channel *channel, bool more);
/* The queue is not to be dispatched after all. */
void queue_unschedule(struct queue *queue);
/* Delivers while there are ready messages in memory and consumers that can take them. */
void queue_dispatch(struct queue *queue);
/* Answers a COMMAND_GET now, or later when the head has to be read first. */
void queue_get(struct queue *queue, struct channel *channel, bool no_ack);
/* The gets that wait will not be served: NOT_FOUND, or INTERNAL_ERROR. */
void queue_fail_gets(struct queue *queue, enum status status);

/* ---- Expiry (expiry.c). */

/* How many messages expire in one piece of work. */
#define EXPIRE_AT_ONCE 1000u

/* When a message that comes in now expires: wall clock, 0: never. *at_once: it must not wait. */
uint64_t queue_expiry_of(const struct queue *queue, const struct message *message, bool *at_once);
/* Takes expired messages from the head, at most max; returns how many. Sets the timer for the rest.
 */
unsigned queue_expire(struct queue *queue, unsigned max);
/* Whether the head has expired and is left for vhost_tick, which has more of them to do: nobody
 * gets anything meanwhile. After queue_expire. */
bool queue_expiry_behind(const struct queue *queue);
/* The queue is used: x-expires begins anew. */
void queue_touch(struct queue *queue);

/* ---- Length limits (length.c): of ready messages and of their bodies' bytes. */

static inline bool queue_limited(const struct queue *queue)
{
    return (queue->settings.max_length & queue->settings.max_length_bytes) != SETTING_NONE;
}

/* Whether the queue refuses one more message with a body of this size. */
bool length_refuses(const struct queue *queue, uint64_t body_bytes);
/* Whether what it refuses is dead-lettered: for who sends a dead letter, as good as taken. */
bool length_passes_on(const struct queue *queue);
/* The queue may have too many: takes from its head, now or in portions. Not for one that is not
 * limited. */
void length_enforce(struct queue *queue);
/* The same at the end of the call. */
void length_enforce_soon(struct queue *queue);
/* Goes on with the queues that have too many, a bounded amount. */
void length_tick(struct vhost *vhost);

#endif
