/* Chunks leave memory and come back: see paging.h. */
#include "broker/store/paging.h"

#include "broker/store/page_reader.h"

/* Chunks from the head on that a lane keeps in memory, and bytes of their bodies: a chunk behind
 * either limit may leave memory. */
#define AHEAD_CHUNKS 8u
#define AHEAD_BYTES  (4u << 20)
/* Chunks before the head, with unsettled deliveries, that a lane keeps in memory. */
#define BEHIND_CHUNKS 4u
/* Page-outs under way in a vhost; more are begun when some of them are done. */
#define PAGES_OUT_MAX 16u
/* How long no page-out begins after a failed one, so that a full disk does not keep the journal's
 * threads busy with attempts. */
#define PAGE_OUT_PAUSE_MS 1000u

/* Whether the chunk is to stay in memory or to be read: see enum lane_keep. */
static bool wanted(const struct lane *lane, uint64_t number)
{
    if (lane->keep != LANE_KEEPS_HEAD)
        return lane->keep == LANE_KEEPS_ALL;
    if (number < lane->cursor)
        return lane->cursor - number <= BEHIND_CHUNKS;
    if (number - lane->cursor >= AHEAD_CHUNKS || !lane->calls->leads(lane))
        return false;
    uint64_t bytes = 0;
    for (uint64_t at = lane->cursor; at < number; at++) {
        const struct chunk *chunk = lane_chunk(lane, at);
        if (chunk)
            bytes += chunk->body_bytes;
    }
    return bytes < AHEAD_BYTES;
}

static void unlist(struct chunk *chunk)
{
    struct store *store = chunk->lane->store;
    if (chunk->list == CHUNK_LEAVING)
        TAILQ_REMOVE(&store->leaving, chunk, paging_link);
    else if (chunk->list == CHUNK_HEAVY)
        TAILQ_REMOVE(&store->heavy, chunk, paging_link);
    chunk->list = CHUNK_UNLISTED;
}

/* Lets a chunk that is not wanted leave memory: at once, when its batch is on disk, or when memory
 * is short. */
static void let_leave(struct chunk *chunk)
{
    struct lane *lane = chunk->lane;
    struct store *store = lane->store;
    if (!chunk->closed || chunk->state != CHUNK_RESIDENT || wanted(lane, chunk->number))
        return;
    unlist(chunk);
    if (!chunk->spilled && chunk->durable < chunk->live) {
        chunk->list = CHUNK_HEAVY;
        TAILQ_INSERT_TAIL(&store->heavy, chunk, paging_link);
    } else if (chunk->batch > store->committed) {
        chunk->list = CHUNK_LEAVING;
        TAILQ_INSERT_TAIL(&store->leaving, chunk, paging_link);
    } else {
        store_memory(lane, -(int64_t)chunk_drop_messages(chunk));
        chunk->state = CHUNK_STORED;
    }
}

void paging_closed(struct chunk *chunk)
{
    let_leave(chunk);
}

void paging_passed(struct lane *lane, uint64_t number)
{
    struct chunk *chunk = lane_chunk(lane, number); /* the head may be far from it */
    if (chunk)
        let_leave(chunk);
    chunk = number > BEHIND_CHUNKS ? lane_chunk(lane, number - BEHIND_CHUNKS) : NULL;
    if (chunk)
        let_leave(chunk);
}

void paging_forget(struct chunk *chunk)
{
    unlist(chunk);
}

void paging_lane_dropped(struct lane *lane)
{
    lane->store->pages_out -= lane->pages_out;
    lane->pages_out = 0;
}

void paging_committed(struct store *store)
{
    struct chunk *chunk;
    while ((chunk = TAILQ_FIRST(&store->leaving)) && chunk->batch <= store->committed) {
        unlist(chunk);
        let_leave(chunk);
    }
}

/* ---- Out, because memory is short. */

static void page_out(struct chunk *chunk)
{
    struct lane *lane = chunk->lane;
    struct store *store = lane->store;
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
    lane->pages_out++;
    store->pages_out++;
    lane->stock->paged_out += count;
    store->disk_writes += count;
    journal_page_out(store->journal, lane_handle(lane), chunk->number, entries, count);
}

void paging_relieve(struct store *store)
{
    struct chunk *chunk;
    while (store->pages_out < PAGES_OUT_MAX && !store->page_out_ms &&
           (chunk = TAILQ_FIRST(&store->heavy))) {
        unlist(chunk);
        if (!wanted(chunk->lane, chunk->number))
            page_out(chunk);
    }
}

void paging_tick(struct store *store)
{
    if (store->page_out_ms <= store->call.now.steady_ms)
        store->page_out_ms = 0;
}

bool paging_paged_out(struct store *store, struct journal_lane *handle, uint64_t number,
                      enum status status)
{
    struct lane *lane = map_get(&store->lanes, bytes_of(&handle, sizeof handle));
    if (!lane)
        return false;
    lane->pages_out--;
    store->pages_out--;
    if (status)
        store->page_out_ms = store->call.now.steady_ms + PAGE_OUT_PAUSE_MS;
    struct chunk *chunk = lane_chunk(lane, number);
    if (!chunk || chunk->state != CHUNK_STORING)
        return false;
    chunk->state = CHUNK_RESIDENT;
    if (status)
        chunk->spilled = false;
    let_leave(chunk);
    return true;
}

/* ---- In. */

void paging_read(struct chunk *chunk)
{
    struct lane *lane = chunk->lane;
    if (chunk->state != CHUNK_STORED || lane->failed)
        return;
    chunk->state = CHUNK_READING;
    journal_page_in(lane->store->journal, lane_handle(lane), chunk->number);
}

void paging_read_ahead(struct lane *lane)
{
    uint64_t bytes = 0;
    for (uint64_t number = lane->cursor;
         number - lane->cursor < AHEAD_CHUNKS && bytes < AHEAD_BYTES; number++) {
        struct chunk *chunk = lane_chunk(lane, number);
        if (!chunk)
            continue;
        if (chunk->ready)
            paging_read(chunk);
        bytes += chunk->body_bytes;
    }
}

unsigned paging_read_all(struct lane *lane)
{
    unsigned count = 0;
    for (uint64_t number = lane->base; number - lane->base < lane->ring_count; number++) {
        struct chunk *chunk = lane_chunk(lane, number);
        if (!chunk)
            continue;
        paging_read(chunk);
        count += chunk->state == CHUNK_READING;
    }
    return count;
}

/* Puts the messages of a page into their chunk. Returns false when some are missing. */
static bool fill_chunk(struct chunk *chunk, struct journal_page *page)
{
    unsigned filled = 0;
    for (size_t i = 0; i < page->count; i++) {
        struct journal_entry *entry = &page->entries[i];
        unsigned slot = (unsigned)(entry->seq % JOURNAL_CHUNK_SLOTS);
        if (!bit_test(chunk->live_bits, slot) || (slot < chunk->room && chunk_message(chunk, slot)))
            continue;
        chunk_fill(chunk, slot, entry->message, entry->expires_ms);
        entry->message = NULL;
        filled++;
    }
    return filled == chunk->live;
}

static void paged_in(struct lane *lane, struct chunk *chunk, struct journal_page *page)
{
    if (!fill_chunk(chunk, page) || page->status) {
        chunk_drop_messages(chunk);
        chunk->state = CHUNK_STORED;
        lane->failed = true;
        lane->calls->failed(lane);
        return;
    }
    chunk->state = CHUNK_RESIDENT;
    lane->stock->paged_in += chunk->live;
    lane->store->disk_reads += chunk->live;
    store_memory(lane, (int64_t)chunk->memory_bytes);
    lane->calls->paged_in(lane, chunk);
}

void paging_stalled(struct store *store, struct journal_lane *handle, enum status status)
{
    struct lane *lane = map_get(&store->lanes, bytes_of(&handle, sizeof handle));
    if (lane)
        lane->stalled = status != STATUS_OK;
}

void paging_paged_in(struct store *store, struct journal_page *page)
{
    struct lane *lane = map_get(&store->lanes, bytes_of(&page->lane, sizeof page->lane));
    struct chunk *chunk = lane ? lane_chunk(lane, page->chunk) : NULL;
    if (__builtin_expect(!TAILQ_EMPTY(&store->page_readers), 0))
        page_readers_take(store, page);
    if (chunk && chunk->state == CHUNK_READING)
        paged_in(lane, chunk, page);
    else if (lane)
        lane->calls->paged_in(lane, NULL);
    for (size_t i = 0; i < page->count; i++)
        message_unref(&page->entries[i].message);
}
