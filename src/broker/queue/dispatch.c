/* Part of queue (queue.h): from the head of a queue to its consumers, by turns, and to COMMAND_GET.
 *
 * Normal course: an event that gives a queue something to do (a requeue, an ack, credit, a page
 * that was read) schedules it; at the end of the call it delivers while it has messages in memory
 * and consumers that can take them. What can go wrong: the head is on disk: then it is read, and
 * paged_in in queue_life.c schedules the queue again. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "broker/store/paging.h"
#include "broker/topology/copies.h"
#include "leveret/base/mem.h"

static void answer_get(struct queue *queue, struct channel *channel, bool no_ack,
                       struct place place)
{
    struct event event = channel_event(channel, EVENT_REPLY);
    struct tally tally = queue_counts(queue) ? returns_of(place) : (struct tally){0};
    struct message *marked = NULL;
    event.u.reply.command = COMMAND_GET;
    event.got.redelivered = bit_test(place.chunk->redelivered_bits, place.slot);
    event.got.tag = ++channel->delivery_tag;
    if (event.got.redelivered)
        QUEUE_COUNT(channel, queue, redeliver);
    if (no_ack) {
        QUEUE_COUNT(channel, queue, get_no_ack);
        event.got.message = queue_take(queue, place);
    } else {
        uint64_t seq = place_seq(place);
        QUEUE_COUNT(channel, queue, get);
        if (tally.returns)
            returns_lent(place);
        event.got.message = queue_lend(queue, place);
        queue_note_unsettled(channel, event.got.tag, place.chunk->lane, seq, NULL);
    }
    event.u.reply.messages = (uint32_t)queue->stock.ready;
    struct message *taken = no_ack ? event.got.message : NULL;
    if (tally.returns)
        event.got.message = marked =
            returns_mark(event.got.message, tally.returns, queue_counted(queue, tally));
    struct message *shown = NULL;
    if (event.got.message->blind)
        event.got.message = shown = copies_shown(event.got.message);
    promise_reply(channel, &event, 0);
    if (channel->set->tracing)
        queue_trace(channel, queue, event.got.message, event.got.redelivered);
    message_unref(&shown);
    message_unref(&marked);
    message_unref(&taken);
}

static void answer_empty(struct queue *queue, struct channel *channel)
{
    struct event event = channel_event(channel, EVENT_REPLY);
    event.u.reply.command = COMMAND_GET;
    event.u.reply.empty = true;
    QUEUE_COUNT(channel, queue, get_empty);
    promise_reply(channel, &event, 0);
}

/* Takes a get out of its lists and frees it. Callers that do so until a list is empty are marked
 * NOLINT: clang's analyzer does not see that TAILQ_REMOVE changes the head of the list (through
 * tqe_prev), and assumes that the head is still the get that was freed. */
static void end_get(struct queue *queue, struct waiting_get **get)
{
    TAILQ_REMOVE(&queue->takers.gets, *get, link);
    TAILQ_REMOVE(&(*get)->channel->gets, *get, channel_link);
    free(*get);
    *get = NULL;
}

/* Delivers a message that has come back, with headers that tell how often (returns_mark). */
static void deliver_counted(struct queue *queue, struct consumer *consumer, struct place place)
{
    uint64_t seq = place_seq(place);
    struct lane *lane = place.chunk->lane;
    struct tally tally = returns_of(place);
    if (!consumer->no_ack)
        returns_lent(place);
    struct message *message =
        consumer->no_ack ? queue_take(queue, place) : message_ref(queue_lend(queue, place));
    struct message *marked = returns_mark(message, tally.returns, queue_counted(queue, tally));
    consumer_deliver(consumer, marked, lane, seq, true);
    message_unref(&marked);
    message_unref(&message);
}

static void deliver_head(struct queue *queue, struct consumer *consumer, struct place place)
{
    bool redelivered = bit_test(place.chunk->redelivered_bits, place.slot);
    if (redelivered && queue_counts(queue)) {
        deliver_counted(queue, consumer, place);
    } else if (consumer->no_ack) {
        struct message *message = queue_take(queue, place);
        consumer_deliver(consumer, message, NULL, 0, redelivered);
        message_unref(&message);
    } else {
        uint64_t seq = place_seq(place);
        consumer_deliver(consumer, queue_lend(queue, place), place.chunk->lane, seq, redelivered);
    }
}

void queue_dispatch(struct queue *queue)
{
    unsigned expire = EXPIRE_AT_ONCE;
    while (queue->stock.ready) {
        struct waiting_get *get = TAILQ_FIRST(&queue->takers.gets);
        struct consumer *consumer = NULL;
        if (!get && !(consumer = consumer_next(queue)))
            break;
        struct place place = queue_head(queue);
        if (!chunk_in_memory(place.chunk)) {
            paging_read_ahead(place.chunk->lane);
            return;
        }
        if (queue->expiring) {
            unsigned expired = queue_expire(queue, expire);
            expire -= expired;
            if (queue_expiry_behind(queue))
                break;
            if (expired)
                continue;
        }
        if (get) {
            struct channel *channel = get->channel;
            bool no_ack = get->no_ack;
            end_get(queue, &get);
            answer_get(queue, channel, no_ack, place);
        } else {
            deliver_head(queue, consumer, place);
        }
    }
    struct waiting_get *get;
    while (queue->stock.ready == 0 && (get = TAILQ_FIRST(&queue->takers.gets))) {
        struct channel *channel = get->channel; /* NOLINT(clang-analyzer-unix.Malloc) */
        end_get(queue, &get);
        answer_empty(queue, channel);
    }
    if (queue->expiring)
        queue_expire(queue, 0);
}

void queue_get(struct queue *queue, struct channel *channel, bool no_ack)
{
    queue_touch(queue);
    if (queue->expiring)
        queue_expire(queue, EXPIRE_AT_ONCE);
    if (queue->stock.ready == 0 || queue->paused) {
        answer_empty(queue, channel);
        return;
    }
    struct place place = queue_head(queue);
    if (chunk_in_memory(place.chunk) && !(queue->expiring && queue_expiry_behind(queue))) {
        answer_get(queue, channel, no_ack, place);
        if (queue->expiring)
            queue_expire(queue, 0);
        return;
    }
    struct waiting_get *get = mem_need(sizeof *get);
    get->channel = channel;
    get->queue = queue;
    get->no_ack = no_ack;
    TAILQ_INSERT_TAIL(&queue->takers.gets, get, link);
    TAILQ_INSERT_TAIL(&channel->gets, get, channel_link);
    paging_read_ahead(place.chunk->lane);
}

void queue_pause(struct queue *queue, bool paused)
{
    if (queue->paused == paused)
        return;
    queue->paused = paused;
    if (queue->stored)
        queue_put(queue);
    struct waiting_get *get;
    while (paused && (get = TAILQ_FIRST(&queue->takers.gets))) {
        struct channel *channel = get->channel; /* NOLINT(clang-analyzer-unix.Malloc) */
        end_get(queue, &get);
        answer_empty(queue, channel);
    }
    queue_schedule(queue);
}

void queue_fail_gets(struct queue *queue, enum status status)
{
    struct waiting_get *get;
    while ((get = TAILQ_FIRST(&queue->takers.gets))) {
        struct channel *channel = get->channel; /* NOLINT(clang-analyzer-unix.Malloc) */
        end_get(queue, &get);
        if (channel->failed)
            continue;
        if (status == STATUS_NOT_FOUND)
            channel_refuse(channel, COMMAND_GET, status, "no queue '%.*s' in vhost '%.*s'",
                           BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(queue->set->vhost_name));
        else
            queue_refuse_unreadable(channel, COMMAND_GET, queue);
    }
}

void queue_drop_gets(struct channel *channel)
{
    struct waiting_get *get;
    while ((get = TAILQ_FIRST(&channel->gets)))
        end_get(get->queue, &get); /* NOLINT(clang-analyzer-unix.Malloc) */
}

void queue_refuse_unreadable(struct channel *channel, enum command_type command,
                             const struct queue *queue)
{
    channel_refuse(channel, command, STATUS_INTERNAL_ERROR,
                   "stored messages of queue '%.*s' in vhost '%.*s' cannot be read, see the log",
                   BYTES_PRINT(queue->endpoint.name), BYTES_PRINT(channel->set->vhost_name));
}
