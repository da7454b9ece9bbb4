/* Opens and closes channels and connections, and lets them fail and vanish. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

const char *who_of(unsigned p, unsigned c)
{
    static char names[4][8];
    static unsigned at;
    char *name = names[at++ % 4];
    snprintf(name, sizeof names[0], "%c%u", (char)('A' + p), c);
    return name;
}

/* ---- Ends. */

void consumer_over(unsigned p, unsigned c, unsigned q)
{
    struct sim_queue *queue = &here->world.queues[q];
    if (!here->channels[p][c].consuming[q])
        return;
    here->channels[p][c].consuming[q] = false;
    queue->consumers--;
    if (queue->active_peer == (int)p && queue->active_channel == (int)c)
        queue->active_peer = NOBODY;
    if (queue->exclusive_peer == (int)p && queue->exclusive_channel == (int)c)
        queue->exclusive_peer = NOBODY;
}

void timed_out(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &here->channels[p][c];
    sim_trail("%s: its consumer of %s is timed out", who_of(p, c), here->world.queues[q].name);
    sim.timed_out++;
    for (unsigned i = channel->handles.count; i-- > 0;) {
        if (channel->handles.at[i].consumer != channel->consumer[q])
            continue;
        struct handle handle = handle_take(&channel->handles, i);
        channel->late = handle.tag;
        ledger_end(channel, &handle, END_REQUEUE);
    }
}

void release_all(unsigned p, unsigned c, int how)
{
    struct sim_channel *channel = &here->channels[p][c];
    while (channel->tx_handles.count) {
        struct handle handle = handle_take(&channel->tx_handles, 0);
        handle_add(&channel->handles, &handle);
    }
    while (channel->handles.count) {
        struct handle handle = handle_take(&channel->handles, channel->handles.count - 1);
        ledger_end(channel, &handle, how);
    }
    for (unsigned q = 0; q < here->world.queue_count; q++)
        consumer_over(p, c, q);
    for (unsigned i = 0; channel->tx && i < channel->published.count; i++)
        here->messages[channel->published.at[i]].targets = 0;
    channel->published.count = channel->tx ? 0 : channel->published.count;
    channel->gets = 0;
    replies_over(channel);
}

void forget_channel(struct sim_channel *channel)
{
    replies_over(channel);
    channel->handles.count = channel->tx_handles.count = 0;
    channel->published.count = channel->committed.count = 0;
    channel->open = channel->confirm = channel->tx = channel->failed = channel->committing = false;
    channel->may_fail = false;
    memset(channel->consuming, 0, sizeof channel->consuming);
    channel->gets = channel->unanswered = 0;
    channel->late = 0;
    channel->answered = 0;
}

void close_channel(unsigned p, unsigned c)
{
    sim_trail("%s close", who_of(p, c));
    release_all(p, c, END_FAIL);
    here->channels[p][c].may_fail = true;
    do_close(&here->h, who_of(p, c));
    sync_all();
    forget_channel(&here->channels[p][c]);
}

void open_all(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct sim_channel *channel = &here->channels[p][c];
            if (!may_act(p))
                continue;
            if (channel->open && channel->failed && !holds_batch())
                close_channel(p, c);
            if (channel->open)
                continue;
            do_open(&here->h, who_of(p, c));
            channel->open = true;
            /* What is acked in a transaction does not come back with its consumer. */
            channel->tx = p + c > 1 && !here->world.time_outs_cancel && chance(20);
            channel->confirm = !channel->tx && chance(80);
            if (channel->tx || channel->confirm)
                do_plain(&here->h, who_of(p, c),
                         channel->tx ? COMMAND_TX_SELECT : COMMAND_CONFIRM_SELECT);
            if (p + c > 1 && chance(70))
                do_qos(&here->h, who_of(p, c), (uint16_t)pick(15), chance(30));
        }
}

void leave(unsigned p)
{
    sim_trail("%c vanishes", (char)('A' + p));
    for (unsigned c = 1; c <= CHANNELS; c++)
        release_all(p, c, END_FAIL);
    here->asking = (int)p;
    here->asked = COMMAND_CHANNEL_CLOSE;
    harness_detach(&here->h, (char)('A' + p));
    here->owed[p] = 0;
    for (unsigned c = 1; c <= CHANNELS; c++)
        forget_channel(&here->channels[p][c]);
}

void detach(unsigned p)
{
    leave(p);
    world_look();
    open_all();
}
