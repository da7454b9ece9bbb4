/* Consumers and their states: see consumer.h. */
#include "broker/queue/consumer.h"

#include "broker/queue/queues.h"
#include "broker/topology/copies.h"
#include "leveret/base/mem.h"

/* The queue's level for consumers of this priority; makes it if there is none. */
static struct consumer_level *find_level(struct queue *queue, int64_t priority)
{
    struct consumer_level *before = NULL, *level;
    SLIST_FOREACH(level, &queue->takers.levels, link)
    {
        if (level->priority == priority)
            return level;
        if (level->priority < priority)
            break;
        before = level;
    }
    level = mem_need(sizeof *level);
    level->priority = priority;
    TAILQ_INIT(&level->able);
    TAILQ_INIT(&level->waiting);
    if (before)
        SLIST_INSERT_AFTER(before, level, link);
    else
        SLIST_INSERT_HEAD(&queue->takers.levels, level, link);
    return level;
}

static void leave_level(struct queue *queue, struct consumer_level *level)
{
    if (--level->members)
        return;
    SLIST_REMOVE(&queue->takers.levels, level, consumer_level, link);
    free(level);
}

/* Changes the state of a consumer, and moves it from the list of its old state to that of the new
 * one. */
static void change_state(struct consumer *consumer, enum consumer_state state)
{
    struct consumer_list *lists[] = {
        [CONSUMER_ABLE] = &consumer->level->able,
        [CONSUMER_WAITING] = &consumer->level->waiting,
        [CONSUMER_FADING] = NULL,
        [CONSUMER_STOPPED] = NULL,
        [CONSUMER_BLOCKED_SELF] = NULL,
        [CONSUMER_BLOCKED_CHANNEL] = &consumer->channel->wait.blocked,
        [CONSUMER_BLOCKED_PEER] = &consumer->channel->peer->wait.blocked,
    };
    if (lists[consumer->state])
        TAILQ_REMOVE(lists[consumer->state], consumer, turn_link);
    consumer->state = (uint8_t)state;
    if (lists[state])
        TAILQ_INSERT_TAIL(lists[state], consumer, turn_link);
}

/* No consumer of the queue can take a message since then: counts for how long one could. */
static inline void none_able(struct queue *queue, uint64_t since_wall_ms)
{
    struct takers *takers = &queue->takers;
    if (!takers->able_wall_ms)
        return;
    if (since_wall_ms > takers->able_wall_ms)
        takers->able_ms += since_wall_ms - takers->able_wall_ms;
    takers->able_wall_ms = 0;
}

/* The queue has lost its single active consumer: makes the next waiting one active. */
static void activate_next(struct queue *queue)
{
    struct consumer_level *level;
    queue->takers.active = NULL;
    SLIST_FOREACH(level, &queue->takers.levels, link)
    {
        struct consumer *consumer = TAILQ_FIRST(&level->waiting);
        if (!consumer)
            continue;
        queue->takers.active = consumer;
        change_state(consumer, CONSUMER_STOPPED);
        if (consumer->told)
            consumer_wake(consumer);
        return;
    }
}

/* Whether a consumer of a higher priority waits to be the single active one. */
static bool outranked(const struct consumer *active)
{
    const struct consumer_level *level;
    SLIST_FOREACH(level, &active->queue->takers.levels, link)
    {
        if (level->priority <= active->priority)
            return false;
        if (!TAILQ_EMPTY(&level->waiting))
            return true;
    }
    return false;
}

/* All deliveries of the single active consumer are settled: another one takes over if it outranks
 * it. */
static void give_way(struct consumer *active)
{
    if (outranked(active)) {
        change_state(active, CONSUMER_WAITING);
        activate_next(active->queue);
    } else if (active->state == CONSUMER_FADING) { /* the consumer that outranked it is gone */
        consumer_wake(active);
    }
}

/* A consumer has begun to wait to be the single active one: the active one begins to give way if it
 * is outranked. As in RabbitMQ this happens in quorum queues only. */
static void challenge(struct queue *queue)
{
    struct consumer *active = queue->takers.active;
    if (queue->settings.type != QUEUE_QUORUM || !outranked(active))
        return;
    if (active->unsettled)
        change_state(active, CONSUMER_FADING);
    else
        give_way(active);
}

static struct bytes id_key(const struct consumer *consumer)
{
    return bytes_of(&consumer->id, sizeof consumer->id);
}

static uint64_t consumer_size(struct bytes tag, struct bytes arguments)
{
    return sizeof(struct consumer) + HOLDING_PLACES + tag.len + arguments.len;
}

enum status consumer_admitted(struct store *store, struct bytes tag, struct bytes arguments)
{
    return holding_take(&store->holdings, ACCOUNT_CONSUMERS, consumer_size(tag, arguments),
                        "one more consumer", &store->call.refusal);
}

struct consumer *consumer_new(struct channel *channel, struct queue *queue,
                              const struct consumer_options *options)
{
    struct bytes tag = options->tag, arguments = options->arguments;
    struct consumer *consumer = mem_need(sizeof *consumer + tag.len + arguments.len);
    if (tag.len)
        memcpy(consumer->data, tag.at, tag.len);
    if (arguments.len)
        memcpy(consumer->data + tag.len, arguments.at, arguments.len);
    consumer->tag = bytes_of(consumer->data, tag.len);
    consumer->arguments = bytes_of(consumer->data + tag.len, arguments.len);
    consumer->id = options->id;
    consumer->channel = channel;
    consumer->queue = queue;
    consumer->no_ack = options->no_ack;
    consumer->exclusive = options->exclusive;
    consumer->priority = options->priority;
    consumer->timeout_ms = options->timeout_ms;
    consumer->prefetch = options->no_ack ? 0 : channel->prefetch;
    consumer->state = CONSUMER_STOPPED;

    consumer->level = find_level(queue, options->priority);
    consumer->level->members++;
    TAILQ_INSERT_TAIL(&queue->takers.consumers, consumer, queue_link);
    queue->takers.count++;
    queue->takers.exclusive = options->exclusive;
    TAILQ_INSERT_TAIL(&channel->consumers, consumer, channel_link);
    map_put(&channel->consumer_map, id_key(consumer), consumer);
    channel->consumer_count++;
    consumer->number = roster_add(&channel->set->consumer_roster, consumer);
    queue_touch(queue);
    queue_announce_consumer(consumer, true);
    consumer->told = !options->stopped;
    if (queue->settings.single_active_consumer && queue->takers.active) {
        change_state(consumer, CONSUMER_WAITING);
        challenge(queue);
        return consumer;
    }
    if (queue->settings.single_active_consumer)
        queue->takers.active = consumer;
    if (consumer->told)
        consumer_wake(consumer);
    return consumer;
}

void consumer_end(struct consumer *consumer)
{
    struct queue *queue = consumer->queue;
    struct channel *channel = consumer->channel;
    queue_announce_consumer(consumer, false);
    holding_give(&channel->set->store->holdings, ACCOUNT_CONSUMERS,
                 consumer_size(consumer->tag, consumer->arguments));
    change_state(consumer, CONSUMER_STOPPED);
    leave_level(queue, consumer->level);
    consumer->level = NULL;
    TAILQ_REMOVE(&queue->takers.consumers, consumer, queue_link);
    if (--queue->takers.count == 0)
        none_able(queue, queue->set->store->call.now.wall_ms);
    if (consumer->exclusive)
        queue->takers.exclusive = false;
    TAILQ_REMOVE(&channel->consumers, consumer, channel_link);
    map_remove(&channel->consumer_map, id_key(consumer));
    channel->consumer_count--;
    roster_remove(&channel->set->consumer_roster, consumer->number);
    consumer->queue = NULL;
    if (queue->takers.active == consumer)
        activate_next(queue);
    if (consumer->unsettled == 0)
        free(consumer);
}

void consumer_revoke(struct consumer *consumer)
{
    struct channel *channel = consumer->channel;
    struct event event = channel_event(channel, EVENT_CANCELLED);
    event.u.cancelled.consumer = consumer->id;
    consumer_end(consumer);
    if (!channel->failed)
        channel_emit(channel, &event);
}

void consumer_destroy(struct consumer *consumer)
{
    free(consumer);
}

void consumer_settled(struct consumer *consumer)
{
    consumer->unsettled--;
    if (consumer->state == CONSUMER_BLOCKED_SELF)
        consumer_wake(consumer);
    else if (consumer->state == CONSUMER_FADING && consumer->unsettled == 0)
        give_way(consumer);
    else if (!consumer->queue && consumer->unsettled == 0)
        free(consumer);
}

void consumer_wake(struct consumer *consumer)
{
    struct queue *queue = consumer->queue;
    if (!queue->takers.able_wall_ms)
        queue->takers.able_wall_ms = queue->set->store->call.now.wall_ms;
    change_state(consumer, CONSUMER_ABLE);
    queue_schedule(queue);
}

void consumer_told(struct consumer *consumer)
{
    consumer->told = true;
    if (consumer->state == CONSUMER_STOPPED)
        consumer_wake(consumer);
}

/* ---- Turns. */

/* CONSUMER_ABLE, or the state that says what the consumer has to wait for. */
static inline enum consumer_state ability(const struct consumer *consumer)
{
    const struct channel *channel = consumer->channel;
    if (consumer->prefetch && consumer->unsettled >= consumer->prefetch)
        return CONSUMER_BLOCKED_SELF;
    if (channel->leaving ||
        (channel->prefetch_all && channel->unsettled_consumers >= channel->prefetch_all))
        return CONSUMER_BLOCKED_CHANNEL;
    if (channel->peer->under_way_bytes >= channel->set->peer_window_bytes)
        return CONSUMER_BLOCKED_PEER;
    return CONSUMER_ABLE;
}

struct consumer *consumer_next(struct queue *queue)
{
    struct consumer_level *level = queue->paused ? NULL : SLIST_FIRST(&queue->takers.levels);
    for (; level; level = SLIST_NEXT(level, link)) {
        struct consumer *consumer;
        while ((consumer = TAILQ_FIRST(&level->able))) {
            enum consumer_state state = ability(consumer);
            if (state == CONSUMER_ABLE)
                return consumer;
            change_state(consumer, state);
        }
    }
    /* A delivery has used up what the consumers may have: the last one. */
    none_able(queue, queue->times.idle_since_wall_ms);
    return NULL;
}

/* Delivers the form of the message that consumers see (topology/copies.h). */
static void deliver_shown(struct consumer *consumer, struct message *message, struct lane *lane,
                          uint64_t seq, bool redelivered)
{
    struct message *shown = copies_shown(message);
    consumer_deliver(consumer, shown, lane, seq, redelivered);
    message_unref(&shown);
}

void consumer_deliver(struct consumer *consumer, struct message *message, struct lane *lane,
                      uint64_t seq, bool redelivered)
{
    if (__builtin_expect(message->blind, 0)) {
        deliver_shown(consumer, message, lane, seq, redelivered);
        return;
    }
    struct channel *channel = consumer->channel;
    struct queue *queue = consumer->queue;
    struct event event = {.type = EVENT_DELIVER, .channel = channel->id};
    event.u.deliver.message = message;
    event.u.deliver.tag = ++channel->delivery_tag;
    event.u.deliver.consumer = consumer->id;
    event.u.deliver.redelivered = redelivered;
    channel->peer->under_way_bytes += delivery_bytes(message);
    if (redelivered)
        QUEUE_COUNT(channel, queue, redeliver);
    if (consumer->no_ack) {
        QUEUE_COUNT(channel, queue, deliver_no_ack);
    } else {
        QUEUE_COUNT(channel, queue, deliver);
        queue_note_unsettled(channel, event.u.deliver.tag, lane, seq, consumer);
        consumer->unsettled++;
        channel->unsettled_consumers++;
    }
    if (TAILQ_NEXT(consumer, turn_link)) {
        TAILQ_REMOVE(&consumer->level->able, consumer, turn_link);
        TAILQ_INSERT_TAIL(&consumer->level->able, consumer, turn_link);
    }
    channel_emit(channel, &event);
    if (__builtin_expect(channel->set->tracing, 0))
        queue_trace(channel, queue, message, redelivered);
}
