/* Queues: life and storage. See queue.h.
 *
 * A message's way: queue_publish → lane_store → queue_lend or queue_take → queue_settle or
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

/* A limit that nobody asked for must not end what consumers only hand back. Without any limit it
 * makes no difference but for what consumers are told, which is then as in RabbitMQ 4.3. */
uint32_t queue_counted(const struct queue *queue, struct tally tally)
{
    bool all = queue->set->delivery_count == COUNT_RETURNS && queue->settings.delivery_limit_said &&
               queue->settings.delivery_limit != SETTING_UNLIMITED;
    return all ? tally.returns : tally.failures;
}

/* A limit that nobody asked for never drops a message: it needs somewhere to send it. */
bool queue_returned_too_often(const struct queue *queue, struct tally tally)
{
    return queue_counts(queue) && queue_counted(queue, tally) > queue->settings.delivery_limit &&
           (queue->settings.delivery_limit_said || dead_letter_wanted(queue));
}

static void queue_text(const struct queue *queue, struct text *key, struct text *value)
{
    struct queue_definition definition = {
        .name = queue->endpoint.name,
        .arguments = queue->arguments,
        .durable = queue->durable,
        .auto_delete = queue->auto_delete,
        .exclusive = queue->exclusive,
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

bool queues_hold(struct queues *set, struct channel *channel, bool more)
{
    struct queue *queue;
    if (more) {
        TAILQ_FOREACH(queue, &set->due, due.link)
        queue->due.held_by = channel;
        TAILQ_CONCAT(&channel->holds, &set->due, due.link);
    } else {
        TAILQ_FOREACH(queue, &channel->holds, due.link)
        queue->due.held_by = NULL;
        TAILQ_CONCAT(&set->due, &channel->holds, due.link);
    }
    return !more;
}

void queue_touch(struct queue *queue)
{
    struct queues *set = queue->set;
    if (queue->settings.expires_ms == SETTING_NONE)
        return;
    if (queue->takers.count)
        heap_remove(&set->idle, &queue->times.idle);
    else
        heap_set(&set->idle, &queue->times.idle,
                 set->store->call.now.steady_ms + queue->settings.expires_ms);
}
