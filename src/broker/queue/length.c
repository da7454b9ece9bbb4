/* Length limits of queues (queue.h): of ready messages and of the bytes of their bodies.
 *
 * Normal course: a queue with overflow drop-head takes a message and then drops messages from its
 * head while it is too long; with another overflow it refuses the message. What can go wrong: a
 * limit is lowered while there are a million messages, or many messages are requeued at once: they
 * are dropped in portions, at the ends of calls and by vhost_tick. The head is on disk and is to be
 * dead-lettered: it goes when it has been read. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "broker/store/paging.h"

/* Messages that length_enforce or length_tick drops at once; vhost_tick goes on with the rest. */
#define SHED_AT_ONCE 1000u

bool length_refuses(const struct queue *queue, uint64_t body_bytes)
{
    const struct queue_settings *settings = &queue->settings;
    if (settings->overflow == OVERFLOW_DROP_HEAD)
        return false;
    return queue->stock.ready + 1 > settings->max_length ||
           queue->stock.ready_bytes + body_bytes > settings->max_length_bytes;
}

bool length_passes_on(const struct queue *queue)
{
    return queue->settings.overflow == OVERFLOW_REJECT_PUBLISH_DLX && dead_letter_wanted(queue);
}

/* Whether the queue is to drop messages from its head. */
static bool too_long(const struct queue *queue)
{
    const struct queue_settings *settings = &queue->settings;
    return settings->overflow == OVERFLOW_DROP_HEAD && queue->stock.ready &&
           (queue->stock.ready > settings->max_length ||
            queue->stock.ready_bytes > settings->max_length_bytes);
}

/* Puts the queue into queues.over, or takes it out. */
static void list(struct queue *queue, bool over)
{
    if (queue->over.listed == over)
        return;
    queue->over.listed = over;
    if (over)
        TAILQ_INSERT_TAIL(&queue->set->over, queue, over.link);
    else
        TAILQ_REMOVE(&queue->set->over, queue, over.link);
}

/* Drops messages from the head while the queue is too long, at most max; returns how many. The
 * queue is listed afterwards if it is still too long and its head is in memory. */
static unsigned shed(struct queue *queue, unsigned max)
{
    unsigned count = 0;
    bool wanted = dead_letter_wanted(queue), reading = false;
    if (dead_letter_crowded(queue))
        max = 0;
    while (count < max && !reading && too_long(queue)) {
        struct lane *lane = queue_leader(queue);
        if (!wanted) { /* then they need not be read */
            unsigned gone = (unsigned)lane_discard_ready(lane, 1);
            dead_letter_count(queue, DEATH_MAXLEN, gone);
            count += gone;
            continue;
        }
        struct place place = lane_head(lane);
        reading = !chunk_in_memory(place.chunk);
        if (reading) {
            paging_read_ahead(lane);
        } else {
            dead_letter(lane, place, DEATH_MAXLEN);
            count++;
        }
    }
    list(queue, !reading && !queue->failed && too_long(queue));
    if (count && queue->expiring) /* sets the timer for the new head */
        queue_expire(queue, 0);
    return count;
}

void length_enforce(struct queue *queue)
{
    if (too_long(queue))
        shed(queue, SHED_AT_ONCE);
}

void length_enforce_soon(struct queue *queue)
{
    if (too_long(queue))
        list(queue, true);
}

void length_tick(struct queues *queues)
{
    struct queue *queue, *last = TAILQ_LAST(&queues->over, queue_list);
    for (unsigned work = 0; work < SHED_AT_ONCE && (queue = TAILQ_FIRST(&queues->over));) {
        list(queue, false);
        work += 1 + shed(queue, SHED_AT_ONCE - work);
        if (queue == last)
            break;
    }
}
