/* Clients consume, get, settle and return messages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* There is an exclusive consumer, so others are refused. */
static void consume_beside(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &here->channels[p][c];
    if (channel->gets || channel->committing || holds_batch() || chance(70))
        return;
    sim_trail("%s consume %s, which another one does alone", who_of(p, c),
              here->world.queues[q].name);
    sync_all(); /* so that the refusal does not wait for other answers */
    channel->may_fail = true;
    do_consume(&here->h, who_of(p, c), here->world.queues[q].name, q * 2 + 1, "a", 0);
    channel->may_fail = false;
    if (!channel->failed && !here->h.halted)
        sim_fail("%s consumes beside an exclusive consumer", who_of(p, c));
}

void consume(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &here->channels[p][c];
    struct sim_queue *queue = &here->world.queues[q];
    if (!queue->exists || queue->leaving || (queue->exclusive && p != 0))
        return;
    if (channel->consuming[q]) {
        sim_trail("%s cancel %s", who_of(p, c), queue->name);
        consumer_over(p, c, q);
        do_cancel(&here->h, who_of(p, c), q * 2);
        do_cancel(&here->h, who_of(p, c), q * 2 + 1);
        return;
    }
    if (queue->exclusive_peer != NOBODY) {
        consume_beside(p, c, q);
        return;
    }
    if (here->under_way) { /* so that a refusal does not wait for other answers */
        if (channel->gets || channel->committing || holds_batch())
            return;
        sync_all();
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
    channel->consumer[q] = ++here->consumers;
    channel->priority[q] = (int)pick(3);
    active_comes(p, c, q);
    queue->consumers++;
    /* The end of the exclusive consumer may not be done yet. */
    channel->may_fail = here->under_way != 0;
    do_consume(&here->h, who_of(p, c), queue->name, q * 2 + acks, flags, channel->priority[q]);
    channel->may_fail = false;
}

/* More may come before the call returns. */
void give_credit(unsigned p, unsigned c)
{
    uint32_t bytes = (uint32_t)here->owed[p];
    here->owed[p] = 0;
    do_credit(&here->h, who_of(p, c), bytes);
}

bool gets_wait(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            if (here->channels[p][c].gets)
                return true;
    return false;
}

void get(unsigned p, unsigned c, unsigned q)
{
    struct sim_channel *channel = &here->channels[p][c];
    const struct sim_queue *queue = &here->world.queues[q];
    if (!queue->exists || (queue->exclusive && p != 0) || (queue->single && queue->keeps_all) ||
        gets_wait() || here->under_way || (sim.disk_failing && chance(90)))
        return;
    sim_trail("%s get %s", who_of(p, c), queue->name);
    disk_works_again();
    here->got_queue = (int)q;
    channel->gets++;
    channel->may_fail = true; /* the queue may be deleted meanwhile */
    do_get(&here->h, who_of(p, c), queue->name, "a");
    for (unsigned i = 0; channel->gets && i < 10; i++) {
        /* An earlier get has its message, or waits for a page or for answers before it: nothing
         * else is done until it is answered. */
        harness_sync(&here->h);
        pass(0);
    }
    channel->may_fail = false;
}

static void settle_as(unsigned p, unsigned c, unsigned at, int how, bool multiple)
{
    struct sim_channel *channel = &here->channels[p][c];
    struct handles *handles = &channel->handles;
    uint64_t tag = handles->at[at].tag;
    sim_trail("%s %s %llu%s (message %u of %s)", who_of(p, c),
              how == END_ACK      ? "ack"
              : how == END_REJECT ? "reject"
              : how == END_FAIL   ? "fail"
                                  : "requeue",
              (unsigned long long)tag, multiple ? " multiple" : "", handles->at[at].uid,
              here->world.queues[handles->at[at].queue].name);
    if (multiple && channel->late <= tag) /* it settles that, too */
        channel->late = 0;
    for (unsigned i = multiple ? 0 : at; i <= at; i++) {
        struct handle handle = handle_take(handles, multiple ? 0 : at);
        handle.how = (uint8_t)how;
        if (channel->tx)
            handle_add(&channel->tx_handles, &handle);
        else
            ledger_end(channel, &handle, how);
    }
    if (how == END_ACK)
        do_ack(&here->h, who_of(p, c), tag, multiple);
    else if (how == END_FAIL || (how == END_REJECT && !multiple && chance(50)))
        do_reject(&here->h, who_of(p, c), tag, how == END_FAIL);
    else
        do_nack(&here->h, who_of(p, c), tag, multiple, how == END_REQUEUE);
}

/* The client does not know of the time-out yet; this happens once for each delivery. */
static void settle_late(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    uint64_t tag = channel->late;
    sim_trail("%s settles %llu, too late", who_of(p, c), (unsigned long long)tag);
    channel->late = 0;
    if (chance(50))
        do_ack(&here->h, who_of(p, c), tag, false);
    else
        do_nack(&here->h, who_of(p, c), tag, false, chance(50));
}

void settle(unsigned p, unsigned c)
{
    const struct handles *handles = &here->channels[p][c].handles;
    if (here->channels[p][c].late && chance(30)) {
        settle_late(p, c);
        return;
    }
    if (handles->count == 0)
        return;
    unsigned at = pick(handles->count < 20 ? handles->count : 20), dice = pick(10);
    int how = dice < 5 ? END_ACK : dice < 7 ? END_REJECT : dice < 9 ? END_REQUEUE : END_FAIL;
    settle_as(p, c, at, how, how != END_FAIL && chance(30));
}

/* Whether a publish may be refused, and with it its transaction. */
static bool may_refuse(void)
{
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if (here->world.queues[q].may_refuse)
            return true;
    return false;
}

static void commit(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    sim_trail("%s commit", who_of(p, c));
    if (may_refuse()) /* the refusal must not wait for other answers */
        harness_sync(&here->h);
    channel->commit = transaction_new();
    for (unsigned i = 0; i < channel->published.count; i++) {
        struct sim_message *message = &here->messages[channel->published.at[i]];
        message->tx = channel->commit;
        ledger_published(channel->published.at[i]);
        uid_add(&channel->committed, channel->published.at[i]);
        if (message->loose) /* the answer would have to come at once */
            message->expires_ms = 0;
    }
    unsigned from = channel->committed.count - channel->published.count;
    channel->published.count = 0;
    channel->committing = true;
    while (channel->tx_handles.count) {
        struct handle handle = handle_take(&channel->tx_handles, 0);
        ledger_end(channel, &handle, handle.how);
        transaction_acks(channel->commit, &handle);
    }
    do_plain(&here->h, who_of(p, c), COMMAND_TX_COMMIT);
    for (unsigned i = from; i < channel->committed.count; i++)
        replies_check(channel->committed.at[i]);
}

void tx_end(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    if (holds_batch()) /* this commit would wait for the other one */
        return;
    if (chance(30)) {
        sim_trail("%s rollback", who_of(p, c));
        for (unsigned i = 0; i < channel->published.count; i++)
            here->messages[channel->published.at[i]].targets = 0;
        channel->published.count = 0;
        while (channel->tx_handles.count) {
            struct handle handle = handle_take(&channel->tx_handles, 0);
            handle_add(&channel->handles, &handle);
        }
        do_plain(&here->h, who_of(p, c), COMMAND_TX_ROLLBACK);
        return;
    }
    /* A refusal comes after earlier answers, which may wait for the disk. */
    if (sim.disk_failing && may_refuse()) {
        if (here->under_way)
            return;
        sync_all();
    }
    bool alone = !here->under_way && chance(30); /* nothing else must be written */
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
    struct sim_channel *channel = &here->channels[p][c];
    sim_trail("%s recover", who_of(p, c));
    while (channel->handles.count) {
        struct handle handle = handle_take(&channel->handles, 0);
        ledger_end(channel, &handle, END_REQUEUE);
    }
    do_plain(&here->h, who_of(p, c), COMMAND_RECOVER);
}
