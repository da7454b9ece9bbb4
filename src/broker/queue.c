/* Queues: life and storage. See queue.h.
 *
 * A message's way: queue_publish → store (chunk, journal) → queue_lend or queue_take →
 * queue_settle or queue_requeue. What leaves goes through discard, the one place where counters go
 * down and the journal hears of it. */
#include "core.h"
#include "leveret/base/mem.h"

#define RING_ROOM_MIN 4u

/* ---- Life. */

struct queue *queue_new(struct vhost *vhost, const struct queue_options *options)
{
    struct bytes name = options->name, arguments = options->arguments;
    struct queue *queue = mem_need(sizeof *queue + name.len + arguments.len);
    if (name.len)
        memcpy(queue->data, name.at, name.len);
    if (arguments.len)
        memcpy(queue->data + name.len, arguments.at, arguments.len);
    queue->arguments = bytes_of(queue->data + name.len, arguments.len);
    queue->vhost = vhost;
    queue->durable = options->durable;
    queue->auto_delete = options->auto_delete;
    queue->exclusive = options->exclusive;
    queue->stored = options->durable && !options->exclusive;
    queue->settings = options->settings;
    queue->lane_id = options->lane_id;
    queue->base = queue->cursor = 1; /* so that no seq is 0 */
    queue->idle_since_wall_ms = vhost->now.wall_ms;
    SLIST_INIT(&queue->levels);
    TAILQ_INIT(&queue->consumers);
    TAILQ_INIT(&queue->waiting_gets);
    if (options->owner) {
        queue->owner = options->owner;
        TAILQ_INSERT_TAIL(&options->owner->exclusive_queues, queue, owner_link);
    }
    topology_join(vhost->topology, &queue->endpoint, bytes_of(queue->data, name.len),
                  queue->stored);
    map_put(&vhost->queues, queue->endpoint.name, queue);
    queue->number = roster_add(&vhost->queue_roster, queue);
    queue_touch(queue);
    if (queue->settings.consumer_timeout_ms != SETTING_NONE)
        timeout_consider(vhost, queue);
    return queue;
}

static void drop_storage(struct queue *queue)
{
    for (uint32_t i = 0; i < queue->ring_count; i++) {
        struct chunk **chunk = &queue->ring[(queue->ring_head + i) & (queue->ring_room - 1)];
        if (!*chunk)
            continue;
        paging_forget(*chunk);
        vhost_memory(queue->vhost, queue, -(int64_t)(*chunk)->memory_bytes);
        chunk_free(chunk);
    }
    free(queue->ring);
    queue->ring = NULL;
    queue->ring_count = queue->ring_room = 0;
    queue->vhost->ready -= queue->ready;
    queue->ready = queue->ready_bytes = queue->persistent = 0;
}

static void drop_lane(struct queue *queue)
{
    struct vhost *vhost = queue->vhost;
    paging_lane_dropped(queue);
    map_remove(&vhost->lanes, bytes_of(&queue->lane, sizeof queue->lane));
    journal_lane_drop(vhost->options.journal, &queue->lane);
}

void queue_destroy(struct queue *queue)
{
    drop_storage(queue);
    heap_remove(&queue->vhost->expiry, &queue->expiry);
    heap_remove(&queue->vhost->idle, &queue->idle);
    struct consumer_level *level;
    while ((level = SLIST_FIRST(&queue->levels))) {
        SLIST_REMOVE_HEAD(&queue->levels, link);
        free(level);
    }
    struct waiting_get *get;
    while ((get = TAILQ_FIRST(&queue->waiting_gets))) {
        TAILQ_REMOVE(&queue->waiting_gets, get, link);
        free(get);
    }
    free(queue);
}

static void free_if_done(struct queue *queue)
{
    if (queue->deleted && queue->unsettled == 0)
        queue_destroy(queue);
}

void queue_delete(struct queue *queue)
{
    struct vhost *vhost = queue->vhost;
    CHECK(!queue->deleted);
    queue->deleted = true;
    struct consumer *consumer;
    while ((consumer = TAILQ_FIRST(&queue->consumers)))
        consumer_cancel(consumer);
    queue_fail_gets(queue, STATUS_NOT_FOUND);
    if (queue->due) {
        TAILQ_REMOVE(&vhost->due, queue, due_link);
        queue->due = false;
    }
    heap_remove(&vhost->expiry, &queue->expiry);
    heap_remove(&vhost->idle, &queue->idle);
    if (queue->owner)
        TAILQ_REMOVE(&queue->owner->exclusive_queues, queue, owner_link);
    queue->owner = NULL;
    map_remove(&vhost->queues, queue->endpoint.name);
    topology_leave(vhost->topology, &queue->endpoint);
    roster_remove(&vhost->queue_roster, queue->number);
    if (queue->stored)
        vhost_erase_queue(queue);
    drop_storage(queue);
    if (queue->lane)
        drop_lane(queue);
    free_if_done(queue);
}

struct journal_lane *queue_lane(struct queue *queue)
{
    if (!queue->lane) {
        struct vhost *vhost = queue->vhost;
        if (!queue->lane_id)
            queue->lane_id = vhost_lane_id(vhost);
        queue->lane = journal_lane_new(vhost->options.journal, queue->lane_id);
        map_put(&vhost->lanes, bytes_of(&queue->lane, sizeof queue->lane), queue);
    }
    return queue->lane;
}

/* ---- The ring of chunks. */

static struct chunk **ring_place(const struct queue *queue, uint64_t number)
{
    return &queue->ring[(queue->ring_head + (uint32_t)(number - queue->base)) &
                        (queue->ring_room - 1)];
}

struct chunk *queue_chunk(const struct queue *queue, uint64_t number)
{
    if (number < queue->base || number - queue->base >= queue->ring_count)
        return NULL;
    return *ring_place(queue, number);
}

static void ring_add(struct queue *queue, struct chunk *chunk)
{
    if (queue->ring_count == queue->ring_room) {
        uint32_t room = queue->ring_room ? queue->ring_room * 2 : RING_ROOM_MIN;
        struct chunk **ring = mem_need(room * sizeof *ring);
        for (uint32_t i = 0; i < queue->ring_count; i++)
            ring[i] = queue->ring[(queue->ring_head + i) & (queue->ring_room - 1)];
        free(queue->ring);
        queue->ring = ring;
        queue->ring_room = room;
        queue->ring_head = 0;
    }
    queue->ring_count++;
    *ring_place(queue, queue->base + queue->ring_count - 1) = chunk;
}

static void ring_trim(struct queue *queue)
{
    while (queue->ring_count && !queue->ring[queue->ring_head]) {
        queue->ring_head = (queue->ring_head + 1) & (queue->ring_room - 1);
        queue->ring_count--;
        queue->base++;
    }
    if (queue->cursor < queue->base)
        queue->cursor = queue->base;
}

static void remove_chunk(struct queue *queue, struct chunk *chunk)
{
    paging_forget(chunk);
    *ring_place(queue, chunk->number) = NULL;
    chunk_free(&chunk);
    ring_trim(queue);
}

static struct chunk *open_chunk(struct queue *queue)
{
    struct chunk *tail = queue_tail(queue);
    if (tail) {
        tail->closed = true;
        if (tail->live == 0) {
            remove_chunk(queue, tail);
            tail = NULL;
        }
    }
    struct chunk *chunk = chunk_new(queue, queue->base + queue->ring_count);
    ring_add(queue, chunk);
    if (tail)
        paging_closed(queue, tail);
    return chunk;
}

struct chunk *queue_restore_chunk(struct queue *queue, uint64_t number)
{
    if (queue->ring_count == 0 && number > queue->base)
        queue->base = queue->cursor = number;
    while (queue->base + queue->ring_count < number)
        ring_add(queue, NULL);
    struct chunk *chunk = chunk_new(queue, number);
    chunk->closed = true;
    chunk->state = CHUNK_STORED;
    ring_add(queue, chunk);
    return chunk;
}

void queue_restore_upto(struct queue *queue, uint64_t number)
{
    if (queue->ring_count == 0 && number >= queue->base)
        queue->base = queue->cursor = number + 1;
    while (queue->base + queue->ring_count <= number)
        ring_add(queue, NULL);
}

/* ---- Messages in. */

static struct place store(struct queue *queue, struct message *message, uint64_t expires_ms,
                          uint64_t *needed)
{
    struct vhost *vhost = queue->vhost;
    struct chunk *chunk = queue_tail(queue);
    if (!chunk || chunk->closed || chunk_full(chunk))
        chunk = open_chunk(queue);
    unsigned slot = chunk_add(chunk, message, expires_ms);
    struct place place = {chunk, slot};
    vhost_memory(vhost, queue, (int64_t)message_memory(message));
    if (expires_ms)
        queue->expiring = true;
    if (message->persistent && queue->stored) {
        chunk->durable++;
        queue->persistent++;
        bit_set(chunk->durable_bits, slot);
        journal_append(vhost->options.journal, queue_lane(queue), place_seq(place), expires_ms,
                       message);
        chunk->batch = *needed = journal_filling(vhost->options.journal);
    }
    return place;
}

/* Straight to a consumer; one that will settle it needs it stored, in case it comes back. */
static uint64_t publish_to(struct queue *queue, struct consumer *consumer, struct message *message,
                           uint64_t expires_ms)
{
    uint64_t needed = 0;
    if (consumer->no_ack) {
        consumer_deliver(consumer, message, 0, false);
        return needed;
    }
    struct place place = store(queue, message, expires_ms, &needed);
    queue->unsettled++;
    queue->vhost->unsettled++;
    queue->unsettled_bytes += message->body_bytes;
    if (needed)
        journal_delivered(queue->vhost->options.journal, queue->lane, place_seq(place));
    consumer_deliver(consumer, message, place_seq(place), false);
    return needed;
}

uint64_t queue_publish(struct queue *queue, struct message *message)
{
    uint64_t expires_ms = 0, needed = 0;
    bool at_once = false;
    if (queue->settings.message_ttl_ms != SETTING_NONE || message->ttl_ms != MESSAGE_NO_TTL)
        expires_ms = queue_expiry_of(queue, message, &at_once);
    queue->rates.publish++;
    queue->idle_since_wall_ms = queue->vhost->now.wall_ms;
    if (queue->ready == 0) {
        struct consumer *consumer = consumer_next(queue);
        if (consumer)
            return publish_to(queue, consumer, message, expires_ms);
    }
    if (at_once)
        return 0; /* expired: dead-lettering belongs here */
    struct place place = store(queue, message, expires_ms, &needed);
    bit_set(place.chunk->ready_bits, place.slot);
    place.chunk->ready++;
    queue->ready_bytes += message->body_bytes;
    queue->vhost->ready++;
    if (queue->ready++ == 0 && expires_ms)
        heap_set(&queue->vhost->expiry, &queue->expiry, expires_ms);
    return needed;
}

/* ---- Messages out. */

struct place queue_head(struct queue *queue)
{
    uint64_t number = queue->cursor;
    struct chunk *chunk = queue_chunk(queue, number);
    if (!chunk || chunk->ready == 0) {
        do
            chunk = queue_chunk(queue, ++number);
        while (!chunk || chunk->ready == 0);
        uint64_t left = queue->cursor;
        queue->cursor = number;
        paging_passed(queue, left);
        paging_read_ahead(queue);
    }
    return (struct place){chunk, bit_first(chunk->ready_bits)};
}

static void subtract(uint64_t *bytes, uint64_t part, uint64_t messages_left)
{
    *bytes = messages_left == 0 || *bytes < part ? 0 : *bytes - part;
}

static void unready(struct queue *queue, uint64_t body_bytes)
{
    queue->idle_since_wall_ms = queue->vhost->now.wall_ms;
    queue->ready--;
    queue->vhost->ready--;
    subtract(&queue->ready_bytes, body_bytes, queue->ready);
}

static void no_longer_unsettled(struct queue *queue, uint64_t body_bytes)
{
    queue->unsettled--;
    queue->vhost->unsettled--;
    subtract(&queue->unsettled_bytes, body_bytes, queue->unsettled);
}

/* The message leaves the queue. Returns it with the queue's reference; NULL when not in memory. */
static struct message *discard(struct queue *queue, struct place place)
{
    struct chunk *chunk = place.chunk;
    bool ready = bit_test(chunk->ready_bits, place.slot);
    bool durable = bit_test(chunk->durable_bits, place.slot);
    uint64_t body_bytes;
    struct message *message = chunk_remove(chunk, place.slot, &body_bytes);
    if (message)
        vhost_memory(queue->vhost, queue, -(int64_t)message_memory(message));
    if (ready)
        unready(queue, body_bytes);
    else
        no_longer_unsettled(queue, body_bytes);
    queue->persistent -= durable;
    queue->vhost->journalled |= durable;
    if (durable || chunk->spilled)
        journal_settle(queue->vhost->options.journal, queue->lane, place_seq(place));
    if (chunk->live == 0) {
        if (chunk->closed || chunk_full(chunk))
            remove_chunk(queue, chunk);
        else
            chunk_rest(chunk);
    }
    return message;
}

struct message *queue_lend(struct queue *queue, struct place place)
{
    struct chunk *chunk = place.chunk;
    struct message *message = chunk_message(chunk, place.slot);
    bit_clear(chunk->ready_bits, place.slot);
    chunk->ready--;
    unready(queue, message->body_bytes);
    queue->unsettled++;
    queue->vhost->unsettled++;
    queue->unsettled_bytes += message->body_bytes;
    if (bit_test(chunk->durable_bits, place.slot))
        journal_delivered(queue->vhost->options.journal, queue->lane, place_seq(place));
    return message;
}

struct message *queue_take(struct queue *queue, struct place place)
{
    return discard(queue, place);
}

static struct place place_of(const struct queue *queue, uint64_t seq)
{
    struct chunk *chunk = queue_chunk(queue, seq / JOURNAL_CHUNK_SLOTS);
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    CHECK(chunk && bit_test(chunk->live_bits, slot) && !bit_test(chunk->ready_bits, slot));
    return (struct place){chunk, slot};
}

void queue_settle(struct queue *queue, uint64_t seq)
{
    if (queue->deleted) {
        no_longer_unsettled(queue, 0);
        free_if_done(queue);
        return;
    }
    struct message *message = discard(queue, place_of(queue, seq));
    message_unref(&message);
}

void queue_requeue(struct queue *queue, uint64_t seq)
{
    if (queue->deleted) {
        no_longer_unsettled(queue, 0);
        free_if_done(queue);
        return;
    }
    struct place place = place_of(queue, seq);
    struct chunk *chunk = place.chunk;
    uint64_t body_bytes = chunk_in_memory(chunk) ? chunk_message(chunk, place.slot)->body_bytes
                                                 : chunk->body_bytes / chunk->live;
    no_longer_unsettled(queue, body_bytes);
    bit_set(chunk->ready_bits, place.slot);
    bit_set(chunk->redelivered_bits, place.slot);
    chunk->ready++;
    queue->ready++;
    queue->vhost->ready++;
    queue->ready_bytes += body_bytes;
    if (queue->cursor > chunk->number)
        queue->cursor = chunk->number;
    if (queue->expiring) /* it may be the head again: look at the end of the call */
        heap_set(&queue->vhost->expiry, &queue->expiry, queue->vhost->now.wall_ms);
    queue_schedule(queue);
}

static void discard_ready(struct queue *queue)
{
    for (uint64_t number = queue->cursor; queue->ready; number++) {
        struct chunk *chunk;
        while ((chunk = queue_chunk(queue, number)) && chunk->ready) {
            struct message *message =
                discard(queue, (struct place){chunk, bit_first(chunk->ready_bits)});
            message_unref(&message);
        }
    }
}

/* From how many messages on a new lane is cheaper than settling each. */
#define PURGE_LANE_MIN 4096u

uint64_t queue_purge(struct queue *queue)
{
    struct vhost *vhost = queue->vhost;
    uint64_t count = queue->ready;
    if (queue->unsettled == 0 && queue->lane && count >= PURGE_LANE_MIN) {
        queue->base += queue->ring_count;
        queue->cursor = queue->base;
        drop_storage(queue);
        drop_lane(queue);
        queue->lane_id = 0;
        if (queue->stored) {
            queue->lane_id = vhost_lane_id(vhost);
            vhost_put_queue(queue);
        }
    } else {
        discard_ready(queue);
    }
    queue_schedule(queue); /* gets may wait for what is gone */
    return count;
}
