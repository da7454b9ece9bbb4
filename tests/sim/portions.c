/* What happens between two portions of a command: peers without an unfinished command make steps,
 * in this vhost or in another; or the machine stops, and the command with it.
 *
 * The ledger knows the whole command from its beginning. So while a command is unfinished, the
 * ledger is ahead of the core for its messages, and these rules hold for the vhost:
 * - nothing counts as written, and no counts are compared (here->under_way);
 * - messages that are purged or deleted meanwhile may be gone or may still come;
 * - a message on its way to several queues, or of a commit, has no order among others;
 * - identifiers may be known or not. */
#include <stdlib.h>

#include "leveret/base/container.h"
#include "sim.h"

#define DEPTH_MAX 3 /* most commands that are unfinished at a time */

bool may_act(unsigned p)
{
    return !here->busy[p];
}

bool holds_batch(void)
{
    return here->h.vhost && vhost_holds_batch(here->h.vhost);
}

/* The message reaches each of its queues later than it was published, and a queue may be full by
 * then. */
static void is_late(struct sim_message *message)
{
    message->unordered = message->refusable = true;
    message->expires_ms = 0;
}

/* The messages that the stopped command is about to give to queues. */
static void note_late_ones(void)
{
    const struct uids *committed = &here->channels[here->asking][here->asking_channel].committed;
    if (here->asked == COMMAND_PUBLISH)
        is_late(&here->messages[here->message_count - 1]);
    for (unsigned i = 0; here->asked == COMMAND_TX_COMMIT && i < committed->count; i++)
        is_late(&here->messages[committed->at[i]]);
}

/* The machine stops: no unfinished command goes on. */
static void stop_machine(void)
{
    sim_trail("the machine stops between two portions");
    sim.crash_due = true;
    sim.crashes_between++;
    for (unsigned v = 0; v < sim.vhost_count; v++)
        sim.vhosts[v].h.halted = true;
}

static void stop_vhost(void)
{
    sim_trail("the vhost is to be deleted between two portions");
    here->to_be_deleted = here->h.halted = true;
}

static void happen(const struct sim_vhost *stopped)
{
    unsigned dice = pick(1000);
    if (dice < here->world.crashes)
        stop_machine();
    else if (dice == 999 && sim.vhost_count > 1 && here == stopped)
        stop_vhost();
    else
        step();
}

static void steps_between(struct sim_vhost *stopped)
{
    sim.depth++;
    for (unsigned n = pick(4); n && !stopped->h.halted; n--) {
        sim.steps_between++;
        here = chance(70) ? stopped : &sim.vhosts[pick(sim.vhost_count)];
        happen(stopped);
        here = stopped;
    }
    sim.depth--;
}

void between_portions(struct harness *h)
{
    struct sim_vhost *stopped = container_of(h, struct sim_vhost, h);
    int asking = here->asking;
    unsigned channel = here->asking_channel;
    enum command_type asked = here->asked;
    if (stopped != here)
        sim_fail("a command of vhost %s goes on in %s", stopped->name, here->name);
    sim.stops++;
    if (sim.calm || sim.depth == DEPTH_MAX || sim.steps >= sim.steps_max)
        return;
    note_late_ones();
    sim_trail("(%c's command stops after a portion", 'A' + asking);
    here->busy[asking] = true;
    here->under_way++;
    steps_between(stopped);
    here->under_way--;
    here->busy[asking] = false;
    here->asking = asking;
    here->asking_channel = channel;
    here->asked = asked;
    sim_trail("and goes on)");
}
