/* Which identifiers are known: the exchange that deduplicates knows them for ever, a queue while a
 * message with the identifier is in it. See src/broker/dedup/dedup.h. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Whether a message with the identifier is in the queue. */
static int presence(unsigned identifier, unsigned q)
{
    int found = UNKNOWN;
    for (unsigned uid = 0; uid < here->message_count && found != KNOWN; uid++) {
        const struct sim_message *message = &here->messages[uid];
        if (message->identifier != identifier || !message->order || !message->targets)
            continue;
        if (!message->resolved) {
            found = PERHAPS;
            continue;
        }
        for (unsigned origin = 0; origin < here->world.queue_count; origin++) {
            const struct copy *copy = &message->copies[origin];
            /* An identifier of a transient message may be unknown after a crash. */
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

/* A message that is in a queue now may have left it before the new message arrives. */
static bool comes_later(const struct sim_message *message)
{
    return message->one_of || message->loose || here->h.portion;
}

queue_mask dedup_refused(const struct sim_message *message, queue_mask *perhaps)
{
    queue_mask refused = 0;
    *perhaps = 0;
    if (!message->identifier)
        return 0;
    if (here->under_way) {
        *perhaps = message->targets;
        return 0;
    }
    if (message->exchange == X_DEDUP && here->known[message->identifier].state == KNOWN)
        return message->targets;
    if (message->exchange == X_DEDUP && here->known[message->identifier].state == PERHAPS)
        *perhaps = message->targets;
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        if (!(message->targets & MASK(q)) || !here->world.queues[q].dedups)
            continue;
        int state = comes_later(message) ? PERHAPS : presence(message->identifier, q);
        if (state == KNOWN)
            refused |= MASK(q);
        if (state == PERHAPS)
            *perhaps |= MASK(q);
    }
    return refused;
}

void dedup_published(unsigned uid)
{
    const struct sim_message *message = &here->messages[uid];
    if (!message->identifier || message->exchange != X_DEDUP || !message->targets ||
        here->known[message->identifier].state != UNKNOWN)
        return;
    bool refusable = here->under_way != 0; /* a message that a queue refuses may come again */
    for (unsigned q = 0; q < here->world.queue_count; q++)
        refusable |= message->targets & MASK(q) && here->world.queues[q].may_refuse;
    here->known[message->identifier].state = refusable ? PERHAPS : KNOWN;
    here->known[message->identifier].uid = uid;
}

void dedup_delivered(const struct sim_message *message, unsigned origin, unsigned q)
{
    if (!message->identifier || !here->world.queues[q].dedups)
        return;
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        const struct sim_message *other = &here->messages[uid];
        if (other->identifier != message->identifier || !other->resolved || !other->targets)
            continue;
        for (unsigned t = 0; t < here->world.queue_count; t++) {
            const struct copy *copy = &other->copies[t];
            if ((other == message && t == origin) || !(other->targets & MASK(t)) ||
                copy->place != OUT || copy->queue != q || copy->survivor ||
                message->copies[origin].survivor)
                continue;
            sim_fail("%s has delivered messages %u and %u, both with the identifier %u",
                     here->world.queues[q].name, uid, (unsigned)(message - here->messages),
                     message->identifier);
        }
    }
}

/* Identifiers of transient messages are gone; those of persistent messages are known if they were
 * on disk. */
void dedup_crashed(void)
{
    for (unsigned i = 1; i < IDENTIFIERS; i++) {
        if (here->known[i].state != KNOWN)
            continue;
        const struct sim_message *message = &here->messages[here->known[i].uid];
        if (!message->persistent)
            here->known[i].state = UNKNOWN;
        else if (!message->synced)
            here->known[i].state = PERHAPS;
    }
}

void dedup_forgotten(void)
{
    memset(here->known, 0, sizeof here->known);
}
