/* Which chunks are in memory. Thread: the vhost's owner.
 *
 * Normal course: a queue keeps the chunks at its head (what consumers take next), a few behind it
 * (what they may give back) and the open one. Any other closed chunk leaves memory: when all of it
 * is durable, as soon as its batch is on disk, at no cost; when some of it is transient, only if
 * the vhost is short of memory, after journal_page_out. Chunks that the head comes near are read
 * ahead.
 *
 * What can go wrong: a page cannot be read: the queue is failed (queue.h). A page-out fails: the
 * chunk stays. A page comes for what is settled or deleted meanwhile: let go. */
#include "core.h"
#include "leveret/base/mem.h"

#define AHEAD_CHUNKS   8u /* from the head on */
#define AHEAD_BYTES    (4u << 20)
#define BEHIND_CHUNKS  4u /* passed by the head, with unsettled deliveries */
#define PAGES_OUT_MAX  16u
#define EXPIRE_AT_ONCE 1000u

/* Whether the chunk is near the head, so that it should be in memory. */
static bool near_head(const struct queue *queue, uint64_t number)
{
    if (number < queue->cursor)
        return queue->cursor - number <= BEHIND_CHUNKS;
    if (number - queue->cursor >= AHEAD_CHUNKS)
        return false;
    uint64_t bytes = 0;
    for (uint64_t at = queue->cursor; at < number; at++) {
        const struct chunk *chunk = queue_chunk(queue, at);
        if (chunk)
            bytes += chunk->body_bytes;
    }
    return bytes < AHEAD_BYTES;
}

static void unlist(struct chunk *chunk)
{
    struct vhost *vhost = chunk->queue->vhost;
    if (chunk->list == CHUNK_LEAVING)
        TAILQ_REMOVE(&vhost->leaving, chunk, paging_link);
    else if (chunk->list == CHUNK_HEAVY)
        TAILQ_REMOVE(&vhost->heavy, chunk, paging_link);
    chunk->list = CHUNK_UNLISTED;
}

/* The chunk leaves memory: now, when its batch is on disk, or when memory is short. */
static void let_leave(struct chunk *chunk)
{
    struct queue *queue = chunk->queue;
    struct vhost *vhost = queue->vhost;
    if (!chunk->closed || chunk->state != CHUNK_RESIDENT || near_head(queue, chunk->number))
        return;
    unlist(chunk);
    if (!chunk->spilled && chunk->durable < chunk->live) {
        chunk->list = CHUNK_HEAVY;
        TAILQ_INSERT_TAIL(&vhost->heavy, chunk, paging_link);
    } else if (chunk->batch > vhost->committed) {
        chunk->list = CHUNK_LEAVING;
        TAILQ_INSERT_TAIL(&vhost->leaving, chunk, paging_link);
    } else {
        vhost_memory(vhost, queue, -(int64_t)chunk_drop_messages(chunk));
        chunk->state = CHUNK_STORED;
    }
}

void paging_closed(struct queue *queue, struct chunk *chunk)
{
    (void)queue;
    let_leave(chunk);
}

void paging_passed(struct queue *queue, uint64_t number)
{
    struct chunk *chunk = queue_chunk(queue, number); /* the head may have leapt */
    if (chunk)
        let_leave(chunk);
    chunk = number > BEHIND_CHUNKS ? queue_chunk(queue, number - BEHIND_CHUNKS) : NULL;
    if (chunk)
        let_leave(chunk);
}

void paging_forget(struct chunk *chunk)
{
    unlist(chunk);
}

void paging_lane_dropped(struct queue *queue)
{
    queue->vhost->pages_out -= queue->pages_out;
    queue->pages_out = 0;
}

void paging_committed(struct vhost *vhost)
{
    struct chunk *chunk;
    while ((chunk = TAILQ_FIRST(&vhost->leaving)) && chunk->batch <= vhost->committed) {
        unlist(chunk);
        let_leave(chunk);
    }
}

/* ---- Out, for want of memory. */

static void page_out(struct chunk *chunk)
{
    struct queue *queue = chunk->queue;
    struct vhost *vhost = queue->vhost;
    struct journal_entry entries[JOURNAL_CHUNK_SLOTS];
    size_t count = 0;
    for (unsigned slot = 0; (slot = bit_next(chunk->live_bits, slot)) < JOURNAL_CHUNK_SLOTS;
         slot++) {
        if (bit_test(chunk->durable_bits, slot))
            continue;
        entries[count++] = (struct journal_entry){
            .seq = place_seq((struct place){chunk, slot}),
            .expires_ms = chunk_expires(chunk, slot),
            .message = chunk_message(chunk, slot),
        };
    }
    if (count == 0) {
        let_leave(chunk);
        return;
    }
    chunk->state = CHUNK_STORING;
    chunk->spilled = true;
    queue->pages_out++;
    vhost->pages_out++;
    journal_page_out(vhost->options.journal, queue_lane(queue), chunk->number, entries, count);
}

void paging_relieve(struct vhost *vhost)
{
    struct chunk *chunk;
    while (vhost->pages_out < PAGES_OUT_MAX && (chunk = TAILQ_FIRST(&vhost->heavy))) {
        unlist(chunk);
        if (!near_head(chunk->queue, chunk->number))
            page_out(chunk);
    }
}

void vhost_paged_out(struct vhost *vhost, struct journal_lane *lane, uint64_t number,
                     enum status status)
{
    struct queue *queue = map_get(&vhost->lanes, bytes_of(&lane, sizeof lane));
    if (!queue)
        return;
    queue->pages_out--;
    vhost->pages_out--;
    struct chunk *chunk = queue_chunk(queue, number);
    if (!chunk || chunk->state != CHUNK_STORING)
        return;
    chunk->state = CHUNK_RESIDENT;
    if (status)
        chunk->spilled = false;
    let_leave(chunk);
    vhost_settle_down(vhost);
}

/* ---- In. */

void paging_read_ahead(struct queue *queue)
{
    uint64_t bytes = 0;
    for (uint64_t number = queue->cursor;
         number - queue->cursor < AHEAD_CHUNKS && bytes < AHEAD_BYTES; number++) {
        struct chunk *chunk = queue_chunk(queue, number);
        if (!chunk)
            continue;
        if (chunk->state == CHUNK_STORED && chunk->ready && !queue->failed) {
            chunk->state = CHUNK_READING;
            journal_page_in(queue->vhost->options.journal, queue_lane(queue), number);
        }
        bytes += chunk->body_bytes;
    }
}

static void fail_queue(struct queue *queue)
{
    struct consumer *consumer;
    queue->failed = true;
    while ((consumer = TAILQ_FIRST(&queue->consumers)))
        consumer_cancel(consumer);
    queue_fail_gets(queue, STATUS_INTERNAL_ERROR);
}

/* Gives a chunk its messages back; false when some are missing. */
static bool fill_chunk(struct chunk *chunk, struct journal_page *page)
{
    uint64_t body_bytes = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < page->count; i++) {
        struct journal_entry *entry = &page->entries[i];
        unsigned slot = (unsigned)(entry->seq % JOURNAL_CHUNK_SLOTS);
        if (!bit_test(chunk->live_bits, slot) || (slot < chunk->room && chunk_message(chunk, slot)))
            continue;
        body_bytes += entry->message->body_bytes;
        chunk_fill(chunk, slot, entry->message, entry->expires_ms);
        entry->message = NULL;
        filled++;
    }
    if (filled < chunk->live)
        return false;
    struct queue *queue = chunk->queue;
    if (chunk->ready) /* the sum was an estimate when it came from recovery */
        queue->ready_bytes = queue->ready_bytes + body_bytes > chunk->body_bytes
                                 ? queue->ready_bytes + body_bytes - chunk->body_bytes
                                 : 0;
    chunk->body_bytes = body_bytes;
    return true;
}

static void paged_in(struct queue *queue, struct chunk *chunk, struct journal_page *page)
{
    if (!fill_chunk(chunk, page) || page->status) {
        chunk_drop_messages(chunk);
        chunk->state = CHUNK_STORED;
        fail_queue(queue);
        return;
    }
    chunk->state = CHUNK_RESIDENT;
    vhost_memory(queue->vhost, queue, (int64_t)chunk->memory_bytes);
    if (chunk->any_expires)
        queue->expiring = true;
    if (queue->expiring)
        queue_expire(queue, EXPIRE_AT_ONCE);
    queue_schedule(queue);
}

void vhost_paged_in(struct vhost *vhost, struct journal_page *page, struct moment now)
{
    vhost->now = now;
    vhost->journalled = false;
    struct queue *queue = map_get(&vhost->lanes, bytes_of(&page->lane, sizeof page->lane));
    struct chunk *chunk = queue ? queue_chunk(queue, page->chunk) : NULL;
    if (chunk && chunk->state == CHUNK_READING)
        paged_in(queue, chunk, page);
    else if (queue)
        queue_schedule(queue);
    for (size_t i = 0; i < page->count; i++)
        message_unref(&page->entries[i].message);
    vhost_settle_down(vhost);
}
