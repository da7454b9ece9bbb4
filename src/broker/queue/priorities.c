/* Part of queue (queue.h): the lanes of a queue, which lane a message goes into, and which lane has
 * the head. See struct priorities. Thread: the vhost's owner.
 *
 * Normal course: queue_lane_for finds the lane for a message that comes in; queue_lane_ready marks
 * the lane; queue_leader finds the highest marked lane with a ready message. A queue without
 * priorities has one lane, and none of this costs it anything.
 *
 * A quorum queue gets its struct priorities with the first message that has a priority. The ids of
 * their lanes are put on record with the queue's definition, in the batch of that message. Messages
 * that an earlier broker, without priorities, has stored are in the first lane, in order. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "leveret/base/mem.h"

/* ---- Making lanes. */

static void make_lane(struct queue *queue, const struct lane_calls *calls, unsigned number,
                      struct lane *lane, uint64_t id)
{
    const struct lane_options options = {
        .store = queue->set->store,
        .queue = queue,
        .stock = &queue->stock,
        .calls = calls,
        .watched = queue->dedup && dedup_is_by_presence(queue->dedup),
        .stored = queue->stored,
        .keeps_all = queue->settings.type == QUEUE_QUORUM,
        .number = (uint8_t)number,
        .id = id,
    };
    lane_init(lane, &options);
}

/* Makes the struct priorities, for lanes with numbers up to max. The lanes are made later, each for
 * its first message. */
static void make_priorities(struct queue *queue, unsigned max, unsigned middle, uint64_t first_id)
{
    queue->priorities =
        mem_need(sizeof *queue->priorities + max * sizeof *queue->priorities->lanes);
    queue->priorities->max = max;
    queue->priorities->middle = middle;
    queue->priorities->first_id = first_id;
}

static void make_quorum_priorities(struct queue *queue, uint64_t first_id)
{
    make_priorities(queue, QUORUM_PRIORITY_MAX + 1, QUORUM_PRIORITY + 1, first_id);
}

void queue_lanes_make(struct queue *queue, const struct lane_calls *calls, uint64_t lane_id,
                      uint64_t priorities_id)
{
    bool quorum = queue->settings.type == QUEUE_QUORUM;
    unsigned max = queue->settings.max_priority;
    queue->by_priority = quorum || max;
    make_lane(queue, calls, 0, &queue->lane, lane_id);
    if (quorum && priorities_id)
        make_quorum_priorities(queue, priorities_id);
    else if (!quorum && max)
        make_priorities(queue, max, 0, lane_id);
}

void queue_lanes_renew(struct queue *queue)
{
    unsigned count = queue->priorities ? queue->priorities->max + 1 : 1;
    uint64_t first_id = queue->stored ? store_lane_ids(queue->set->store, count) : 0;
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane)) {
        uint64_t base = lane->base;
        make_lane(queue, lane->calls, lane->number, lane, first_id ? first_id + lane->number : 0);
        lane->base = lane->cursor = base; /* the place of a message is never that of another one */
    }
    if (queue->priorities)
        queue->priorities->first_id = first_id;
}

void queue_lanes_clear(struct queue *queue)
{
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        lane_clear(lane);
}

void queue_lanes_free(struct queue *queue)
{
    for (unsigned at = 0; queue->priorities && at < queue->priorities->max; at++)
        free(queue->priorities->lanes[at]);
    free(queue->priorities);
    queue->priorities = NULL;
}

/* ---- Finding lanes. */

struct lane *queue_lane(struct queue *queue, unsigned number)
{
    struct priorities *priorities = queue->priorities;
    if (!number)
        return &queue->lane;
    struct lane **lane = &priorities->lanes[number - 1];
    if (!*lane) {
        *lane = mem_need(sizeof **lane);
        make_lane(queue, queue->lane.calls, number, *lane,
                  priorities->first_id ? priorities->first_id + number : 0);
    }
    return *lane;
}

struct lane *queue_lane_numbered(struct queue *queue, unsigned number)
{
    const struct priorities *priorities = queue->priorities;
    if (number == 0)
        return &queue->lane;
    return priorities && number <= priorities->max ? priorities->lanes[number - 1] : NULL;
}

static struct lane *quorum_lane(struct queue *queue, unsigned priority)
{
    if (priority == QUORUM_PRIORITY)
        return &queue->lane;
    if (!queue->priorities) {
        make_quorum_priorities(
            queue, queue->stored ? store_lane_ids(queue->set->store, QUORUM_PRIORITY_MAX + 2) : 0);
        if (queue->stored)
            queue_put(queue);
    }
    return queue_lane(queue, 1 + (priority < QUORUM_PRIORITY_MAX ? priority : QUORUM_PRIORITY_MAX));
}

struct lane *queue_priority_lane(struct queue *queue, unsigned priority)
{
    if (queue->settings.type == QUEUE_QUORUM)
        return quorum_lane(queue, priority);
    return queue_lane(queue, priority < queue->priorities->max ? priority : queue->priorities->max);
}

struct lane *queue_lane_above(const struct queue *queue, const struct lane *lane)
{
    const struct priorities *priorities = queue->priorities;
    for (unsigned at = lane->number; priorities && at < priorities->max; at++)
        if (priorities->lanes[at])
            return priorities->lanes[at];
    return NULL;
}

unsigned queue_lanes_in_order(struct queue *queue, struct lane *out[QUEUE_LANES_MAX])
{
    const struct priorities *priorities = queue->priorities;
    struct lane *first = &queue->lane;
    unsigned count = 0, at = priorities ? priorities->max : 0;
    for (; at > 0 && at >= priorities->middle; at--)
        if (priorities->lanes[at - 1])
            out[count++] = priorities->lanes[at - 1];
    out[count++] = first;
    for (; at > 0; at--)
        if (priorities->lanes[at - 1])
            out[count++] = priorities->lanes[at - 1];
    return count;
}

/* ---- The head. */

/* The position of a lane in the order of its queue's priorities. */
static unsigned rank(const struct lane *lane)
{
    return lane->number ? lane->number : lane->queue->priorities->middle;
}

bool queue_lane_is_above(const struct lane *lane, const struct lane *other)
{
    return rank(lane) > rank(other);
}

/* The lane with the head; the queue has priorities. Removes the marks of lanes that have no ready
 * message any more. */
static struct lane *top_lane(struct queue *queue)
{
    struct priorities *priorities = queue->priorities;
    for (int word = 3; word >= 0; word--) {
        uint64_t *bits = &priorities->ready_bits[word];
        while (*bits) {
            unsigned at = 63 - (unsigned)__builtin_clzll(*bits);
            struct lane *lane = priorities->lanes[(unsigned)word * 64 + at - 1];
            if (lane->ready)
                return lane->number < priorities->middle && queue->lane.ready ? &queue->lane : lane;
            *bits &= ~(UINT64_C(1) << at);
        }
    }
    return &queue->lane;
}

struct lane *queue_leader(struct queue *queue)
{
    return queue->priorities ? top_lane(queue) : &queue->lane;
}

bool queue_leads(const struct lane *lane)
{
    return queue_leader(lane->queue) == lane;
}

struct place queue_head(struct queue *queue)
{
    return lane_head(queue_leader(queue));
}

void queue_restored(struct lane *lane)
{
    if (lane->ready)
        queue_lane_ready(lane);
}
