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

#include "broker/policy/settings.h"
#include "broker/queue/consumer.h"
#include "broker/store/lane.h"
#include "broker/store/returns.h"
#include "broker/topology/endpoint.h"
#include "leveret/base/heap.h"
#include "leveret/broker/vhost.h"

struct channel;
struct dedup;
struct dying;
struct effective_policy;
struct peer;
struct queues;

/* A COMMAND_GET that waits for the head to come back from disk. */
struct waiting_get {
    TAILQ_ENTRY(waiting_get) link;         /* in queue->takers.gets */
    TAILQ_ENTRY(waiting_get) channel_link; /* in channel->gets */
    struct channel *channel;
    struct queue *queue;
    bool no_ack;
};

/* Of a message in a quorum queue: the highest priority, and that of one that says none. */
#define QUORUM_PRIORITY_MAX (QUEUE_PRIORITIES - 1)
#define QUORUM_PRIORITY     QUEUE_PRIORITY_MIDDLE

/* The lanes of a queue beside its first one (queue->lane), by number from 1 on; those of higher
 * numbers come first. Each is made with its first message.
 * With x-max-priority a lane's number is the priority of its messages; the first one has priority
 * 0. In a quorum queue a priority's lane has the number priority + 1, but the first lane has those
 * that do not say one: they stand between the others, as QUORUM_PRIORITY. */
struct priorities {
    unsigned max;           /* the highest number */
    unsigned middle;        /* lanes of lower numbers come after the first lane; 0: none does */
    uint64_t first_id;      /* in the journal: a lane has first_id + its number. 0: not stored */
    uint64_t ready_bits[4]; /* by number; a lane whose bit is not set has nothing that is ready */
    uint64_t told[QUORUM_PRIORITY_MAX + 1]; /* queue_info.ready_by_priority, as last told */
    struct lane *lanes[];                   /* that of number 1 first; NULL: not made yet */
};

/* Whoever takes messages from a queue. */
struct takers {
    struct consumer_levels levels;  /* consumers that may be able to take, by priority */
    struct consumer_list consumers; /* all, by queue_link */
    struct consumer *active;        /* with x-single-active-consumer: the one that gets messages */
    uint32_t count;                 /* of consumers */
    bool exclusive;                 /* true: its one consumer lets no other in */
    TAILQ_HEAD(, waiting_get) gets; /* basic.get that wait for the head to be read */
};

struct queue_times {
    struct heap_node expiry; /* wall: when the head message may be expired */
    struct heap_node idle;   /* steady: when x-expires may be over */
    uint64_t idle_since_wall_ms;
};

struct queue_due {
    bool listed;             /* true: it is to be dispatched */
    struct channel *held_by; /* it waits in that channel's list; NULL: in queues.due */
    TAILQ_ENTRY(queue) link;
};

struct queue_over {
    bool listed; /* true: it has more than its limits allow, and stands in queues.over */
    TAILQ_ENTRY(queue) link;
};

struct queue {
    struct endpoint endpoint; /* first */
    struct queues *set;
    uint64_t number; /* in queues.roster */
    bool durable, auto_delete, exclusive;
    bool stored;        /* journalled: durable and not exclusive */
    bool deleted;       /* lives on only for the unsettled deliveries that name it */
    bool failed;        /* its messages cannot be read back */
    bool expiring;      /* has had messages that expire: the head is to be watched */
    bool by_priority;   /* a message's priority says its lane */
    struct peer *owner; /* of an exclusive queue */
    TAILQ_ENTRY(queue) owner_link;
    struct queue_due due;
    struct queue_over over;
    struct queue_settings settings;
    struct effective_policy *policy; /* what applies to it; NULL: nothing */
    struct bytes arguments;
    uint64_t definition_batch; /* what a promise about its existence waits for */

    struct dedup *dedup; /* what was there before; NULL: it takes anything */
    struct stock stock;
    struct lane lane;              /* the first one, of messages without a priority */
    struct priorities *priorities; /* NULL: no others */
    struct dying *dying;           /* dead letters; NULL: there were none */
    struct takers takers;
    struct queue_times times;

    struct rates rates;
    struct rates *type_rates; /* those of this type of queue in counters.by_type */
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
    uint64_t lane_id;   /* 0: it is not stored */
    /* Of the lanes of priorities of a quorum queue that has been recovered; 0: it had none. */
    uint64_t priorities_id;
};
/* Whether there is memory for it, which is counted then. Errors: PRECONDITION_FAILED. */
MUST_USE enum status queue_admitted(struct queues *set, const struct queue_options *options);
/* Makes a queue and adds it to the vhost's maps and topology; journals nothing. Never NULL. */
struct queue *queue_new(struct queues *set, const struct queue_options *options);
/* Takes the queue out of everything: cancels consumers, drops messages and lane, erases the
 * definition. It is freed when no unsettled delivery names it any more. */
void queue_delete(struct queue *queue);
/* Before that, for a queue that may have many of them: takes bindings and consumers off it, a
 * portion in each call. Returns whether none is left. */
bool queue_unhook(struct queue *queue);
/* A consumer has left: deletes the queue if it is auto-delete and that was the last one. */
void queue_consumer_left(struct queue *queue);
/* What the policies say of the queue now is applied. Returns whether that is something else than
 * before; *work grows by what it cost (policy_take). */
bool queue_apply_policy(struct queue *queue, unsigned *work);
/* queue->settings are others than before: limits that are lower now are enforced, in portions. */
void queue_settings_changed(struct queue *queue);

/* The queue's definition in the journal. */
void queue_put(struct queue *queue);
void queue_erase(struct queue *queue);

/* Tells amq.rabbitmq.trace of a delivery; for a vhost that is traced. */
void queue_trace(const struct channel *channel, const struct queue *queue,
                 const struct message *message, bool redelivered);
/* Tells who listens to events that the queue, or a consumer of it, was made or is gone. */
void queue_announce(const struct queue *queue, bool made);
void queue_announce_consumer(const struct consumer *consumer, bool made);
/* Frees without a word to anybody; for vhost_free. */
void queue_destroy(struct queue *queue);

/* ---- Messages. */

/* A message comes in: delivered at once, stored, or expired. Takes a reference if it keeps it.
 * *needed is raised to the batch that a promise for it waits for. Returns false when the queue is
 * at its limit and refuses it. */
bool queue_publish(struct queue *queue, struct message *message, uint64_t *needed);

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

/* ---- Lanes (priorities.c). */

/* The queue's lanes, with options' ids; without messages. The calls are those of all its lanes. */
void queue_lanes_make(struct queue *queue, const struct lane_calls *calls, uint64_t lane_id,
                      uint64_t priorities_id);
/* Drops what is in them, here and in the journal. */
void queue_lanes_clear(struct queue *queue);
/* They can be used again after that: the old ids are used up. The caller journals the queue. */
void queue_lanes_renew(struct queue *queue);
/* They are empty and go with the queue. */
void queue_lanes_free(struct queue *queue);

/* The lane of this number, made if need be; there must be priorities, unless it is 0. */
struct lane *queue_lane(struct queue *queue, unsigned number);
/* The lane for a message that says a priority; makes it, and the priorities of a quorum queue. */
struct lane *queue_priority_lane(struct queue *queue, unsigned priority);
static inline struct lane *queue_lane_for(struct queue *queue, const struct message *message)
{
    return queue->by_priority && message_has_priority(message)
               ? queue_priority_lane(queue, message->priority)
               : &queue->lane;
}

/* The next one of the lanes that were made, by number, from &queue->lane on; NULL at the end. */
struct lane *queue_lane_above(const struct queue *queue, const struct lane *lane);

/* The head: the first message that is ready, of the highest priority. The caller makes sure that
 * there is one. */
struct place queue_head(struct queue *queue);
/* The lane of the head, or the first lane when nothing is ready. */
struct lane *queue_leader(struct queue *queue);
/* Whether the lane has the queue's head, if anything is ready. */
bool queue_leads(const struct lane *lane);
/* Whether messages of one lane of a queue come before those of another one. */
bool queue_lane_is_above(const struct lane *lane, const struct lane *other);
/* Whether a message that comes into the lane is the head then, and another one was. */
static inline bool queue_lane_overtakes(const struct lane *lane)
{
    return lane->queue->priorities && queue_lane_is_above(lane, queue_leader(lane->queue));
}

/* Something of the lane is ready. (Not before it is: queue_leader would take the mark away.) */
static inline void queue_lane_ready(const struct lane *lane)
{
    if (lane->number)
        bit_set(lane->queue->priorities->ready_bits, lane->number);
}
/* A lane of a queue has been filled by recovery. */
void queue_restored(struct lane *lane);

/* ---- Dispatch (dispatch.c). */

/* The queue has something for its consumers, or a consumer is able again: dispatched before the
 * command ends. Cheap when nothing is ready. */
void queue_schedule(struct queue *queue);
/* Messages have come back from a channel, to the queues that are due now. With more to come these
 * are held until it is called without; returns whether nothing more comes. */
bool queues_hold(struct queues *set, struct channel *channel, bool more);
/* The queue is not to be dispatched after all. */
void queue_unschedule(struct queue *queue);
/* Delivers while there are ready messages in memory and consumers that can take them. */
void queue_dispatch(struct queue *queue);
/* Answers a COMMAND_GET now, or later when the head has to be read first. */
void queue_get(struct queue *queue, struct channel *channel, bool no_ack);
/* Fails the channel: the queue's stored messages cannot be read. */
void queue_refuse_unreadable(struct channel *channel, enum command_type command,
                             const struct queue *queue);
/* The channel goes: its gets are not served any more. */
void queue_drop_gets(struct channel *channel);
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
/* A message that expires was stored in the lane; head: it is the queue's head now. */
void queue_expiry_stored(struct lane *lane, uint64_t expires_ms, bool head);
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
void length_tick(struct queues *set);

#endif
