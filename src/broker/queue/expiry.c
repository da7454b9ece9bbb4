/* Part of queue (queue.h): messages that expire. Thread: the vhost's owner.
 *
 * Normal course: a queue's expiry timer stands at the time when its head expires. Expired messages
 * are taken from the head only (in a quorum queue: from the head of each priority), so a message
 * behind one that lives longer goes when it has become the head. One call takes a bounded number,
 * so that the worker has time for others; vhost_tick takes the rest. What can go wrong: the head is
 * on disk: then the timer is set when it has been read. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "broker/store/paging.h"

uint64_t queue_expiry_of(const struct queue *queue, const struct message *message, bool *at_once)
{
    uint64_t ttl_ms = message->ttl_ms, now_ms = queue->set->store->call.now.wall_ms;
    if (queue->settings.message_ttl_ms < ttl_ms)
        ttl_ms = queue->settings.message_ttl_ms;
    *at_once = ttl_ms == 0;
    if (ttl_ms > UINT64_MAX / 4)
        return 0;
    return now_ms + ttl_ms ? now_ms + ttl_ms : 1;
}

/* Whether expired messages are taken from the head of each lane, and not only from the queue's
 * head: as in RabbitMQ this is so in quorum queues, but not in queues with x-max-priority. */
static bool expires_by_lane(const struct queue *queue)
{
    return queue->priorities && queue->settings.type == QUEUE_QUORUM;
}

/* Finds the lane's first ready message and when it expires; 0: never. Returns false when there is
 * none, or when it is not in memory. */
static bool head_expiry(struct lane *lane, struct place *place, uint64_t *expires_ms)
{
    *expires_ms = 0;
    if (lane->ready == 0)
        return false;
    *place = lane_head(lane);
    if (!chunk_in_memory(place->chunk)) {
        if (place->chunk->any_expires)
            paging_read_ahead(lane);
        return false;
    }
    *expires_ms = chunk_expires(place->chunk, place->slot);
    return true;
}

/* Takes expired messages from the head of a lane, or from the queue's head (lane NULL), at most
 * max; returns how many. *next_ms: when the next one expires; 0: never, or it is not in memory. */
static unsigned expire_from(struct queue *queue, struct lane *lane, unsigned max, uint64_t *next_ms)
{
    struct place place;
    unsigned count = 0;
    while (head_expiry(lane ? lane : queue_leader(queue), &place, next_ms) && *next_ms &&
           *next_ms <= queue->set->store->call.now.wall_ms && count < max) {
        dead_letter(place.chunk->lane, place, DEATH_EXPIRED);
        count++;
    }
    return count;
}

/* The same for each lane; *next_ms: the earliest time of all lanes. */
static unsigned expire_lanes(struct queue *queue, unsigned max, uint64_t *next_ms)
{
    unsigned count = 0;
    uint64_t lane_ms;
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane)) {
        count += expire_from(queue, lane, max - count, &lane_ms);
        if (lane_ms && (!*next_ms || lane_ms < *next_ms))
            *next_ms = lane_ms;
    }
    return count;
}

unsigned queue_expire(struct queue *queue, unsigned max)
{
    struct queues *queues = queue->set;
    uint64_t next_ms = 0;
    if (max && dead_letter_crowded(queue))
        max = 0;
    unsigned count = expires_by_lane(queue) ? expire_lanes(queue, max, &next_ms)
                                            : expire_from(queue, NULL, max, &next_ms);
    if (!next_ms)
        heap_remove(&queues->expiry, &queue->times.expiry);
    else if (!heap_holds(&queue->times.expiry) || queue->times.expiry.key != next_ms)
        heap_set(&queues->expiry, &queue->times.expiry, next_ms);
    return count;
}

void queue_expiry_stored(struct lane *lane, uint64_t expires_ms, bool head)
{
    struct queue *queue = lane->queue;
    bool sooner = !heap_holds(&queue->times.expiry) || expires_ms < queue->times.expiry.key;
    queue->expiring = true;
    if (expires_by_lane(queue) ? lane->ready == 1 && sooner : head)
        heap_set(&queue->set->expiry, &queue->times.expiry, expires_ms);
}

bool queue_expiry_behind(const struct queue *queue)
{
    return heap_holds(&queue->times.expiry) &&
           queue->times.expiry.key <= queue->set->store->call.now.wall_ms;
}
