/* What is known of each message: see sim.h. A message carries its number in its body; a copy is
 * named by the queue that the message was first routed to, which x-first-death-queue tells of dead
 * letters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "sim.h"

void handle_add(struct handles *handles, const struct handle *handle)
{
    if (handles->count == handles->room) {
        handles->room = handles->room ? handles->room * 2 : 16;
        handles->at = mem_need_array(handles->at, handles->room, sizeof *handles->at);
    }
    /* In order of tags: the answer to a get may come behind later deliveries. */
    unsigned at = handles->count++;
    for (; at && handles->at[at - 1].tag > handle->tag; at--)
        handles->at[at] = handles->at[at - 1];
    handles->at[at] = *handle;
}

struct handle handle_take(struct handles *handles, unsigned at)
{
    struct handle handle = handles->at[at];
    handles->count--;
    memmove(handles->at + at, handles->at + at + 1, (handles->count - at) * sizeof handle);
    return handle;
}

void uid_add(struct uids *uids, unsigned uid)
{
    if (uids->count == uids->room) {
        uids->room = uids->room ? uids->room * 2 : 16;
        uids->at = mem_need_array(uids->at, uids->room, sizeof *uids->at);
    }
    uids->at[uids->count++] = uid;
}

unsigned ledger_new(void)
{
    if (sim.message_count == sim.message_room) {
        sim.message_room = sim.message_room ? sim.message_room * 2 : 1024;
        sim.messages = mem_need_array(sim.messages, sim.message_room, sizeof *sim.messages);
    }
    memset(&sim.messages[sim.message_count], 0, sizeof *sim.messages);
    return sim.message_count++;
}

void ledger_clear(void)
{
    sim.message_count = 0;
    sim.order = 0;
}

/* ---- Where it goes. */

static void enters(struct copy *copy, unsigned q)
{
    const struct sim_queue *queue = &sim.world.queues[q];
    copy->place = BROKER;
    copy->queue = (uint8_t)q;
    copy->at = queue->reach_drop;
    copy->unsure |= !queue->lossless || !queue->exists;
}

static void make_copy(struct sim_message *message, unsigned q)
{
    const struct sim_queue *queue = &sim.world.queues[q];
    struct copy *copy = &message->copies[q];
    *copy = (struct copy){.refusable = queue->may_refuse};
    enters(copy, q);
}

void ledger_published(unsigned uid)
{
    struct sim_message *message = &sim.messages[uid];
    message->order = ++sim.order;
    message->resolved = !message->one_of;
    for (unsigned q = 0; q < sim.world.queue_count && message->resolved; q++)
        if (message->targets & MASK(q))
            make_copy(message, q);
}

void ledger_answered(unsigned uid, bool nack)
{
    struct sim_message *message = &sim.messages[uid];
    bool may_refuse = false, letters = false;
    message->answered = true;
    if (message->targets == 0 && message->mandatory && !message->loose && !message->returned)
        sim_fail("message %u was confirmed, and has not come back", uid);
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (message->targets & MASK(q)) {
            const struct sim_queue *queue = &sim.world.queues[q];
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
    bool alone = (message->targets & (message->targets - 1)) == 0;
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
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
    struct sim_message *message = &sim.messages[handle->uid];
    struct copy *copy = &message->copies[handle->origin];
    struct sim_queue *queue = &sim.world.queues[handle->queue];
    (void)channel;
    if (handle->gone)
        return;
    if (copy->place != OUT)
        sim_fail("the simulator lost a delivery of message %u", handle->uid);
    queue->out--;
    sim_note("  end %d of %u of %s in %s", how, handle->uid, sim.world.queues[handle->origin].name,
             queue->name);
    if (how == END_REQUEUE) {
        copy->been_out = true;
        copy->returns++;
        enters(copy, handle->queue);
    } else if (how == END_REJECT && queue->next) {
        copy->place = BROKER;
        copy->at = 0;
        for (unsigned q = 0; q < sim.world.queue_count; q++)
            if (queue->next & MASK(q)) {
                const struct sim_queue *next = &sim.world.queues[q];
                copy->at |= next->reach_drop;
                copy->unsure |= !queue->dead_letters || !next->lossless || !next->exists ||
                                (next->may_refuse && !queue->at_least_once);
            }
        copy->at |= MASK(handle->queue); /* until it has been read, or a queue takes it */
        copy->left |= MASK(handle->queue);
    } else {
        copy->place = GONE;
        copy->settled_synced = false;
    }
}

/* Purged or deleted: what is in it for sure is gone, what may be is unsure. */
void ledger_queue_emptied(unsigned q, bool deleted)
{
    for (unsigned uid = 0; uid < sim.message_count; uid++) {
        struct sim_message *message = &sim.messages[uid];
        for (unsigned t = 0; t < sim.world.queue_count && !message->resolved; t++)
            if ((message->targets & MASK(t)) && (sim.world.queues[t].reach & MASK(q)))
                message->copies[0].unsure = true;
        for (unsigned origin = 0; origin < sim.world.queue_count && message->targets; origin++) {
            struct copy *copy = &message->copies[origin];
            if (copy->place == BROKER && (copy->at & MASK(q))) {
                if (copy->at == MASK(q) && message->due_ms == 0) {
                    copy->place = GONE;
                    copy->settled_synced = false;
                } else {
                    copy->unsure = true;
                }
            } else if (copy->place == OUT && copy->queue == q && deleted) {
                copy->place = GONE;
                copy->settled_synced = false;
            }
        }
    }
    if (!deleted)
        return;
    sim.world.queues[q].out = 0;
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct sim_channel *channel = &sim.channels[p][c];
            for (unsigned i = 0; i < channel->handles.count; i++)
                channel->handles.at[i].gone |= channel->handles.at[i].queue == q;
            for (unsigned i = 0; i < channel->tx_handles.count; i++)
                channel->tx_handles.at[i].gone |= channel->tx_handles.at[i].queue == q;
        }
}

void ledger_synced(void)
{
    for (unsigned uid = 0; uid < sim.message_count; uid++) {
        struct sim_message *message = &sim.messages[uid];
        message->on_disk |= message->order != 0;
        for (unsigned q = 0; q < sim.world.queue_count; q++)
            message->copies[q].settled_synced |= message->copies[q].place == GONE;
    }
}

/* What may become of a copy when the broker stops at once. */
static void crash_copy(const struct sim_message *message, struct copy *copy, queue_mask reach)
{
    bool may_survive = false, must = message->on_disk && message->persistent;
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if (reach & MASK(q)) {
            const struct sim_queue *queue = &sim.world.queues[q];
            may_survive |= queue->stored && (message->persistent || queue->keeps_all);
            must &= queue->stored && queue->lossless;
        }
    if (message->due_ms)
        may_survive |= message->persistent;
    if (copy->place == NOWHERE || (copy->place == GONE && copy->settled_synced))
        return;
    copy->unsure |= copy->place == GONE || !must;
    copy->refusable |= !message->on_disk || message->due_ms; /* it may be routed once more */
    copy->doubtful = true;
    copy->at = reach;
    copy->place = may_survive ? BROKER : GONE;
    copy->settled_synced = !may_survive;
}

static bool all_stored(queue_mask queues)
{
    for (unsigned q = 0; q < sim.world.queue_count; q++)
        if ((queues & MASK(q)) && !sim.world.queues[q].stored)
            return false;
    return true;
}

void ledger_crashed(void)
{
    for (unsigned uid = 0; uid < sim.message_count; uid++) {
        struct sim_message *message = &sim.messages[uid];
        if (!message->order) {
            message->targets = 0; /* of a transaction that nobody commits */
            continue;
        }
        for (unsigned q = 0; q < sim.world.queue_count; q++)
            if (message->targets & MASK(q))
                crash_copy(message, &message->copies[q], sim.world.queues[q].reach);
        bool kept = message->persistent && message->on_disk;
        for (unsigned q = 0; q < sim.world.queue_count; q++)
            kept &= !(message->targets & MASK(q)) || all_stored(sim.world.queues[q].reach);
        if (!message->resolved && !kept)
            message->copies[0].unsure = true;
    }
    for (unsigned q = 0; q < sim.world.queue_count; q++) {
        sim.world.queues[q].out = sim.world.queues[q].consumers = 0;
        sim.world.queues[q].active_peer = -1;
        memset(sim.world.queues[q].last_order, 0, sizeof sim.world.queues[q].last_order);
    }
}

/* ---- Deliveries. */

static bool find_queue_name(struct bytes name, unsigned *q)
{
    for (*q = 0; *q < sim.world.queue_count; ++*q)
        if (bytes_equal_text(name, sim.world.queues[*q].name))
            return true;
    return false;
}

/* The number in the body, and the queue that it came to first. */
static unsigned identify(const struct message *message, unsigned queue, unsigned *origin,
                         int64_t *count)
{
    struct properties properties;
    struct field field;
    char text[16] = "";
    *origin = queue;
    *count = -1;
    struct bytes body = message_body_piece(message, 0);
    memcpy(text, body.at, body.len < 15 ? body.len : 15);
    unsigned long uid = strtoul(text, NULL, 10);
    if (uid >= sim.message_count)
        sim_fail("a message that nobody has published: %s", text);
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        sim_fail("message %lu has properties that cannot be read", uid);
    if (table_find(properties.headers, "x-delivery-count", &field))
        *count = field.value.integer;
    bool died = table_find(properties.headers, "x-first-death-queue", &field);
    if (died && !find_queue_name(field.value.bytes, origin))
        sim_fail("message %lu died in a queue that there is not", uid);
    if (died && (!table_find(properties.headers, "x-death", &field) || field.type != FIELD_ARRAY))
        sim_fail("message %lu has died and has no x-death", uid);
    if (died && (properties.present & PROPERTY_EXPIRATION))
        sim_fail("message %lu has died and expires", uid);
    if (died && *origin == queue)
        sim_fail("message %lu came back to %s", uid, sim.world.queues[queue].name);
    return (unsigned)uid;
}

static void check_order(struct sim_queue *queue, const struct sim_message *message, unsigned uid)
{
    unsigned priority =
        message->priority < queue->priority_max ? message->priority : queue->priority_max;
    if (message->due_ms)
        return;
    if (message->order < queue->last_order[priority])
        sim_fail("message %u (order %llu) of %s after order %llu", uid,
                 (unsigned long long)message->order, queue->name,
                 (unsigned long long)queue->last_order[priority]);
    queue->last_order[priority] = message->order;
}

static void check_marks(const struct sim_queue *queue, const struct copy *copy, unsigned uid,
                        unsigned q, bool redelivered, int64_t count)
{
    bool again = copy->been_out && copy->queue == q;
    if (queue->delivery_limit && count > (int64_t)queue->delivery_limit)
        sim_fail("message %u of %s: delivery count %lld above the limit", uid, queue->name,
                 (long long)count);
    if (copy->doubtful)
        return;
    if (again != redelivered)
        sim_fail("message %u of %s: redelivered is %d", uid, queue->name, redelivered);
    unsigned returns = again ? copy->returns : 0;
    if (queue->delivery_limit && (count < 0 ? 0 : count) != returns)
        sim_fail("message %u of %s: delivery count is %lld, not %u", uid, queue->name,
                 (long long)count, returns);
}

void ledger_delivered(int peer, unsigned c, unsigned q, const struct event *event,
                      struct message *body, uint64_t tag, bool redelivered, bool no_ack)
{
    unsigned origin;
    int64_t count;
    unsigned uid = identify(body, q, &origin, &count);
    struct sim_message *message = &sim.messages[uid];
    struct sim_queue *queue = &sim.world.queues[q];
    struct copy *copy = &message->copies[origin];
    sim.deliveries++;
    sim_note("  %s delivers %u of %s to %c%u tag %llu%s%s", queue->name, uid,
             sim.world.queues[origin].name, 'A' + peer, c, (unsigned long long)tag,
             redelivered ? " redelivered" : "", no_ack ? " no-ack" : "");
    if (!message->order || !(message->targets & MASK(origin)))
        sim_fail("message %u came to %s, where it was not sent", uid,
                 sim.world.queues[origin].name);
    if (!message->resolved) {
        bool unsure = message->copies[0].unsure;
        make_copy(message, origin);
        copy->at = queue->reach | sim.world.queues[origin].reach;
        copy->unsure |= unsure;
        copy->doubtful = true;
        message->targets = MASK(origin);
        message->resolved = true;
    }
    if (copy->place == OUT)
        sim_fail("message %u is with a consumer of %s, and delivered again by %s", uid,
                 sim.world.queues[copy->queue].name, queue->name);
    if (copy->place != BROKER)
        sim_fail("message %u was settled, and is delivered by %s", uid, queue->name);
    if (!(copy->at & MASK(q)))
        sim_fail("message %u cannot be in %s (but in %x)", uid, queue->name, copy->at);
    if ((copy->left & MASK(q)) && !copy->doubtful)
        sim_fail("message %u was rejected, and is delivered by %s again", uid, queue->name);
    if (message->due_ms && sim.h.now.wall_ms < message->due_ms)
        sim_fail("message %u is delivered before its time", uid);
    if (origin == q && message->expires_ms && sim.h.now.wall_ms >= message->expires_ms)
        sim_fail("message %u has expired and is delivered", uid);
    check_marks(queue, copy, uid, q, redelivered, count);
    /* What a get takes may be told later, behind other answers. */
    if (!redelivered && origin == q && !copy->doubtful && event->type == EVENT_DELIVER)
        check_order(queue, message, uid);
    if (copy->queue != q) {
        copy->returns = 0;
        copy->been_out = false;
    }
    copy->queue = (uint8_t)q;
    copy->refusable = false;
    copy->unsure = false;
    if (no_ack) {
        copy->place = GONE;
        copy->settled_synced = false;
        return;
    }
    copy->place = OUT;
    queue->out++;
    handle_add(
        &sim.channels[peer][c].handles,
        &(struct handle){.tag = tag, .uid = uid, .origin = (uint8_t)origin, .queue = (uint8_t)q});
}
