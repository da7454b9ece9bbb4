/* Buckets of delayed messages: see delay.h and bucket.h.
 *
 * Normal course: bucket_for finds or makes the bucket for a due time; bucket_add appends a message
 * to its lane; shortly before its time delays_tick (publish/delay_fire.c) calls bucket_prepare,
 * which loads it or begins to split it. What can go wrong: the lane cannot be read: the bucket has
 * failed and is set aside; its messages that are in memory are still published. */
#include "broker/delay/bucket.h"

#include "broker/store/definition.h"
#include "broker/store/paging.h"
#include "broker/store/store.h"
#include "broker/topology/delayed.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* The levels: the span of their buckets, and the delay below which a new message goes into a bucket
 * of the next finer level. */
static const struct {
    uint32_t span_ms;
    uint64_t finer_below_ms;
} levels[] = {
    {2764800000, 5529600000}, /* 32 days; 64 days */
    {86400000, 172800000},    /* a day; two days */
    {3600000, 7200000},       /* an hour; two hours */
    {60000, 120000},          /* a minute; two minutes */
    {1000, 0},
    {25, 0}, /* this level and the next: for a second with too many messages */
    {1, 0},
};
#define LEVELS       (sizeof levels / sizeof levels[0])
#define LEVEL_SECOND 4u
#define LEVEL_LAST   (LEVELS - 1)

/* Bytes of messages up to which a bucket is loaded; a larger one is split. */
#define LOAD_BYTES_MAX (4u << 20)
/* How long before its time a bucket is loaded or split: LEAD_MS, and LEAD_STEP_MS more for each
 * LEAD_STEP_MESSAGES and each LEAD_STEP_BYTES in it, so that a slow disk is fast enough. */
#define LEAD_MS            2000u
#define LEAD_STEP_MS       512u
#define LEAD_STEP_MESSAGES 8192u
#define LEAD_STEP_BYTES    (8u << 20)
/* The memory that a message is estimated to take besides its body while it is on disk. */
#define ENVELOPE_BYTES 256u

static struct bucket *bucket_of(struct lane *lane)
{
    return container_of(lane, struct bucket, lane);
}

static struct delays *delays_of(const struct bucket *bucket)
{
    return bucket->delay->delays;
}

unsigned bucket_level(uint64_t delay_ms)
{
    unsigned level = 0;
    while (delay_ms < levels[level].finer_below_ms)
        level++;
    return level;
}

bool bucket_level_of_span(uint32_t span_ms, unsigned *level)
{
    for (*level = 0; *level < LEVELS; ++*level)
        if (levels[*level].span_ms == span_ms)
            return true;
    return false;
}

uint64_t bucket_end_ms(const struct bucket *bucket)
{
    return bucket->start_ms + levels[bucket->level].span_ms;
}

/* ---- Sums. */

/* Counts bytes that the bucket has in memory, or will have once it is loaded. */
static void charge(struct bucket *bucket, uint64_t bytes)
{
    bucket->charged_bytes += bytes;
    delays_of(bucket)->loaded_bytes += bytes;
}

static void discharge(struct bucket *bucket, uint64_t bytes)
{
    if (bytes > bucket->charged_bytes)
        bytes = bucket->charged_bytes;
    bucket->charged_bytes -= bytes;
    delays_of(bucket)->loaded_bytes -= bytes;
}

/* Whether each of the bucket's messages in memory has an entry in delay->due. */
static bool in_heap(const struct bucket *bucket)
{
    return bucket->state == BUCKET_LOADING || bucket->state == BUCKET_LOADED;
}

/* ---- Lists. */

static void list_in(struct bucket *bucket, enum bucket_list list)
{
    struct delays *delays = delays_of(bucket);
    struct bucket_queue *const queues[] = {
        [BUCKET_OPEN] = &delays->open,
        [BUCKET_SPLIT] = &delays->splitting,
        [BUCKET_SPENT] = &delays->spent,
    };
    if (bucket->list == list)
        return;
    if (bucket->list == BUCKET_OPEN) {
        delays->open_bytes -= bucket->open_bytes;
        bucket->open_bytes = 0;
    }
    if (bucket->list)
        TAILQ_REMOVE(queues[bucket->list], bucket, link);
    delays->split_count += (list == BUCKET_SPLIT);
    delays->split_count -= (bucket->list == BUCKET_SPLIT);
    bucket->list = (uint8_t)list;
    if (list)
        TAILQ_INSERT_TAIL(queues[list], bucket, link);
}

/* A resting bucket got a message: closes the open chunks of other resting buckets, the longest
 * unchanged first, when all open chunks together take too much memory. */
static void note_open(struct bucket *bucket, const struct chunk *chunk, uint64_t bytes)
{
    struct delays *delays = delays_of(bucket);
    if (bucket->open_chunk != chunk->number)
        list_in(bucket, BUCKET_UNLISTED);
    bucket->open_chunk = chunk->number;
    list_in(bucket, BUCKET_OPEN);
    bucket->open_bytes += bytes;
    delays->open_bytes += bytes;
    while (delays->open_bytes > OPEN_BYTES_MAX) {
        struct bucket *oldest = TAILQ_FIRST(&delays->open);
        list_in(oldest, BUCKET_UNLISTED);
        lane_close(&oldest->lane);
    }
}

/* Sets the time when a resting bucket is to be loaded or split. */
static void set_prepare(struct bucket *bucket)
{
    uint64_t lead_ms = LEAD_MS + bucket->lane.ready / LEAD_STEP_MESSAGES * LEAD_STEP_MS +
                       bucket->bytes / LEAD_STEP_BYTES * LEAD_STEP_MS;
    uint64_t at_ms = bucket->start_ms > lead_ms ? bucket->start_ms - lead_ms : 0;
    if (!heap_holds(&bucket->prepare) || bucket->prepare.key != at_ms)
        heap_set(&delays_of(bucket)->prepare, &bucket->prepare, at_ms);
}

/* ---- Life. */

static void make_key(uint8_t key[9], unsigned level, uint64_t start_ms)
{
    key[0] = (uint8_t)level;
    memcpy(key + 1, &start_ms, sizeof start_ms);
}

static void lane_paged_in(struct lane *lane, struct chunk *chunk);
static void lane_failed(struct lane *lane);

/* Always true: lane.keep alone says which chunks stay in memory. */
static bool lane_leads(const struct lane *lane)
{
    (void)lane;
    return true;
}

static struct bucket *bucket_new(struct delay *delay, unsigned level, uint64_t start_ms,
                                 uint64_t lane_id)
{
    static const struct lane_calls calls = {
        .paged_in = lane_paged_in, .failed = lane_failed, .leads = lane_leads};
    struct bucket *bucket = mem_need(sizeof *bucket);
    const struct lane_options options = {
        .store = delay->delays->store,
        .stock = &delay->stock,
        .calls = &calls,
        .stored = delay->exchange->durable,
        .id = lane_id,
    };
    lane_init(&bucket->lane, &options);
    bucket->lane.keep = LANE_KEEPS_NONE;
    bucket->delay = delay;
    bucket->level = (uint8_t)level;
    bucket->start_ms = start_ms;
    bucket->recorded = lane_id != 0;
    make_key(bucket->key, level, start_ms);
    map_put(&delay->buckets, bytes_of(bucket->key, sizeof bucket->key), bucket);
    return bucket;
}

static void rest(struct bucket *bucket)
{
    bucket->state = BUCKET_RESTS;
    heap_set(&bucket->delay->unready, &bucket->unready, bucket->start_ms);
    set_prepare(bucket);
}

static void leave_rest(struct bucket *bucket, enum bucket_state state, enum lane_keep keep)
{
    heap_remove(&delays_of(bucket)->prepare, &bucket->prepare);
    list_in(bucket, BUCKET_UNLISTED);
    bucket->state = (uint8_t)state;
    bucket->lane.keep = (uint8_t)keep;
}

static bool may_load_more(const struct delay *delay)
{
    return delay->delays->loaded_bytes < LOADED_BYTES_MAX;
}

/* Sets the state of a new bucket: loaded when its time is near, else resting. */
static void begin(struct bucket *bucket)
{
    struct delay *delay = bucket->delay;
    if (bucket->level >= LEVEL_SECOND && bucket->level != LEVEL_LAST && may_load_more(delay) &&
        bucket->start_ms <= delay->delays->store->call.now.wall_ms + LEAD_MS) {
        bucket->state = BUCKET_LOADED;
        bucket->lane.keep = LANE_KEEPS_ALL;
    } else {
        rest(bucket);
    }
}

struct bucket *bucket_for(struct delay *delay, unsigned level, uint64_t due_ms)
{
    for (;; level++) {
        uint64_t start_ms = due_ms - due_ms % levels[level].span_ms;
        uint8_t key[9];
        make_key(key, level, start_ms);
        struct bucket *bucket = map_get(&delay->buckets, bytes_of(key, sizeof key));
        if (!bucket) {
            bucket = bucket_new(delay, level, start_ms, 0);
            begin(bucket);
            return bucket;
        }
        bool full = in_heap(bucket) && (bucket->bytes > LOAD_BYTES_MAX || !may_load_more(delay));
        if (level == LEVEL_LAST || (!full && bucket->state != BUCKET_FAILED))
            return bucket;
    }
}

struct bucket *bucket_restore(struct delay *delay, unsigned level, uint64_t start_ms,
                              uint64_t lane_id)
{
    return bucket_new(delay, level, start_ms, lane_id);
}

void bucket_restored(struct bucket *bucket)
{
    const struct lane *lane = &bucket->lane;
    for (uint64_t number = lane->base; number - lane->base < lane->ring_count; number++) {
        const struct chunk *chunk = lane_chunk(lane, number);
        if (chunk)
            bucket->bytes += chunk->body_bytes + chunk->live * ENVELOPE_BYTES;
    }
    if (lane->ready)
        rest(bucket);
    else
        list_in(bucket, BUCKET_SPENT);
}

/* Puts the bucket's definition into the batch that is filling; exists is false: erases it. */
static void put_definition(struct bucket *bucket, bool exists)
{
    struct journal *journal = bucket->delay->delays->store->journal;
    struct text key = {0}, value = {0};
    const struct delay_definition definition = {
        .exchange = bucket->delay->exchange->endpoint.name,
        .span_ms = levels[bucket->level].span_ms,
        .start_ms = bucket->start_ms,
        .lane_id = bucket->lane.id,
    };
    definition_of_delay(&definition, &key, &value);
    if (exists)
        journal_put(journal, text_bytes(&key), text_bytes(&value));
    else
        journal_erase(journal, text_bytes(&key));
    bucket->recorded = exists;
    text_free(&key);
    text_free(&value);
}

void bucket_destroy(struct bucket *bucket, bool erase)
{
    leave_rest(bucket, BUCKET_FAILED, LANE_KEEPS_NONE);
    heap_remove(&bucket->delay->unready, &bucket->unready);
    discharge(bucket, bucket->charged_bytes);
    if (erase && bucket->recorded)
        put_definition(bucket, false);
    if (erase)
        lane_clear(&bucket->lane);
    else
        lane_free(&bucket->lane);
    free(bucket);
}

void bucket_free(struct bucket *bucket)
{
    map_remove(&bucket->delay->buckets, bytes_of(bucket->key, sizeof bucket->key));
    bucket_destroy(bucket, true);
}

void bucket_emptied(struct bucket *bucket)
{
    if (bucket->state == BUCKET_LOADED && bucket->level >= LEVEL_SECOND &&
        bucket_end_ms(bucket) > bucket->delay->delays->store->call.now.wall_ms)
        list_in(bucket, BUCKET_SPENT); /* more messages may come for the same second */
    else
        bucket_free(bucket);
}

/* ---- Messages in and out. */

static void push(struct bucket *bucket, const struct message *message, uint64_t due_ms,
                 uint64_t seq)
{
    uint64_t delay_ms = delayed_ms(message);
    const struct due due = {due_ms, delay_ms < UINT32_MAX ? (uint32_t)delay_ms : UINT32_MAX,
                            bucket->level, seq, bucket};
    due_push(&bucket->delay->due, &due);
}

void bucket_add(struct bucket *bucket, struct message *message, uint64_t due_ms, uint64_t *needed)
{
    struct lane *lane = &bucket->lane;
    uint64_t bytes = message_memory(message);
    if (!bucket->recorded && message->persistent && lane->stored) {
        if (!lane->id)
            lane->id = store_lane_ids(lane->store, 1);
        put_definition(bucket, true);
    }
    struct place place = lane_store(lane, message, due_ms, STORED_READY, needed);
    bucket->bytes += bytes;
    switch ((enum bucket_state)bucket->state) {
    case BUCKET_RESTS:
        note_open(bucket, place.chunk, bytes);
        set_prepare(bucket);
        break;
    case BUCKET_LOADING:
    case BUCKET_LOADED:
        list_in(bucket, BUCKET_UNLISTED);
        charge(bucket, bytes);
        push(bucket, message, due_ms, place_seq(place));
        break;
    case BUCKET_SPLITTING:
    case BUCKET_STREAM:
    case BUCKET_FAILED:
        break;
    }
}

struct message *bucket_take(struct bucket *bucket, struct place place)
{
    struct lane *lane = &bucket->lane;
    /* Messages leave the lane out of order. After a restart no sequence number may be used again,
     * so the journal remembers this one. */
    if (in_heap(bucket) && bit_test(place.chunk->durable_bits, place.slot))
        journal_delivered(lane->store->journal, lane->handle, place_seq(place));
    struct message *message = lane_discard(lane, place);
    uint64_t bytes = message_memory(message);
    bucket->bytes -= bytes < bucket->bytes ? bytes : bucket->bytes;
    if (in_heap(bucket))
        discharge(bucket, bytes);
    return message;
}

/* ---- Loading. */

static void load_chunk(struct bucket *bucket, struct chunk *chunk)
{
    unsigned slot = 0;
    for (; (slot = bit_next(chunk->live_bits, slot)) < JOURNAL_CHUNK_SLOTS; slot++)
        push(bucket, chunk_message(chunk, slot), chunk_expires(chunk, slot),
             place_seq((struct place){chunk, slot}));
}

/* All messages of the bucket are in memory: replaces the estimate of their bytes by the sum. */
static void loaded(struct bucket *bucket)
{
    const struct lane *lane = &bucket->lane;
    uint64_t bytes = 0;
    for (uint64_t number = lane->base; number - lane->base < lane->ring_count; number++) {
        const struct chunk *chunk = lane_chunk(lane, number);
        if (chunk)
            bytes += chunk->memory_bytes;
    }
    discharge(bucket, bucket->charged_bytes);
    charge(bucket, bytes);
    bucket->bytes = bytes;
    bucket->state = BUCKET_LOADED;
    heap_remove(&bucket->delay->unready, &bucket->unready);
}

static void load(struct bucket *bucket)
{
    const struct lane *lane = &bucket->lane;
    leave_rest(bucket, BUCKET_LOADING, LANE_KEEPS_ALL);
    charge(bucket, bucket->bytes);
    for (uint64_t number = lane->base; number - lane->base < lane->ring_count; number++) {
        struct chunk *chunk = lane_chunk(lane, number);
        if (chunk && chunk_in_memory(chunk))
            load_chunk(bucket, chunk);
    }
    bucket->pages = paging_read_all(&bucket->lane);
    if (bucket->pages == 0)
        loaded(bucket);
}

static void stream(struct bucket *bucket)
{
    const struct due due = {bucket->start_ms, 0, bucket->level, DUE_STREAM, bucket};
    leave_rest(bucket, BUCKET_STREAM, LANE_KEEPS_HEAD);
    charge(bucket, bucket->bytes < LOAD_BYTES_MAX ? bucket->bytes : LOAD_BYTES_MAX);
    heap_remove(&bucket->delay->unready, &bucket->unready);
    due_push(&bucket->delay->due, &due);
    paging_read_ahead(&bucket->lane);
}

void bucket_prepare(struct bucket *bucket)
{
    uint64_t limit = LOAD_BYTES_MAX, loaded_bytes = delays_of(bucket)->loaded_bytes;
    if (bucket->level < LEVEL_SECOND) { /* its messages may stay in memory for a minute or more */
        uint64_t left = loaded_bytes < LOADED_BYTES_MAX ? (LOADED_BYTES_MAX - loaded_bytes) / 4 : 0;
        limit = left < limit ? left : limit;
    }
    if (bucket->level == LEVEL_LAST) {
        stream(bucket);
    } else if (bucket->bytes <= limit) {
        load(bucket);
    } else {
        leave_rest(bucket, BUCKET_SPLITTING, LANE_KEEPS_HEAD);
        list_in(bucket, BUCKET_SPLIT);
        paging_read_ahead(&bucket->lane);
    }
    delay_update(bucket->delay);
}

/* ---- Splitting. */

unsigned bucket_split(struct bucket *bucket, unsigned max)
{
    struct delay *delay = bucket->delay;
    struct lane *lane = &bucket->lane;
    unsigned count = 0;
    while (lane->ready && count < max) {
        struct place place = lane_head(lane);
        if (!chunk_in_memory(place.chunk)) {
            paging_read_ahead(lane);
            bucket->waiting = true;
            break;
        }
        uint64_t due_ms = chunk_expires(place.chunk, place.slot), needed;
        struct message *message = place_message(place);
        bucket_add(bucket_for(delay, bucket->level + 1u, due_ms), message, due_ms, &needed);
        message = bucket_take(bucket, place);
        message_unref(&message);
        count++;
    }
    if (lane->ready == 0)
        bucket_free(bucket);
    delay_update(delay);
    return count;
}

/* ---- Calls from the lane (struct lane_calls). */

static void lane_paged_in(struct lane *lane, struct chunk *chunk)
{
    struct bucket *bucket = bucket_of(lane);
    struct delay *delay = bucket->delay;
    bucket->waiting = false;
    delay->blocked = false;
    if (bucket->state == BUCKET_LOADING && chunk) {
        load_chunk(bucket, chunk);
        if (--bucket->pages == 0)
            loaded(bucket);
    }
    delay_update(delay);
}

static void lane_failed(struct lane *lane)
{
    struct bucket *bucket = bucket_of(lane);
    struct delay *delay = bucket->delay;
    leave_rest(bucket, BUCKET_FAILED, LANE_KEEPS_HEAD);
    discharge(bucket, bucket->charged_bytes);
    heap_remove(&delay->unready, &bucket->unready);
    delay->blocked = false;
    delay_update(delay);
}
