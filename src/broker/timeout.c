/* Consumer time-outs: a delivery that nobody settles keeps its message from everybody else; after a
 * time its channel fails and the message goes back. Thread: the vhost's owner.
 *
 * Normal course: while deliveries are out, all channels are looked through now and then, oldest
 * delivery first, as far as the shortest time-out reaches back. */
#include "core.h"

#include <inttypes.h>

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
    vhost->timeout_check_ms = vhost->now.steady_ms + interval_ms;
}

void timeout_consider(struct vhost *vhost, const struct queue *queue)
{
    if (queue->settings.consumer_timeout_ms < vhost->timeout_min_ms)
        vhost->timeout_min_ms = queue->settings.consumer_timeout_ms;
    if (vhost->unsettled)
        timeout_arm(vhost);
}

/* The time-out that the channel has missed; 0: none. */
static uint64_t missed(const struct channel *channel)
{
    const struct vhost *vhost = channel->vhost;
    const struct unsettled_entry *entry;
    uint32_t at = 0;
    while ((entry = unsettled_next(&channel->unsettled, &at))) {
        uint64_t age_ms = vhost->now.steady_ms - entry->since_s * UINT64_C(1000);
        if (age_ms < vhost->timeout_min_ms)
            return 0;
        uint64_t timeout_ms = entry->lane->queue->settings.consumer_timeout_ms;
        if (timeout_ms == SETTING_NONE)
            timeout_ms = vhost->options.consumer_timeout_ms;
        if (timeout_ms && age_ms >= timeout_ms)
            return timeout_ms;
    }
    return 0;
}

void timeout_set_default(struct vhost *vhost, uint64_t timeout_ms)
{
    vhost->options.consumer_timeout_ms = timeout_ms;
    if (timeout_ms && timeout_ms < vhost->timeout_min_ms)
        vhost->timeout_min_ms = timeout_ms; /* too low a one only looks more often */
    if (vhost->unsettled)
        timeout_arm(vhost);
}

void timeout_check(struct vhost *vhost)
{
    uint64_t after = 0;
    struct channel *channel;
    while ((channel = roster_next(&vhost->channel_roster, &after))) {
        uint64_t timeout_ms = channel->failed ? 0 : missed(channel);
        if (!timeout_ms)
            continue;
        channel_refuse(channel, COMMAND_ACK, STATUS_PRECONDITION_FAILED,
                       "delivery acknowledgement on channel %u timed out. Timeout value used: "
                       "%" PRIu64 " ms. This timeout value can be configured, see consumers doc "
                       "guide to learn more",
                       channel->id, timeout_ms);
        channel_release(channel);
    }
    vhost->timeout_check_ms = UINT64_MAX;
    if (vhost->unsettled)
        timeout_arm(vhost);
}
