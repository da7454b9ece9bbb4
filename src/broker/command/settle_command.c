/* Part of settle (settle.h) and of command (command.h): ack, nack, reject and recover.
 *
 * Normal course: the tag leads to the delivery's entry (channel/unsettled.h), which queue_settle,
 * queue_requeue or queue_reject ends; then the consumers that the channel's prefetch limit had
 * stopped are woken. What can go wrong: an unknown tag fails the channel; a queue that has been
 * deleted drops the message. */
#include "broker/command/settle.h"

#include <inttypes.h>

#include "broker/command/command.h"
#include "broker/command/tx.h"

/* The consumer and the channel's prefetch limit count the delivery no more. */
static void let_go(struct channel *channel, const struct unsettled_entry *entry)
{
    if (!entry->consumer)
        return;
    channel->unsettled_consumers--;
    consumer_settled(entry->consumer);
}

void settle_entry(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_settle(entry->lane, entry->seq);
    let_go(channel, entry);
}

void settle_requeue(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_requeue(entry->lane, entry->seq, RETURN_HANDED_BACK);
    let_go(channel, entry);
}

void settle_fail(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_requeue(entry->lane, entry->seq, RETURN_FAILURE);
    let_go(channel, entry);
}

void settle_reject(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_reject(entry->lane, entry->seq);
    let_go(channel, entry);
}

void settle_wake(struct channel *channel)
{
    wait_over(&channel->vhost->channels, &channel->wait);
}

/* Counts and ends one delivery: now, or when the channel's transaction is committed. */
static void end_one(struct channel *channel, const struct unsettled_entry *entry, settlement *how)
{
    if (how == settle_entry)
        QUEUE_COUNT(channel, entry->lane->queue, ack);
    else
        QUEUE_COUNT(channel, entry->lane->queue, reject);
    if (channel->tx)
        tx_settle(channel, entry, how);
    else
        how(channel, entry);
}

/* Deliveries that one ack may end without counting as work; an ack of more counts all of them. */
#define SETTLED_FREE 64u

/* Ends the deliveries up to a tag, or a portion of them; the command goes on if there are more. */
static void end_upto(struct channel *channel, uint64_t tag, settlement *how)
{
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    struct unsettled_entry entry;
    uint64_t left = call_left(&vhost->store.call, WORK_SETTLE), count = 0;
    if (!progress->under_way)
        progress->upto = tag;
    while (count < left && unsettled_take_first(&channel->unsettled, progress->upto, &entry)) {
        end_one(channel, &entry, how);
        count++;
    }
    if (count > SETTLED_FREE)
        call_spend(&vhost->store.call, count * WORK_SETTLE);
    bool more = count == left && unsettled_first(&channel->unsettled) <= progress->upto;
    if (more)
        channel_goes_on(channel);
    if (progress->under_way && how == settle_requeue)
        (void)queues_hold(&channel->vhost->queues, channel, more);
}

static void end_deliveries(struct channel *channel, const struct command *command, settlement *how)
{
    uint64_t tag = command->u.ack.tag;
    struct unsettled_entry entry;
    bool all = tag == 0 && command->u.ack.multiple;
    if (!all && !channel->progress.under_way && !unsettled_has(&channel->unsettled, tag) &&
        !overdue_take(&channel->overdue, tag)) {
        channel_refuse(channel, command->type, STATUS_PRECONDITION_FAILED,
                       "unknown delivery tag %" PRIu64, tag);
        return;
    }
    if (channel->tx && !tx_admits(channel, command->type, sizeof entry))
        return;
    if (command->u.ack.multiple) {
        if (channel->overdue.count)
            overdue_take_upto(&channel->overdue, all ? channel->delivery_tag : tag);
        end_upto(channel, all ? channel->delivery_tag : tag, how);
    } else if (unsettled_take(&channel->unsettled, tag, &entry)) {
        end_one(channel, &entry, how);
    }
    settle_wake(channel);
}

void command_ack(struct channel *channel, const struct command *command)
{
    end_deliveries(channel, command, settle_entry);
}

void command_nack(struct channel *channel, const struct command *command)
{
    settlement *requeue = command->type == COMMAND_REJECT ? settle_fail : settle_requeue;
    end_deliveries(channel, command, command->u.ack.requeue ? requeue : settle_reject);
}

void command_recover(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    struct unsettled_entry entry;
    uint64_t left = call_left(&vhost->store.call, WORK_SETTLE), count = 0;
    if (!progress->under_way) /* deliveries made after the first call are not given back */
        progress->upto = channel->delivery_tag;
    while (count < left && unsettled_take_first(&channel->unsettled, progress->upto, &entry)) {
        settle_requeue(channel, &entry);
        count++;
    }
    call_spend(&vhost->store.call, count * WORK_SETTLE);
    settle_wake(channel);
    if (!queues_hold(&channel->vhost->queues, channel,
                     unsettled_first(&channel->unsettled) <= progress->upto))
        channel_goes_on(channel);
    else
        channel_reply(channel, command);
}
