/* The steps: in each a client, time or the machine does one thing; and the end of a world. The
 * ledger is told of a command before the core is, because its events may come before the call
 * returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void empty_queue(unsigned q)
{
    struct sim_queue *queue = &here->world.queues[q];
    uint64_t portions = here->h.portions;
    if (!queue->exists || queue->leaving || !may_act(0))
        return;
    if (chance(50)) {
        sim_trail("purge %s", queue->name);
        here->channels[0][1].may_fail = queue->fleeting; /* between two portions */
        do_purge(&here->h, "A1", queue->name);
        here->channels[0][1].may_fail = false;
        ledger_queue_emptied(q, false, !here->under_way && here->h.portions == portions);
        return;
    }
    if (q == 0 || gets_wait())
        return;
    sim_trail("delete %s", queue->name);
    queue->leaving = true;
    do_delete(&here->h, "A1", queue->name, "");
    world_queue_gone(q);
    world_declare();
}

static void bad_tag(unsigned p, unsigned c)
{
    sim_trail("%s acks what it has not got", who_of(p, c));
    here->channels[p][c].may_fail = true;
    release_all(p, c, END_FAIL); /* the answer may come later */
    do_ack(&here->h, who_of(p, c), 99999999, false);
    close_channel(p, c);
    open_all();
}

static void rare(unsigned dice)
{
    if (!may_act(0) || !may_act(1) || !may_act(PEERS))
        return;
    if (here->world.unbinds && chance(70)) {
        if (dice == 1)
            delete_exchange();
        for (unsigned i = pick(8); i; i--)
            unbind_some();
    } else if (here->world.disk_fails && chance(80)) {
        disk_begins_to_fail();
    } else if (chance(40)) {
        exchange_late(!here->world.late);
    } else if (chance(50)) {
        world_import();
    }
}

static void time_passes(void)
{
    uint64_t ms = chance(80) ? pick(50) : pick(2000);
    if (here->under_way &&
        here->world.time_outs) /* the peer whose time is up has an unfinished command */
        return;
    sim_trail("%llu ms go by", (unsigned long long)ms);
    pass(ms);
}

/* A channel's end is answered once everything before it is on disk, which does not happen while a
 * batch is held. */
static void end_something(unsigned what, unsigned p, unsigned c)
{
    if (what < 8) {
        if (p + c > 1 && !holds_batch()) {
            close_channel(p, c);
            open_all();
        }
    } else if (what < 12) {
        detach(p);
    } else if (!holds_batch()) {
        bad_tag(p, c);
    }
}

static void act(void)
{
    unsigned p = pick(PEERS), c = 1 + pick(CHANNELS), q = pick(here->world.queue_count);
    struct sim_channel *channel = &here->channels[p][c];
    unsigned what = pick(1000);
    if (!may_act(p) || !channel->open || channel->failed)
        return;
    if (channel->tx && chance(10) && !channel->gets) {
        if (!channel->committing)
            tx_end(p, c);
    } else if (here->world.replies && chance(8)) {
        replies(p, c);
    } else if (what < 330) {
        publish(p, c);
    } else if (what < (here->world.heavy ? 380 : 350)) {
        for (unsigned i = pick(60); i; i--)
            publish(p, c);
    } else if (what < 620) {
        settle(p, c);
    } else if (what < 655) {
        get(p, c, q);
    } else if (what < 660) {
        look_at(p, c, q);
    } else if (what < 730) {
        consume(p, c, q);
    } else if (what < 780) {
        give_credit(p, c);
    } else if (what < 850) {
        harness_turn(&here->h);
    } else if (what < 890) {
        harness_disk(&here->h);
        if (here->world.heavy && chance(30))
            disk_begins_to_fail();
    } else if (what < 900) {
        if (sim.disk_failing && chance(80))
            return;
        sim_trail("sync");
        sync_all();
        check_quiet();
    } else if (what < 940) {
        time_passes();
    } else if (what < 950) {
        recover(p, c);
    } else if (what < 965) {
        end_something(what - 950, p, c);
    } else if (what < 972) {
        empty_queue(q);
    } else if (what < 980) {
        if (here->world.policy_count && may_act(0))
            policy_toggle(pick(here->world.policy_count));
    } else if (what < 988) {
        do_qos(&here->h, who_of(p, c), (uint16_t)pick(20), chance(30));
    } else if (what < 990) {
        rare(c);
    } else if (pick(30) < here->world.crashes && !sim.depth) {
        crash();
    }
}

void step(void)
{
    sim.steps++;
    if (!here->there) {
        if (chance(5))
            vhost_make();
        return;
    }
    if (!here->under_way && pick(sim.vhost_count > 1 ? 400 : 10000) == 0)
        vhost_delete();
    else
        act();
    if (!here->there || here->h.halted)
        return;
    world_look();
    bool failed = false;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++)
            failed |= here->channels[p][c].failed;
    if (failed)
        open_all();
    if (!here->world.queues[here->world.queue_count - 1].exists || chance(3))
        world_declare();
}

void run_out(void)
{
    if (sim.crash_due)
        crash();
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        if (here->to_be_deleted && !here->under_way)
            vhost_delete();
    }
}

/* ---- The end of a world: everybody goes, time goes by, and all that is left is taken out. */

static bool drain_round(bool time)
{
    struct vhost_totals totals;
    world_look();
    world_declare();
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if (!here->channels[0][1].consuming[q]) {
            here->channels[0][1].consuming[q] = true;
            here->world.queues[q].consumers++;
            do_consume(&here->h, "A1", here->world.queues[q].name, q * 2, "", 0);
        }
    sync_all();
    give_credit(0, 1);
    if (time)
        pass(1000);
    vhost_totals(here->h.vhost, &totals);
    return totals.messages_ready + totals.messages_unacknowledged != 0;
}

void drain(void)
{
    sim_trail("drain");
    for (unsigned p = 0; p < PEERS; p++)
        detach(p);
    for (unsigned p = 0; p < here->world.policy_count; p++)
        if (here->world.policies[p].set)
            policy_toggle(p);
    world_declare();
    exchange_late(true);
    sync_all();
    for (int i = 0; i < 8; i++) {
        pass(i < 4 ? 2000 : 60000);
        sync_all();
    }
    /* All queues at once: a message of one may wait for room in another. */
    for (int i = 0; drain_round(i % 8 == 7); i++)
        if (i == 2000) {
            struct queue_info info[QUEUES_MAX];
            uint64_t after = 0;
            size_t count = vhost_list_queues(here->h.vhost, &after, info, QUEUES_MAX);
            for (size_t q = 0; q < count; q++)
                sim_trail("%.*s has %llu ready, %llu unsettled, %llu dead",
                          BYTES_PRINT(info[q].name), (unsigned long long)info[q].messages_ready,
                          (unsigned long long)info[q].messages_unacknowledged,
                          (unsigned long long)info[q].messages_dlx);
            sim_fail("queues cannot be emptied");
        }
}
