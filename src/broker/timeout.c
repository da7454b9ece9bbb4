/* Consumer time-outs: a delivery that nobody settles keeps its message from everybody else; after a
 * time its channel fails and the message goes back. Thread: the vhost's owner.
 *
 * Normal course: while deliveries are out, all channels are looked through now and then, oldest
 * delivery first, as far as the shortest time-out reaches back. */
#include "core.h"

#include <inttypes.h>

/* Channels and deliveries that one call looks at before it leaves the rest to the next one. */
#define WORK_MAX 20000u

/* How often, at most and at least. */
#define CHECK_MS_MAX 60000u
#define CHECK_MS_MIN 1000u

void timeout_arm(struct vhost *vhost)
{
    if (vhost->timeout_min_ms == UINT64_MAX)
        return;
    uint64_t interval_ms = vhost->timeout_min_ms / 10;
    if (interval_ms > CHECK_MS_MAX)
        interval_ms = CHECK_MS_MAX;
    if (interval_ms < CHECK_MS_MIN)
        interval_ms = CHECK_MS_MIN;
    if (vhost->now.steady_ms + interval_ms < vhost->timeout_check_ms)
        vhost->timeout_check_ms = vhost->now.steady_ms + interval_ms;
}

void timeout_consider(struct vhost *vhost, uint64_t timeout_ms)
{
    if (timeout_ms && timeout_ms < vhost->timeout_min_ms)
        vhost->timeout_min_ms = timeout_ms; /* too low a one only looks more often */
    if (vhost->unsettled)
        timeout_arm(vhost);
}

uint64_t timeout_ms_of(const struct queue *queue, const struct consumer *consumer)
{
    if (consumer && consumer->timeout_ms != SETTING_NONE)
        return consumer->timeout_ms;
    return queue->settings.consumer_timeout_ms != SETTING_NONE
               ? queue->settings.consumer_timeout_ms
               : queue->vhost->options.consumer_timeout_ms;
}

/* The time-out that the channel has missed; 0: none. Counts what it looks at. */
static uint64_t missed(const struct channel *channel, unsigned *work)
{
    const struct vhost *vhost = channel->vhost;
    const struct unsettled_entry *entry;
    uint32_t at = 0;
    while ((entry = unsettled_next(&channel->unsettled, &at))) {
        uint64_t since_ms = entry->since_s * UINT64_C(1000);
        uint64_t age_ms = vhost->now.steady_ms > since_ms ? vhost->now.steady_ms - since_ms : 0;
        if (age_ms < vhost->timeout_min_ms)
            return 0;
        uint64_t timeout_ms = timeout_ms_of(entry->lane->queue, entry->consumer);
        ++*work;
        if (timeout_ms && age_ms >= timeout_ms)
            return timeout_ms;
    }
    return 0;
}

void timeout_set_default(struct vhost *vhost, uint64_t timeout_ms)
{
    vhost->options.consumer_timeout_ms = timeout_ms;
    timeout_consider(vhost, timeout_ms);
}

void timeout_release(struct vhost *vhost)
{
    struct channel *channel;
    while ((channel = TAILQ_FIRST(&vhost->releasing)) && channel_release(channel)) {
        TAILQ_REMOVE(&vhost->releasing, channel, release_link);
        channel->releasing = false;
    }
}

void timeout_check(struct vhost *vhost)
{
    struct channel *channel = NULL;
    unsigned work = 0;
    while (work < WORK_MAX &&
           (channel = roster_next(&vhost->channel_roster, &vhost->timeout_after))) {
        bool busy = channel->failed || channel->progress.under_way;
        uint64_t timeout_ms = busy ? 0 : missed(channel, &work);
        work++;
        if (!timeout_ms)
            continue;
        channel_refuse(channel, COMMAND_ACK, STATUS_PRECONDITION_FAILED,
                       "delivery acknowledgement on channel %u timed out. Timeout value used: "
                       "%" PRIu64 " ms. This timeout value can be configured, see consumers doc "
                       "guide to learn more",
                       channel->id, timeout_ms);
        channel->releasing = true;
        TAILQ_INSERT_TAIL(&vhost->releasing, channel, release_link);
    }
    if (channel) { /* the others in the next call */
        vhost->timeout_check_ms = vhost->now.steady_ms;
        return;
    }
    vhost->timeout_after = 0;
    vhost->timeout_check_ms = UINT64_MAX;
    if (vhost->unsettled)
        timeout_arm(vhost);
}
