/* Part of engine.h: moving stored messages.
 *
 * Why. A segment is removed when nothing in it is alive, so one message that nobody fetches keeps a
 * segment of 64 MiB. When more bytes of the segments are dead than alive, the chunks in the
 * emptiest segment are moved one by one. And a chunk that was written by many small batches, and is
 * not being consumed, is stored anew as one block.
 *
 * Normal course. One chunk at a time is read, as for a page. Its messages then join the filling
 * batch as a run that moves (batch.h): one write stores the new block and erases the old ones.
 * Until that is committed, requests for the chunk wait (page_in.c).
 *
 * Thread: the vhost's owner.
 *
 * What can go wrong: a message of the chunk cannot be read: then the chunk stays where it is.
 * Messages of the chunk are in a batch that is not written, or the disk is full: then the chunk is
 * not moved now. */
#include "journal/leveldb/engine.h"
#include "journal/leveldb/space.h"
#include "leveret/base/mem.h"

/* Dead bytes in all segments. With fewer, nothing is moved. On a small disk the limit is the file
 * system's size divided by WASTE_SHARE. */
#define WASTE_MIN   ((uint64_t)128 << 20)
#define WASTE_SHARE 8u
/* Batches after which the same segment may be chosen again. */
#define BATCHES_BETWEEN 64u
/* Live messages of a chunk. With fewer, its blocks are not merged. */
#define MERGE_LIVE_MIN 256u

struct relocation {
    BATCH_LIST(struct chunk_address) candidates;
    uint32_t victim; /* the segment that the candidates are in; 0: their blocks are to be
                        merged */
    struct page_request *request; /* for the chunk that is being read; NULL: none is */
    struct chunk_address reading; /* that chunk */
    uint64_t waste_min;           /* WASTE_MIN, or less on a small disk */
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

/* ---- Choosing chunks. */

/* Whether a block or a body of the chunk is in the segment. */
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

/* Whether enough of the segments is dead to empty one. */
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

/* The segment with the smallest share of live bytes, if that is half of it at most; NULL: none. */
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
        /* compares live_bytes / size */
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

/* Whether a candidate is still to be moved, and can be. */
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

/* ---- Moving a chunk. */

/* Lets every index that names the body be written again. */
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

/* Whether all live durable messages of the chunk were read. */
static bool is_complete(const struct page_request *request, const struct stored_chunk *chunk)
{
    for (unsigned slot = slots_next(chunk->live, 0); slot < JOURNAL_CHUNK_SLOTS;
         slot = slots_next(chunk->live, slot + 1))
        if (!request->slots[slot].message || !message_full(request->slots[slot].message))
            return false;
    return true;
}

/* Adds the chunk that was read to the filling batch, if that is still worth it. */
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
        request->slots[slot].message = NULL; /* the batch has the reference */
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
        if (!r->request->waits) /* a request that waits for another move is dropped */
            join(engine, r->request);
        page_in_free(&r->request);
        return; /* the next chunk comes with the next poll, when this one is written */
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
