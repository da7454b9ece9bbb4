/* Part of channel (channel/channel.h): the end of a channel. See channel_end.h. */
#include "broker/command/channel_end.h"

#include <stdlib.h>

#include "broker/channel/reply_to.h"
#include "broker/command/move_command.h"
#include "broker/command/peek.h"
#include "broker/command/policy_sweep.h"
#include "broker/command/settle.h"
#include "broker/command/timeout_check.h"
#include "broker/command/tx.h"
#include "broker/publish/publish.h"
#include "broker/publish/spread.h"

void channel_leave(struct channel *channel)
{
    channel->leaving = true;
    queue_drop_gets(channel);
    peek_end(channel);
    move_command_end(channel);
    policy_sweep_forget(channel);
    reply_to_close(channel);
}

bool channel_give_back(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct unsettled_entry entry;
    channel_leave(channel);
    spread_free(channel);
    tx_free(channel);
    uint64_t left = call_left(&vhost->store.call, WORK_SETTLE), count = 0;
    for (; count < left && unsettled_take_first(&channel->unsettled, UINT64_MAX, &entry); count++) {
        (timeout_check_took(channel, &entry) ? settle_requeue : settle_fail)(channel, &entry);
    }
    call_spend(&vhost->store.call, count * WORK_SETTLE);
    return channel->unsettled.live == 0;
}

/* False: this was a portion of the consumers. */
static bool release_consumers(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&channel->consumers)) &&
           call_left(&vhost->store.call, WORK_CONSUMER)) {
        struct queue *queue = consumer->queue;
        consumer_end(consumer);
        queue_consumer_left(queue);
        call_spend(&vhost->store.call, WORK_CONSUMER);
    }
    return !consumer;
}

bool channel_release(struct channel *channel)
{
    /* Deliveries first: the next consumer is to find the messages in their places. */
    return queues_hold(&channel->vhost->queues, channel, !channel_give_back(channel)) &&
           release_consumers(channel);
}

void channel_destroy(struct channel *channel)
{
    struct unsettled_entry entry;
    channel->closing = false;
    reply_to_close(channel); /* open still when the whole vhost is freed */
    if (channel->releasing)
        TAILQ_REMOVE(&channel->vhost->channels.releasing, channel, release_link);
    spread_free(channel);
    promise_abandon(channel, true);
    queue_drop_gets(channel);
    peek_end(channel);
    move_command_end(channel);
    tx_free(channel); /* makes what was acked in the transaction unsettled again */
    while (unsettled_take_first(&channel->unsettled, UINT64_MAX, &entry)) {
        if (entry.lane->queue->deleted)
            queue_settle(entry.lane, entry.seq);
        if (entry.consumer && --entry.consumer->unsettled == 0 && !entry.consumer->queue)
            consumer_destroy(entry.consumer);
    }
    unsettled_free(&channel->unsettled);
    overdue_free(&channel->overdue);
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&channel->consumers))) {
        TAILQ_REMOVE(&channel->consumers, consumer, channel_link);
        consumer_destroy(consumer);
    }
    wait_end(&channel->vhost->channels, &channel->wait);
    map_free(&channel->consumer_map);
    channel->vhost->counters.publishers -= channel->route != NULL;
    publish_forget_route(&channel->route);
    roster_remove(&channel->vhost->channels.roster, channel->number);
    channel->peer->channels[channel->id] = NULL;
    free(channel);
}

bool channel_close(struct channel *channel, const struct event *closed)
{
    if (!channel_release(channel))
        return false;
    call_spend(&channel->vhost->store.call, WORK_DELETE);
    channel_announce(channel, false);
    promise_abandon(channel, !closed);
    channel->failed = channel->leaving = true;
    if (!closed) {
        channel_destroy(channel);
        return true;
    }
    promise_reply(channel, closed, channel_needed(channel));
    if (channel->promises.count)
        channel->closing = true;
    else
        channel_destroy(channel);
    return true;
}
