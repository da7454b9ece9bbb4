/* Time: messages that expire and queues that nobody uses. Thread: the vhost's owner.
 *
 * Normal course: a queue's expiry timer stands at the time when its head may be expired; what has
 * expired is dropped from the head only (in a quorum queue: from the head of each priority), so a
 * message behind a longer-lived one goes when it gets there, and so many in one call that the
 * worker has time for others; vhost_tick does the rest. A queue with x-expires has an idle timer
 * while it has no consumer. What can go wrong: the head is on disk; then the timer is set when it
 * has been read. */
#include "broker/queue/queues.h"
#include "broker/store/paging.h"

#include "leveret/base/container.h"
#include <stddef.h>

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

/* Whether the first message of each lane expires, and not only the queue's head: as in RabbitMQ in
 * quorum queues, but not in those with x-max-priority. */
static bool expires_by_lane(const struct queue *queue)
{
    return queue->priorities && queue->settings.type == QUEUE_QUORUM;
}

/* Whether the first message that is ready is in memory, and when it expires: 0 is never. */
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

/* Takes what has expired from the head of a lane, or from the queue's head (lane NULL), at most
 * max; returns how many. *next_ms: when the next one expires; 0: never, as far as is known. */
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
    struct queues *set = queue->set;
    uint64_t next_ms = 0;
    if (max && dead_letter_crowded(queue))
        max = 0;
    unsigned count = expires_by_lane(queue) ? expire_lanes(queue, max, &next_ms)
                                            : expire_from(queue, NULL, max, &next_ms);
    if (!next_ms)
        heap_remove(&set->expiry, &queue->times.expiry);
    else if (!heap_holds(&queue->times.expiry) || queue->times.expiry.key != next_ms)
        heap_set(&set->expiry, &queue->times.expiry, next_ms);
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
