/* Clients take, settle and give back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Somebody consumes alone: others are refused. */
static void consume_beside(unsigned p, unsigned c, unsigned q)
{
    const struct sim_channel *channel = &sim.channels[p][c];
    if (channel->gets || channel->committing || chance(70))
        return;
    sim_trail("%s consume %s, which another one does alone", who_of(p, c),
              sim.world.queues[q].name);
    sync_all(); /* so that the refusal does not wait for other answers */
    sim.may_fail = true;
    do_consume(&sim.h, who_of(p, c), sim.world.queues[q].name, q * 2 + 1, "a", 0);
    sim.may_fail = false;
    if (!channel->failed)
        sim_fail("%s consumes beside an exclusive consumer", who_of(p, c));
}

void consume(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &sim.channels[p][c];
    struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists || (queue->exclusive && p != 0))
        return;
    if (channel->consuming[q]) {
        sim_trail("%s cancel %s", who_of(p, c), queue->name);
        consumer_over(p, c, q);
        do_cancel(&sim.h, who_of(p, c), q * 2);
        do_cancel(&sim.h, who_of(p, c), q * 2 + 1);
        return;
    }
    if (queue->exclusive_peer != NOBODY) {
        consume_beside(p, c, q);
        return;
    }
    bool acks = chance(85), alone = !queue->consumers && !queue->single && chance(10);
    sim_trail("%s consume %s%s%s", who_of(p, c), queue->name, acks ? "" : " no-ack",
              alone ? " exclusive" : "");
    if (alone) {
        queue->exclusive_peer = (int)p;
        queue->exclusive_channel = (int)c;
    }
    const char *flags = alone ? acks ? "ax" : "x" : acks ? "a" : "";
    channel->consuming[q] = true;
    queue->consumers++;
    do_consume(&sim.h, who_of(p, c), queue->name, q * 2 + acks, flags, (int)pick(3));
}

/* More may come before the call returns. */
void give_credit(unsigned p, unsigned c)
{
    uint32_t bytes = (uint32_t)sim.owed[p];
    sim.owed[p] = 0;
    do_credit(&sim.h, who_of(p, c), bytes);
}

bool gets_wait(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            if (sim.channels[p][c].gets)
                return true;
    return false;
}

void get(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &sim.channels[p][c];
    const struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists || (queue->exclusive && p != 0) || (queue->single && queue->keeps_all) ||
        gets_wait())
        return;
    sim_trail("%s get %s", who_of(p, c), queue->name);
    disk_works_again();
    sim.got_queue = (int)q;
    channel->gets++;
    sim.may_fail = true; /* it may go meanwhile */
    do_get(&sim.h, who_of(p, c), queue->name, "a");
    for (unsigned i = 0; channel->gets && i < 10; i++) {
        /* Lent already, or waiting for a page or for answers before it: until it is here, nothing
         * else. */
        harness_sync(&sim.h);
        pass(0);
    }
    sim.may_fail = false;
}

static void settle_as(unsigned p, unsigned c, unsigned at, int how, bool multiple)
{
    struct sim_channel *channel = &sim.channels[p][c];
    struct handles *handles = &channel->handles;
    uint64_t tag = handles->at[at].tag;
    sim_trail("%s %s %llu%s (message %u of %s)", who_of(p, c),
              how == END_ACK      ? "ack"
              : how == END_REJECT ? "reject"
                                  : "requeue",
              (unsigned long long)tag, multiple ? " multiple" : "", handles->at[at].uid,
              sim.world.queues[handles->at[at].queue].name);
    for (unsigned i = multiple ? 0 : at; i <= at; i++) {
        struct handle handle = handle_take(handles, multiple ? 0 : at);
        handle.how = (uint8_t)how;
        if (channel->tx)
            handle_add(&channel->tx_handles, &handle);
        else
            ledger_end(channel, &handle, how);
    }
    if (how == END_ACK)
        do_ack(&sim.h, who_of(p, c), tag, multiple);
    else
        do_nack(&sim.h, who_of(p, c), tag, multiple, how == END_REQUEUE);
}

void settle(unsigned p, unsigned c)
{
    const struct handles *handles = &sim.channels[p][c].handles;
    if (handles->count == 0)
        return;
    unsigned at = pick(handles->count < 20 ? handles->count : 20), dice = pick(10);
    settle_as(p, c, at, dice < 5 ? END_ACK : dice < 7 ? END_REJECT : END_REQUEUE, chance(30));
}

static void commit(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    sim_trail("%s commit", who_of(p, c));
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (sim.world.queues[q].may_refuse) { /* a failure is to be told at once */
            harness_sync(&sim.h);
            break;
        }
    for (unsigned i = 0; i < channel->published.count; i++) {
        struct sim_message *message = &sim.messages[channel->published.at[i]];
        ledger_published(channel->published.at[i]);
        uid_add(&channel->committed, channel->published.at[i]);
        if (message->loose) /* what it would be at once is of no use */
            message->expires_ms = 0;
    }
    channel->published.count = 0;
    channel->committing = true;
    while (channel->tx_handles.count) {
        struct handle handle = handle_take(&channel->tx_handles, 0);
        ledger_end(channel, &handle, handle.how);
    }
    do_plain(&sim.h, who_of(p, c), COMMAND_TX_COMMIT);
}

void tx_end(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    if (chance(30)) {
        sim_trail("%s rollback", who_of(p, c));
        for (unsigned i = 0; i < channel->published.count; i++)
            sim.messages[channel->published.at[i]].targets = 0;
        channel->published.count = 0;
        while (channel->tx_handles.count) {
            struct handle handle = handle_take(&channel->tx_handles, 0);
            handle_add(&channel->handles, &handle);
        }
        do_plain(&sim.h, who_of(p, c), COMMAND_TX_ROLLBACK);
        return;
    }
    bool alone = chance(30); /* nothing else is to be written */
    if (alone)
        sync_all();
    if (alone && !channel->tx_handles.count && !channel->published.count && channel->handles.count)
        settle_as(p, c, pick(channel->handles.count), END_REJECT, false);
    commit(p, c);
    if (alone) {
        sync_all();
        check_quiet();
    }
}

void recover(unsigned p, unsigned c)
{
    struct sim_channel *channel = &sim.channels[p][c];
    sim_trail("%s recover", who_of(p, c));
    while (channel->handles.count) {
        struct handle handle = handle_take(&channel->handles, 0);
        ledger_end(channel, &handle, END_REQUEUE);
    }
    do_plain(&sim.h, who_of(p, c), COMMAND_RECOVER);
}
