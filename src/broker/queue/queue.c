/* Queues: life and storage. See queue.h.
 *
 * A message's way: queue_publish → lane_store → queue_lend or queue_take → queue_settle or
 * queue_requeue. */
#include "broker/queue/dead_letter.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

/* ---- Messages out. */

struct message *queue_lend(struct queue *queue, struct place place)
{
    queue->idle_since_wall_ms = queue->vhost->now.wall_ms;
    return lane_lend(place.chunk->lane, place);
}

struct message *queue_take(struct queue *queue, struct place place)
{
    queue->idle_since_wall_ms = queue->vhost->now.wall_ms;
    return lane_discard(place.chunk->lane, place);
}

/* A limit that nobody asked for must not end what consumers only hand back. Without any limit it
 * makes no difference but for what consumers are told, which is then as in RabbitMQ 4.3. */
uint32_t queue_counted(const struct queue *queue, struct tally tally)
{
    bool all = queue->vhost->options.dialect.delivery_count == COUNT_RETURNS &&
               queue->settings.delivery_limit_said &&
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

void vhost_put_queue(struct queue *queue)
{
    struct text key = {0}, value = {0};
    queue_text(queue, &key, &value);
    vhost_put(queue->vhost, &key, &value);
    queue->definition_batch = journal_filling(queue->vhost->options.journal);
    text_free(&key);
    text_free(&value);
}

void vhost_erase_queue(struct queue *queue)
{
    struct text key = {0};
    queue_text(queue, &key, NULL);
    vhost_erase(queue->vhost, &key);
    text_free(&key);
}

void queue_schedule(struct queue *queue)
{
    if (queue->due || (TAILQ_EMPTY(&queue->waiting_gets) &&
                       (queue->stock.ready == 0 || TAILQ_EMPTY(&queue->consumers))))
        return;
    queue->due = true;
    TAILQ_INSERT_TAIL(&queue->vhost->due, queue, due_link);
}

void queue_unschedule(struct queue *queue)
{
    if (!queue->due)
        return;
    if (queue->held_by)
        TAILQ_REMOVE(&queue->held_by->holds, queue, due_link);
    else
        TAILQ_REMOVE(&queue->vhost->due, queue, due_link);
    queue->held_by = NULL;
    queue->due = false;
}

bool queues_hold(struct channel *channel, bool more)
{
    struct vhost *vhost = channel->vhost;
    struct queue *queue;
    if (more) {
        TAILQ_FOREACH(queue, &vhost->due, due_link)
        queue->held_by = channel;
        TAILQ_CONCAT(&channel->holds, &vhost->due, due_link);
    } else {
        TAILQ_FOREACH(queue, &channel->holds, due_link)
        queue->held_by = NULL;
        TAILQ_CONCAT(&vhost->due, &channel->holds, due_link);
    }
    return !more;
}

void queue_touch(struct queue *queue)
{
    struct vhost *vhost = queue->vhost;
    if (queue->settings.expires_ms == SETTING_NONE)
        return;
    if (queue->consumer_count)
        heap_remove(&vhost->idle, &queue->idle);
    else
        heap_set(&vhost->idle, &queue->idle, vhost->now.steady_ms + queue->settings.expires_ms);
}
