/* Part of vhost (leveret/broker/vhost.h): what is done at the end of a call into the core, at the
 * end of a turn, when the journal reports, and when time passes.
 *
 * Normal course: a command notes in lists of the vhost what it has left to do (queues to dispatch,
 * consumers to wake, dead letters, notices), and vhost_finish_call empties these lists. What can go
 * wrong: something is more work than one call may do: the rest stays in its list, and
 * vhost_deadline_ms says that vhost_tick is to go on with it. */
#include "broker/vhost/turn.h"

#include "broker/command/policy_sweep.h"
#include "broker/command/timeout_check.h"
#include "broker/publish/dead_letter_send.h"
#include "broker/publish/delay_fire.h"
#include "broker/publish/notice_send.h"
#include "broker/store/page_reader.h"
#include "broker/store/paging.h"
#include "leveret/base/container.h"

static void dispatch_due(struct vhost *vhost)
{
    struct queue *queue;
    while ((queue = TAILQ_FIRST(&vhost->queues.due))) {
        CHECK(queue->due.listed && !queue->due.held_by);
        TAILQ_REMOVE(&vhost->queues.due, queue, due.link);
        queue->due.listed = false;
        queue_dispatch(queue);
    }
}

/* Wakes the consumers in one list, one after the other, until one of them waits again: what they
 * wait for has been used up then. */
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

struct applied vhost_finish_call(struct vhost *vhost)
{
    struct consumer_wait *wait;
    if (__builtin_expect(!TAILQ_EMPTY(&vhost->queues.over), 0))
        length_tick(&vhost->queues);
    dispatch_due(vhost);
    while ((wait = TAILQ_FIRST(&vhost->channels.waits_due))) {
        wait_end(&vhost->channels, wait);
        wake_in_turn(vhost, wait);
    }
    while (__builtin_expect(vhost->queues.dead_letters.count != 0, 0) && dead_letters_send(vhost))
        dispatch_due(vhost);
    while (__builtin_expect(vhost->notices.count != 0, 0) && notices_send(vhost))
        dispatch_due(vhost);
    if (vhost->store.memory_bytes > vhost->options.limits.resident_bytes_max)
        paging_relieve(&vhost->store);
    return vhost->store.call.applied;
}

bool vhost_holds_batch(const struct vhost *vhost)
{
    return vhost->commits.channel != NULL;
}

void vhost_flush(struct vhost *vhost, struct moment now)
{
    vhost->commits.in_turn = vhost->commits.channel != NULL;
    vhost->queues.dead_letters.sent_in_turn = 0;
    if (!TAILQ_EMPTY(&vhost->store.returns_changed))
        returns_flush(&vhost->store);
    if (TAILQ_EMPTY(&vhost->channels.promises_due))
        return;
    vhost_enter(vhost, now);
    promise_flush(&vhost->channels);
    vhost_finish_call(vhost);
}

void vhost_committed(struct vhost *vhost, uint64_t batch, struct moment now)
{
    vhost_enter(vhost, now);
    if (batch > vhost->store.committed)
        vhost->store.committed = batch;
    promise_committed(&vhost->channels);
    paging_committed(&vhost->store);
    vhost_finish_call(vhost);
}

/* Messages that one vhost_tick lets expire at most, and queues that it deletes, added up; the rest
 * is left to the next tick. */
#define TICK_WORK_MAX EXPIRE_AT_ONCE

/* Chunks of cleared lanes that one vhost_tick frees at most; the rest is left to the next tick. */
#define RUBBLE_AT_ONCE 32u

/* Deletes queues that have not been used for the time that x-expires says. */
static void delete_idle(struct vhost *vhost, unsigned work)
{
    struct heap_node *node;
    while (work < TICK_WORK_MAX && (node = heap_first(&vhost->queues.idle)) &&
           node->key <= vhost->store.call.now.steady_ms) {
        struct queue *queue = container_of(node, struct queue, times.idle);
        if (!queue_unhook(queue))
            break; /* the queue had more to take off than one call may do: the next one goes on */
        queue_delete(queue);
        work++;
    }
}

struct applied vhost_tick(struct vhost *vhost, struct moment now)
{
    struct heap_node *node;
    unsigned work = 0;
    vhost_enter(vhost, now);
    vhost->queues.dead_letters.sent_in_turn = 0;
    store_clear_rubble(&vhost->store, RUBBLE_AT_ONCE);
    while (work < TICK_WORK_MAX && (node = heap_first(&vhost->queues.expiry)) &&
           node->key <= now.wall_ms) {
        struct queue *queue = container_of(node, struct queue, times.expiry);
        work += 1 + queue_expire(queue, TICK_WORK_MAX - work);
        queue_schedule(queue);
        if (queue_expiry_behind(queue))
            break; /* its head has more expired messages: the next call goes on */
    }
    call_spend(&vhost->store.call, work * WORK_EXPIRE);
    delete_idle(vhost, work);
    if (vhost->channels.timeout_check_ms <= now.steady_ms)
        timeout_check(vhost);
    timeout_check_release(vhost);
    if (vhost->policies.sweeping)
        policy_sweep(vhost);
    dedups_tick(&vhost->dedups);
    dead_letters_tick(vhost);
    if (vhost->delays.any)
        delays_tick(vhost);
    paging_tick(&vhost->store);
    page_readers_wake(&vhost->store);
    vhost_finish_call(vhost);
    call_spend(&vhost->store.call, (uint64_t)vhost->queues.dead_letters.sent_in_turn * WORK_LETTER);
    return vhost->store.call.applied;
}

uint64_t vhost_deadline_ms(const struct vhost *vhost)
{
    if (vhost->policies.sweeping)
        return vhost->store.call.now.steady_ms;
    uint64_t deadline_ms = vhost->channels.timeout_check_ms;
    uint64_t letters_ms = dead_letters_deadline_ms(vhost);
    struct heap_node *node = heap_first(&vhost->queues.idle);
    if (!TAILQ_EMPTY(&vhost->queues.over) || !TAILQ_EMPTY(&vhost->store.rubble) ||
        vhost->store.page_readers_due || !TAILQ_EMPTY(&vhost->channels.releasing))
        return vhost->store.call.now.steady_ms;
    if (dedups_deadline_ms(&vhost->dedups) < deadline_ms)
        deadline_ms = dedups_deadline_ms(&vhost->dedups);
    if (letters_ms < deadline_ms)
        deadline_ms = letters_ms;
    if (paging_deadline_ms(&vhost->store) < deadline_ms)
        deadline_ms = paging_deadline_ms(&vhost->store);
    if (node && node->key < deadline_ms)
        deadline_ms = node->key;
    node = heap_first(&vhost->queues.expiry);
    if (node) {
        uint64_t wall_ms = vhost->store.call.now.wall_ms,
                 steady_ms = vhost->store.call.now.steady_ms;
        uint64_t at_ms = steady_ms + (node->key > wall_ms ? node->key - wall_ms : 0);
        if (at_ms < deadline_ms)
            deadline_ms = at_ms;
    }
    if (vhost->delays.any) {
        uint64_t at_ms = delays_deadline_ms(vhost);
        if (at_ms < deadline_ms)
            deadline_ms = at_ms;
    }
    return deadline_ms;
}

void vhost_paged_out(struct vhost *vhost, struct journal_lane *lane, uint64_t chunk,
                     enum status status)
{
    if (paging_paged_out(&vhost->store, lane, chunk, status))
        vhost_finish_call(vhost);
}

void vhost_stalled(struct vhost *vhost, struct journal_lane *lane, enum status status)
{
    paging_stalled(&vhost->store, lane, status);
}

void vhost_paged_in(struct vhost *vhost, struct journal_page *page, struct moment now)
{
    vhost_enter(vhost, now);
    paging_paged_in(&vhost->store, page);
    page_readers_wake(&vhost->store);
    vhost_finish_call(vhost);
}
