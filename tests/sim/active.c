/* Which consumer is active in a queue with a single active consumer. In a classic queue a consumer
 * stays active until it ends. In a quorum queue a consumer with a higher priority takes over; the
 * active one gets no more messages and gives way once it has settled those that it holds. */
#include "sim.h"

static bool is_of(const struct handle *handle, unsigned number)
{
    return handle->consumer == number && !handle->gone;
}

/* The number of deliveries that a consumer has not settled. No two consumers of a world have the
 * same number. */
static unsigned held_by(const struct sim_channel *channel, unsigned number)
{
    unsigned count = 0;
    for (unsigned i = 0; i < channel->handles.count; i++)
        count += is_of(&channel->handles.at[i], number);
    for (unsigned i = 0; i < channel->tx_handles.count; i++)
        count += is_of(&channel->tx_handles.at[i], number);
    return count;
}

void active_comes(unsigned p, unsigned c, unsigned q)
{
    struct sim_queue *queue = &here->world.queues[q];
    if (!queue->single || !queue->keeps_all || queue->active_peer == NOBODY)
        return;
    unsigned active_p = (unsigned)queue->active_peer, active_c = (unsigned)queue->active_channel;
    const struct sim_channel *active = &here->channels[active_p][active_c];
    if (here->channels[p][c].priority[q] <= active->priority[q])
        return;
    queue->fading_peer = (int)active_p;
    queue->fading_channel = (int)active_c;
    queue->fading = active->consumer[q];
    queue->active_peer = NOBODY;
}

/* Notes that another consumer is active. */
static void check_change(const struct sim_queue *queue, unsigned q, unsigned p, unsigned c)
{
    unsigned before_p = (unsigned)queue->active_peer, before_c = (unsigned)queue->active_channel;
    if (here->channels[before_p][before_c].consuming[q] && (before_p != p || before_c != c))
        sim_fail("%s delivers to %s while %s is active", queue->name, who_of(p, c),
                 who_of(before_p, before_c));
}

/* Notes that the consumer that had to give way has done so, or need not any more. */
static void check_fading(const struct sim_queue *queue, unsigned q, unsigned p, unsigned c)
{
    unsigned faded_p = (unsigned)queue->fading_peer, faded_c = (unsigned)queue->fading_channel;
    const struct sim_channel *faded = &here->channels[faded_p][faded_c];
    bool is_there = faded->consuming[q] && faded->consumer[q] == queue->fading;
    if (!is_there || here->channels[p][c].consumer[q] == queue->fading)
        return;
    if (held_by(faded, queue->fading))
        sim_fail("%s delivers to %s while %s, which was active, holds %u", queue->name,
                 who_of(p, c), who_of(faded_p, faded_c), held_by(faded, queue->fading));
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
    if (queue->fading)
        check_fading(queue, q, p, c);
    queue->fading = 0;
    if (queue->keeps_all)
        check_best(queue, q, p, c);
    queue->active_peer = (int)p;
    queue->active_channel = (int)c;
}
