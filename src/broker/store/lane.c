/* Messages in and out of a lane, and its ring of chunks: see lane.h.
 *
 * A single message leaves only through lane_discard, which lowers the counters and tells the
 * journal; a whole lane leaves through lane_clear. */
#include "broker/store/lane.h"

#include "broker/store/page_reader.h"
#include "broker/store/paging.h"
#include "leveret/base/mem.h"

/* Chunks that a lane's ring has room for at first; the room doubles when it is full. */
#define RING_ROOM_MIN 4u

/* Chunks of a lane that are freed at once when the lane is cleared. store_clear_rubble frees the
 * others in portions, since freeing a million messages takes a tenth of a second. */
#define FREED_AT_ONCE 8u

/* ---- Life. */

void lane_init(struct lane *lane, const struct lane_options *options)
{
    *lane = (struct lane){
        .store = options->store,
        .queue = options->queue,
        .stock = options->stock,
        .calls = options->calls,
        .watched = options->watched,
        .stored = options->stored,
        .keeps_all = options->keeps_all,
        .number = options->number,
        .counted = options->queue != NULL,
        .id = options->id,
        .base = 1, /* so that no seq is 0 */
        .cursor = 1,
    };
}

/* The size of a message's body, asked from the journal when the message is not in memory. */
static uint64_t body_bytes_of(struct place place)
{
    const struct chunk *chunk = place.chunk;
    return chunk_in_memory(chunk) ? place_message(place)->body_bytes
                                  : journal_body_bytes(chunk->lane->store->journal,
                                                       chunk->lane->handle, place_seq(place));
}

static void subtract(uint64_t *sum, uint64_t part)
{
    CHECK(*sum >= part);
    *sum -= part;
}

/* Subtracts the messages of a chunk from the owner's sums of body bytes. */
static void forget_bytes(struct lane *lane, struct chunk *chunk)
{
    uint64_t ready_bytes = chunk->ready == chunk->live ? chunk->body_bytes : 0;
    for (unsigned slot = 0; chunk->ready < chunk->live &&
                            (slot = bit_next(chunk->ready_bits, slot)) < JOURNAL_CHUNK_SLOTS;
         slot++)
        ready_bytes += body_bytes_of((struct place){chunk, slot});
    subtract(&lane->stock->ready_bytes, ready_bytes);
    subtract(&lane->stock->unsettled_bytes, chunk->body_bytes - ready_bytes);
}

void lane_free(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->ring_count; i++) {
        struct chunk **chunk = &lane->ring[(lane->ring_head + i) & (lane->ring_room - 1)];
        if (!*chunk)
            continue;
        paging_forget(*chunk);
        if ((*chunk)->deaths)
            lane->calls->forgotten(*chunk);
        returns_free(*chunk);
        store_memory(lane, -(int64_t)(*chunk)->memory_bytes);
        forget_bytes(lane, *chunk);
        lane->stock->left += (*chunk)->durable;
        if (i < FREED_AT_ONCE)
            chunk_free(chunk);
        else
            TAILQ_INSERT_TAIL(&lane->store->rubble, *chunk, paging_link);
    }
    free(lane->ring);
    lane->ring = NULL;
    lane->base += lane->ring_count;
    lane->cursor = lane->base;
    lane->ring_count = lane->ring_room = 0;
    lane->stock->ready -= lane->ready;
    if (lane->counted)
        lane->store->ready -= lane->ready;
    lane->ready = lane->transient_bytes = 0;
    if (lane->watched && lane->stock->ready + lane->stock->unsettled == 0)
        lane->calls->emptied(lane);
}

void lane_clear(struct lane *lane)
{
    for (uint32_t i = 0; i < lane->ring_count; i++) {
        struct chunk *chunk = lane_chunk(lane, lane->base + i);
        if (chunk)
            returns_forget(chunk);
    }
    lane_free(lane);
    if (!lane->handle)
        return;
    paging_lane_dropped(lane);
    page_readers_forget(lane->store, lane->handle);
    map_remove(&lane->store->lanes, bytes_of(&lane->handle, sizeof lane->handle));
    journal_lane_drop(lane->store->journal, &lane->handle);
    lane->id = 0;
}

void lane_restore(struct lane *lane, struct journal_lane *handle)
{
    lane->handle = handle;
    map_put(&lane->store->lanes, bytes_of(&lane->handle, sizeof lane->handle), lane);
}

struct journal_lane *lane_handle(struct lane *lane)
{
    if (!lane->handle) {
        if (!lane->id)
            lane->id = store_lane_ids(lane->store, 1);
        lane_restore(lane, journal_lane_new(lane->store->journal, lane->id));
    }
    return lane->handle;
}

/* ---- The ring of chunks. */

static struct chunk **ring_place(const struct lane *lane, uint64_t number)
{
    return &lane->ring[(lane->ring_head + (uint32_t)(number - lane->base)) & (lane->ring_room - 1)];
}

static void ring_add(struct lane *lane, struct chunk *chunk)
{
    if (lane->ring_count == lane->ring_room) {
        uint32_t room = lane->ring_room ? lane->ring_room * 2 : RING_ROOM_MIN;
        struct chunk **ring = mem_need(room * sizeof *ring);
        for (uint32_t i = 0; i < lane->ring_count; i++)
            ring[i] = lane->ring[(lane->ring_head + i) & (lane->ring_room - 1)];
        free(lane->ring);
        lane->ring = ring;
        lane->ring_room = room;
        lane->ring_head = 0;
    }
    lane->ring_count++;
    *ring_place(lane, lane->base + lane->ring_count - 1) = chunk;
}

static void ring_trim(struct lane *lane)
{
    while (lane->ring_count && !lane->ring[lane->ring_head]) {
        lane->ring_head = (lane->ring_head + 1) & (lane->ring_room - 1);
        lane->ring_count--;
        lane->base++;
    }
    if (lane->cursor < lane->base)
        lane->cursor = lane->base;
}

static void remove_chunk(struct lane *lane, struct chunk *chunk)
{
    paging_forget(chunk);
    returns_forget(chunk);
    *ring_place(lane, chunk->number) = NULL;
    chunk_free(&chunk);
    ring_trim(lane);
}

/* The last chunk, which is the open one unless it is marked as closed; NULL: the lane has none. */
static struct chunk *tail(const struct lane *lane)
{
    return lane->ring_count
               ? lane->ring[(lane->ring_head + lane->ring_count - 1) & (lane->ring_room - 1)]
               : NULL;
}

static struct chunk *open_chunk(struct lane *lane)
{
    struct chunk *last = tail(lane);
    if (last) {
        last->closed = true;
        if (last->live == 0) {
            remove_chunk(lane, last);
            last = NULL;
        }
    }
    struct chunk *chunk = chunk_new(lane, lane->base + lane->ring_count);
    ring_add(lane, chunk);
    if (last)
        paging_closed(last);
    return chunk;
}

uint64_t lane_end(const struct lane *lane)
{
    const struct chunk *last = tail(lane);
    return last ? last->number * JOURNAL_CHUNK_SLOTS + last->used
                : (lane->base + lane->ring_count) * JOURNAL_CHUNK_SLOTS;
}

void lane_close(struct lane *lane)
{
    struct chunk *last = tail(lane);
    if (!last || last->closed || last->live == 0)
        return;
    last->closed = true;
    paging_closed(last);
}

/* ---- Messages. */

struct place lane_place(const struct lane *lane, uint64_t seq)
{
    struct chunk *chunk = lane_chunk(lane, seq / JOURNAL_CHUNK_SLOTS);
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    CHECK(chunk && bit_test(chunk->live_bits, slot));
    return (struct place){chunk, slot};
}

/* Marks a message as ready and counts it. */
static void add_ready(struct lane *lane, struct place place, uint64_t body_bytes)
{
    bit_set(place.chunk->ready_bits, place.slot);
    place.chunk->ready++;
    lane->ready++;
    lane->stock->ready++;
    lane->store->ready += lane->counted;
    lane->stock->ready_bytes += body_bytes;
}

static void add_unsettled(struct lane *lane, uint64_t body_bytes)
{
    lane->stock->unsettled++;
    lane->store->unsettled++;
    lane->stock->unsettled_bytes += body_bytes;
}

static void subtract_ready(struct lane *lane, uint64_t body_bytes)
{
    lane->ready--;
    lane->stock->ready--;
    lane->store->ready -= lane->counted;
    subtract(&lane->stock->ready_bytes, body_bytes);
}

void lane_forget_unsettled(struct lane *lane)
{
    lane->stock->unsettled--;
    lane->store->unsettled--;
}

static void subtract_unsettled(struct lane *lane, uint64_t body_bytes)
{
    lane_forget_unsettled(lane);
    subtract(&lane->stock->unsettled_bytes, body_bytes);
}

struct place lane_store(struct lane *lane, struct message *message, uint64_t expires_ms,
                        enum stored_as as, uint64_t *needed)
{
    struct journal *journal = lane->store->journal;
    struct chunk *chunk = tail(lane);
    if (!chunk || chunk->closed || chunk_full(chunk))
        chunk = open_chunk(lane);
    unsigned slot = chunk_add(chunk, message, expires_ms);
    struct place place = {chunk, slot};
    store_memory(lane, (int64_t)message_memory(message));
    if (lane->stored && (message->persistent || lane->keeps_all)) {
        chunk->durable++;
        lane->stock->appended++;
        lane->store->disk_writes++;
        bit_set(chunk->durable_bits, slot);
        journal_append(journal, lane_handle(lane), place_seq(place), expires_ms, message);
        chunk->batch = *needed = journal_filling(journal);
        if (as == STORED_UNSETTLED)
            journal_delivered(journal, lane->handle, place_seq(place));
    } else if (lane->stored) {
        lane->transient_bytes += message->body_bytes;
    }
    if (as == STORED_READY)
        add_ready(lane, place, message->body_bytes);
    else
        add_unsettled(lane, message->body_bytes);
    if (__builtin_expect(lane->watched, 0))
        lane->calls->stored(lane, place);
    return place;
}

struct place lane_head(struct lane *lane)
{
    uint64_t number = lane->cursor;
    struct chunk *chunk = lane_chunk(lane, number);
    if (!chunk || chunk->ready == 0) {
        do
            chunk = lane_chunk(lane, ++number);
        while (!chunk || chunk->ready == 0);
        uint64_t left = lane->cursor;
        lane->cursor = number;
        paging_passed(lane, left);
        paging_read_ahead(lane);
    }
    return (struct place){chunk, bit_first(chunk->ready_bits)};
}

void lane_hold(struct lane *lane, struct place place)
{
    uint64_t body_bytes = body_bytes_of(place);
    bit_clear(place.chunk->ready_bits, place.slot);
    place.chunk->ready--;
    subtract_ready(lane, body_bytes);
    add_unsettled(lane, body_bytes);
}

void lane_unhold(struct lane *lane, struct place place)
{
    uint64_t body_bytes = body_bytes_of(place);
    subtract_unsettled(lane, body_bytes);
    add_ready(lane, place, body_bytes);
    if (lane->cursor > place.chunk->number)
        lane->cursor = place.chunk->number;
}

struct message *lane_lend(struct lane *lane, struct place place)
{
    struct chunk *chunk = place.chunk;
    struct message *message = place_message(place);
    lane_hold(lane, place);
    if (bit_test(chunk->durable_bits, place.slot))
        journal_delivered(lane->store->journal, lane->handle, place_seq(place));
    return message;
}

void lane_give_back(struct lane *lane, struct place place)
{
    bit_set(place.chunk->redelivered_bits, place.slot);
    lane_unhold(lane, place);
}

struct message *lane_discard(struct lane *lane, struct place place)
{
    struct chunk *chunk = place.chunk;
    bool ready = bit_test(chunk->ready_bits, place.slot);
    bool durable = bit_test(chunk->durable_bits, place.slot);
    uint64_t body_bytes = body_bytes_of(place);
    if (__builtin_expect(lane->watched, 0))
        lane->calls->left(lane, place_seq(place));
    struct message *message = chunk_remove(chunk, place.slot, body_bytes);
    if (message)
        store_memory(lane, -(int64_t)message_memory(message));
    if (ready)
        subtract_ready(lane, body_bytes);
    else
        subtract_unsettled(lane, body_bytes);
    lane->stock->left += durable;
    lane->store->journalled |= durable;
    if (durable || chunk->spilled)
        journal_settle(lane->store->journal, lane->handle, place_seq(place));
    if (lane->stored && !durable)
        subtract(&lane->transient_bytes, body_bytes);
    if (chunk->live == 0) {
        if (chunk->closed || chunk_full(chunk)) {
            remove_chunk(lane, chunk);
        } else {
            returns_forget(chunk);
            chunk_rest(chunk);
        }
    }
    return message;
}

uint64_t lane_discard_ready(struct lane *lane, uint64_t max)
{
    uint64_t count = 0;
    for (uint64_t number = lane->cursor; lane->ready && count < max; number++) {
        struct chunk *chunk;
        while (count < max && (chunk = lane_chunk(lane, number)) && chunk->ready) {
            struct message *message =
                lane_discard(lane, (struct place){chunk, bit_first(chunk->ready_bits)});
            message_unref(&message);
            count++;
        }
    }
    return count;
}

/* ---- Recovery. */

void lane_restore_chunk(struct lane *lane, uint64_t number,
                        const uint64_t live[JOURNAL_CHUNK_WORDS], uint64_t body_bytes,
                        bool any_expires, uint64_t delivered_seq)
{
    if (lane->ring_count == 0 && number > lane->base)
        lane->base = lane->cursor = number;
    while (lane->base + lane->ring_count < number)
        ring_add(lane, NULL);
    struct chunk *chunk = chunk_new(lane, number);
    ring_add(lane, chunk);
    chunk->closed = true;
    chunk->state = CHUNK_STORED;
    chunk->used = JOURNAL_CHUNK_SLOTS;
    chunk->body_bytes = body_bytes;
    chunk->any_expires = any_expires;
    uint16_t count = 0;
    for (unsigned slot = 0; (slot = bit_next(live, slot)) < JOURNAL_CHUNK_SLOTS; slot++) {
        count++;
        if (number * JOURNAL_CHUNK_SLOTS + slot <= delivered_seq)
            bit_set(chunk->redelivered_bits, slot);
    }
    memcpy(chunk->live_bits, live, sizeof chunk->live_bits);
    memcpy(chunk->ready_bits, live, sizeof chunk->ready_bits);
    memcpy(chunk->durable_bits, live, sizeof chunk->durable_bits);
    chunk->live = chunk->ready = chunk->durable = count;
    lane->ready += count;
    if (lane->counted)
        lane->store->ready += count;
    lane->stock->ready += count;
    lane->stock->left -= count;
    lane->stock->ready_bytes += body_bytes;
}

void lane_restore_upto(struct lane *lane, uint64_t number)
{
    if (lane->ring_count == 0 && number >= lane->base)
        lane->base = lane->cursor = number + 1;
    while (lane->base + lane->ring_count <= number)
        ring_add(lane, NULL);
}
