/* What comes out, compared with the ledger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "sim.h"

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
    int64_t counted = count < 0 ? 0 : count;
    if (queue->counts && counted > (int64_t)queue->delivery_limit)
        sim_fail("message %u of %s: delivery count %lld above the limit", uid, queue->name,
                 (long long)count);
    if (copy->doubtful) {
        if (!queue->counts || copy->queue != q)
            return;
        sim.counts_checked++;
        if (counted < copy->returns_min || counted > copy->returns_max)
            sim_fail("message %u of %s: delivery count %lld after a crash, not %u to %u", uid,
                     queue->name, (long long)count, copy->returns_min, copy->returns_max);
        return;
    }
    if (again != redelivered)
        sim_fail("message %u of %s: redelivered is %d", uid, queue->name, redelivered);
    unsigned returns = again ? copy->returns : 0;
    if (queue->counts && counted != returns)
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
        copy_make(message, origin);
        copy->at = queue->reach | sim.world.queues[origin].reach;
        copy->unsure |= unsure;
        copy->doubtful = true;
        copy->returns_max = UINT16_MAX;
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
        copy->returns = copy->returns_min = 0;
        copy->been_out = false;
    }
    if (copy->doubtful) { /* now it is known how the crash left it */
        copy->returns = (uint16_t)(count < 0 ? 0 : count);
        copy->been_out = redelivered;
        copy->left &= (queue_mask)~MASK(q);
        copy->doubtful = false;
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
    dedup_delivered(message, origin, q);
    queue->out++;
    handle_add(
        &sim.channels[peer][c].handles,
        &(struct handle){.tag = tag, .uid = uid, .origin = (uint8_t)origin, .queue = (uint8_t)q});
}
