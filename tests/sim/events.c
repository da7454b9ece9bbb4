/* Compares the core's events with those that must come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void confirmed(struct sim_channel *channel, uint64_t upto, bool multiple, bool nack)
{
    if (upto <= channel->answered || upto > channel->published.count)
        sim_fail("confirm of %llu after %llu, of %u", (unsigned long long)upto,
                 (unsigned long long)channel->answered, channel->published.count);
    if (!multiple && upto != channel->answered + 1)
        sim_fail("confirm of %llu alone after %llu", (unsigned long long)upto,
                 (unsigned long long)channel->answered);
    while (channel->answered < upto)
        ledger_answered(channel->published.at[channel->answered++], nack);
}

static void failed(int p, unsigned c, const struct event *event)
{
    struct sim_channel *channel = &here->channels[p][c];
    bool timeout = strstr(event->u.reply.text, "timed out");
    if (!channel->may_fail && !timeout && !channel->failed && !channel->committing)
        sim_fail("%s fails: %s", who_of((unsigned)p, c), event->u.reply.text);
    sim_trail("%s failed: %.100s", who_of((unsigned)p, c), event->u.reply.text);
    channel->failed = true;
    channel->committed.count = 0;
    channel->unanswered = 0;
    release_all((unsigned)p, c, timeout ? END_TIME_OUT : END_FAIL);
}

static void replied(int p, unsigned c, const struct event *event)
{
    struct sim_channel *channel = &here->channels[p][c];
    enum command_type command = event->u.reply.command;
    if (event->u.reply.status == STATUS_OK && channel->open && !channel->failed &&
        command != COMMAND_CHANNEL_OPEN && command != COMMAND_CHANNEL_CLOSE) {
        if (channel->unanswered == 0)
            sim_fail("%s: a reply that nothing asked for", who_of((unsigned)p, c));
        channel->unanswered--;
    }
    if (event->u.reply.status) {
        failed(p, c, event);
        return;
    }
    if (event->u.reply.command == COMMAND_TX_COMMIT) {
        channel->committing = false;
        transaction_answered(channel->commit);
        for (unsigned i = 0; i < channel->committed.count; i++)
            ledger_answered(channel->committed.at[i], false);
        channel->committed.count = 0;
    }
    if (event->u.reply.command != COMMAND_GET)
        return;
    if (channel->gets == 0)
        sim_fail("%s: a get is answered twice", who_of((unsigned)p, c));
    channel->gets--;
}

static void delivered(int p, const struct event *event)
{
    if (event->u.deliver.consumer == REPLY_CONSUMER) {
        replies_delivered(p, event->channel, event);
        return;
    }
    unsigned q = event->u.deliver.consumer / 2, c = event->channel;
    const struct sim_queue *queue = &here->world.queues[q];
    const struct sim_channel *channel = &here->channels[p][c];
    if (!channel->consuming[q])
        sim_fail("%s: a delivery of %s, which it does not consume", who_of((unsigned)p, c),
                 queue->name);
    active_delivered((unsigned)p, c, q);
    here->owed[p] += delivery_bytes(event->u.deliver.message);
    ledger_delivered(p, c, q, event, event->u.deliver.message, event->u.deliver.tag,
                     event->u.deliver.redelivered, event->u.deliver.consumer % 2 == 0);
}

/* The consumer's queue is being deleted, or it has not acked in time. */
static void cancelled(unsigned p, unsigned c, unsigned q)
{
    if (!here->channels[p][c].consuming[q])
        return;
    consumer_over(p, c, q);
    if (here->world.queues[q].leaving)
        return;
    if (!here->world.time_outs_cancel)
        sim_fail("%s: its consumer of %s is cancelled", who_of(p, c), here->world.queues[q].name);
    timed_out(p, c, q);
}

void on_event(void *context, char letter, const struct event *event)
{
    int p = letter - 'A';
    if (context != here)
        sim_fail("an event of another vhost comes while %s works", here->name);
    if (p >= PEERS) {
        if (event->type == EVENT_REPLY && event->u.reply.status)
            sim_fail("an import fails: %s", event->u.reply.text);
        return;
    }
    unsigned c = event->channel;
    struct sim_channel *channel = &here->channels[p][c];
    switch (event->type) {
    case EVENT_REPLY:
        replied(p, c, event);
        if (event->u.reply.command == COMMAND_GET && event->got.message)
            ledger_delivered(p, c, (unsigned)here->got_queue, event, event->got.message,
                             event->got.tag, event->got.redelivered, false);
        break;
    case EVENT_PEEKED:
        look_seen(event->u.peeked.peeked);
        break;
    case EVENT_DELIVER:
        delivered(p, event);
        break;
    case EVENT_CONFIRM:
        confirmed(channel, event->u.confirm.upto, event->u.confirm.multiple, event->u.confirm.nack);
        break;
    case EVENT_CANCELLED:
        cancelled((unsigned)p, c, event->u.cancelled.consumer / 2);
        break;
    case EVENT_RETURN: {
        unsigned uid = message_number(event->u.returned.message);
        replies_returned(uid);
        if (!here->messages[uid].mandatory ||
            (here->messages[uid].targets && !here->messages[uid].loose))
            sim_fail("message %u came back", uid);
        if (here->messages[uid].returned)
            sim_fail("message %u came back twice", uid);
        here->messages[uid].returned = true;
        break;
    }
    default:
        break;
    }
}

/* Whether the command gets a reply, however it ends. */
static bool is_answered(const struct command *command)
{
    switch (command->type) {
    case COMMAND_CHANNEL_OPEN: /* the channel does not exist before or after */
    case COMMAND_CHANNEL_CLOSE:
    case COMMAND_CREDIT:
    case COMMAND_PUBLISH:
    case COMMAND_ACK:
    case COMMAND_NACK:
    case COMMAND_REJECT:
        return false;
    default:
        return !command->no_wait;
    }
}

void on_command(void *context, char letter, const struct command *command)
{
    int p = letter - 'A';
    (void)context;
    here->asking = p;
    here->asking_channel = command->channel;
    here->asked = command->type;
    if (p >= PEERS || !is_answered(command))
        return;
    struct sim_channel *channel = &here->channels[p][command->channel];
    if (channel->failed)
        return;
    channel->unanswered++;
    channel->last_asked = command->type;
}
