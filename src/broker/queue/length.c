/* Length limits of queues: by ready messages and by the bytes of their bodies.
 *
 * Normal course: a queue that drops its head takes the message in and then gives up from its head
 * what is too much; a queue that refuses does not take it in. What can go wrong: a limit is lowered
 * when there are a million messages, or many are requeued at once: portions, the rest by
 * vhost_tick. The head is on disk and is to be dead-lettered: it goes when it has been read. */
#include "broker/queue/queues.h"
#include "broker/store/paging.h"

/* How many messages leave in one piece of work. */
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

static bool too_long(const struct queue *queue)
{
    const struct queue_settings *settings = &queue->settings;
    return settings->overflow == OVERFLOW_DROP_HEAD && queue->stock.ready &&
           (queue->stock.ready > settings->max_length ||
            queue->stock.ready_bytes > settings->max_length_bytes);
}

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

/* Takes from the head, at most max; returns how many. The queue is listed while it can go on. */
static unsigned shed(struct queue *queue, unsigned max)
{
    unsigned count = 0;
    bool wanted = dead_letter_wanted(queue), reading = false;
    if (dead_letter_crowded(queue))
        max = 0;
    while (count < max && !reading && too_long(queue)) {
        struct lane *lane = queue_leader(queue);
        if (!wanted) { /* nor need they be read */
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
    if (count && queue->expiring) /* there is another head */
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

void length_tick(struct queues *set)
{
    struct queue *queue, *last = TAILQ_LAST(&set->over, queue_list);
    for (unsigned work = 0; work < SHED_AT_ONCE && (queue = TAILQ_FIRST(&set->over));) {
        list(queue, false);
        work += 1 + shed(queue, SHED_AT_ONCE - work);
        if (queue == last)
            break;
    }
}
