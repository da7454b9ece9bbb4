/* Which identifiers are known: to the exchange that deduplicates, for good, and to queues while a
 * message with one is in them. See src/broker/dedup.h. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Whether a message with the identifier is in the queue. */
static int presence(unsigned identifier, unsigned q)
{
    int found = UNKNOWN;
    for (unsigned uid = 0; uid < sim.message_count && found != KNOWN; uid++) {
        const struct sim_message *message = &sim.messages[uid];
        if (message->identifier != identifier || !message->order || !message->targets)
            continue;
        if (!message->resolved) {
            found = PERHAPS;
            continue;
        }
        for (unsigned origin = 0; origin < sim.world.queue_count; origin++) {
            const struct copy *copy = &message->copies[origin];
            /* What a transient message leaves is not known after a crash. */
            bool sure = message->persistent || !copy->survivor;
            if (!(message->targets & MASK(origin)) || found == KNOWN)
                continue;
            if (copy->place == OUT && copy->queue == q)
                found = sure ? KNOWN : PERHAPS;
            else if (copy->place == BROKER && copy->at & MASK(q))
                found = sure && copy->at == MASK(q) && !copy->unsure && !copy->refusable &&
                                !message->due_ms
                            ? KNOWN
                            : PERHAPS;
        }
    }
    return found;
}

queue_mask dedup_refused(const struct sim_message *message, queue_mask *perhaps)
{
    queue_mask refused = 0;
    *perhaps = 0;
    if (!message->identifier)
        return 0;
    if (message->exchange == X_DEDUP && sim.known[message->identifier].state == KNOWN)
        return message->targets;
    if (message->exchange == X_DEDUP && sim.known[message->identifier].state == PERHAPS)
        *perhaps = message->targets;
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        if (!(message->targets & MASK(q)) || !sim.world.queues[q].dedups)
            continue;
        int state = message->one_of || message->loose ? PERHAPS : presence(message->identifier, q);
        if (state == KNOWN)
            refused |= MASK(q);
        if (state == PERHAPS)
            *perhaps |= MASK(q);
    }
    return refused;
}

void dedup_published(unsigned uid)
{
    const struct sim_message *message = &sim.messages[uid];
    if (!message->identifier || message->exchange != X_DEDUP || !message->targets ||
        sim.known[message->identifier].state != UNKNOWN)
        return;
    bool refusable = false; /* a message that a queue refuses may come again */
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        refusable |= message->targets & MASK(q) && sim.world.queues[q].may_refuse;
    sim.known[message->identifier].state = refusable ? PERHAPS : KNOWN;
    sim.known[message->identifier].uid = uid;
}

void dedup_delivered(const struct sim_message *message, unsigned origin, unsigned q)
{
    if (!message->identifier || !sim.world.queues[q].dedups)
        return;
    for (unsigned uid = 0; uid < sim.message_count; uid++) {
        const struct sim_message *other = &sim.messages[uid];
        if (other->identifier != message->identifier || !other->resolved || !other->targets)
            continue;
        for (unsigned t = 0; t < sim.world.queue_count; t++) {
            const struct copy *copy = &other->copies[t];
            if ((other == message && t == origin) || !(other->targets & MASK(t)) ||
                copy->place != OUT || copy->queue != q || copy->survivor ||
                message->copies[origin].survivor)
                continue;
            sim_fail("%s has delivered messages %u and %u, both with the identifier %u",
                     sim.world.queues[q].name, uid, (unsigned)(message - sim.messages),
                     message->identifier);
        }
    }
}

/* What a transient message left is gone; what a persistent one left is there if it was on disk. */
void dedup_crashed(void)
{
    for (unsigned i = 1; i < IDENTIFIERS; i++) {
        if (sim.known[i].state != KNOWN)
            continue;
        const struct sim_message *message = &sim.messages[sim.known[i].uid];
        if (!message->persistent)
            sim.known[i].state = UNKNOWN;
        else if (!message->synced)
            sim.known[i].state = PERHAPS;
    }
}

void dedup_forgotten(void)
{
    memset(sim.known, 0, sizeof sim.known);
}
