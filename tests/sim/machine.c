/* Time, the disk, crashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* All connections are gone. */
static void all_forget(void)
{
    for (unsigned p = 0; p < PEERS; p++) {
        here->owed[p] = 0;
        for (unsigned c = 1; c <= CHANNELS; c++)
            forget_channel(&here->channels[p][c]);
    }
}

static void tune(void)
{
    vhost_tune(here->h.vhost,
               &(struct vhost_tuning){.queues_max = UINT64_MAX, .tracing = here->world.tracing});
}

/* ---- Crashes. */

static void goes_down(void)
{
    ledger_crashed();
    all_forget();
    harness_crash(&here->h);
    tune();
}

static void comes_up(void)
{
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        here->world.queues[q].exists &= here->world.queues[q].stored;
        here->world.queues[q].leaving = false;
    }
    exchanges_crashed();
    for (unsigned p = 0; p < here->world.policy_count; p++)
        here->world.policies[p].set = vhost_find_policy(
            here->h.vhost, here->world.policies[p].operator_policy,
            bytes_of_text(here->world.policies[p].name), &(struct policy_info){0});
    world_look();
    open_all();
    exchanges_declare("A1", true);
    world_declare();
    for (unsigned q = 0; q < here->world.queue_count; q++)
        exchanges_bind("A1", q);
    sync_all();
}

void crash(void)
{
    struct sim_vhost *in = here;
    sim_trail("crash");
    sim.crashes++;
    sim.crash_due = sim.disk_failing = false; /* new journals */
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        if (here->there)
            goes_down();
    }
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        if (here->there)
            comes_up();
    }
    here = in;
}

/* ---- A vhost goes and comes. */

/* The node's account must be empty when there is no vhost. */
static void check_account(void)
{
    for (unsigned v = 0; v < sim.vhost_count; v++)
        if (sim.vhosts[v].there)
            return;
    if (account_total_bytes(sim.account))
        sim_fail("%llu bytes are counted, and there is no vhost",
                 (unsigned long long)account_total_bytes(sim.account));
}

void vhost_delete(void)
{
    sim_trail("the vhost is deleted");
    sim.vhosts_deleted++;
    here->h.halted = here->to_be_deleted = false;
    if (chance(50)) /* connections are closed first, whatever they are doing */
        for (unsigned p = 0; p < PEERS; p++) {
            here->h.watch = NULL;
            here->h.between = NULL;
            leave(p);
        }
    here->h.watch = on_event;
    here->h.between = between_portions;
    ledger_all_gone();
    all_forget();
    harness_remove(&here->h);
    here->there = false;
    check_account();
}

void vhost_make(void)
{
    sim_trail("the vhost is made");
    harness_make(&here->h);
    here->there = true;
    tune();
    for (unsigned p = 0; p < here->world.policy_count; p++)
        here->world.policies[p].set = false;
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
    bool writes = chance(50), pages = chance(50);
    enum status status = chance(50) ? STATUS_IO : STATUS_NO_SPACE;
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        if (!sim.vhosts[v].there)
            continue;
        if (writes)
            journal_memory_fail(sim.vhosts[v].h.journal, status);
        if (pages)
            journal_memory_fail_pages(sim.vhosts[v].h.journal, status);
    }
}

void disk_works_again(void)
{
    if (!sim.disk_failing)
        return;
    sim_trail("the disk works again");
    sim.disk_failing = false;
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        if (!sim.vhosts[v].there)
            continue;
        journal_memory_fail(sim.vhosts[v].h.journal, STATUS_OK);
        journal_memory_fail_pages(sim.vhosts[v].h.journal, STATUS_OK);
    }
}

void sync_all(void)
{
    disk_works_again();
    unsigned pages_in;
    do { /* pages may be read for messages that a queue must drop; wait for them */
        pages_in = here->h.pages_in;
        harness_sync(&here->h);
        pass(0);
        harness_sync(&here->h);
    } while (here->h.pages_in != pages_in);
    if (!here->under_way && !here->h.halted)
        ledger_synced();
}

/* Lets time pass; the core does the work that is due. */
void pass(uint64_t ms)
{
    if (ms && here->world.time_outs) { /* else the failure by a time-out would wait for answers */
        disk_works_again();
        harness_sync(&here->h);
    }
    here->h.now.steady_ms += ms;
    here->h.now.wall_ms += ms;
    unsigned ticks = 0;
    while (!here->h.halted && vhost_deadline_ms(here->h.vhost) <= here->h.now.steady_ms) {
        vhost_tick(here->h.vhost, here->h.now);
        if (++ticks > 10000)
            sim_fail("something is due, and no tick does it");
        if (ticks % 100 == 0)
            harness_sync(&here->h);
        if (ticks == 1000)
            disk_works_again();
    }
}
