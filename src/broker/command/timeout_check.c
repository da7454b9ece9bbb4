/* Consumer time-outs: see timeout_check.h. */
#include "broker/command/timeout_check.h"

#include <inttypes.h>

#include "broker/channel/timeout.h"
#include "broker/command/channel_end.h"
#include "broker/command/settle.h"
#include "broker/vhost_state.h"

/* Channels and deliveries, added up, that one call looks at; the rest is left to the next call. */
#define WORK_MAX 20000u

uint64_t timeout_check_ms(const struct queue *queue, const struct consumer *consumer)
{
    if (consumer && consumer->timeout_ms != SETTING_NONE)
        return consumer->timeout_ms;
    return queue->settings.consumer_timeout_ms != SETTING_NONE
               ? queue->settings.consumer_timeout_ms
               : queue->set->channels->timeout_default_ms;
}

/* Whether the delivery has been unsettled for longer than its time-out, which *timeout_ms is set
 * to. */
static bool is_over(const struct unsettled_entry *entry, uint64_t *timeout_ms)
{
    uint64_t now_ms = entry->lane->store->call.now.steady_ms;
    uint64_t since_ms = entry->since_s * UINT64_C(1000);
    *timeout_ms = timeout_check_ms(entry->lane->queue, entry->consumer);
    return *timeout_ms && now_ms >= since_ms && now_ms - since_ms >= *timeout_ms;
}

/* Whether the delivery's consumer has been cancelled for a time-out. */
static bool is_overdue(const struct unsettled_entry *entry)
{
    return entry->consumer && entry->consumer->overdue;
}

bool timeout_check_took(const struct channel *channel, const struct unsettled_entry *entry)
{
    uint64_t timeout_ms;
    return is_overdue(entry) || (channel->timed_out && is_over(entry, &timeout_ms));
}

/* Whether an overdue delivery cancels its consumer instead of failing its channel. A delivery that
 * answered a get, or whose consumer has ended, has no consumer to cancel. */
static bool may_cancel(const struct channel *channel, const struct unsettled_entry *entry)
{
    return channel->vhost->options.dialect.consumer_timeout == TIMEOUT_CANCELS &&
           channel->peer->notify_cancel && entry->consumer && entry->consumer->queue;
}

static void cancel(struct consumer *consumer)
{
    struct queue *queue = consumer->queue;
    consumer->overdue = true;
    consumer_revoke(consumer);
    if (!queue->deleted)
        queue_consumer_left(queue);
}

/* Cancels the channel's consumers that have an overdue delivery. Returns 0, or the time-out in
 * milliseconds for which the channel must fail. *overdue is set to true when deliveries of
 * cancelled consumers are to be given back. *work grows by the deliveries that it looked at. */
static uint64_t look_through(const struct channel *channel, bool *overdue, unsigned *work)
{
    const struct vhost *vhost = channel->vhost;
    const struct unsettled_entry *entry;
    uint32_t at = 0;
    while ((entry = unsettled_next(&channel->unsettled, &at))) {
        uint64_t since_ms = entry->since_s * UINT64_C(1000), timeout_ms;
        if (vhost->store.call.now.steady_ms < since_ms + vhost->channels.timeout_min_ms)
            return 0;
        ++*work;
        if (is_overdue(entry)) {
            *overdue = true;
        } else if (is_over(entry, &timeout_ms)) {
            if (!may_cancel(channel, entry))
                return timeout_ms;
            cancel(entry->consumer);
            *overdue = true;
        }
    }
    return 0;
}

/* Gives back a portion of the deliveries of consumers that were cancelled for a time-out. Returns
 * true when none is left. */
static bool give_back_overdue(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct unsettled_entry entry;
    uint64_t left = call_left(&vhost->store.call, WORK_SETTLE), count = 0;
    while (count < left &&
           unsettled_take_wanted(&channel->unsettled, channel->overdue_after, is_overdue, &entry)) {
        channel->overdue_after = entry.tag;
        overdue_note(&channel->overdue, entry.tag);
        settle_requeue(channel, &entry);
        count++;
    }
    call_spend(&vhost->store.call, count * WORK_SETTLE);
    settle_wake(channel);
    if (!queues_hold(&channel->vhost->queues, channel, count == left))
        return false;
    channel->overdue_after = 0;
    return true;
}

void timeout_check_release(struct vhost *vhost)
{
    struct channel *channel;
    while ((channel = TAILQ_FIRST(&vhost->channels.releasing)) &&
           (channel->failed ? channel_release(channel) : give_back_overdue(channel))) {
        TAILQ_REMOVE(&vhost->channels.releasing, channel, release_link);
        channel->releasing = false;
    }
}

static void release_later(struct channel *channel)
{
    if (channel->releasing)
        return;
    channel->releasing = true;
    TAILQ_INSERT_TAIL(&channel->vhost->channels.releasing, channel, release_link);
}

static void close_channel(struct channel *channel, uint64_t timeout_ms)
{
    channel_refuse(channel, COMMAND_NONE, STATUS_PRECONDITION_FAILED,
                   "delivery acknowledgement on channel %u timed out. Timeout value used: "
                   "%" PRIu64 " ms. This timeout value can be configured, see consumers doc "
                   "guide to learn more",
                   channel->id, timeout_ms);
    channel->timed_out = true;
    release_later(channel);
}

void timeout_check(struct vhost *vhost)
{
    struct channel *channel = NULL;
    unsigned work = 0;
    while (work < WORK_MAX &&
           (channel = roster_next(&vhost->channels.roster, &vhost->channels.timeout_after))) {
        bool busy = channel->failed || channel->progress.under_way, overdue = false;
        uint64_t timeout_ms = busy ? 0 : look_through(channel, &overdue, &work);
        work++;
        if (timeout_ms)
            close_channel(channel, timeout_ms);
        else if (overdue)
            release_later(channel);
    }
    if (channel) { /* the other channels are looked through in the next call */
        vhost->channels.timeout_check_ms = vhost->store.call.now.steady_ms;
        return;
    }
    vhost->channels.timeout_after = 0;
    vhost->channels.timeout_check_ms = UINT64_MAX;
    if (vhost->store.unsettled)
        timeout_arm(&vhost->channels);
}
