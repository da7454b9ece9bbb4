/* Clients look at messages (peek): what they are shown is where the ledger has it, and a look that
 * is answered at once has changed nothing. */
#include <string.h>

#include "sim.h"

static struct {
    bool under_way;
    unsigned queue;
    bool from_tail;
    uint64_t position; /* of the last message that was shown */
    unsigned shown;
} look;

/* Whether a message of these queues may be in q by now, as a dead letter. */
static bool reaches(queue_mask from, unsigned q)
{
    queue_mask to = from;
    for (unsigned i = 0; i < here->world.queue_count; i++)
        if (from & MASK(i))
            to |= here->world.queues[i].reach;
    return to & MASK(q);
}

/* Whether a copy of the message is in the queue, as far as the ledger knows. */
static bool may_be_in(const struct sim_message *message, unsigned q, unsigned state)
{
    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        const struct copy *copy = &message->copies[i];
        bool out = copy->place == OUT && copy->queue == q;
        bool in = copy->place == BROKER && reaches(copy->at, q);
        if (state == MESSAGE_STATE_READY ? in : out || in)
            return true;
        if (copy->doubtful || copy->unsure)
            return true;
    }
    /* It went to one of these, and the ledger does not know which. */
    return message->loose || message->tx ||
           (message->one_of && !message->resolved && reaches(message->targets, q));
}

static void fail_seen(unsigned uid, const struct peeked *peeked)
{
    const struct sim_message *message = &here->messages[uid];
    for (unsigned i = 0; i < QUEUES_MAX; i++) {
        const struct copy *copy = &message->copies[i];
        if (copy->place != NOWHERE)
            sim_note("copy for q%u: place %u, queue %u, at %x, left %x, unsure %d, doubtful %d", i,
                     copy->place, copy->queue, copy->at, copy->left, copy->unsure, copy->doubtful);
    }
    sim_fail("%s: message %u is shown in state %u, which is not there",
             here->world.queues[look.queue].name, uid, peeked->state);
}

void look_seen(const struct peeked *peeked)
{
    unsigned uid = message_number(peeked->message);
    const struct sim_queue *queue = &here->world.queues[look.queue];
    if (!look.under_way)
        sim_fail("message %u is shown to nobody", uid);
    if (look.shown && look.from_tail ? peeked->position >= look.position
                                     : look.shown && peeked->position <= look.position)
        sim_fail("%s: message %u is shown at position %llu after %llu", queue->name, uid,
                 (unsigned long long)peeked->position, (unsigned long long)look.position);
    look.position = peeked->position;
    look.shown++;
    if (!may_be_in(&here->messages[uid], look.queue, peeked->state))
        fail_seen(uid, peeked);
}

/* The queue as listings tell it; all zeros when it is not there. */
static struct queue_info info_of(const struct sim_queue *queue)
{
    struct queue_info info = {0};
    if (!vhost_find_queue(here->h.vhost, bytes_of_text(queue->name), &info))
        memset(&info, 0, sizeof info);
    return info;
}

static bool differ(const struct queue_info *a, const struct queue_info *b)
{
    return a->messages_ready != b->messages_ready ||
           a->messages_unacknowledged != b->messages_unacknowledged ||
           a->ready_bytes != b->ready_bytes || a->messages_ram != b->messages_ram ||
           a->messages_ready_returned != b->messages_ready_returned ||
           a->idle_since_wall_ms != b->idle_since_wall_ms || a->disk_reads != b->disk_reads ||
           memcmp(&a->rates, &b->rates, sizeof a->rates) != 0;
}

void look_at(unsigned p, unsigned c, unsigned q)
{
    static const unsigned states[] = {MESSAGE_STATE_READY, MESSAGE_STATE_UNACKED,
                                      MESSAGE_STATE_DYING, MESSAGE_STATE_ALL};
    struct sim_channel *channel = &here->channels[p][c];
    const struct sim_queue *queue = &here->world.queues[q];
    if (!queue->exists || queue->leaving || (queue->exclusive && p != 0) || gets_wait() ||
        here->under_way || channel->committing || holds_batch() || sim.disk_failing)
        return;
    sim_trail("%s peek %s", who_of(p, c), queue->name);
    sync_all(); /* so that the answer waits for no other one */
    if (!queue->exists || !channel->open || channel->failed)
        return;
    struct queue_info before = info_of(queue), after;
    look.under_way = true;
    look.queue = q;
    look.from_tail = chance(30);
    look.shown = 0;
    unsigned waiting = channel->unanswered;
    uint64_t portions = here->h.portions;
    channel->may_fail = true; /* the queue may be deleted meanwhile */
    do_peek(&here->h, who_of(p, c), queue->name, states[pick(4)], look.from_tail, pick(300),
            pick(300));
    after = info_of(queue);
    if (channel->unanswered == waiting && here->h.portions == portions && differ(&before, &after))
        sim_fail("%s has changed by a look", queue->name);
    for (unsigned i = 0; channel->unanswered > waiting && i < 400; i++) { /* a page each time */
        harness_sync(&here->h);
        pass(0);
    }
    if (channel->unanswered > waiting && !channel->failed && !here->h.halted)
        sim_fail("%s: a look at %s is not answered", who_of(p, c), queue->name);
    channel->may_fail = false;
    look.under_way = false;
}
