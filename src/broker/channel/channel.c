/* Channels: see channel.h. */
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

#include <stdarg.h>
#include <stdio.h>

struct channel *channel_new(struct peer *peer, uint16_t id)
{
    struct channel *channel = mem_need(sizeof *channel);
    channel->peer = peer;
    channel->vhost = peer->vhost;
    channel->id = id;
    TAILQ_INIT(&channel->consumers);
    consumer_wait_init(&channel->wait);
    TAILQ_INIT(&channel->gets);
    TAILQ_INIT(&channel->holds);
    channel->number = roster_add(&peer->vhost->channel_roster, channel);
    return channel;
}

void channel_destroy(struct channel *channel)
{
    struct unsettled_entry entry;
    channel->closing = false;
    reply_to_close(channel); /* of a vhost that goes with its channels open */
    if (channel->releasing)
        TAILQ_REMOVE(&channel->vhost->releasing, channel, release_link);
    spread_free(channel);
    promise_abandon(channel, true);
    channel_drop_gets(channel);
    tx_free(channel); /* what was settled in it names consumers and queues, too */
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
    consumer_wait_end(channel->vhost, &channel->wait);
    map_free(&channel->consumer_map);
    channel->vhost->counters.publishers -= channel->route != NULL;
    route_memory_free(&channel->route);
    roster_remove(&channel->vhost->channel_roster, channel->number);
    channel->peer->channels[channel->id] = NULL;
    free(channel);
}

static bool release_consumers(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&channel->consumers)) && vhost_left(vhost, WORK_CONSUMER)) {
        struct queue *queue = consumer->queue;
        consumer_end(consumer);
        queue_consumer_left(queue);
        vhost_spend(vhost, WORK_CONSUMER);
    }
    return !consumer;
}

void channel_leave(struct channel *channel)
{
    channel->leaving = true;
    channel_drop_gets(channel);
    policy_forget_waits(channel);
    reply_to_close(channel);
}

bool channel_give_back(struct channel *channel)
{
    struct vhost *vhost = channel->vhost;
    struct unsettled_entry entry;
    channel_leave(channel);
    spread_free(channel);
    tx_free(channel);
    uint64_t left = vhost_left(vhost, WORK_SETTLE), count = 0;
    for (; count < left && unsettled_take_first(&channel->unsettled, UINT64_MAX, &entry); count++) {
        (timeout_took(channel, &entry) ? requeue_entry : fail_entry)(channel, &entry);
    }
    vhost_spend(vhost, count * WORK_SETTLE);
    return channel->unsettled.live == 0;
}

bool channel_release(struct channel *channel)
{
    /* Deliveries first: who comes after its consumers is to find them in their places. */
    return queues_hold(channel, !channel_give_back(channel)) && release_consumers(channel);
}

bool channel_close(struct channel *channel, const struct event *closed)
{
    if (!channel_release(channel))
        return false;
    vhost_spend(channel->vhost, WORK_DELETE);
    event_channel(channel, false);
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

uint64_t channel_needed(const struct channel *channel)
{
    uint64_t needed = vhost_needed(channel->vhost);
    return needed > channel->progress.needed ? needed : channel->progress.needed;
}

void channel_goes_on(struct channel *channel)
{
    channel->progress.needed = channel_needed(channel);
    channel->progress.under_way = true;
    channel->vhost->applied.unfinished = true;
}

/* ---- Answers. */

struct event channel_event(const struct channel *channel, enum event_type type)
{
    return (struct event){.type = type, .channel = channel->id};
}

void channel_emit(struct channel *channel, const struct event *event)
{
    struct vhost *vhost = channel->vhost;
    vhost->options.event(vhost->options.context, channel->peer->owner, event);
}

void channel_reply_event(struct channel *channel, const struct command *command,
                         struct event *reply, uint64_t needed)
{
    reply->u.reply.command = command->type;
    reply->u.reply.no_wait = command->no_wait;
    if (!command->no_wait)
        promise_reply(channel, reply, needed);
}

void channel_reply(struct channel *channel, const struct command *command)
{
    struct event reply = channel_event(channel, EVENT_REPLY);
    channel_reply_event(channel, command, &reply, channel_needed(channel));
}

void channel_refuse(struct channel *channel, enum command_type command, enum status status,
                    const char *format, ...)
{
    char text[REFUSAL_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.command = command;
    reply.u.reply.status = status;
    reply.u.reply.text = text;
    promise_abandon(channel, false);
    channel->failed = channel->leaving = true;
    promise_reply(channel, &reply, 0);
}

/* ---- Commands on the channel itself. */

void channel_qos(struct channel *channel, const struct command *command)
{
    uint16_t count = command->u.qos.prefetch_count;
    if (command->u.qos.global) {
        channel->prefetch_all = count;
        consumer_wait_over(channel->vhost, &channel->wait);
    } else {
        channel->prefetch = count;
    }
    channel_reply(channel, command);
}

void channel_confirm_select(struct channel *channel, const struct command *command)
{
    if (channel->tx) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "cannot switch from tx to confirm mode");
        return;
    }
    channel->confirm = true;
    channel_reply(channel, command);
}
