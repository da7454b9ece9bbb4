/* Which consumer of a queue with a single active one is active: in a classic queue the one that was
 * until it ends; in a quorum queue one of a higher priority takes over, once the active one has
 * settled all that it holds, and gets nothing more before. */
#include "sim.h"

static bool is_of(const struct handle *handle, unsigned number)
{
    return handle->consumer == number && !handle->gone;
}

/* What a consumer has not settled; its number is one in all the world. */
static unsigned held_by(const struct sim_channel *channel, unsigned number)
{
    unsigned count = 0;
    for (unsigned i = 0; i < channel->handles.count; i++)
        count += is_of(&channel->handles.at[i], number);
    for (unsigned i = 0; i < channel->tx_handles.count; i++)
        count += is_of(&channel->tx_handles.at[i], number);
    return count;
}

/* Another one is active, as far as is known. */
static void check_change(const struct sim_queue *queue, unsigned q, unsigned p, unsigned c)
{
    unsigned before_p = (unsigned)queue->active_peer, before_c = (unsigned)queue->active_channel;
    const struct sim_channel *channel = &here->channels[p][c];
    const struct sim_channel *before = &here->channels[before_p][before_c];
    if (!before->consuming[q] || (before_p == p && before_c == c))
        return;
    bool better = queue->keeps_all && channel->priority[q] > before->priority[q];
    if (!better)
        sim_fail("%s delivers to %s while %s is active", queue->name, who_of(p, c),
                 who_of(before_p, before_c));
    if (held_by(before, before->consumer[q]))
        sim_fail("%s delivers to %s while %s, which was active, holds %u", queue->name,
                 who_of(p, c), who_of(before_p, before_c), held_by(before, before->consumer[q]));
    sim.take_overs++;
}

static void check_best(const struct sim_queue *queue, unsigned q, unsigned p, unsigned c)
{
    int priority = here->channels[p][c].priority[q];
    for (unsigned other_p = 0; other_p < PEERS; other_p++)
        for (unsigned other_c = 1; other_c <= CHANNELS; other_c++) {
            const struct sim_channel *other = &here->channels[other_p][other_c];
            if (other->consuming[q] && other->priority[q] > priority)
                sim_fail("%s delivers to %s while %s waits, which is better", queue->name,
                         who_of(p, c), who_of(other_p, other_c));
        }
}

void active_delivered(unsigned p, unsigned c, unsigned q)
{
    struct sim_queue *queue = &here->world.queues[q];
    if (!queue->single)
        return;
    if (queue->active_peer != NOBODY)
        check_change(queue, q, p, c);
    if (queue->keeps_all)
        check_best(queue, q, p, c);
    queue->active_peer = (int)p;
    queue->active_channel = (int)c;
}
