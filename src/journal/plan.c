/* Closing a batch: from what was touched to the records that will be written.
 *
 * Normal course. Each group of a run with something alive becomes a block under the seq of its
 * first live message; each touched chunk's index is written, or erased with its blocks when nothing
 * is alive in it; a lane's record is written when deliveries moved and the lane has chunks.
 *
 * What can go wrong: the write fails. batch_prune and batch_absorb then make one batch of this and
 * the next. */
#include "batch.h"

#include "leveret/base/mem.h"

/* ---- Dropping a lane. */

static void drop_run(struct batch *batch, struct journal_lane *lane)
{
    struct run *run = lane->filling;
    for (size_t i = 0; i < run->count; i++) {
        if (!run->entries[i].message)
            continue;
        batch->bytes -= message_memory(run->entries[i].message);
        message_unref(&run->entries[i].message);
    }
    /* It stays in the batch, with nothing in it. */
    run->count = run->group_count = 0;
    run->lane = NULL;
    lane->filling = NULL;
}

static void erase_blocks(struct batch *batch, const struct chunk *chunk)
{
    for (unsigned slot = slots_next(chunk->starts, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->starts, slot + 1))
        *LIST_ADD(batch->block_erases) =
            (struct block_erase){chunk->lane->id, chunk->number * JOURNAL_CHUNK_SLOTS + slot};
}

static void erase_index(struct batch *batch, const struct chunk *chunk)
{
    struct index_update *update = LIST_ADD(batch->indexes);
    update->index.lane_id = chunk->lane->id;
    update->index.chunk = chunk->number;
    update->erase = true;
}

static void note_dead(struct batch *batch, const struct chunk *chunk)
{
    batch->maker->stored_bytes -= chunk->stored_bytes;
    batch->maker->dead_bytes += chunk->stored_bytes;
    dead_range_add(&chunk->lane->dead, chunk->number, chunk->stored_bytes);
}

static void drop_chunk(struct batch *batch, struct chunk *chunk)
{
    if (chunk->indexed) {
        erase_index(batch, chunk);
        erase_blocks(batch, chunk);
        note_dead(batch, chunk);
    }
    while (chunk->use_count) {
        struct body *body = chunk_unuse_body(chunk, chunk->uses[chunk->use_count - 1].slot);
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
        drop_run(batch, lane);
    for (struct run *run = lane->flying; run; run = run->older)
        run->lane = NULL;
    lane->flying = NULL;
    size_t at = 0;
    for (struct chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
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

/* Decides which blocks there will be. */
static void plan_run(struct batch *batch, struct run *run)
{
    for (size_t i = 0; i < run->group_count; i++) {
        struct group *group = &run->groups[i];
        if (group->live == 0)
            continue;
        size_t first = group->first;
        while (!run->entries[first].message)
            first++;
        struct chunk *chunk = group->chunk;
        group->start_seq = run->entries[first].seq;
        slot_set(chunk->starts, (unsigned)(group->start_seq % JOURNAL_CHUNK_SLOTS));
        group->chunk = NULL;
        chunk->stored_bytes += group->bytes;
        batch->maker->stored_bytes += group->bytes;
        chunk->dirty = true;
    }
}

static void plan_index(struct batch *batch, const struct chunk *chunk)
{
    struct index_update *update = LIST_ADD(batch->indexes);
    update->erase = false;
    update->refs_from = batch->refs.count;
    struct record_index *index = &update->index;
    index->lane_id = chunk->lane->id;
    index->chunk = chunk->number;
    memcpy(index->live, chunk->live, sizeof index->live);
    memcpy(index->starts, chunk->starts, sizeof index->starts);
    index->body_bytes = chunk->body_bytes;
    index->stored_bytes = chunk->stored_bytes;
    index->any_expires = chunk->any_expires;
    index->ref_count = chunk->use_count;
    for (unsigned i = 0; i < chunk->use_count; i++)
        *LIST_ADD(batch->refs) = (struct record_body_ref){.body_id = chunk->uses[i].body->id,
                                                          .body_bytes = chunk->uses[i].body->bytes,
                                                          .slot = chunk->uses[i].slot};
}

/* Nothing durable is left of the chunk. */
static void plan_end_of_chunk(struct batch *batch, struct chunk *chunk)
{
    struct journal_lane *lane = chunk->lane;
    if (chunk->indexed) {
        erase_index(batch, chunk);
        erase_blocks(batch, chunk);
        note_dead(batch, chunk);
        lane->indexed_chunks--;
        if (lane->indexed_chunks == 0)
            batch_touch_lane(batch, lane);
    }
    if (!chunk->paged) {
        lane_remove(chunk);
        return;
    }
    memset(chunk->starts, 0, sizeof chunk->starts);
    chunk->body_bytes = chunk->stored_bytes = 0;
    chunk->indexed = chunk->any_expires = false;
}

static void plan_chunk(struct batch *batch, struct chunk *chunk)
{
    chunk->touched_at = 0;
    bool dirty = chunk->dirty;
    chunk->dirty = false;
    if (chunk->live_count == 0) {
        plan_end_of_chunk(batch, chunk);
    } else if (dirty) {
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
        plan_run(batch, run);
        if (run->lane) {
            run->older = run->lane->flying;
            run->lane->flying = run;
            run->lane->filling = NULL;
        }
    }
    for (size_t i = 0; i < batch->bodies.count; i++) {
        struct body_update *update = &batch->bodies.at[i];
        if (!update->body)
            continue;
        update->body->stored = true;
        update->body = NULL;
        batch->maker->stored_bytes += update->body_bytes;
    }
    for (size_t i = 0; i < batch->chunks.count; i++)
        if (batch->chunks.at[i])
            plan_chunk(batch, batch->chunks.at[i]);
    for (size_t i = 0; i < batch->lanes.count; i++)
        if (batch->lanes.at[i])
            plan_lane(batch, batch->lanes.at[i]);
    batch->chunks.count = batch->lanes.count = 0;
    return batch->indexes.count || batch->lane_updates.count || batch->bodies.count ||
           batch->block_erases.count || batch->definitions.len;
}

/* ---- A batch that could not be written. */

/* Drops the entries whose slot is not alive any more. */
static void prune_run(struct batch *batch, struct run *run)
{
    for (size_t g = 0; g < run->group_count; g++) {
        struct group *group = &run->groups[g];
        struct chunk *chunk = run->lane ? lane_find(run->lane, group->chunk_number) : NULL;
        for (size_t i = group->first; i < group->end && group->live; i++) {
            struct pending *entry = &run->entries[i];
            if (!entry->message ||
                (chunk && slot_is_set(chunk->live, (unsigned)(entry->seq % JOURNAL_CHUNK_SLOTS))))
                continue;
            batch->bytes -= message_memory(entry->message);
            message_unref(&entry->message);
            group->live--;
        }
    }
}

/* Notes the bodies of the run's entries as still needed. */
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
        if (!update->message ||
            map_get(&needed, bytes_of(&update->body_id, sizeof update->body_id)))
            batch->bodies.at[kept++] = *update;
    }
    batch->bodies.count = kept;
    map_free(&needed);
}

/* Keeps the last update of each chunk only, so that a batch that waits for long does not grow with
 * time. The order of different chunks does not matter. */
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
    batch->refs.at = NULL;
    batch->refs.count = batch->refs.room = 0;
    size_t kept = 0;
    for (size_t i = 0; i < batch->indexes.count; i++) {
        struct index_update *update = &batch->indexes.at[i];
        if (map_get(&latest, bytes_of(keys[i], sizeof keys[i])) != update)
            continue;
        size_t from = batch->refs.count;
        for (unsigned r = 0; !update->erase && r < update->index.ref_count; r++)
            *LIST_ADD(batch->refs) = refs[update->refs_from + r];
        batch->indexes.at[kept] = *update;
        batch->indexes.at[kept++].refs_from = from;
    }
    batch->indexes.count = kept;
    map_free(&latest);
    free(refs);
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
    size_t refs_before = batch->refs.count;
    for (size_t i = 0; i < later->indexes.count; i++)
        later->indexes.at[i].refs_from += refs_before;
    APPEND_LIST(batch->refs, later->refs);
    APPEND_LIST(batch->indexes, later->indexes);
    APPEND_LIST(batch->bodies, later->bodies);
    APPEND_LIST(batch->block_erases, later->block_erases);
    APPEND_LIST(batch->lane_updates, later->lane_updates);
    text_add_bytes(&batch->definitions, text_bytes(&later->definitions));
    STAILQ_CONCAT(&batch->runs, &later->runs);
    merge_indexes(batch);
    later->runs = (struct run_list)STAILQ_HEAD_INITIALIZER(later->runs);
    later->bytes = 0;
    batch_clear(later);
}
