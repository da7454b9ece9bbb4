/* Questions that begin with "what if": see trial.h. A route is walked as for a message, and the
 * queues are named instead of getting it. A policy is tried on all objects in portions, as a sweep
 * (command/policy_sweep.c) would apply it. */
#include "leveret/broker/trial.h"

#include <stdlib.h>

#include "broker/command/command.h"
#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

/* Work of one portion at most, in names matched against patterns. */
#define PORTION 1000u

/* ---- Routes. */

enum status vhost_try_route(struct vhost *vhost, struct bytes exchange,
                            const struct message *message, uint64_t max,
                            void (*each)(void *context, struct bytes queue), void *context,
                            uint64_t *count)
{
    struct exchange *first = topology_exchange(vhost->topology, exchange);
    struct route_result result = {0};
    struct bytes key = message_routing_key(message);
    const struct route_input input = {&key, 1, message, true};
    *count = 0;
    if (!first)
        return STATUS_NOT_FOUND;
    route(vhost->topology, first, &input, &result);
    *count = result.count;
    for (size_t i = 0; i < result.count && i < max; i++)
        each(context, result.queues[i]->name);
    route_result_free(&result);
    return STATUS_OK;
}

/* ---- Policies. */

struct policy_trial {
    enum policy_kind kind;
    struct policy *policy;
    bool queues_done; /* true: it has come to the exchanges */
    uint64_t after;   /* it goes on with the object above this number in its roster */
};

enum status policy_trial_new(const struct command *put, struct policy_trial **out, struct text *why)
{
    struct policy *policy;
    struct refusal refusal;
    enum status status = command_make_policy(put, &policy, &refusal);
    *out = NULL;
    if (status != STATUS_OK) {
        text_add(why, refusal.text, strlen(refusal.text) + 1);
        return status;
    }
    *out = mem_need(sizeof **out);
    **out = (struct policy_trial){
        .kind = put->u.policy.operator_policy ? POLICY_OPERATORS : POLICY_USERS, .policy = policy};
    return STATUS_OK;
}

void policy_trial_free(struct policy_trial **trial)
{
    struct policy_trial *t = *trial;
    *trial = NULL;
    if (!t)
        return;
    policy_free(&t->policy);
    free(t);
}

struct judging {
    void (*each)(void *context, const struct policy_outcome *outcome);
    void *context;
    unsigned work;
};

static void judge(struct vhost *vhost, struct policy_trial *trial,
                  const struct policy_subject *subject, const struct effective_policy *now,
                  struct judging *judging)
{
    struct policy_would would;
    struct text definition = {0};
    policy_try(&vhost->policies, trial->kind, trial->policy, subject, &would, &definition,
               &judging->work);
    struct policy_outcome outcome = {
        .is_queue = subject->queue,
        .name = subject->name,
        .fits = would.fits,
        .wins = would.wins,
        .policy = now ? now->names[trial->kind] : bytes_of("", 0),
        .definition = now ? now->definition : bytes_of("", 0),
        .new_policy = would.name,
        .new_definition = text_bytes(&definition),
    };
    outcome.changes = !bytes_equal(outcome.policy, outcome.new_policy) ||
                      !bytes_equal(outcome.definition, outcome.new_definition);
    if (outcome.fits || outcome.changes)
        judging->each(judging->context, &outcome);
    text_free(&definition);
}

static void try_queues(struct vhost *vhost, struct policy_trial *trial, struct judging *judging)
{
    while (judging->work < PORTION) {
        const struct queue *queue = roster_next(&vhost->queues.roster, &trial->after);
        if (!queue) {
            trial->queues_done = true;
            trial->after = 0;
            return;
        }
        const struct policy_subject subject = {queue->endpoint.name, true, queue->settings.type};
        judge(vhost, trial, &subject, queue->policy, judging);
    }
}

/* Returns false when there is no exchange left. */
static bool try_exchanges(struct vhost *vhost, struct policy_trial *trial, struct judging *judging)
{
    while (judging->work < PORTION) {
        const struct exchange *exchange = topology_next_exchange(vhost->topology, &trial->after);
        if (!exchange)
            return false;
        const struct policy_subject subject = {.name = exchange->endpoint.name};
        judge(vhost, trial, &subject, exchange->policy, judging);
    }
    return true;
}

bool vhost_try_policy(struct vhost *vhost, struct policy_trial *trial,
                      void (*each)(void *context, const struct policy_outcome *outcome),
                      void *context)
{
    struct judging judging = {each, context, 0};
    if (!trial->queues_done)
        try_queues(vhost, trial, &judging);
    return !trial->queues_done || try_exchanges(vhost, trial, &judging);
}
