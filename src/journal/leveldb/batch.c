/* The filling batch. See batch.h.
 *
 * Normal course. An append goes to the end of its lane's run and sets the slot's bit in its chunk.
 * A settle clears the bit. If the message is still in this batch, it is taken out of the run and
 * never written. Each touched chunk and lane is noted once; plan.c turns the notes into records.
 *
 * What can go wrong: nothing. Without memory for bookkeeping the process ends (mem_need). */
#include "journal/leveldb/batch.h"

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Runs that are kept for later batches; more are freed. */
#define SPARE_RUNS_MAX 64u
/* Entries of a run. A run with room for more is freed, not kept. */
#define SPARE_ENTRIES_MAX 16384u
/* Bytes of a text. A text with room for more is freed when its batch is emptied. */
#define SPARE_ROOM_MAX (1024ul * 1024)
/* Chunks that wait to be merged. At the limit further ones stay as they are. */
#define MERGE_MAX 64u

void batch_maker_init(struct batch_maker *maker)
{
    *maker = (struct batch_maker){.body_id_next = 1};
    STAILQ_INIT(&maker->spare_runs);
}

static void run_free(struct run *run)
{
    free(run->entries);
    free(run->groups);
    free(run);
}

void batch_maker_free(struct batch_maker *maker)
{
    while (!STAILQ_EMPTY(&maker->spare_runs)) {
        struct run *run = STAILQ_FIRST(&maker->spare_runs);
        STAILQ_REMOVE_HEAD(&maker->spare_runs, link);
        run_free(run);
    }
    free(maker->dead_lanes.at);
    free(maker->merge.at);
    segments_free(&maker->segments);
}

void batch_init(struct batch *batch, struct batch_maker *maker)
{
    *batch = (struct batch){.maker = maker};
    STAILQ_INIT(&batch->runs);
}

/* Gives back the messages that body updates hold themselves. */
static void let_go_of_bodies(struct batch *batch)
{
    for (size_t i = 0; i < batch->bodies.count; i++)
        if (batch->bodies.at[i].moved)
            message_unref(&batch->bodies.at[i].message);
    batch->bodies.count = 0;
}

static void let_go_of_messages(struct run *run)
{
    for (size_t i = 0; i < run->count; i++)
        message_unref(&run->entries[i].message);
}

void batch_let_go(struct batch *batch)
{
    struct run *run;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        let_go_of_messages(run);
        run->count = 0;
    }
    let_go_of_bodies(batch);
}

void batch_clear(struct batch *batch)
{
    struct batch_maker *maker = batch->maker;
    while (!STAILQ_EMPTY(&batch->runs)) {
        struct run *run = STAILQ_FIRST(&batch->runs);
        STAILQ_REMOVE_HEAD(&batch->runs, link);
        let_go_of_messages(run);
        if (maker->spare_count < SPARE_RUNS_MAX && run->room <= SPARE_ENTRIES_MAX) {
            STAILQ_INSERT_HEAD(&maker->spare_runs, run, link);
            maker->spare_count++;
        } else {
            run_free(run);
        }
    }
    if (batch->definitions.room > SPARE_ROOM_MAX)
        text_free(&batch->definitions);
    if (batch->sizes.room > SPARE_ROOM_MAX)
        text_free(&batch->sizes);
    batch->definitions.len = batch->sizes.len = 0;
    let_go_of_bodies(batch);
    batch->block_erases.count = 0;
    batch->chunks.count = batch->lanes.count = 0;
    batch->indexes.count = batch->refs.count = batch->lane_updates.count = 0;
    batch->extents.count = batch->dead_segments.count = 0;
    batch->touched = false;
    batch->bytes = 0;
}

void batch_free(struct batch *batch)
{
    while (!STAILQ_EMPTY(&batch->runs)) {
        struct run *run = STAILQ_FIRST(&batch->runs);
        STAILQ_REMOVE_HEAD(&batch->runs, link);
        let_go_of_messages(run);
        run_free(run);
    }
    let_go_of_bodies(batch);
    text_free(&batch->definitions);
    text_free(&batch->sizes);
    free(batch->bodies.at);
    free(batch->block_erases.at);
    free(batch->chunks.at);
    free(batch->lanes.at);
    free(batch->indexes.at);
    free(batch->refs.at);
    free(batch->lane_updates.at);
    free(batch->extents.at);
    free(batch->dead_segments.at);
    batch_init(batch, batch->maker);
}

/* ---- Definitions. batch->definitions has them in the order in which they were changed, each as:
 * the key's length, the value's length (UINT32_MAX: erased), the key, the value. */

static void add_definition(struct batch *batch, struct bytes key, struct bytes value)
{
    CHECK(key.len <= UINT32_MAX && value.len < UINT32_MAX);
    uint32_t lengths[2] = {(uint32_t)key.len, value.at ? (uint32_t)value.len : UINT32_MAX};
    text_add(&batch->definitions, lengths, sizeof lengths);
    text_add_bytes(&batch->definitions, key);
    if (value.at)
        text_add_bytes(&batch->definitions, value);
    batch->touched = true;
}

void batch_put(struct batch *batch, struct bytes key, struct bytes value)
{
    add_definition(batch, key, value.at ? value : bytes_of("", 0));
}

void batch_erase(struct batch *batch, struct bytes key)
{
    add_definition(batch, key, (struct bytes){0});
}

void batch_each_definition(const struct batch *batch,
                           void (*each)(void *context, struct bytes key, struct bytes value),
                           void *context)
{
    const struct text *text = &batch->definitions;
    for (size_t at = 0; at < text->len;) {
        uint32_t lengths[2];
        memcpy(lengths, text->at + at, sizeof lengths);
        at += sizeof lengths;
        struct bytes key = bytes_of(text->at + at, lengths[0]);
        at += lengths[0];
        struct bytes value = {0};
        if (lengths[1] != UINT32_MAX) {
            value = bytes_of(text->at + at, lengths[1]);
            at += lengths[1];
        }
        each(context, key, value);
    }
}

/* ---- Messages. */

void batch_touch_chunk(struct batch *batch, struct stored_chunk *chunk)
{
    batch->touched = true;
    if (chunk->touched_at)
        return;
    *LIST_ADD(batch->chunks) = chunk;
    chunk->touched_at = batch->chunks.count;
}

void batch_touch_lane(struct batch *batch, struct journal_lane *lane)
{
    if (lane->touched_at)
        return;
    *LIST_ADD(batch->lanes) = lane;
    lane->touched_at = batch->lanes.count;
}

static struct run *take_run(struct batch *batch, struct journal_lane *lane)
{
    struct batch_maker *maker = batch->maker;
    struct run *run = STAILQ_FIRST(&maker->spare_runs);
    if (run) {
        STAILQ_REMOVE_HEAD(&maker->spare_runs, link);
        maker->spare_count--;
        run->count = run->group_count = 0;
    } else {
        run = mem_need(sizeof *run);
    }
    run->lane = lane;
    run->lane_id = lane->id;
    run->older = NULL;
    run->moves = false;
    return run;
}

static struct run *start_run(struct batch *batch, struct journal_lane *lane)
{
    struct run *run = lane->filling = take_run(batch, lane);
    STAILQ_INSERT_TAIL(&batch->runs, run, link);
    return run;
}

/* To be called when the lane has gone on to its next chunk: notes this one, if it has many blocks.
 */
static void complete_chunk(struct batch_maker *maker, const struct stored_chunk *chunk)
{
    unsigned blocks = slots_count(chunk->starts) + chunk->extent_count;
    if (blocks >= JOURNAL_MERGE_BLOCKS && maker->merge.count < MERGE_MAX)
        *LIST_ADD(maker->merge) = (struct chunk_address){chunk->lane, chunk->number};
}

static struct group *start_group(struct run *run, struct stored_chunk *chunk)
{
    if (run->group_count == run->group_room) {
        run->group_room = run->group_room ? run->group_room * 2 : 4;
        run->groups = mem_need_array(run->groups, run->group_room, sizeof *run->groups);
    }
    CHECK(run->groups);
    struct group *group = &run->groups[run->group_count++];
    *group = (struct group){.chunk_number = chunk->number,
                            .chunk = chunk,
                            .start_seq = UINT64_MAX,
                            .first = run->count,
                            .end = run->count};
    return group;
}

/* The bytes that a message takes in its block. */
static inline uint64_t block_cost(const struct pending *entry)
{
    return record_entry_bytes(entry->message, entry->expires_ms, entry->body_id);
}

/* The run's group for this chunk, or NULL. */
static struct group *group_of(struct run *run, uint64_t chunk_number)
{
    size_t at = run->group_count;
    while (at > 0 && run->groups[at - 1].chunk_number > chunk_number)
        at--;
    return at > 0 && run->groups[at - 1].chunk_number == chunk_number ? &run->groups[at - 1] : NULL;
}

static struct body *body_new(struct batch *batch, struct message *message)
{
    struct body *body = mem_need(sizeof *body);
    body->id = batch->maker->body_id_next++;
    body->bytes = message->body_bytes;
    *LIST_ADD(batch->bodies) = (struct body_update){
        .body_id = body->id, .body_bytes = body->bytes, .message = message, .body = body};
    return body;
}

/* Stores the body of the entry just added apart, if it is large or if another lane got the same
 * message just before. */
static void share_body(struct batch *batch, struct run *run, struct group *group)
{
    struct batch_maker *maker = batch->maker;
    struct pending *entry = &run->entries[run->count - 1];
    struct body *body = NULL;
    if (maker->last.message == entry->message && maker->last.run != run) {
        struct pending *other = &maker->last.run->entries[maker->last.place];
        body = maker->last.body;
        if (!body && other->message == entry->message) {
            struct group *others = group_of(maker->last.run, other->seq / JOURNAL_CHUNK_SLOTS);
            others->bytes -= block_cost(other);
            body = maker->last.body = body_new(batch, entry->message);
            other->body_id = body->id;
            others->bytes += block_cost(other);
            stored_chunk_use_body(others->chunk, (uint16_t)(other->seq % JOURNAL_CHUNK_SLOTS),
                                  body);
        }
    } else if (entry->message->body_bytes > JOURNAL_BODY_APART_MIN) {
        body = body_new(batch, entry->message);
    }
    maker->last.message = entry->message;
    maker->last.run = run;
    maker->last.place = run->count - 1;
    maker->last.body = body;
    if (!body)
        return;
    entry->body_id = body->id;
    stored_chunk_use_body(group->chunk, (uint16_t)(entry->seq % JOURNAL_CHUNK_SLOTS), body);
}

void batch_append(struct batch *batch, struct journal_lane *lane, uint64_t seq, uint64_t expires_ms,
                  struct message *message)
{
    CHECK(seq > lane->last_seq || lane->last_seq == 0);
    uint64_t number = seq / JOURNAL_CHUNK_SLOTS;
    struct stored_chunk *chunk = lane->tail;
    if (!chunk || chunk->number != number) {
        if (chunk)
            complete_chunk(batch->maker, chunk);
        chunk = lane->tail = stored_lane_find_or_add(lane, number);
    }
    struct run *run = lane->filling ? lane->filling : start_run(batch, lane);
    struct group *group = run->group_count ? &run->groups[run->group_count - 1] : NULL;
    if (!group || group->chunk != chunk)
        group = start_group(run, chunk);
    if (run->count == run->room) {
        run->room = run->room ? run->room * 2 : 16;
        run->entries = mem_need_array(run->entries, run->room, sizeof *run->entries);
    }
    run->entries[run->count++] = (struct pending){seq, expires_ms, message_ref(message), 0};
    group->end = run->count;
    group->live++;
    if (message->body_bytes > JOURNAL_BODY_SHARED_MIN)
        share_body(batch, run, group);
    group->bytes += block_cost(&run->entries[run->count - 1]);
    slots_add(chunk->live, (unsigned)(seq % JOURNAL_CHUNK_SLOTS));
    chunk->live_count++;
    sizes_add(&chunk->sizes, (unsigned)(seq % JOURNAL_CHUNK_SLOTS), message->body_bytes);
    chunk->any_expires |= expires_ms != 0;
    batch_touch_chunk(batch, chunk);
    lane->last_seq = seq;
    batch->bytes += message_memory(message);
    batch->touched = true;
}

/* The entry of seq in the run, or NULL. */
static struct pending *find_pending(struct run *run, uint64_t seq)
{
    if (!run || run->count == 0 || seq < run->entries[0].seq)
        return NULL;
    /* Mostly seqs have no gaps, and the first guess is right. */
    size_t guess = seq - run->entries[0].seq;
    if (guess < run->count && run->entries[guess].seq == seq)
        return &run->entries[guess];
    size_t low = 0, high = run->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (run->entries[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < run->count && run->entries[low].seq == seq ? &run->entries[low] : NULL;
}

void batch_end_body(struct batch *batch, struct body **body)
{
    struct batch_maker *maker = batch->maker;
    if (maker->last.body == *body)
        maker->last.message = NULL;
    if ((*body)->place.segment) {
        segments_release(&maker->segments, (*body)->place, &batch->dead_segments);
    } else if ((*body)->stored) {
        *LIST_ADD(batch->bodies) =
            (struct body_update){.body_id = (*body)->id, .body_bytes = (*body)->bytes};
        maker->stored_bytes -= (*body)->bytes;
        maker->dead_bytes += (*body)->bytes;
        dead_range_add(&maker->dead_bodies, (*body)->id, (*body)->bytes);
    } else {
        for (size_t i = batch->bodies.count; i-- > 0;) {
            if (batch->bodies.at[i].body_id == (*body)->id) {
                if (batch->bodies.at[i].moved)
                    message_unref(&batch->bodies.at[i].message);
                batch->bodies.at[i] = batch->bodies.at[--batch->bodies.count];
                break;
            }
        }
    }
    free(*body);
    *body = NULL;
}

/* Takes a message out of the batch again. */
static void forget_pending(struct batch *batch, const struct stored_chunk *chunk, struct run *run,
                           struct pending *entry)
{
    struct group *group = group_of(run, chunk->number);
    group->live--;
    group->bytes -= block_cost(entry);
    batch->bytes -= message_memory(entry->message);
    message_unref(&entry->message);
}

bool batch_settle(struct batch *batch, struct journal_lane *lane, uint64_t seq)
{
    struct stored_chunk *chunk = stored_lane_find(lane, seq / JOURNAL_CHUNK_SLOTS);
    unsigned slot = (unsigned)(seq % JOURNAL_CHUNK_SLOTS);
    if (!chunk || !slots_has(chunk->live, slot))
        return false;
    slots_remove(chunk->live, slot);
    if (chunk->use_count) {
        struct body *body = stored_chunk_unuse_body(chunk, (uint16_t)slot);
        if (body)
            batch_end_body(batch, &body);
    }
    struct pending *entry = find_pending(lane->filling, seq);
    if (entry)
        forget_pending(batch, chunk, lane->filling, entry);
    else
        chunk->dirty = true;
    sizes_remove(&chunk->sizes, slot);
    chunk->live_count--;
    batch_touch_chunk(batch, chunk);
    batch->touched = true;
    return true;
}

void batch_delivered(struct batch *batch, struct journal_lane *lane, uint64_t seq)
{
    if (seq <= lane->delivered)
        return;
    lane->delivered = seq;
    batch_touch_lane(batch, lane);
    batch->touched = true;
}

/* ---- Moving what is stored. */

void batch_move_chunk(struct batch *batch, struct stored_chunk *chunk,
                      const struct journal_entry *entries, size_t count)
{
    struct journal_lane *lane = chunk->lane;
    CHECK(!lane->moving && !batch_has_chunk(chunk));
    struct run *run = lane->moving = take_run(batch, lane);
    STAILQ_INSERT_HEAD(&batch->runs, run, link); /* planned before what is appended to the chunk */
    run->moves = true;
    if (run->room < count) {
        run->room = count;
        run->entries = mem_need_array(run->entries, run->room, sizeof *run->entries);
    }
    struct group *group = start_group(run, chunk);
    size_t use = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t slot = (uint16_t)(entries[i].seq % JOURNAL_CHUNK_SLOTS);
        while (use < chunk->use_count && chunk->uses[use].slot < slot)
            use++;
        bool apart = use < chunk->use_count && chunk->uses[use].slot == slot;
        struct pending *entry = &run->entries[run->count++];
        *entry = (struct pending){entries[i].seq, entries[i].expires_ms, entries[i].message,
                                  apart ? chunk->uses[use].body->id : 0};
        group->end = run->count;
        group->live++;
        group->bytes += block_cost(entry);
        batch->bytes += message_memory(entry->message);
    }
    chunk->dirty = true;
    chunk->moved_in = UINT64_MAX;
    batch_touch_chunk(batch, chunk);
}

void batch_move_body(struct batch *batch, struct body *body, struct message *message)
{
    segments_release(&batch->maker->segments, body->place, &batch->dead_segments);
    body->place = (struct segment_place){0};
    body->stored = false;
    body->moved_in = UINT64_MAX;
    *LIST_ADD(batch->bodies) = (struct body_update){.body_id = body->id,
                                                    .body_bytes = body->bytes,
                                                    .message = message_ref(message),
                                                    .moved = true,
                                                    .body = body};
}

static bool run_has(const struct run *run, uint64_t chunk_number)
{
    for (size_t i = 0; run && i < run->group_count; i++)
        if (run->groups[i].chunk_number == chunk_number)
            return true;
    return false;
}

bool batch_has_chunk(const struct stored_chunk *chunk)
{
    const struct journal_lane *lane = chunk->lane;
    bool has = run_has(lane->filling, chunk->number) || run_has(lane->moving, chunk->number);
    for (const struct run *run = lane->flying; run && !has; run = run->older)
        has = run_has(run, chunk->number);
    return has;
}
