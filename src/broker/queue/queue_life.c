/* Part of queue (queue.h): how a queue is made, purged and deleted, and how its deliveries end. */
#include "broker/queue/queue.h"

#include "broker/queue/queues.h"
#include "leveret/base/mem.h"

/* ---- Calls from the lanes (struct lane_calls). */

static void paged_in(struct lane *lane, struct chunk *chunk)
{
    struct queue *queue = lane->queue;
    if (chunk && chunk->any_expires)
        queue->expiring = true;
    if (chunk)
        dead_letter_paged_in(chunk);
    if (queue_limited(queue))
        length_enforce(queue);
    if (queue->expiring)
        queue_expire(queue, EXPIRE_AT_ONCE);
    queue_schedule(queue);
}

static void failed(struct lane *lane)
{
    struct queue *queue = lane->queue;
    struct consumer *consumer;
    queue->failed = true;
    dead_letter_failed(lane);
    while ((consumer = TAILQ_FIRST(&queue->takers.consumers)))
        consumer_revoke(consumer);
    queue_fail_gets(queue, STATUS_INTERNAL_ERROR);
}

static void stored(struct lane *lane, struct place place)
{
    dedup_lane_stored(lane->queue->dedup, lane, place);
}

static void left(struct lane *lane, uint64_t seq)
{
    dedup_lane_left(lane->queue->dedup, lane, seq);
}

static void emptied(struct lane *lane)
{
    dedup_lane_emptied(lane->queue->dedup);
}

static const struct lane_calls lane_calls = {
    .paged_in = paged_in,
    .failed = failed,
    .leads = queue_leads,
    .forgotten = dead_letter_forget,
    .stored = stored,
    .left = left,
    .emptied = emptied,
};

/* ---- Life. */

static uint64_t queue_size(size_t name_len, size_t arguments_len)
{
    return sizeof(struct queue) + HOLDING_PLACES + name_len + arguments_len;
}

enum status queue_admitted(struct queues *queues, const struct queue_options *options)
{
    return holding_take(&queues->store->holdings, ACCOUNT_DEFINITIONS,
                        queue_size(options->name.len, options->arguments.len), "one more queue",
                        &queues->store->call.refusal);
}

bool queue_apply_policy(struct queue *queue, unsigned *work)
{
    const struct policy_subject subject = {queue->endpoint.name, true, queue->settings.type};
    struct effective_policy *old;
    if (!policy_take(queue->set->policies, &subject, &queue->policy, &old, work))
        return false;
    queue_settings_merge(queue->arguments,
                         queue->policy ? &queue->policy->settings : &queue_settings_default,
                         &queue->settings);
    policy_leave(queue->set->policies, &old);
    return true;
}

struct queue *queue_new(struct queues *queues, const struct queue_options *options)
{
    struct bytes name = options->name, arguments = options->arguments;
    unsigned policy_work = 0;
    struct queue *queue = mem_need(sizeof *queue + name.len + arguments.len);
    if (name.len)
        memcpy(queue->data, name.at, name.len);
    if (arguments.len)
        memcpy(queue->data + name.len, arguments.at, arguments.len);
    queue->arguments = bytes_of(queue->data + name.len, arguments.len);
    queue->set = queues;
    queue->durable = options->durable;
    queue->auto_delete = options->auto_delete;
    queue->exclusive = options->exclusive;
    queue->paused = options->paused;
    queue->stored = options->durable && !options->exclusive;
    queue_settings_merge(queue->arguments, &queue_settings_default, &queue->settings);
    queue->type_rates = &queues->counters->by_type[queue_counted_type(queue)];
    queue->dedup = dedup_new(queues->dedups, &queue->endpoint, queue->arguments, false);
    if (queue->dedup)
        queue->dedup->stored = queue->stored;
    queue_lanes_make(queue, &lane_calls, options->lane_id, options->priorities_id);
    queue->times.idle_since_wall_ms = queues->store->call.now.wall_ms;
    queue->sampled.born_wall_ms = queues->store->call.now.wall_ms;
    SLIST_INIT(&queue->takers.levels);
    TAILQ_INIT(&queue->takers.consumers);
    TAILQ_INIT(&queue->takers.gets);
    if (options->owner) {
        queue->owner = options->owner;
        TAILQ_INSERT_TAIL(&options->owner->exclusive_queues, queue, owner_link);
    }
    topology_join(queues->topology, &queue->endpoint, bytes_of(queue->data, name.len),
                  queue->stored);
    map_put(&queues->by_name, queue->endpoint.name, queue);
    queue->number = roster_add(&queues->roster, queue);
    census_queues(queues->census, 1);
    if (!queues->store->recovering && !policies_are_none(queues->policies))
        queue_apply_policy(queue, &policy_work);
    queue_touch(queue);
    if (queue->settings.consumer_timeout_ms != SETTING_NONE)
        timeout_consider(queues->channels, queue->settings.consumer_timeout_ms);
    return queue;
}

/* From now on the lanes do not tell the queue's struct dedup of their messages. */
static void leave_dedup(struct queue *queue)
{
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        lane->watched = false;
}

void queue_destroy(struct queue *queue)
{
    leave_dedup(queue);
    dedup_free(&queue->dedup);
    for (struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        lane_free(lane);
    policy_leave(queue->set->policies, &queue->policy);
    queue_lanes_free(queue);
    free(queue->dying);
    heap_remove(&queue->set->expiry, &queue->times.expiry);
    heap_remove(&queue->set->idle, &queue->times.idle);
    struct consumer_level *level;
    while ((level = SLIST_FIRST(&queue->takers.levels))) {
        SLIST_REMOVE_HEAD(&queue->takers.levels, link);
        free(level);
    }
    struct waiting_get *get;
    while ((get = TAILQ_FIRST(&queue->takers.gets))) {
        TAILQ_REMOVE(&queue->takers.gets, get, link);
        free(get);
    }
    free(queue);
}

static void free_if_done(struct queue *queue)
{
    if (queue->deleted && queue->stock.unsettled == 0)
        queue_destroy(queue);
}

bool queue_unhook(struct queue *queue)
{
    struct queues *queues = queue->set;
    struct consumer *consumer;
    uint64_t bindings = topology_shed(queues->topology, &queue->endpoint,
                                      call_left(&queues->store->call, WORK_BINDING));
    call_spend(&queues->store->call, bindings * WORK_BINDING);
    while ((consumer = TAILQ_FIRST(&queue->takers.consumers)) &&
           call_left(&queues->store->call, WORK_CONSUMER)) {
        consumer_revoke(consumer); /* NOLINT(clang-analyzer-unix.Malloc) */
        call_spend(&queues->store->call, WORK_CONSUMER);
    }
    return !consumer && TAILQ_EMPTY(&queue->endpoint.bindings_to);
}

/* The queue's count of ready messages must be the sum of its lanes' counts. */
static void check_stock(const struct queue *queue)
{
    const struct stock *stock = &queue->stock;
    uint64_t ready = 0;
    for (const struct lane *lane = &queue->lane; lane; lane = queue_lane_above(queue, lane))
        ready += lane->ready;
    CHECK(stock->ready == ready);
}

/* After the lanes have been cleared all sums but that of unsettled deliveries must be 0. */
static void check_cleared(const struct queue *queue)
{
    const struct stock *stock = &queue->stock;
    CHECK(stock->ready == 0 && stock->ready_bytes == 0 && stock->unsettled_bytes == 0);
    CHECK(stock->memory_bytes == 0 && stock_persistent(stock) == 0);
}

void queue_delete(struct queue *queue)
{
    struct queues *queues = queue->set;
    CHECK(!queue->deleted);
    call_spend(&queues->store->call, WORK_DELETE);
    holding_give(&queues->store->holdings, ACCOUNT_DEFINITIONS,
                 queue_size(queue->endpoint.name.len, queue->arguments.len));
    queue->deleted = true;
    queues->counters->queues_deleted++;
    queue_announce(queue, false);
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&queue->takers.consumers)))
        consumer_revoke(consumer);
    queue_fail_gets(queue, STATUS_NOT_FOUND);
    queue_unschedule(queue);
    if (queue->over.listed)
        TAILQ_REMOVE(&queues->over, queue, over.link);
    queue->over.listed = false;
    heap_remove(&queues->expiry, &queue->times.expiry);
    heap_remove(&queues->idle, &queue->times.idle);
    if (queue->owner)
        TAILQ_REMOVE(&queue->owner->exclusive_queues, queue, owner_link);
    queue->owner = NULL;
    map_remove(&queues->by_name, queue->endpoint.name);
    topology_leave(queues->topology, &queue->endpoint);
    roster_remove(&queues->roster, queue->number);
    census_queues(queues->census, -1);
    if (queue->stored)
        queue_erase(queue);
    leave_dedup(queue);
    dedup_delete(&queue->dedup);
    check_stock(queue);
    queue_lanes_clear(queue);
    check_cleared(queue);
    free_if_done(queue);
}

void queue_settings_changed(struct queue *queue)
{
    if (queue->settings.expires_ms == SETTING_NONE)
        heap_remove(&queue->set->idle, &queue->times.idle);
    queue_touch(queue);
    if (queue->settings.consumer_timeout_ms != SETTING_NONE)
        timeout_consider(queue->set->channels, queue->settings.consumer_timeout_ms);
    if (queue_limited(queue))
        length_enforce_soon(queue);
}

/* With this many ready messages, and none unsettled, a purge makes new lanes: that is cheaper than
 * to discard each message. */
#define PURGE_LANES_MIN 4096u

uint64_t queue_purge(struct queue *queue, uint64_t max)
{
    uint64_t count = queue->stock.ready;
    if (queue->stock.unsettled == 0 && count >= PURGE_LANES_MIN) {
        queue_lanes_clear(queue);
        queue_lanes_renew(queue);
        if (queue->stored)
            queue_put(queue);
    } else {
        uint64_t done = 0;
        for (struct lane *lane = &queue->lane; lane && done < max;
             lane = queue_lane_above(queue, lane))
            done += lane_discard_ready(lane, max - done);
        call_spend(&queue->set->store->call, done * WORK_DISCARD);
        count = done;
    }
    queue_schedule(queue); /* a basic.get may wait for a message that is gone */
    return count;
}

void queue_consumer_left(struct queue *queue)
{
    if (queue->takers.count)
        return;
    if (queue->auto_delete && !queue->deleted)
        queue_delete(queue);
    else
        queue_touch(queue);
}

/* ---- The ends of deliveries. */

/* Settles a delivery whose queue has been deleted since, and frees the queue after its last one.
 * Returns false when the queue is not deleted: then the caller settles it. */
static bool settled_deleted(struct lane *lane)
{
    if (!lane->queue->deleted)
        return false;
    lane_forget_unsettled(lane);
    free_if_done(lane->queue);
    return true;
}

void queue_settle(struct lane *lane, uint64_t seq)
{
    if (settled_deleted(lane))
        return;
    struct message *message = lane_discard(lane, lane_place(lane, seq));
    message_unref(&message);
}

void queue_reject(struct lane *lane, uint64_t seq)
{
    if (!settled_deleted(lane))
        dead_letter(lane, lane_place(lane, seq), DEATH_REJECTED);
}

void queue_requeue(struct lane *lane, uint64_t seq, enum return_kind kind)
{
    struct queue *queue = lane->queue;
    if (settled_deleted(lane))
        return;
    struct place place = lane_place(lane, seq);
    if (queue_counts(queue) && queue_returned_too_often(queue, returns_count(place, kind))) {
        dead_letter(lane, place, DEATH_DELIVERY_LIMIT);
        return;
    }
    lane_give_back(lane, place);
    queue_lane_ready(lane);
    if (queue->expiring) /* it may be the head again: makes vhost_tick look at the head */
        heap_set(&queue->set->expiry, &queue->times.expiry, queue->set->store->call.now.wall_ms);
    if (queue_limited(queue))
        length_enforce_soon(queue);
    queue_schedule(queue);
}
