/* The order in which a queue delivers: higher priorities first, and within a priority in the order
 * of publishing. */
#include "sim.h"

/* The message's priority in this queue: a quorum queue has 0 to 31, and 4 for a message without
 * one. */
static unsigned level_of(const struct sim_queue *queue, const struct sim_message *message)
{
    if (queue->keeps_all)
        return !message->says_priority      ? 4
               : message->priority < LEVELS ? message->priority
                                            : LEVELS - 1;
    return message->priority < queue->priority_max ? message->priority : queue->priority_max;
}

static void check_published(struct sim_queue *queue, const struct sim_message *message,
                            unsigned uid)
{
    unsigned level = level_of(queue, message);
    if (message->due_ms || message->unordered)
        return;
    if (message->order < queue->last_order[level])
        sim_fail("message %u (order %llu) of %s after order %llu", uid,
                 (unsigned long long)message->order, queue->name,
                 (unsigned long long)queue->last_order[level]);
    queue->last_order[level] = message->order;
}

static bool is_ready(const struct sim_message *message, unsigned q)
{
    for (unsigned origin = 0; origin < here->world.queue_count; origin++) {
        const struct copy *copy = &message->copies[origin];
        if (message->targets & MASK(origin) && copy->place == BROKER && copy->at == MASK(q) &&
            !copy->unsure && !copy->refusable)
            return true;
    }
    return false;
}

/* No copy that is certainly in the queue has a higher priority. This is not checked while the
 * ledger is ahead of the core: when commands stop between portions, time-outs return messages
 * later, a get waits or a commit is being done. */
static void check_highest(const struct sim_queue *queue, const struct sim_message *message,
                          unsigned uid, unsigned q)
{
    unsigned level = level_of(queue, message);
    if (here->h.portion || here->world.time_outs || gets_wait() ||
        here->asked == COMMAND_TX_COMMIT || !chance(30))
        return;
    for (unsigned other = 0; other < here->message_count; other++) {
        const struct sim_message *better = &here->messages[other];
        if (better->order && better->resolved && !better->due_ms &&
            level_of(queue, better) > level && is_ready(better, q))
            sim_fail("%s delivers message %u of priority %u while it has %u of priority %u",
                     queue->name, uid, level, other, level_of(queue, better));
    }
    sim.levels_checked++;
}

void order_check(unsigned q, unsigned uid, bool first)
{
    struct sim_queue *queue = &here->world.queues[q];
    const struct sim_message *message = &here->messages[uid];
    if (first)
        check_published(queue, message, uid);
    if (queue->keeps_all || queue->priority_max)
        check_highest(queue, message, uid, q);
}
