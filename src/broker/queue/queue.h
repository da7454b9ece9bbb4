/* A queue: messages in order, and its consumers. The messages are in lanes (store/lane.h): one
 * lane, or one for each priority. Thread: the vhost's owner.
 *
 * Normal course: queue_publish delivers a message straight to a consumer when no other message is
 * ready, and else stores it; queue_dispatch (dispatch.c) delivers from the head to consumers that
 * can take; queue_settle removes a delivered message; queue_requeue makes it ready again in its old
 * place.
 *
 * What can go wrong: a stored message cannot be read. Then the queue has failed: its consumers are
 * cancelled, and it refuses all commands but those that delete it; none of its messages is thrown
 * away. */
#ifndef BROKER_QUEUE_H
#define BROKER_QUEUE_H

#include "broker/call/sampled.h"
#include "broker/policy/queue_settings.h"
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

/* A COMMAND_GET that waits for the head to be read from disk. */
struct waiting_get {
    TAILQ_ENTRY(waiting_get) link;         /* in queue->takers.gets */
    TAILQ_ENTRY(waiting_get) channel_link; /* in channel->gets */
    struct channel *channel;
    struct queue *queue;
    bool no_ack;
};

/* Priorities of messages in a quorum queue: the highest one, which a higher one counts as, and that
 * of a message without a priority. */
#define QUORUM_PRIORITY_MAX (QUEUE_PRIORITIES - 1)
#define QUORUM_PRIORITY     QUEUE_PRIORITY_MIDDLE

/* The lanes of a queue besides the first one (queue->lane), numbered from 1 on. The messages of a
 * lane with a higher number are delivered first. Each lane is made with its first message.
 * With x-max-priority the number of a lane is the priority of its messages, and the first lane has
 * priority 0. In a quorum queue the lane of a priority has the number priority + 1, and the first
 * lane has the messages without a priority: they stand between the others, as those of
 * QUORUM_PRIORITY. */
struct priorities {
    unsigned max;           /* the highest number */
    unsigned middle;        /* lanes with lower numbers come after the first lane; 0: none does */
    uint64_t first_id;      /* a lane's id in the journal is first_id + its number; 0: not stored */
    uint64_t ready_bits[4]; /* by number; a lane whose bit is not set has no ready message */
    uint64_t told[QUORUM_PRIORITY_MAX + 1]; /* queue_info.ready_by_priority, as last told */
    struct lane *lanes[];                   /* lanes[number - 1]; NULL: not made yet */
};

/* The consumers of a queue, and the basic.get commands that wait. */
struct takers {
    struct consumer_levels levels;  /* by priority, the highest first */
    struct consumer_list consumers; /* all, by queue_link */
    struct consumer *active;        /* with x-single-active-consumer: the one that gets messages */
    uint32_t count;                 /* consumers */
    bool exclusive;                 /* true: it has an exclusive consumer, and takes no other */
    uint64_t able_wall_ms;          /* since when a consumer can take; 0: none can */
    uint64_t able_ms;               /* for how long a consumer could take, before able_wall_ms */
    TAILQ_HEAD(, waiting_get) gets; /* those that wait for the head to be read */
};

struct queue_times {
    struct heap_node expiry;     /* in queues.expiry, wall clock: when the head expires */
    struct heap_node idle;       /* in queues.idle, steady clock: when x-expires is over */
    uint64_t idle_since_wall_ms; /* when a message last came in or went out */
};

struct queue_due {
    bool listed;             /* true: it is to be dispatched, and stands in a list */
    struct channel *held_by; /* the channel in whose list `holds` it stands; NULL: in queues.due */
    TAILQ_ENTRY(queue) link;
};

struct queue_over {
    bool listed; /* true: it has more messages than its limits allow, and stands in queues.over */
    TAILQ_ENTRY(queue) link;
};

struct queue {
    struct endpoint endpoint; /* first */
    struct queues *set;
    uint64_t number; /* in queues.roster */
    bool durable, auto_delete, exclusive;
    bool stored;        /* true: it is journalled, because it is durable and not exclusive */
    bool deleted;       /* true: it exists only until its unsettled deliveries are settled */
    bool failed;        /* true: some of its messages cannot be read */
    bool paused;        /* true: it delivers nothing: see queue_pause */
    bool expiring;      /* true: it has had messages that expire, so its head must be looked at */
    bool by_priority;   /* true: the priority of a message decides its lane */
    struct peer *owner; /* of an exclusive queue */
    TAILQ_ENTRY(queue) owner_link;
    struct queue_due due;
    struct queue_over over;
    struct queue_settings settings;
    struct effective_policy *policy; /* NULL: no policy applies to it */
    struct bytes arguments;
    uint64_t definition_batch; /* the batch with its definition, for which declare-ok waits */

    struct dedup *dedup; /* NULL: it does not look for duplicates */
    struct stock stock;
    struct lane lane;              /* the first lane, for messages without a priority */
    struct priorities *priorities; /* the other lanes; NULL: it has none */
    struct dying *dying;           /* its dead letters; NULL: it has had none */
    struct takers takers;
    struct queue_times times;

    struct rates rates;
    struct sampled sampled;
    uint64_t born_ready;      /* ready messages that it was recovered with */
    struct rates *type_rates; /* the rates of its type in counters.by_type */
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
    struct bytes name, arguments; /* arguments: queue_settings_parse has accepted them */
    bool durable, auto_delete, exclusive;
    bool paused;            /* in recovery: its definition says so */
    struct peer *owner;     /* of an exclusive queue; NULL: it is not exclusive */
    uint64_t lane_id;       /* the id of its first lane in the journal; 0: it is not stored */
    uint64_t priorities_id; /* priorities.first_id of a quorum queue, in recovery; 0: none */
};
/* Counts the memory of a queue to be made. Errors: PRECONDITION_FAILED, when there is no room for
 * it; nothing is counted then. */
MUST_USE enum status queue_admitted(struct queues *queues, const struct queue_options *options);
/* Makes a queue and adds it to its vhost (maps, topology); journals nothing. Never NULL. */
struct queue *queue_new(struct queues *queues, const struct queue_options *options);
/* Deletes the queue: ends its consumers, drops its messages, erases its definition. It is freed
 * when its unsettled deliveries are settled. */
void queue_delete(struct queue *queue);
/* Removes bindings and consumers of a queue that is to be deleted, a portion in each call. Returns
 * true when none is left. */
bool queue_unhook(struct queue *queue);
/* A consumer has left: deletes an auto-delete queue if that was its last consumer. */
void queue_consumer_left(struct queue *queue);
/* Applies the policies to the queue's settings. Returns true when its effective policy is another
 * one than before. Adds the cost to *work, as policy_take does. */
bool queue_apply_policy(struct queue *queue, unsigned *work);
/* queue->settings have changed: sets timers anew, and enforces limits that are lower now, in
 * portions. */
void queue_settings_changed(struct queue *queue);

/* Puts the queue's definition into the batch that is filling, or erases it there. */
void queue_put(struct queue *queue);
void queue_erase(struct queue *queue);

/* Traces a delivery; for a vhost that is traced. */
void queue_trace(const struct channel *channel, const struct queue *queue,
                 const struct message *message, bool redelivered);
/* Tell the event that a queue, or a consumer, was made or (made is false) is gone. */
void queue_announce(const struct queue *queue, bool made);
void queue_announce_consumer(const struct consumer *consumer, bool made);
/* Frees the queue's memory, and tells no consumer or channel; for vhost_free. */
void queue_destroy(struct queue *queue);

/* ---- Messages. */

/* Takes a message: it is delivered at once, stored, or expires at once. Takes a reference if it is
 * stored. *needed is raised to the batch that a confirm waits for. Returns false when the queue is
 * at its length limit and refuses it. */
bool queue_publish(struct queue *queue, struct message *message, uint64_t *needed);

/* Makes the head unsettled, because it is delivered. Returns the message, which must be in memory;
 * the queue keeps its reference. */
struct message *queue_lend(struct queue *queue, struct place place);
/* Removes the head. Returns the message, which must be in memory; the caller gets the queue's
 * reference. */
struct message *queue_take(struct queue *queue, struct place place);

/* The next three end an unsettled delivery; lane: a lane of the queue, seq: the message. The queue
 * may be deleted; then it is freed with its last unsettled delivery. */
/* Removes the message. */
void queue_settle(struct lane *lane, uint64_t seq);
/* Dead-letters the message. */
void queue_reject(struct lane *lane, uint64_t seq);
/* Makes the message ready again in its old place, marked as redelivered; dead-letters it when it
 * has come back too often. */
void queue_requeue(struct lane *lane, uint64_t seq, enum return_kind kind);

/* The number of a message's returns that the queue's delivery limit bounds. */
uint32_t queue_counted(const struct queue *queue, struct tally tally);
/* Whether a message with these returns is above the queue's delivery limit. */
bool queue_returned_too_often(const struct queue *queue, struct tally tally);
/* Whether the queue counts returns. */
static inline bool queue_counts(const struct queue *queue)
{
    return queue->settings.delivery_limit != SETTING_NONE;
}
/* Drops the first ready messages, at most max, or all when that costs no more; returns how many. */
uint64_t queue_purge(struct queue *queue, uint64_t max);

/* ---- Lanes (priorities.c). */

/* Makes the lanes of a new queue, with the ids of queue_options and with these calls. */
void queue_lanes_make(struct queue *queue, const struct lane_calls *calls, uint64_t lane_id,
                      uint64_t priorities_id);
/* Drops the messages of all lanes, from memory and from the journal. */
void queue_lanes_clear(struct queue *queue);
/* Gives the lanes new ids after that, so that they can be used again. The caller puts the queue's
 * definition with the new ids into the journal. */
void queue_lanes_renew(struct queue *queue);
/* Frees the lanes, which must be empty. */
void queue_lanes_free(struct queue *queue);

/* The lane with this number, which is made if there is none. For a number other than 0 the queue
 * must have priorities. */
struct lane *queue_lane(struct queue *queue, unsigned number);
/* The lane with this number, or NULL when it has not been made. */
struct lane *queue_lane_numbered(struct queue *queue, unsigned number);
/* The lane for a message with a priority. Makes the lane, and the struct priorities of a quorum
 * queue, if there is none. */
struct lane *queue_priority_lane(struct queue *queue, unsigned priority);
/* The lane for a message that comes in. */
static inline struct lane *queue_lane_for(struct queue *queue, const struct message *message)
{
    return queue->by_priority && message_has_priority(message)
               ? queue_priority_lane(queue, message->priority)
               : &queue->lane;
}

/* The lane with the next higher number of those that were made, or NULL. A walk over all lanes
 * begins with &queue->lane. */
struct lane *queue_lane_above(const struct queue *queue, const struct lane *lane);

/* Lanes that a queue has at most. */
#define QUEUE_LANES_MAX 256u
/* Fills in the lanes that were made, in the order in which their messages are delivered. Returns
 * how many. */
unsigned queue_lanes_in_order(struct queue *queue, struct lane *out[QUEUE_LANES_MAX]);

/* The head: the first ready message of the highest priority. There must be a ready message. */
struct place queue_head(struct queue *queue);
/* The lane of the head, or the first lane when no message is ready. */
struct lane *queue_leader(struct queue *queue);
/* Whether the lane is the leader of its queue. */
bool queue_leads(const struct lane *lane);
/* Whether messages of `lane` are delivered before those of `other`, a lane of the same queue. */
bool queue_lane_is_above(const struct lane *lane, const struct lane *other);
/* Whether a message that comes into the lane becomes the head in the place of another message. */
static inline bool queue_lane_overtakes(const struct lane *lane)
{
    return lane->queue->priorities && queue_lane_is_above(lane, queue_leader(lane->queue));
}

/* Marks that the lane has a ready message. To be called after it has: queue_leader removes a mark
 * without a ready message. */
static inline void queue_lane_ready(const struct lane *lane)
{
    if (lane->number)
        bit_set(lane->queue->priorities->ready_bits, lane->number);
}
/* Recovery has filled a lane of a queue. */
void queue_restored(struct lane *lane);

/* ---- Dispatch (queue.c, dispatch.c). */

/* The queue has a message for its consumers, or a consumer is able to take again: it is dispatched
 * before the call ends. Cheap when no message is ready. */
void queue_schedule(struct queue *queue);
/* Messages have come back from a channel to the queues in queues.due. While more come (more is
 * true) the channel holds these queues, so that they deliver nothing; with more = false they are
 * due again. Returns !more. */
bool queues_hold(struct queues *queues, struct channel *channel, bool more);
/* Takes the queue out of the list in which it waits to be dispatched. */
void queue_unschedule(struct queue *queue);
/* Delivers while the head is in memory and a consumer can take it. */
void queue_dispatch(struct queue *queue);
/* Answers a COMMAND_GET at once, or later when the head has to be read first. */
void queue_get(struct queue *queue, struct channel *channel, bool no_ack);
/* A paused queue takes messages, lets them expire and settles deliveries, but gives none to
 * consumers and none to COMMAND_GET, which is answered as for an empty queue. The state is on
 * record with the definition of a stored queue. */
void queue_pause(struct queue *queue, bool paused);
/* Fails the channel, because stored messages of the queue cannot be read. */
void queue_refuse_unreadable(struct channel *channel, enum command_type command,
                             const struct queue *queue);
/* The channel ends: drops its gets that wait. */
void queue_drop_gets(struct channel *channel);
/* Fails the channels whose gets wait: with NOT_FOUND when the queue is deleted, INTERNAL_ERROR when
 * its messages cannot be read. */
void queue_fail_gets(struct queue *queue, enum status status);

/* ---- Expiry (expiry.c). */

/* Messages that expire in one call; vhost_tick takes the rest. */
#define EXPIRE_AT_ONCE 1000u

/* When a message that comes in now expires, by the wall clock; 0: never. *at_once is set to true
 * when it expires unless a consumer takes it at once. */
uint64_t queue_expiry_of(const struct queue *queue, const struct message *message, bool *at_once);
/* Takes expired messages from the head, at most max; returns how many. Sets the expiry timer. */
unsigned queue_expire(struct queue *queue, unsigned max);
/* A message that expires was stored in the lane: sets the timer if need be. head: whether it is the
 * queue's head now. */
void queue_expiry_stored(struct lane *lane, uint64_t expires_ms, bool head);
/* Whether the head has expired and is left for vhost_tick, since queue_expire has taken its
 * maximum: meanwhile the queue delivers nothing. */
bool queue_expiry_behind(const struct queue *queue);
/* The queue is used: the time of x-expires begins anew (queue.c). */
void queue_touch(struct queue *queue);

/* ---- Length limits (length.c): of ready messages and of their bodies' bytes. */

/* Whether the queue has a length limit. */
static inline bool queue_limited(const struct queue *queue)
{
    return (queue->settings.max_length & queue->settings.max_length_bytes) != SETTING_NONE;
}

/* Whether the queue refuses another message with a body of this size. */
bool length_refuses(const struct queue *queue, uint64_t body_bytes);
/* Whether the queue dead-letters messages that it refuses. A dead letter that it refuses then
 * counts as taken. */
bool length_passes_on(const struct queue *queue);
/* Drops messages from the head of a queue that is above its length limit, at most SHED_AT_ONCE
 * (length.c); length_tick drops the rest. The queue must have a limit. */
void length_enforce(struct queue *queue);
/* Leaves all of that to length_tick, which runs at the end of the call. */
void length_enforce_soon(struct queue *queue);
/* Drops messages of the queues that are above their limits, a bounded number. */
void length_tick(struct queues *queues);

#endif
