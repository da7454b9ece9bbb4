/* The sweep, which applies policies that have changed to all queues and exchanges: see
 * policy_sweep.h. */
#include "broker/command/policy_sweep.h"

#include "leveret/base/mem.h"

/* Work of one portion at most, in names matched against patterns (policy_take); the rest is left to
 * the next portion. */
#define PORTION 2000u

/* A command that is answered at the end of the sweep. */
struct policy_wait {
    TAILQ_ENTRY(policy_wait) link;
    struct channel *channel;
    enum command_type type;
    uint64_t needed; /* the journal's batch that its answer waits for as well */
};

static void sweep_queues(struct vhost *vhost, unsigned portion)
{
    struct policies *policies = &vhost->policies;
    unsigned work = 0;
    while (work < portion) {
        struct queue *queue = roster_next(&vhost->queues.roster, &policies->after);
        if (!queue) {
            policies->queues_done = true;
            policies->after = 0;
            return;
        }
        if (queue_apply_policy(queue, &work))
            queue_settings_changed(queue);
    }
}

static void sweep_exchanges(struct vhost *vhost, unsigned portion)
{
    struct policies *policies = &vhost->policies;
    unsigned work = 0;
    while (work < portion) {
        const struct exchange *listed;
        if (topology_list_exchanges(vhost->topology, &policies->after, &listed, 1) == 0) {
            policies->sweeping = false;
            return;
        }
        policy_apply_to_exchange(policies, vhost->topology,
                                 topology_exchange(vhost->topology, listed->endpoint.name), &work);
    }
}

static void answer(struct channel *channel, enum command_type type, uint64_t needed)
{
    struct event reply = channel_event(channel, EVENT_REPLY);
    reply.u.reply.command = type;
    promise_reply(channel, &reply, needed);
}

static void answer_all(struct vhost *vhost)
{
    struct policy_wait *wait;
    while ((wait = TAILQ_FIRST(&vhost->policies.waits))) {
        TAILQ_REMOVE(&vhost->policies.waits, wait, link);
        answer(wait->channel, wait->type, wait->needed);
        free(wait);
    }
}

void policy_sweep(struct vhost *vhost)
{
    if (!vhost->policies.queues_done)
        sweep_queues(vhost, PORTION);
    else
        sweep_exchanges(vhost, PORTION);
    if (!vhost->policies.sweeping)
        answer_all(vhost);
}

void policy_sweep_begin(struct vhost *vhost)
{
    vhost->policies.sweeping = true;
    vhost->policies.queues_done = false;
    vhost->policies.after = 0;
    policy_sweep(vhost);
    if (vhost->policies.queues_done)
        policy_sweep(vhost);
}

void policy_sweep_all(struct vhost *vhost)
{
    struct policies *policies = &vhost->policies;
    if (policies->of[POLICY_USERS].count == 0 && policies->of[POLICY_OPERATORS].count == 0)
        return;
    policies->sweeping = true;
    policies->queues_done = false;
    policies->after = 0;
    while (policies->sweeping)
        policy_sweep(vhost);
}

void policy_sweep_forget_all(struct policies *policies)
{
    struct policy_wait *wait;
    while ((wait = TAILQ_FIRST(&policies->waits))) {
        TAILQ_REMOVE(&policies->waits, wait, link);
        free(wait);
    }
}

void policy_sweep_answer(struct channel *channel, const struct command *command)
{
    struct vhost *vhost = channel->vhost;
    uint64_t needed = store_needed(&vhost->store);
    if (command->no_wait)
        return;
    if (!vhost->policies.sweeping) {
        answer(channel, command->type, needed);
        return;
    }
    struct policy_wait *wait = mem_need(sizeof *wait);
    wait->channel = channel;
    wait->type = command->type;
    wait->needed = needed;
    TAILQ_INSERT_TAIL(&vhost->policies.waits, wait, link);
}

void policy_sweep_forget(struct channel *channel)
{
    struct policy_waits *waits = &channel->vhost->policies.waits;
    struct policy_wait *next;
    for (struct policy_wait *wait = TAILQ_FIRST(waits); wait; wait = next) {
        next = TAILQ_NEXT(wait, link);
        if (wait->channel == channel) {
            TAILQ_REMOVE(waits, wait, link);
            free(wait);
        }
    }
}
