/* Queues: messages out, definitions on record, and the lists of queues that have something to do.
 * See queue.h and queues.h.
 *
 * The course of a message: queue_publish → lane_store → queue_lend or queue_take → queue_settle or
 * queue_requeue. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "broker/store/definition.h"

/* ---- Messages out. */

struct message *queue_lend(struct queue *queue, struct place place)
{
    queue->times.idle_since_wall_ms = queue->set->store->call.now.wall_ms;
    return lane_lend(place.chunk->lane, place);
}

struct message *queue_take(struct queue *queue, struct place place)
{
    queue->times.idle_since_wall_ms = queue->set->store->call.now.wall_ms;
    return lane_discard(place.chunk->lane, place);
}

/* The default limit counts failures only: it must not remove messages that consumers just hand
 * back. Without any limit this decides only the number that consumers see in x-delivery-count,
 * which is that of RabbitMQ 4.3. */
uint32_t queue_counted(const struct queue *queue, struct tally tally)
{
    bool all = queue->set->delivery_count == COUNT_RETURNS && queue->settings.delivery_limit_said &&
               queue->settings.delivery_limit != SETTING_UNLIMITED;
    return all ? tally.returns : tally.failures;
}

/* The default limit never drops a message: it counts only when there is a dead-letter exchange. */
bool queue_returned_too_often(const struct queue *queue, struct tally tally)
{
    return queue_counts(queue) && queue_counted(queue, tally) > queue->settings.delivery_limit &&
           (queue->settings.delivery_limit_said || dead_letter_wanted(queue));
}

/* ---- On record. */

static void queue_text(const struct queue *queue, struct text *key, struct text *value)
{
    struct queue_definition definition = {
        .name = queue->endpoint.name,
        .arguments = queue->arguments,
        .durable = queue->durable,
        .auto_delete = queue->auto_delete,
        .exclusive = queue->exclusive,
        .paused = queue->paused,
        .lane_id = queue->lane.id,
        .priorities_id = queue->settings.type == QUEUE_QUORUM && queue->priorities
                             ? queue->priorities->first_id
                             : 0,
    };
    definition_of_queue(&definition, key, value);
}

void queue_put(struct queue *queue)
{
    struct text key = {0}, value = {0};
    queue_text(queue, &key, &value);
    store_put(queue->set->store, &key, &value);
    queue->definition_batch = journal_filling(queue->set->store->journal);
    text_free(&key);
    text_free(&value);
}

void queue_erase(struct queue *queue)
{
    struct text key = {0};
    queue_text(queue, &key, NULL);
    store_erase(queue->set->store, &key);
    text_free(&key);
}

/* ---- Lists. */

void queue_schedule(struct queue *queue)
{
    if (queue->due.listed || (TAILQ_EMPTY(&queue->takers.gets) &&
                              (queue->stock.ready == 0 || TAILQ_EMPTY(&queue->takers.consumers))))
        return;
    queue->due.listed = true;
    TAILQ_INSERT_TAIL(&queue->set->due, queue, due.link);
}

void queue_unschedule(struct queue *queue)
{
    if (!queue->due.listed)
        return;
    if (queue->due.held_by)
        TAILQ_REMOVE(&queue->due.held_by->holds, queue, due.link);
    else
        TAILQ_REMOVE(&queue->set->due, queue, due.link);
    queue->due.held_by = NULL;
    queue->due.listed = false;
}

bool queues_hold(struct queues *queues, struct channel *channel, bool more)
{
    struct queue *queue;
    if (more) {
        TAILQ_FOREACH(queue, &queues->due, due.link)
        queue->due.held_by = channel;
        TAILQ_CONCAT(&channel->holds, &queues->due, due.link);
    } else {
        TAILQ_FOREACH(queue, &channel->holds, due.link)
        queue->due.held_by = NULL;
        TAILQ_CONCAT(&queues->due, &channel->holds, due.link);
    }
    return !more;
}

void queue_touch(struct queue *queue)
{
    struct queues *queues = queue->set;
    if (queue->settings.expires_ms == SETTING_NONE)
        return;
    if (queue->takers.count)
        heap_remove(&queues->idle, &queue->times.idle);
    else
        heap_set(&queues->idle, &queue->times.idle,
                 queues->store->call.now.steady_ms + queue->settings.expires_ms);
}
