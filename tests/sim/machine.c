/* Time, the disk, crashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* All connections are gone. */
static void all_forget(void)
{
    sim.disk_failing = false; /* a new journal */
    for (unsigned p = 0; p < PEERS; p++) {
        sim.owed[p] = 0;
        for (unsigned c = 1; c <= CHANNELS; c++)
            forget_channel(&sim.channels[p][c]);
    }
}

void crash(void)
{
    sim_trail("crash");
    sim.crashes++;
    ledger_crashed();
    all_forget();
    harness_crash(&sim.h);
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (!sim.world.queues[q].stored)
            sim.world.queues[q].exists = false;
    exchanges_crashed();
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        sim.world.policies[p].set =
            vhost_find_policy(sim.h.vhost, sim.world.policies[p].operator_policy,
                              bytes_of_text(sim.world.policies[p].name), &(struct policy_info){0});
    world_look();
    open_all();
    exchanges_declare("A1", true);
    world_declare();
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        exchanges_bind("A1", q);
    sync_all();
}

void vhost_anew(void)
{
    sim_trail("the vhost is deleted");
    ledger_all_gone();
    all_forget();
    harness_anew(&sim.h);
    for (unsigned p = 0; p < sim.world.policy_count; p++)
        sim.world.policies[p].set = false;
    exchanges_crashed();
    open_all();
    world_declare();
    sync_all();
}

/* ---- The disk. */

void disk_begins_to_fail(void)
{
    if (sim.disk_failing)
        return;
    sim_trail("the disk fails");
    sim.failures++;
    sim.disk_failing = true;
    if (chance(50))
        journal_memory_fail(sim.h.journal, chance(50) ? STATUS_IO : STATUS_NO_SPACE);
    if (chance(50))
        journal_memory_hold_pages(sim.h.journal, true);
}

void disk_works_again(void)
{
    if (!sim.disk_failing)
        return;
    sim_trail("the disk works again");
    sim.disk_failing = false;
    journal_memory_fail(sim.h.journal, STATUS_OK);
    journal_memory_hold_pages(sim.h.journal, false);
}

void sync_all(void)
{
    disk_works_again();
    harness_sync(&sim.h);
    pass(0);
    harness_sync(&sim.h);
    ledger_synced();
}

/* Time goes by, and the core does what is due. */
void pass(uint64_t ms)
{
    if (ms && sim.world.time_outs) { /* or the answer that tells of one would wait for others */
        disk_works_again();
        harness_sync(&sim.h);
    }
    sim.h.now.steady_ms += ms;
    sim.h.now.wall_ms += ms;
    unsigned ticks = 0;
    while (vhost_deadline_ms(sim.h.vhost) <= sim.h.now.steady_ms) {
        vhost_tick(sim.h.vhost, sim.h.now);
        if (++ticks > 10000)
            sim_fail("something is due, and no tick does it");
        if (ticks % 100 == 0)
            harness_sync(&sim.h);
        if (ticks == 1000)
            disk_works_again();
    }
}
