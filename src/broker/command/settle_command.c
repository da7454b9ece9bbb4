/* Ack, nack, reject, recover: the ends of deliveries.
 *
 * Normal course: tag → entry (unsettled.c) → queue_settle, queue_requeue or
 * queue_reject; then whoever waited for
 * credit is woken. What can go wrong: a tag that is not there fails the channel; a queue that has
 * been deleted takes no notice. */
#include "broker/vhost_state.h"

#include <inttypes.h>

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

void requeue_entry(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_requeue(entry->lane, entry->seq, RETURN_HANDED_BACK);
    let_go(channel, entry);
}

void fail_entry(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_requeue(entry->lane, entry->seq, RETURN_FAILURE);
    let_go(channel, entry);
}

void channel_settled(struct channel *channel)
{
    consumer_wait_over(channel->vhost, &channel->wait);
}

void reject_entry(struct channel *channel, const struct unsettled_entry *entry)
{
    queue_reject(entry->lane, entry->seq);
    let_go(channel, entry);
}

static void end_one(struct channel *channel, const struct unsettled_entry *entry, settlement *how)
{
    if (how == settle_entry)
        COUNT(channel, entry->lane->queue, ack);
    else
        COUNT(channel, entry->lane->queue, reject);
    if (channel->tx)
        tx_settle(channel, entry, how);
    else
        how(channel, entry);
}

/* From how many deliveries on an ack of many at once counts as work. */
#define SETTLED_FREE 64u

/* Ends the deliveries up to a tag, or a portion of them. */
static void end_upto(struct channel *channel, uint64_t tag, settlement *how)
{
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    struct unsettled_entry entry;
    uint64_t left = vhost_left(vhost, WORK_SETTLE), count = 0;
    if (!progress->under_way)
        progress->upto = tag;
    while (count < left && unsettled_take_first(&channel->unsettled, progress->upto, &entry)) {
        end_one(channel, &entry, how);
        count++;
    }
    if (count > SETTLED_FREE)
        vhost_spend(vhost, count * WORK_SETTLE);
    bool more = count == left && unsettled_first(&channel->unsettled) <= progress->upto;
    if (more)
        channel_goes_on(channel);
    if (progress->under_way && how == requeue_entry)
        (void)queues_hold(channel, more);
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
    channel_settled(channel);
}

void command_ack(struct channel *channel, const struct command *command)
{
    end_deliveries(channel, command, settle_entry);
}

void command_nack(struct channel *channel, const struct command *command)
{
    settlement *requeue = command->type == COMMAND_REJECT ? fail_entry : requeue_entry;
    end_deliveries(channel, command, command->u.ack.requeue ? requeue : reject_entry);
}

void command_recover(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    struct progress *progress = &channel->progress;
    struct unsettled_entry entry;
    uint64_t left = vhost_left(vhost, WORK_SETTLE), count = 0;
    if (!progress->under_way) /* not what is delivered again meanwhile */
        progress->upto = channel->delivery_tag;
    while (count < left && unsettled_take_first(&channel->unsettled, progress->upto, &entry)) {
        requeue_entry(channel, &entry);
        count++;
    }
    vhost_spend(vhost, count * WORK_SETTLE);
    channel_settled(channel);
    if (!queues_hold(channel, unsettled_first(&channel->unsettled) <= progress->upto))
        channel_goes_on(channel);
    else
        channel_reply(channel, command);
}
