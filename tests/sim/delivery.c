/* Compares deliveries with the ledger. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"
#include "sim.h"

static bool find_queue_name(struct bytes name, unsigned *q)
{
    for (*q = 0; *q < here->world.queue_count; ++*q)
        if (bytes_equal_text(name, here->world.queues[*q].name))
            return true;
    return false;
}

unsigned message_number(const struct message *message)
{
    char text[16] = "", *end;
    struct bytes body = message_body_piece(message, 0);
    memcpy(text, body.at, body.len < 15 ? body.len : 15);
    unsigned long uid = strtoul(text, &end, 10);
    if (*end != '.' || strtoul(end + 1, NULL, 10) != here->number)
        sim_fail("a message of another vhost is in %s: %s", here->name, text);
    if (uid >= here->message_count)
        sim_fail("a message that nobody has published: %s", text);
    return (unsigned)uid;
}

/* The number in the body, and the queue that the message was first routed to. */
static unsigned identify(const struct message *message, unsigned queue, unsigned *origin,
                         struct counts *counts)
{
    struct properties properties;
    struct field field;
    unsigned uid = message_number(message);
    *origin = queue;
    *counts = (struct counts){-1, -1};
    if (properties_decode(message_properties(message), &properties) != STATUS_OK)
        sim_fail("message %u has properties that cannot be read", uid);
    if (table_find(properties.headers, "x-delivery-count", &field))
        counts->counted = field.value.integer;
    if (table_find(properties.headers, "x-acquired-count", &field))
        counts->acquired = field.value.integer;
    bool died = table_find(properties.headers, "x-first-death-queue", &field);
    if (died && !find_queue_name(field.value.bytes, origin))
        sim_fail("message %u died in a queue that there is not", uid);
    if (died && (!table_find(properties.headers, "x-death", &field) || field.type != FIELD_ARRAY))
        sim_fail("message %u has died and has no x-death", uid);
    if (died && (properties.present & PROPERTY_EXPIRATION))
        sim_fail("message %u has died and expires", uid);
    if (died && *origin == queue)
        sim_fail("message %u came back to %s", uid, here->world.queues[queue].name);
    replies_question(&here->messages[uid], uid, properties.reply_to);
    return uid;
}

static void check_marks(const struct sim_queue *queue, const struct copy *copy, unsigned uid,
                        unsigned q, bool redelivered, const struct counts *counts)
{
    bool again = (copy->been_out || copy->doubtful) && copy->queue == q;
    returns_check(queue, copy, uid, again, counts);
    if (!copy->doubtful && again != redelivered)
        sim_fail("message %u of %s: redelivered is %d", uid, queue->name, redelivered);
}

/* Notes which of its possible queues a loose message has reached. */
static void resolve(struct sim_message *message, unsigned origin, unsigned q)
{
    struct copy *copy = &message->copies[origin];
    bool unsure = message->copies[0].unsure;
    copy_make(message, origin);
    copy->at = here->world.queues[q].reach | here->world.queues[origin].reach;
    copy->unsure |= unsure;
    copy->doubtful = true;
    returns_unknown(copy);
    message->targets = MASK(origin);
    message->resolved = true;
}

/* Whether the queue may have the copy and deliver it now. */
static void check_place(const struct sim_message *message, unsigned uid, unsigned origin,
                        unsigned q)
{
    const struct sim_queue *queue = &here->world.queues[q];
    const struct copy *copy = &message->copies[origin];
    if (copy->place == OUT)
        sim_fail("message %u is with a consumer of %s, and delivered again by %s", uid,
                 here->world.queues[copy->queue].name, queue->name);
    if (copy->place != BROKER)
        sim_fail("message %u was settled, and is delivered by %s", uid, queue->name);
    if (!(copy->at & MASK(q)))
        sim_fail("message %u cannot be in %s (but in %x)", uid, queue->name, copy->at);
    if ((copy->left & MASK(q)) && !copy->doubtful)
        sim_fail("message %u was rejected, and is delivered by %s again", uid, queue->name);
    if (message->due_ms && here->h.now.wall_ms < message->due_ms)
        sim_fail("message %u is delivered before its time", uid);
    if (origin == q && message->expires_ms && here->h.now.wall_ms >= message->expires_ms)
        sim_fail("message %u has expired and is delivered", uid);
}

void ledger_delivered(int peer, unsigned c, unsigned q, const struct event *event,
                      struct message *body, uint64_t tag, bool redelivered, bool no_ack)
{
    unsigned origin;
    struct counts counts;
    unsigned uid = identify(body, q, &origin, &counts);
    struct sim_message *message = &here->messages[uid];
    struct sim_queue *queue = &here->world.queues[q];
    struct copy *copy = &message->copies[origin];
    sim.deliveries++;
    sim_note("  %s delivers %u of %s to %c%u tag %llu%s%s", queue->name, uid,
             here->world.queues[origin].name, 'A' + peer, c, (unsigned long long)tag,
             redelivered ? " redelivered" : "", no_ack ? " no-ack" : "");
    if (!message->order || !(message->targets & MASK(origin)))
        sim_fail("message %u came to %s, where it was not sent", uid,
                 here->world.queues[origin].name);
    if (!message->resolved)
        resolve(message, origin, q);
    check_place(message, uid, origin, q);
    check_marks(queue, copy, uid, q, redelivered, &counts);
    /* The answer to a get may come later, behind other answers. */
    if (event->type == EVENT_DELIVER)
        order_check(q, uid, !redelivered && origin == q && !copy->doubtful);
    if (copy->queue != q) {
        returns_begin(copy);
        copy->been_out = false;
    }
    if (copy->doubtful) { /* now it is known how the crash left it */
        returns_learn(queue, copy, &counts);
        copy->been_out = redelivered;
        copy->left = 0;
        copy->doubtful = false;
    }
    transaction_delivered(message, copy, uid);
    copy->queue = (uint8_t)q;
    copy->refusable = copy->unsure = copy->hinges = false;
    if (no_ack) {
        copy->place = GONE;
        copy->settled_synced = false;
        return;
    }
    copy->place = OUT;
    dedup_delivered(message, origin, q);
    queue->out++;
    struct sim_channel *channel = &here->channels[peer][c];
    struct handle handle = {.tag = tag, .uid = uid, .origin = (uint8_t)origin, .queue = (uint8_t)q};
    handle.consumer = event->type == EVENT_DELIVER ? channel->consumer[q] : 0;
    handle_add(&channel->handles, &handle);
}
