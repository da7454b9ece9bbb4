/* What is known of each message: see sim.h. A message has its number in its body. A copy is named
 * by the queue that the message was first routed to; a dead letter has that queue in
 * x-first-death-queue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "sim.h"

unsigned ledger_new(void)
{
    if (here->message_count == here->message_room) {
        here->message_room = here->message_room ? here->message_room * 2 : 1024;
        here->messages = mem_need_array(here->messages, here->message_room, sizeof *here->messages);
    }
    memset(&here->messages[here->message_count], 0, sizeof *here->messages);
    return here->message_count++;
}

void ledger_clear(void)
{
    here->message_count = 0;
    here->order = 0;
}

/* ---- Where it goes. */

void copy_enters(struct copy *copy, unsigned q)
{
    const struct sim_queue *queue = &here->world.queues[q];
    copy->place = BROKER;
    copy->queue = (uint8_t)q;
    copy->at = queue->bounded ? MASK(q) : queue->reach_drop; /* or see ledger_bounds */
    copy_doubt(copy, !queue->lossless || !queue->exists);
}

void copy_make(struct sim_message *message, unsigned q)
{
    const struct sim_queue *queue = &here->world.queues[q];
    struct copy *copy = &message->copies[q];
    *copy = (struct copy){.refusable = queue->may_refuse, .unsure = message->unrouted};
    copy_enters(copy, q);
}

/* Whether a copy whose queue is not known may be in this one. */
static bool may_reach(const struct sim_message *message, unsigned q)
{
    queue_mask reach = 0;
    for (unsigned t = 0; t < here->world.queue_count; t++)
        if (message->targets & MASK(t))
            reach |= here->world.queues[t].reach;
    return reach & MASK(q);
}

/* Whether the copies that may be in the queue are more than its limits allow: some may then be
 * gone. */
static bool exceeds(const struct sim_queue *queue, unsigned q)
{
    uint64_t count = 0, bytes = 0;
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        const struct sim_message *message = &here->messages[uid];
        if (!message->order || !message->targets)
            continue;
        unsigned copies = !message->resolved && may_reach(message, q);
        for (unsigned t = 0; t < here->world.queue_count && message->resolved; t++)
            copies += message->targets & MASK(t) && message->copies[t].place == BROKER &&
                      message->copies[t].at & MASK(q);
        count += copies;
        bytes += copies * message->bytes;
    }
    return count > queue->length_max || bytes > queue->bytes_max;
}

void ledger_published(unsigned uid)
{
    struct sim_message *message = &here->messages[uid];
    queue_mask perhaps = 0, refused = dedup_refused(message, &perhaps);
    message->order = ++here->order;
    dedup_published(uid);
    message->targets &= (queue_mask)~refused;
    message->resolved = !message->one_of;
    copy_doubt(&message->copies[0], !message->resolved && (perhaps || message->unrouted));
    sim.duplicates += refused != 0;
    for (unsigned q = 0; q < here->world.queue_count && message->resolved; q++)
        if (message->targets & MASK(q)) {
            copy_make(message, q);
            copy_doubt(&message->copies[q], (perhaps & MASK(q)) != 0);
        }
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        const struct sim_queue *queue = &here->world.queues[q];
        if (message->targets & MASK(q) && queue->may_refuse)
            message->refusable |=
                !queue->bounded || message->loose || here->under_way || exceeds(queue, q);
    }

    ledger_bounds();
}

/* The copy may have left the queue, and is lost if no dead-letter exchange gets it. */
static void may_leave(struct copy *copy, const struct sim_queue *queue)
{
    copy->at |= queue->reach_drop;
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if (queue->next & MASK(q)) {
            const struct sim_queue *next = &here->world.queues[q];
            copy_doubt(copy, !next->lossless || !next->exists || next->may_refuse);
        }
    copy_doubt(copy, !queue->dead_letters);
}

void ledger_bounds(void)
{
    for (unsigned q = here->world.queue_count; q-- > 0;) { /* dead letters go to lower ones */
        const struct sim_queue *queue = &here->world.queues[q];
        if (!queue->bounded || !queue->may_drop || !exceeds(queue, q))
            continue;
        for (unsigned uid = 0; uid < here->message_count; uid++) {
            struct sim_message *message = &here->messages[uid];
            if (!message->resolved && may_reach(message, q))
                copy_doubt(&message->copies[0], true);
            for (unsigned t = 0; t < here->world.queue_count && message->resolved; t++)
                if (message->copies[t].place == BROKER && message->copies[t].at & MASK(q))
                    may_leave(&message->copies[t], queue);
        }
    }
}

void ledger_unrouted(unsigned x)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        struct sim_message *message = &here->messages[uid];
        if (!message->loose || message->exchange != x)
            continue;
        message->unrouted = true;
        if (!message->resolved)
            copy_doubt(&message->copies[0], true);
        for (unsigned q = 0; q < here->world.queue_count; q++)
            copy_doubt(&message->copies[q], message->copies[q].place == BROKER);
    }
}

void ledger_answered(unsigned uid, bool nack)
{
    struct sim_message *message = &here->messages[uid];
    bool may_refuse = false, letters = false;
    message->answered = true;
    if (message->targets == 0 && message->mandatory && !message->loose && !message->returned)
        sim_fail("message %u was confirmed, and has not come back", uid);
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if (message->targets & MASK(q)) {
            const struct sim_queue *queue = &here->world.queues[q];
            may_refuse |= queue->may_refuse;
            letters |= queue->dead_letters || queue->letters_perhaps;
            if (!nack && !message->due_ms) /* a queue may refuse it at its time */
                message->copies[q].refusable = false;
        }
    if (!nack) {
        message->on_disk = true;
        return;
    }
    if (!may_refuse)
        sim_fail("message %u was refused by queues that do not refuse", uid);
    if (!message->refusable)
        sim_fail("message %u was refused by queues that are not full", uid);
    bool alone = (message->targets & (message->targets - 1)) == 0;
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct copy *copy = &message->copies[q];
        if ((message->targets & MASK(q)) && alone && !letters) {
            if (copy->place == OUT || copy->been_out)
                sim_fail("message %u was delivered and then refused", uid);
            copy->place = GONE;
            copy->settled_synced = true;
        }
    }
}

void ledger_end(struct sim_channel *channel, struct handle *handle, int how)
{
    struct sim_message *message = &here->messages[handle->uid];
    struct copy *copy = &message->copies[handle->origin];
    struct sim_queue *queue = &here->world.queues[handle->queue];
    (void)channel;
    if (handle->gone)
        return;
    if (copy->place != OUT)
        sim_fail("the simulator lost a delivery of message %u", handle->uid);
    queue->out--;
    sim_note("  end %d of %u of %s in %s", how, handle->uid,
             here->world.queues[handle->origin].name, queue->name);
    if (how >= END_REQUEUE) {
        copy->been_out = true;
        returns_add(copy, how);
        copy_enters(copy, handle->queue);
    } else if (how == END_REJECT && queue->next) {
        copy->place = BROKER;
        copy->at = 0;
        for (unsigned q = 0; q < here->world.queue_count; q++)
            if (queue->next & MASK(q)) {
                const struct sim_queue *next = &here->world.queues[q];
                copy->at |= next->reach_drop;
                copy_doubt(copy, !queue->dead_letters || !next->lossless || !next->exists ||
                                     (next->may_refuse && !queue->at_least_once));
            }
        copy->at |= MASK(handle->queue); /* until it has been read, or a queue takes it */
        copy->left |= MASK(handle->queue);
    } else {
        copy->place = GONE;
        copy->settled_synced = false;
    }
    if (how != END_ACK)
        ledger_bounds();
}

/* Copies that are certainly in the queue are gone; those that may be in it are unsure. */
void ledger_queue_emptied(unsigned q, bool deleted, bool exactly)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        struct sim_message *message = &here->messages[uid];
        for (unsigned t = 0; t < here->world.queue_count && !message->resolved; t++)
            if ((message->targets & MASK(t)) && (here->world.queues[t].reach & MASK(q)))
                copy_doubt(&message->copies[0], true);
        for (unsigned origin = 0; origin < here->world.queue_count && message->targets; origin++) {
            struct copy *copy = &message->copies[origin];
            if (copy->place == BROKER && (copy->at & MASK(q))) {
                if (exactly && copy->at == MASK(q) && message->due_ms == 0) {
                    copy->place = GONE;
                    copy->settled_synced = false;
                } else {
                    copy_doubt(copy, true);
                }
            } else if (copy->place == OUT && copy->queue == q && deleted) {
                copy->place = GONE;
                copy->settled_synced = false;
            }
        }
    }
    if (!deleted)
        return;
    here->world.queues[q].out = 0;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct sim_channel *channel = &here->channels[p][c];
            for (unsigned i = 0; i < channel->handles.count; i++)
                channel->handles.at[i].gone |= channel->handles.at[i].queue == q;
            for (unsigned i = 0; i < channel->tx_handles.count; i++)
                channel->tx_handles.at[i].gone |= channel->tx_handles.at[i].queue == q;
        }
}

void ledger_synced(void)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        struct sim_message *message = &here->messages[uid];
        message->on_disk |= message->order != 0;
        message->synced |= message->order != 0;
        for (unsigned q = 0; q < here->world.queue_count; q++) {
            struct copy *copy = &message->copies[q];
            copy->settled_synced |= copy->place == GONE;
            returns_synced(copy);
        }
    }
}

/* What can happen to a copy when the broker stops at once. */
static void crash_copy(const struct sim_message *message, struct copy *copy, queue_mask reach)
{
    bool may_survive = false, kept = message->persistent;
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if (reach & MASK(q)) {
            const struct sim_queue *queue = &here->world.queues[q];
            may_survive |= queue->stored && (message->persistent || queue->keeps_all);
            kept &= queue->stored && queue->lossless;
        }
    bool must = kept && message->on_disk;
    if (message->due_ms)
        may_survive |= message->persistent;
    if (copy->place == NOWHERE || (copy->place == GONE && copy->settled_synced))
        return;
    copy->hinges |= transaction_open(message->tx) && kept && !message->due_ms &&
                    copy->place != GONE && !copy->unsure && !copy->refusable;
    copy->unsure |= copy->place == GONE || !must;
    copy->refusable |= !message->on_disk || message->due_ms; /* it may be routed once more */
    returns_crashed(copy); /* a message that is dying counts as one that is out */
    copy->doubtful = copy->survivor = true;
    copy->at = reach;
    copy->place = may_survive ? BROKER : GONE;
    copy->settled_synced = !may_survive;
}

static bool all_stored(queue_mask queues)
{
    for (unsigned q = 0; q < here->world.queue_count; q++)
        if ((queues & MASK(q)) && !here->world.queues[q].stored)
            return false;
    return true;
}

void ledger_crashed(void)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        struct sim_message *message = &here->messages[uid];
        if (!message->order) {
            message->targets = 0; /* of a transaction that is never committed */
            continue;
        }
        for (unsigned q = 0; q < here->world.queue_count; q++)
            if (message->targets & MASK(q))
                crash_copy(message, &message->copies[q], here->world.queues[q].reach);
        bool kept = message->persistent && message->on_disk;
        for (unsigned q = 0; q < here->world.queue_count; q++)
            kept &= !(message->targets & MASK(q)) || all_stored(here->world.queues[q].reach);
        if (!message->resolved && !kept)
            copy_doubt(&message->copies[0], true);
    }
    dedup_crashed();
    ledger_bounds();
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        here->world.queues[q].out = here->world.queues[q].consumers = 0;
        here->world.queues[q].active_peer = here->world.queues[q].exclusive_peer = NOBODY;
        memset(here->world.queues[q].last_order, 0, sizeof here->world.queues[q].last_order);
    }
}

/* The vhost is deleted. */
void ledger_all_gone(void)
{
    for (unsigned uid = 0; uid < here->message_count; uid++)
        here->messages[uid].targets = 0;
    for (unsigned q = 0; q < here->world.queue_count; q++)
        world_queue_gone(q);
    dedup_forgotten();
}
