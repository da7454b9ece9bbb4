/* Part of batch.h: closing a batch. It decides which records will be written.
 *
 * Normal course. Each group that has a live message becomes a block; its key has the seq of the
 * first live message. The index of each touched chunk is written; when nothing is alive in the
 * chunk, its index and its blocks are erased. A lane's record is written when messages were
 * delivered and the lane has chunks.
 *
 * What can go wrong: the write fails. batch_prune and batch_absorb then make one batch of this one
 * and the next. */
#include "journal/leveldb/batch.h"

#include "leveret/base/mem.h"

/* ---- Dropping a lane. */

static void drop_run(struct batch *batch, struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (!run->entries[i].message)
            continue;
        batch->bytes -= message_memory(run->entries[i].message);
        message_unref(&run->entries[i].message);
    }
    /* The run stays in the batch, empty. */
    run->count = run->group_count = 0;
    run->lane = NULL;
}

static void erase_blocks(struct batch *batch, const struct stored_chunk *chunk)
{
    for (unsigned slot = slots_next(chunk->starts, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->starts, slot + 1))
        *LIST_ADD(batch->block_erases) =
            (struct block_erase){chunk->lane->id, chunk->number * JOURNAL_CHUNK_SLOTS + slot};
}

static void erase_index(struct batch *batch, const struct stored_chunk *chunk)
{
    struct index_update *update = LIST_ADD(batch->indexes);
    *update = (struct index_update){.erase = true};
    update->index.lane_id = chunk->lane->id;
    update->index.chunk = chunk->number;
}

/* Counts the chunk's blocks in the database as dead. */
static void note_dead(struct batch *batch, const struct stored_chunk *chunk)
{
    batch->maker->stored_bytes -= chunk->stored_bytes;
    batch->maker->dead_bytes += chunk->stored_bytes;
    dead_range_add(&chunk->lane->dead, chunk->number, chunk->stored_bytes);
}

static void release_extents(struct batch *batch, struct stored_chunk *chunk)
{
    for (unsigned i = 0; i < chunk->extent_count; i++)
        segments_release(&batch->maker->segments, chunk->extents[i].place, &batch->dead_segments);
    chunk->extent_count = 0;
}

static void drop_chunk(struct batch *batch, struct stored_chunk *chunk)
{
    release_extents(batch, chunk);
    if (chunk->indexed) {
        erase_index(batch, chunk);
        erase_blocks(batch, chunk);
        note_dead(batch, chunk);
    }
    while (chunk->use_count) {
        struct body *body = stored_chunk_unuse_body(chunk, chunk->uses[chunk->use_count - 1].slot);
        if (body)
            batch_end_body(batch, &body);
    }
    if (chunk->touched_at) {
        batch->chunks.at[chunk->touched_at - 1] = NULL;
        chunk->touched_at = 0;
    }
}

void batch_drop_lane(struct batch *batch, struct journal_lane *lane)
{
    if (lane->filling)
        drop_run(batch, lane->filling);
    if (lane->moving)
        drop_run(batch, lane->moving);
    lane->filling = lane->moving = NULL;
    for (struct run *run = lane->flying; run; run = run->older)
        run->lane = NULL;
    lane->flying = NULL;
    size_t at = 0;
    for (struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
        drop_chunk(batch, chunk);
    if (lane->record_stored)
        *LIST_ADD(batch->lane_updates) = (struct lane_update){.lane_id = lane->id, .erase = true};
    if (lane->touched_at)
        batch->lanes.at[lane->touched_at - 1] = NULL;
    lane->touched_at = 0;
    if (lane->dead.bytes)
        *LIST_ADD(batch->maker->dead_lanes) = (struct dead_lane){lane->id, lane->dead};
    batch->touched = true;
}

/* ---- Closing. */

/* Drops the entries whose message has been settled. */
static void prune_run(struct batch *batch, struct run *run)
{
    for (size_t g = 0; g < run->group_count; g++) {
        struct group *group = &run->groups[g];
        struct stored_chunk *chunk =
            run->lane ? stored_lane_find(run->lane, group->chunk_number) : NULL;
        for (size_t i = group->first; i < group->end && group->live; i++) {
            struct pending *entry = &run->entries[i];
            if (!entry->message ||
                (chunk && slots_has(chunk->live, (unsigned)(entry->seq % JOURNAL_CHUNK_SLOTS))))
                continue;
            batch->bytes -= message_memory(entry->message);
            group->bytes -= record_entry_bytes(entry->message, entry->expires_ms, entry->body_id);
            message_unref(&entry->message);
            group->live--;
        }
    }
}

/* How many bytes the batch's blocks and bodies will take. */
static uint64_t payload_bytes(const struct batch *batch)
{
    uint64_t bytes = 0;
    const struct run *run;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        for (size_t i = 0; i < run->group_count; i++)
            if (run->groups[i].live)
                bytes += RECORD_BLOCK_BYTES + run->groups[i].bytes;
    }
    for (size_t i = 0; i < batch->bodies.count; i++)
        if (batch->bodies.at[i].message)
            bytes += record_body_bytes(batch->bodies.at[i].body_bytes);
    return bytes;
}

/* Decides where the group's block goes. */
static void plan_group(struct batch *batch, struct run *run, struct group *group, bool to_segment)
{
    size_t first = group->first;
    while (!run->entries[first].message)
        first++;
    struct stored_chunk *chunk = group->chunk;
    uint64_t bytes = RECORD_BLOCK_BYTES + group->bytes;
    group->start_seq = run->entries[first].seq;
    group->chunk = NULL;
    chunk->dirty = true;
    uint16_t slot = (uint16_t)(group->start_seq % JOURNAL_CHUNK_SLOTS);
    if (to_segment && bytes >= JOURNAL_SEGMENT_BLOCK && chunk->extent_count < JOURNAL_EXTENTS_MAX) {
        group->place = segments_reserve(&batch->maker->segments, bytes);
        stored_chunk_add_extent(chunk, group->place, slot);
    } else {
        slots_add(chunk->starts, slot);
        chunk->stored_bytes += bytes;
        batch->maker->stored_bytes += bytes;
    }
}

/* Erases the chunk's old blocks: all that is alive in them is in this batch. */
static void leave_blocks(struct batch *batch, struct stored_chunk *chunk)
{
    erase_blocks(batch, chunk);
    release_extents(batch, chunk);
    note_dead(batch, chunk);
    memset(chunk->starts, 0, sizeof chunk->starts);
    chunk->stored_bytes = 0;
}

/* Decides which blocks the run makes, and where they go. */
static void plan_run(struct batch *batch, struct run *run, bool to_segment)
{
    if (run->moves && run->group_count) {
        run->groups[0].chunk->moved_in = batch->number;
        if (run->groups[0].live)
            leave_blocks(batch, run->groups[0].chunk);
    }
    for (size_t i = 0; i < run->group_count; i++)
        if (run->groups[i].live)
            plan_group(batch, run, &run->groups[i], to_segment);
}

static void plan_body(struct batch *batch, struct body_update *update, bool to_segment)
{
    struct body *body = update->body;
    if (!body)
        return;
    body->stored = true;
    update->body = NULL;
    if (update->moved)
        body->moved_in = batch->number;
    if (to_segment || update->moved)
        body->place = update->place =
            segments_reserve(&batch->maker->segments, record_body_bytes(body->bytes));
    else
        batch->maker->stored_bytes += body->bytes;
}

static void plan_index(struct batch *batch, const struct stored_chunk *chunk)
{
    struct index_update *update = LIST_ADD(batch->indexes);
    update->erase = false;
    update->refs_from = batch->refs.count;
    struct record_index *index = &update->index;
    index->lane_id = chunk->lane->id;
    index->chunk = chunk->number;
    memcpy(index->live, chunk->live, sizeof index->live);
    memcpy(index->starts, chunk->starts, sizeof index->starts);
    index->body_bytes = chunk->sizes.sum;
    index->stored_bytes = chunk->stored_bytes;
    index->any_expires = chunk->any_expires;
    index->ref_count = chunk->use_count;
    for (unsigned i = 0; i < chunk->use_count; i++) {
        const struct body_use *use = &chunk->uses[i];
        *LIST_ADD(batch->refs) =
            (struct record_body_ref){use->body->id, use->body->bytes, use->body->place, use->slot};
    }
    update->extents_from = batch->extents.count;
    index->extent_count = chunk->extent_count;
    for (unsigned i = 0; i < chunk->extent_count; i++)
        *LIST_ADD(batch->extents) =
            (struct record_extent){chunk->extents[i].place, chunk->extents[i].slot};
    update->sizes_from = batch->sizes.len;
    sizes_encode(&chunk->sizes, chunk->live, &batch->sizes);
    update->sizes_len = batch->sizes.len - update->sizes_from;
}

/* No durable message of the chunk is alive: erases its records, and frees it unless it has
 * transient messages. */
static void plan_end_of_chunk(struct batch *batch, struct stored_chunk *chunk)
{
    struct journal_lane *lane = chunk->lane;
    if (chunk->indexed) {
        erase_index(batch, chunk);
        erase_blocks(batch, chunk);
        release_extents(batch, chunk);
        note_dead(batch, chunk);
        lane->indexed_chunks--;
        if (lane->indexed_chunks == 0)
            batch_touch_lane(batch, lane);
    }
    if (!chunk->paged) {
        stored_lane_remove(chunk);
        return;
    }
    memset(chunk->starts, 0, sizeof chunk->starts);
    chunk->stored_bytes = 0;
    chunk->indexed = chunk->any_expires = false;
}

/* The slot with which the next block begins, behind the one that begins with slot; or the end of
 * the chunk. */
static unsigned next_start(const struct stored_chunk *chunk, unsigned slot)
{
    unsigned next = slots_next(chunk->starts, slot + 1);
    for (unsigned i = 0; i < chunk->extent_count; i++)
        if (chunk->extents[i].slot > slot && chunk->extents[i].slot < next)
            next = chunk->extents[i].slot;
    return next;
}

/* Whether nothing is alive in the block that begins with slot. A block's messages lie between its
 * beginning and that of the next block. */
static bool block_is_dead(const struct stored_chunk *chunk, unsigned slot)
{
    return slots_next(chunk->live, slot) >= next_start(chunk, slot);
}

/* Erases the blocks of the chunk in which nothing is alive. */
static void shed_blocks(struct batch *batch, struct stored_chunk *chunk)
{
    unsigned starts = slots_count(chunk->starts), extents = 0;
    uint64_t shed[JOURNAL_CHUNK_WORDS] = {0};
    for (unsigned slot = slots_next(chunk->starts, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->starts, slot + 1)) {
        if (!block_is_dead(chunk, slot))
            continue;
        slots_add(shed, slot);
        *LIST_ADD(batch->block_erases) =
            (struct block_erase){chunk->lane->id, chunk->number * JOURNAL_CHUNK_SLOTS + slot};
    }
    uint64_t dead_extents[JOURNAL_CHUNK_WORDS] = {0};
    for (unsigned i = 0; i < chunk->extent_count; i++)
        if (block_is_dead(chunk, chunk->extents[i].slot))
            slots_add(dead_extents, i);
    for (unsigned i = 0; i < chunk->extent_count; i++) {
        if (slots_has(dead_extents, i))
            segments_release(&batch->maker->segments, chunk->extents[i].place,
                             &batch->dead_segments);
        else
            chunk->extents[extents++] = chunk->extents[i];
    }
    chunk->extent_count = (uint16_t)extents;
    unsigned gone = slots_count(shed);
    if (gone == 0)
        return;
    uint64_t bytes = chunk->stored_bytes / starts * gone; /* their sizes are not known one by one */
    chunk->stored_bytes -= bytes;
    batch->maker->stored_bytes -= bytes;
    batch->maker->dead_bytes += bytes;
    dead_range_add(&chunk->lane->dead, chunk->number, bytes);
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        chunk->starts[i] &= ~shed[i];
}

static void plan_chunk(struct batch *batch, struct stored_chunk *chunk)
{
    chunk->touched_at = 0;
    bool dirty = chunk->dirty;
    chunk->dirty = false;
    if (chunk->live_count == 0) {
        plan_end_of_chunk(batch, chunk);
    } else if (dirty) {
        shed_blocks(batch, chunk);
        plan_index(batch, chunk);
        if (!chunk->indexed)
            chunk->lane->indexed_chunks++;
        chunk->indexed = true;
    }
}

static void plan_lane(struct batch *batch, struct journal_lane *lane)
{
    lane->touched_at = 0;
    if (lane->indexed_chunks > 0) {
        if (lane->delivered == lane->delivered_written)
            return;
        *LIST_ADD(batch->lane_updates) = (struct lane_update){lane->id, lane->delivered, false};
        lane->delivered_written = lane->delivered;
        lane->record_stored = true;
    } else if (lane->record_stored) {
        *LIST_ADD(batch->lane_updates) = (struct lane_update){.lane_id = lane->id, .erase = true};
        lane->record_stored = false;
    }
}

bool batch_close(struct batch *batch)
{
    struct run *run;
    batch->maker->last.message = NULL;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        if (run->moves)
            prune_run(batch, run);
    }
    batch->payload_bytes = payload_bytes(batch);
    bool to_segment = batch->payload_bytes >= batch->maker->segment_min;
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        plan_run(batch, run, to_segment);
        if (run->lane) {
            run->older = run->lane->flying;
            run->lane->flying = run;
            run->lane->filling = run->lane->moving = NULL;
        }
    }
    for (size_t i = 0; i < batch->bodies.count; i++)
        plan_body(batch, &batch->bodies.at[i], to_segment);
    for (size_t i = 0; i < batch->chunks.count; i++)
        if (batch->chunks.at[i])
            plan_chunk(batch, batch->chunks.at[i]);
    for (size_t i = 0; i < batch->lanes.count; i++)
        if (batch->lanes.at[i])
            plan_lane(batch, batch->lanes.at[i]);
    batch->chunks.count = batch->lanes.count = 0;
    return batch->indexes.count || batch->dead_segments.count || batch->lane_updates.count ||
           batch->bodies.count || batch->block_erases.count || batch->definitions.len;
}

/* ---- After recovery. */

void batch_trim_chunk(struct batch *batch, struct stored_chunk *chunk)
{
    unsigned last = JOURNAL_CHUNK_SLOTS - 1;
    while (!slots_has(chunk->live, last))
        last--;
    unsigned extents = 0;
    bool trimmed = false;
    for (unsigned slot = slots_next(chunk->starts, last + 1); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->starts, slot + 1)) {
        *LIST_ADD(batch->block_erases) =
            (struct block_erase){chunk->lane->id, chunk->number * JOURNAL_CHUNK_SLOTS + slot};
        slots_remove(chunk->starts, slot);
        trimmed = true;
    }
    for (unsigned i = 0; i < chunk->extent_count; i++) {
        if (chunk->extents[i].slot <= last) {
            chunk->extents[extents++] = chunk->extents[i];
            continue;
        }
        segments_release(&batch->maker->segments, chunk->extents[i].place, &batch->dead_segments);
        trimmed = true;
    }
    chunk->extent_count = (uint16_t)extents;
    if (!trimmed)
        return;
    chunk->dirty = true;
    batch_touch_chunk(batch, chunk);
}

/* ---- A batch that could not be written. */

/* Notes the bodies that the run's entries still need. */
static void keep_bodies(const struct run *run, struct map *needed)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct pending *entry = &run->entries[i];
        if (entry->message && entry->body_id)
            map_put(needed, bytes_of(&entry->body_id, sizeof entry->body_id), (void *)entry);
    }
}

void batch_prune(struct batch *batch)
{
    struct run *run;
    struct map needed = {0};
    STAILQ_FOREACH(run, &batch->runs, link)
    {
        prune_run(batch, run);
        keep_bodies(run, &needed);
    }
    size_t kept = 0;
    for (size_t i = 0; i < batch->bodies.count; i++) {
        const struct body_update *update = &batch->bodies.at[i];
        if (!update->message || update->moved ||
            map_get(&needed, bytes_of(&update->body_id, sizeof update->body_id)))
            batch->bodies.at[kept++] = *update;
    }
    batch->bodies.count = kept;
    map_free(&needed);
}

/* Drops all index updates of a chunk but the last, so that a batch that cannot be written for a
 * long time does not grow without end. The order of different chunks does not matter. */
static void merge_indexes(struct batch *batch)
{
    struct map latest = {0};
    uint64_t(*keys)[2] = mem_need_array(NULL, batch->indexes.count, sizeof *keys);
    for (size_t i = 0; i < batch->indexes.count; i++) {
        keys[i][0] = batch->indexes.at[i].index.lane_id;
        keys[i][1] = batch->indexes.at[i].index.chunk;
        map_put(&latest, bytes_of(keys[i], sizeof keys[i]), &batch->indexes.at[i]);
    }
    struct record_body_ref *refs = batch->refs.at;
    struct record_extent *extents = batch->extents.at;
    struct text sizes = batch->sizes;
    batch->sizes = (struct text){0};
    batch->refs.at = NULL;
    batch->refs.count = batch->refs.room = 0;
    batch->extents.at = NULL;
    batch->extents.count = batch->extents.room = 0;
    size_t kept = 0;
    for (size_t i = 0; i < batch->indexes.count; i++) {
        struct index_update *update = &batch->indexes.at[i];
        if (map_get(&latest, bytes_of(keys[i], sizeof keys[i])) != update)
            continue;
        size_t refs_from = batch->refs.count, extents_from = batch->extents.count;
        for (unsigned i_ref = 0; !update->erase && i_ref < update->index.ref_count; i_ref++)
            *LIST_ADD(batch->refs) = refs[update->refs_from + i_ref];
        for (unsigned e = 0; !update->erase && e < update->index.extent_count; e++)
            *LIST_ADD(batch->extents) = extents[update->extents_from + e];
        size_t sizes_from = batch->sizes.len;
        if (!update->erase)
            text_add(&batch->sizes, sizes.at + update->sizes_from, update->sizes_len);
        batch->indexes.at[kept] = *update;
        batch->indexes.at[kept].refs_from = refs_from;
        batch->indexes.at[kept].sizes_from = sizes_from;
        batch->indexes.at[kept++].extents_from = extents_from;
    }
    batch->indexes.count = kept;
    map_free(&latest);
    free(refs);
    free(extents);
    text_free(&sizes);
    free(keys);
}

#define APPEND_LIST(to, from)                                                                      \
    do {                                                                                           \
        for (size_t i_ = 0; i_ < (from).count; i_++)                                               \
            *LIST_ADD(to) = (from).at[i_];                                                         \
    } while (0)

void batch_absorb(struct batch *batch, struct batch *later)
{
    batch->number = later->number;
    batch->bytes += later->bytes;
    batch->payload_bytes += later->payload_bytes;
    for (size_t i = 0; i < later->indexes.count; i++) {
        later->indexes.at[i].refs_from += batch->refs.count;
        later->indexes.at[i].extents_from += batch->extents.count;
        later->indexes.at[i].sizes_from += batch->sizes.len;
    }
    APPEND_LIST(batch->refs, later->refs);
    APPEND_LIST(batch->extents, later->extents);
    text_add_bytes(&batch->sizes, text_bytes(&later->sizes));
    for (size_t i = 0; i < later->dead_segments.count; i++)
        segments_list_add(&batch->dead_segments, later->dead_segments.at[i]);
    APPEND_LIST(batch->indexes, later->indexes);
    APPEND_LIST(batch->bodies, later->bodies);
    APPEND_LIST(batch->block_erases, later->block_erases);
    APPEND_LIST(batch->lane_updates, later->lane_updates);
    text_add_bytes(&batch->definitions, text_bytes(&later->definitions));
    STAILQ_CONCAT(&batch->runs, &later->runs);
    merge_indexes(batch);
    later->runs = (struct run_list)STAILQ_HEAD_INITIALIZER(later->runs);
    later->bytes = 0;
    later->bodies.count = 0; /* what they hold is batch's now */
    batch_clear(later);
}
