/* One thing a step, of clients, time or the machine; and a world's end. The ledger hears of a
 * command before the core does, since what comes of it may come before the call returns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void empty_queue(unsigned q)
{
    struct sim_queue *queue = &sim.world.queues[q];
    if (!queue->exists)
        return;
    if (chance(50)) {
        sim_trail("purge %s", queue->name);
        ledger_queue_emptied(q, false);
        do_purge(&sim.h, "A1", queue->name);
        return;
    }
    if (q == 0 || gets_wait())
        return;
    sim_trail("delete %s", queue->name);
    world_queue_gone(q);
    do_delete(&sim.h, "A1", queue->name, "");
    world_declare();
}

static void bad_tag(unsigned p, unsigned c)
{
    sim_trail("%s acks what it has not got", who_of(p, c));
    sim.may_fail = true;
    release_all(p, c); /* the answer may come later */
    do_ack(&sim.h, who_of(p, c), 99999999, false);
    close_channel(p, c);
    open_all();
}

static void rare(unsigned dice)
{
    if (sim.world.unbinds && chance(70)) {
        if (dice == 1)
            delete_exchange();
        for (unsigned i = pick(8); i; i--)
            unbind_some();
    } else if (sim.world.disk_fails && chance(80)) {
        disk_begins_to_fail();
    } else if (chance(40)) {
        exchange_late(!sim.world.late);
    } else if (chance(50)) {
        world_import();
    } else if (chance(5)) {
        vhost_anew();
    }
}

void step(void)
{
    unsigned p = pick(PEERS), c = 1 + pick(CHANNELS), q = pick(sim.world.queue_count);
    struct sim_channel *channel = &sim.channels[p][c];
    unsigned what = pick(1000);
    sim.steps++;
    if (channel->tx && chance(10) && !channel->gets) {
        if (!channel->committing)
            tx_end(p, c);
    } else if (what < 330) {
        publish(p, c);
    } else if (what < 350) {
        for (unsigned i = pick(60); i; i--)
            publish(p, c);
    } else if (what < 620) {
        settle(p, c);
    } else if (what < 660) {
        get(p, c, q);
    } else if (what < 730) {
        consume(p, c, q);
    } else if (what < 780) {
        give_credit(p, c);
    } else if (what < 850) {
        harness_turn(&sim.h);
    } else if (what < 890) {
        harness_disk(&sim.h);
    } else if (what < 900) {
        sim_trail("sync");
        sync_all();
        check_quiet();
    } else if (what < 940) {
        uint64_t ms = chance(80) ? pick(50) : pick(2000);
        sim_trail("%llu ms go by", (unsigned long long)ms);
        pass(ms);
    } else if (what < 950) {
        recover(p, c);
    } else if (what < 958) {
        if (p + c > 1) {
            close_channel(p, c);
            open_all();
        }
    } else if (what < 962) {
        detach(p);
    } else if (what < 965) {
        bad_tag(p, c);
    } else if (what < 972) {
        empty_queue(q);
    } else if (what < 980) {
        if (sim.world.policy_count)
            policy_toggle(pick(sim.world.policy_count));
    } else if (what < 988) {
        do_qos(&sim.h, who_of(p, c), (uint16_t)pick(20), chance(30));
    } else if (what < 990) {
        rare(c);
    } else if (pick(30) < sim.world.crashes) {
        crash();
    }
    world_look();
    bool failed = false;
    for (p = 0; p < PEERS; p++)
        for (c = 1; c <= CHANNELS; c++)
            failed |= sim.channels[p][c].failed;
    if (failed)
        open_all();
    if (!sim.world.queues[sim.world.queue_count - 1].exists || chance(3))
        world_declare();
}

/* ---- The end of a world: everybody goes, time goes by, and all that is left is taken out. */

static bool drain_round(bool time)
{
    struct vhost_totals totals;
    world_look();
    world_declare();
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (!sim.channels[0][1].consuming[q]) {
            sim.channels[0][1].consuming[q] = true;
            sim.world.queues[q].consumers++;
            do_consume(&sim.h, "A1", sim.world.queues[q].name, q * 2, "", 0);
        }
    sync_all();
    give_credit(0, 1);
    if (time)
        pass(1000);
    vhost_totals(sim.h.vhost, &totals);
    return totals.messages_ready + totals.messages_unacknowledged != 0;
}

void drain(void)
{
    sim_trail("drain");
    for (unsigned p = 0; p < PEERS; p++)
        detach(p);
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        if (sim.world.policies[p].set)
            policy_toggle(p);
    world_declare();
    exchange_late(true);
    sync_all();
    for (int i = 0; i < 8; i++) {
        pass(i < 4 ? 2000 : 60000);
        sync_all();
    }
    /* All at once: what one holds may wait for room in another. */
    for (int i = 0; drain_round(i % 8 == 7); i++)
        if (i == 2000) {
            struct queue_info info[QUEUES_MAX];
            uint64_t after = 0;
            size_t count = vhost_list_queues(sim.h.vhost, &after, info, QUEUES_MAX);
            for (size_t q = 0; q < count; q++)
                sim_trail("%.*s has %llu ready, %llu unsettled, %llu dead",
                          BYTES_PRINT(info[q].name), (unsigned long long)info[q].messages_ready,
                          (unsigned long long)info[q].messages_unacknowledged,
                          (unsigned long long)info[q].messages_dlx);
            sim_fail("queues cannot be emptied");
        }
}
