/* What each call into the core leaves to do, and what time brings. See turn.h. */
#include "broker/vhost_state.h"
#include "leveret/base/container.h"

static void dispatch_due(struct vhost *vhost)
{
    struct queue *queue;
    while ((queue = TAILQ_FIRST(&vhost->due))) {
        TAILQ_REMOVE(&vhost->due, queue, due_link);
        queue->due = false;
        queue_dispatch(queue);
    }
}

/* Wakes consumers that wait for one thing, until one of them has used it up and waits again. */
static void wake_in_turn(struct vhost *vhost, struct consumer_wait *wait)
{
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&wait->blocked))) {
        uint8_t waited = consumer->state;
        consumer_wake(consumer);
        dispatch_due(vhost);
        if (consumer->state == waited)
            break;
    }
}

struct applied vhost_settle_down(struct vhost *vhost)
{
    struct consumer_wait *wait;
    if (__builtin_expect(!TAILQ_EMPTY(&vhost->over), 0))
        length_tick(vhost);
    dispatch_due(vhost);
    while ((wait = TAILQ_FIRST(&vhost->waits_due))) {
        consumer_wait_end(vhost, wait);
        wake_in_turn(vhost, wait);
    }
    while (__builtin_expect(vhost->dead_letters.count != 0, 0) && dead_letters_send(vhost))
        dispatch_due(vhost);
    while (__builtin_expect(vhost->notices.count != 0, 0) && notices_send(vhost))
        dispatch_due(vhost);
    if (vhost->memory_bytes > vhost->options.limits.resident_bytes_max)
        paging_relieve(vhost);
    return vhost->applied;
}

bool vhost_holds_batch(const struct vhost *vhost)
{
    return vhost->committing != NULL;
}

void vhost_flush(struct vhost *vhost, struct moment now)
{
    vhost->committed_in_portions = vhost->committing != NULL;
    vhost->dead_letters.sent_in_turn = 0;
    if (!TAILQ_EMPTY(&vhost->returns_changed))
        returns_flush(vhost);
    if (TAILQ_EMPTY(&vhost->promises_due))
        return;
    vhost->now = now;
    promise_flush(vhost);
    vhost_settle_down(vhost);
}

void vhost_committed(struct vhost *vhost, uint64_t batch, struct moment now)
{
    vhost->now = now;
    if (batch > vhost->committed)
        vhost->committed = batch;
    promise_committed(vhost);
    paging_committed(vhost);
    vhost_settle_down(vhost);
}

/* What one vhost_tick does at most. */
#define TICK_WORK_MAX EXPIRE_AT_ONCE

/* Chunks of cleared lanes that one tick frees. */
#define RUBBLE_AT_ONCE 32u

/* Deletes queues that nobody has used for their time. */
static void delete_idle(struct vhost *vhost, unsigned work)
{
    struct heap_node *node;
    while (work < TICK_WORK_MAX && (node = heap_first(&vhost->idle)) &&
           node->key <= vhost->now.steady_ms) {
        struct queue *queue = container_of(node, struct queue, idle);
        if (!queue_unhook(queue))
            break; /* the rest in the next call */
        queue_delete(queue);
        work++;
    }
}

struct applied vhost_tick(struct vhost *vhost, struct moment now)
{
    struct heap_node *node;
    unsigned work = 0;
    vhost_enter(vhost, now);
    vhost->dead_letters.sent_in_turn = 0;
    rubble_clear(vhost, RUBBLE_AT_ONCE);
    while (work < TICK_WORK_MAX && (node = heap_first(&vhost->expiry)) &&
           node->key <= now.wall_ms) {
        struct queue *queue = container_of(node, struct queue, expiry);
        work += 1 + queue_expire(queue, TICK_WORK_MAX - work);
        queue_schedule(queue);
        if (queue_expiry_behind(queue))
            break; /* no more for now */
    }
    vhost_spend(vhost, work * WORK_EXPIRE);
    delete_idle(vhost, work);
    if (vhost->timeout_check_ms <= now.steady_ms)
        timeout_check(vhost);
    timeout_release(vhost);
    if (vhost->policies.sweeping)
        policy_sweep(vhost);
    dedups_tick(vhost);
    dead_letters_tick(vhost);
    if (vhost->delays)
        delays_tick(vhost);
    paging_tick(vhost);
    vhost_settle_down(vhost);
    vhost_spend(vhost, (uint64_t)vhost->dead_letters.sent_in_turn * WORK_LETTER);
    return vhost->applied;
}

uint64_t vhost_deadline_ms(const struct vhost *vhost)
{
    if (vhost->policies.sweeping)
        return vhost->now.steady_ms;
    uint64_t deadline_ms = vhost->timeout_check_ms;
    uint64_t letters_ms = dead_letters_deadline_ms(vhost);
    struct heap_node *node = heap_first(&vhost->idle);
    if (!TAILQ_EMPTY(&vhost->over) || !TAILQ_EMPTY(&vhost->rubble) ||
        !TAILQ_EMPTY(&vhost->releasing))
        return vhost->now.steady_ms;
    if (dedups_deadline_ms(vhost) < deadline_ms)
        deadline_ms = dedups_deadline_ms(vhost);
    if (letters_ms < deadline_ms)
        deadline_ms = letters_ms;
    if (paging_deadline_ms(vhost) < deadline_ms)
        deadline_ms = paging_deadline_ms(vhost);
    if (node && node->key < deadline_ms)
        deadline_ms = node->key;
    node = heap_first(&vhost->expiry);
    if (node) {
        uint64_t wall_ms = vhost->now.wall_ms, steady_ms = vhost->now.steady_ms;
        uint64_t at_ms = steady_ms + (node->key > wall_ms ? node->key - wall_ms : 0);
        if (at_ms < deadline_ms)
            deadline_ms = at_ms;
    }
    if (vhost->delays) {
        uint64_t at_ms = delays_deadline_ms(vhost);
        if (at_ms < deadline_ms)
            deadline_ms = at_ms;
    }
    return deadline_ms;
}

void vhost_paged_out(struct vhost *vhost, struct journal_lane *lane, uint64_t chunk,
                     enum status status)
{
    if (paging_paged_out(vhost, lane, chunk, status))
        vhost_settle_down(vhost);
}

void vhost_stalled(struct vhost *vhost, struct journal_lane *lane, enum status status)
{
    paging_stalled(vhost, lane, status);
}

void vhost_paged_in(struct vhost *vhost, struct journal_page *page, struct moment now)
{
    vhost->now = now;
    vhost->journalled = false;
    paging_paged_in(vhost, page);
    vhost_settle_down(vhost);
}
