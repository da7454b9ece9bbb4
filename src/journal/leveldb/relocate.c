/* Moving what is stored.
 *
 * Why. A segment is removed when nothing in it is alive: one message that nobody fetches keeps the
 * 64 MiB around it. So when more of the segments is dead than alive, what lives in the emptiest is
 * moved, chunk by chunk. And a chunk that was written by many small batches, and is not being
 * consumed, is stored anew as one block.
 *
 * Normal course. One chunk at a time is read as for a page. Then its messages join the filling
 * batch as a run that moves (batch.h): in one write the new block is there and the old ones are
 * not. Until that is committed, requests for the chunk wait (page_in.c).
 *
 * What can go wrong: something of the chunk cannot be read: it stays where it is. Messages of the
 * chunk are on their way to the disk, or the disk is full: another time. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/space.h"
#include "leveret/base/mem.h"

/* Dead bytes in segments that are no cause yet. */
#define WASTE_MIN   ((uint64_t)128 << 20)
#define WASTE_SHARE 8u /* … or this part of the file system, if that is less */
/* A segment is not emptied again before so many more batches. */
#define BATCHES_BETWEEN 64u
/* A chunk is worth merging with so many messages alive. */
#define MERGE_LIVE_MIN 256u

struct relocation {
    BATCH_LIST(struct chunk_address) candidates;
    uint32_t victim;              /* the segment that they are in; 0: they are to be merged */
    struct page_request *request; /* the chunk being read */
    struct chunk_address reading;
    uint64_t waste_min;
};

void relocate_begin(struct engine *engine)
{
    engine->relocation = mem_need(sizeof *engine->relocation);
    uint64_t share = space_total(engine) / WASTE_SHARE;
    engine->relocation->waste_min = share && share < WASTE_MIN ? share : WASTE_MIN;
}

void relocate_end(struct engine *engine)
{
    if (engine->relocation->request)
        page_in_free(&engine->relocation->request);
    free(engine->relocation->candidates.at);
    free(engine->relocation);
    engine->relocation = NULL;
}

void relocate_forget_lane(struct engine *engine, const struct journal_lane *lane)
{
    struct relocation *r = engine->relocation;
    for (size_t i = 0; i < r->candidates.count; i++)
        if (r->candidates.at[i].lane == lane)
            r->candidates.at[i].lane = NULL;
    for (size_t i = 0; i < engine->maker.merge.count; i++)
        if (engine->maker.merge.at[i].lane == lane)
            engine->maker.merge.at[i].lane = NULL;
    if (r->reading.lane == lane)
        r->reading.lane = NULL;
    if (r->request && r->request->lane == lane)
        r->request->lane = NULL;
}

/* ---- What is to be moved. */

static bool is_in(const struct stored_chunk *chunk, uint32_t segment)
{
    for (unsigned i = 0; i < chunk->extent_count; i++)
        if (chunk->extents[i].place.segment == segment)
            return true;
    for (unsigned i = 0; i < chunk->use_count; i++)
        if (chunk->uses[i].body->place.segment == segment)
            return true;
    return false;
}

static bool is_wasteful(const struct engine *engine)
{
    const struct segments *segments = &engine->maker.segments;
    uint64_t waste = segments->size_bytes - segments->live_bytes;
    return waste >= engine->relocation->waste_min && waste >= segments->live_bytes;
}

bool relocate_is_due(const struct engine *engine)
{
    return engine->relocation->candidates.count || engine->maker.merge.count || is_wasteful(engine);
}

/* The emptiest segment, if more is dead than alive; NULL: none. */
static struct segment *choose_victim(const struct engine *engine)
{
    const struct segments *segments = &engine->maker.segments;
    struct segment *victim = NULL;
    size_t at = 0;
    if (!is_wasteful(engine))
        return NULL;
    for (struct segment *segment; (segment = map_next(&segments->by_number, &at));) {
        if (segment == segments->current || segment->live_bytes * 2 > segment->size ||
            (segment->tried_at && engine->committed - segment->tried_at < BATCHES_BETWEEN))
            continue;
        /* live_bytes / size, without dividing */
        if (!victim || segment->live_bytes * victim->size < victim->live_bytes * segment->size)
            victim = segment;
    }
    return victim;
}

static void list_chunks_of_victim(struct engine *engine, struct segment *victim)
{
    struct relocation *r = engine->relocation;
    struct journal_lane *lane;
    victim->tried_at = engine->committed + 1;
    r->victim = (uint32_t)victim->number;
    LIST_FOREACH(lane, &engine->lanes, link)
    {
        size_t at = 0;
        for (const struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));)
            if (is_in(chunk, r->victim))
                *LIST_ADD(r->candidates) = (struct chunk_address){lane, chunk->number};
    }
}

static void list_chunks_to_merge(struct engine *engine)
{
    struct relocation *r = engine->relocation;
    r->victim = 0;
    for (size_t i = 0; i < engine->maker.merge.count; i++)
        *LIST_ADD(r->candidates) =
            (struct chunk_address){engine->maker.merge.at[i].lane, engine->maker.merge.at[i].chunk};
    engine->maker.merge.count = 0;
}

static bool is_worth_it(const struct relocation *r, const struct stored_chunk *chunk)
{
    if (!chunk || chunk->live_count == 0 || !chunk->indexed || batch_has_chunk(chunk))
        return false;
    if (r->victim)
        return is_in(chunk, r->victim);
    return chunk->live_count >= MERGE_LIVE_MIN &&
           slots_count(chunk->starts) + chunk->extent_count >= JOURNAL_MERGE_BLOCKS;
}

static void begin_next(struct engine *engine)
{
    struct relocation *r = engine->relocation;
    while (r->candidates.count) {
        struct chunk_address next = r->candidates.at[--r->candidates.count];
        if (!next.lane || !is_worth_it(r, stored_lane_find(next.lane, next.chunk)))
            continue;
        r->reading = next;
        r->request = page_in_request(engine, next.lane, next.chunk);
        return;
    }
}

/* ---- Moving it. */

/* Every index that names the body is written again. */
static void touch_users(struct engine *engine, const struct body *body)
{
    struct journal_lane *lane;
    LIST_FOREACH(lane, &engine->lanes, link)
    {
        size_t at = 0;
        for (struct stored_chunk *chunk; (chunk = map_next(&lane->chunks, &at));) {
            for (unsigned i = 0; i < chunk->use_count; i++) {
                if (chunk->uses[i].body != body)
                    continue;
                chunk->dirty = true;
                batch_touch_chunk(&engine->filling->batch, chunk);
            }
        }
    }
}

static void move_bodies(struct engine *engine, struct stored_chunk *chunk,
                        const struct journal_entry *slots)
{
    for (unsigned i = 0; i < chunk->use_count; i++) {
        struct body *body = chunk->uses[i].body;
        if (body->place.segment != engine->relocation->victim || !body->place.segment)
            continue;
        batch_move_body(&engine->filling->batch, body, slots[chunk->uses[i].slot].message);
        touch_users(engine, body);
    }
}

/* Whether all that is alive in the chunk, and stored, was read. */
static bool is_complete(const struct page_request *request, const struct stored_chunk *chunk)
{
    for (unsigned slot = slots_next(chunk->live, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->live, slot + 1))
        if (!request->slots[slot].message || !message_full(request->slots[slot].message))
            return false;
    return true;
}

static void join(struct engine *engine, struct page_request *request)
{
    struct relocation *r = engine->relocation;
    struct stored_chunk *chunk =
        r->reading.lane ? stored_lane_find(r->reading.lane, r->reading.chunk) : NULL;
    if (!is_worth_it(r, chunk) || !is_complete(request, chunk) || r->reading.lane->moving)
        return;
    struct journal_entry *entries = mem_need_array(NULL, JOURNAL_CHUNK_SLOTS, sizeof *entries);
    size_t count = 0;
    move_bodies(engine, chunk, request->slots);
    for (unsigned slot = slots_next(chunk->live, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->live, slot + 1)) {
        entries[count++] = request->slots[slot];
        request->slots[slot].message = NULL; /* goes to the batch */
    }
    batch_move_chunk(&engine->filling->batch, chunk, entries, count);
    engine->moves++;
    free(entries);
}

void relocate_look(struct engine *engine)
{
    struct relocation *r = engine->relocation;
    if (r->request) {
        if (!r->request->waits && !page_in_is_done(r->request))
            return;
        if (!r->request->waits) /* for another move: not now, then */
            join(engine, r->request);
        page_in_free(&r->request);
        return; /* the next one when this is written: there is a poll then */
    }
    if (engine->health != STATUS_OK || engine->refused)
        return;
    if (r->candidates.count == 0) {
        struct segment *victim = choose_victim(engine);
        if (victim)
            list_chunks_of_victim(engine, victim);
        else if (engine->maker.merge.count)
            list_chunks_to_merge(engine);
    }
    if (r->candidates.count && space_is_plenty(engine))
        begin_next(engine);
}
