/* What waits in exchanges: see delay.h. Buckets are in bucket.c.
 *
 * Normal course: publish.c → delay_keep → … → delays_tick → fire → publish_delayed. A message
 * leaves its bucket and gets into its queues in one call, so in one batch of the journal. */
#include "broker/delay/delay.h"

#include "broker/delay/bucket.h"
#include "broker/topology/delayed.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* What one tick does at most: messages routed, messages moved to finer buckets. */
#define FIRE_AT_ONCE  500u
#define SPLIT_AT_ONCE 1000u
/* Messages loaded for one routed: that much less work they are. */
#define LOADS_PER_FIRE 16u
/* Buckets that are split at a time. */
#define SPLITS_MAX 4u
/* How long before its time the bucket that is next must begin to load, whatever else is loaded. */
#define FORCE_AHEAD_MS 250u
/* While the journal has so much to write, nothing is added to it. */
#define UNWRITTEN_BYTES_MAX (32u << 20)
#define UNWRITTEN_RETRY_MS  5u
/* The longest sleep: a clock that was set forwards is noticed that soon. */
#define CLOCK_LOOK_MS 5000u

/* ---- Life. */

static struct delay *delay_new(struct vhost *vhost, struct exchange *exchange)
{
    struct delays *delays = vhost->delays;
    if (!delays) {
        delays = vhost->delays = mem_need(sizeof *delays);
        TAILQ_INIT(&delays->all);
        TAILQ_INIT(&delays->open);
        TAILQ_INIT(&delays->splitting);
        TAILQ_INIT(&delays->spent);
    }
    struct delay *delay = exchange->delay = mem_need(sizeof *delay);
    delay->vhost = vhost;
    delay->exchange = exchange;
    TAILQ_INSERT_TAIL(&delays->all, delay, link);
    return delay;
}

static void delay_free(struct delay *delay, bool erase)
{
    struct delays *delays = delay->vhost->delays;
    struct bucket *bucket;
    size_t at = 0;
    while ((bucket = map_next(&delay->buckets, &at)))
        bucket_destroy(bucket, erase);
    map_free(&delay->buckets);
    heap_free(&delay->unready);
    due_free(&delay->due);
    heap_remove(&delays->wake, &delay->wake);
    TAILQ_REMOVE(&delays->all, delay, link);
    delay->exchange->delay = NULL;
    free(delay);
}

void delay_delete(struct delay *delay)
{
    delay_free(delay, true);
}

void delays_free(struct vhost *vhost)
{
    struct delays *delays = vhost->delays;
    struct delay *delay;
    if (!delays)
        return;
    while ((delay = TAILQ_FIRST(&delays->all)))
        delay_free(delay, false); /* NOLINT(clang-analyzer-unix.Malloc) */
    heap_free(&delays->wake);
    heap_free(&delays->prepare);
    free(delays);
    vhost->delays = NULL;
}

uint64_t delay_messages(const struct delay *delay)
{
    return delay->stock.ready;
}

/* ---- In. */

void delay_keep(struct vhost *vhost, struct exchange *exchange, struct message *message,
                uint64_t delay_ms, uint64_t *needed)
{
    struct delay *delay = exchange->delay ? exchange->delay : delay_new(vhost, exchange);
    uint64_t due_ms = vhost->now.wall_ms + delay_ms;
    bucket_add(bucket_for(delay, bucket_level(delay_ms), due_ms), message, due_ms, needed);
    delay_update(delay);
}

/* ---- Out. */

enum step { STEP_NONE, STEP_PREPARE, STEP_FIRE };

/* What is next to do for an exchange, and when: wall clock. */
static enum step next_step(const struct delay *delay, uint64_t *at_ms)
{
    const struct due *first = due_first(&delay->due);
    struct heap_node *node = heap_first(&delay->unready);
    const struct bucket *barrier = node ? container_of(node, struct bucket, unready) : NULL;
    bool free = first && !(barrier && barrier->start_ms <= first->due_ms);
    bool pressing = !free || delay->vhost->delays->loaded_bytes < LOADED_BYTES_MAX;
    if (barrier && barrier->state == BUCKET_RESTS && pressing) {
        uint64_t start_ms = barrier->start_ms;
        *at_ms = start_ms > FORCE_AHEAD_MS ? start_ms - FORCE_AHEAD_MS : 0;
        if (!free || *at_ms < first->due_ms)
            return STEP_PREPARE;
    }
    if (!free || delay->blocked)
        return STEP_NONE;
    *at_ms = first->due_ms;
    return STEP_FIRE;
}

void delay_update(struct delay *delay)
{
    struct heap *wake = &delay->vhost->delays->wake;
    uint64_t at_ms;
    if (next_step(delay, &at_ms) == STEP_NONE)
        heap_remove(wake, &delay->wake);
    else if (!heap_holds(&delay->wake) || delay->wake.key != at_ms)
        heap_set(wake, &delay->wake, at_ms);
}

/* The first message that is due leaves its bucket; NULL when it has to be read first, or there is
 * none after all. */
static struct message *take_first(struct delay *delay)
{
    const struct due *first = due_first(&delay->due);
    struct bucket *bucket = first->bucket;
    struct lane *lane = &bucket->lane;
    struct place place;
    if (first->seq != DUE_STREAM) {
        place = lane_place(lane, due_pop(&delay->due).seq);
    } else if (bucket->state == BUCKET_FAILED) {
        due_pop(&delay->due);
        return NULL;
    } else {
        place = lane_head(lane);
        if (!chunk_in_memory(place.chunk)) {
            paging_read_ahead(lane);
            delay->blocked = true;
            return NULL;
        }
    }
    struct message *message = bucket_take(bucket, place);
    if (lane->ready)
        return message;
    if (bucket->state == BUCKET_STREAM)
        due_pop(&delay->due);
    bucket_emptied(bucket);
    return message;
}

static void fire(struct delay *delay)
{
    struct message *message = take_first(delay);
    if (!message)
        return;
    struct message *over = delayed_over(message);
    publish_delayed(delay->vhost, delay->exchange, over ? over : message);
    message_unref(&over);
    message_unref(&message);
}

/* Returns how much work it was. */
static unsigned prepare(struct bucket *bucket)
{
    unsigned work = 1 + (unsigned)(bucket->lane.ready / LOADS_PER_FIRE);
    bucket_prepare(bucket);
    return work;
}

/* Does what is due of one exchange. Returns how much, at most max and one bucket. */
static unsigned wake(struct delay *delay, unsigned max)
{
    unsigned work = 0;
    uint64_t at_ms, now_ms = delay->vhost->now.wall_ms;
    enum step step;
    while (work < max && (step = next_step(delay, &at_ms)) && at_ms <= now_ms) {
        if (step == STEP_PREPARE) {
            work += prepare(container_of(heap_first(&delay->unready), struct bucket, unready));
            continue;
        }
        fire(delay);
        work++;
    }
    delay_update(delay);
    return work;
}

/* ---- Time. */

static bool may_prepare(const struct delays *delays)
{
    return delays->split_count < SPLITS_MAX && delays->loaded_bytes < LOADED_BYTES_MAX;
}

static void prepare_ahead(struct delays *delays, uint64_t now_ms)
{
    struct heap_node *node;
    unsigned work = 0;
    while (work < FIRE_AT_ONCE && may_prepare(delays) && (node = heap_first(&delays->prepare)) &&
           node->key <= now_ms)
        work += prepare(container_of(node, struct bucket, prepare));
}

/* A bucket to split that waits for nothing. */
static struct bucket *splittable(const struct delays *delays)
{
    struct bucket *bucket;
    TAILQ_FOREACH(bucket, &delays->splitting, link)
    {
        if (!bucket->waiting)
            break;
    }
    return bucket;
}

static bool disk_behind(struct vhost *vhost)
{
    struct delays *delays = vhost->delays;
    bool behind = journal_unwritten_bytes(vhost->options.journal) > UNWRITTEN_BYTES_MAX;
    delays->retry_steady_ms = behind ? vhost->now.steady_ms + UNWRITTEN_RETRY_MS : 0;
    return behind;
}

static void free_spent(struct delays *delays, uint64_t now_ms)
{
    struct bucket *bucket;
    while ((bucket = TAILQ_FIRST(&delays->spent)) && bucket_end_ms(bucket) <= now_ms)
        bucket_free(bucket);
}

void delays_tick(struct vhost *vhost)
{
    struct delays *delays = vhost->delays;
    struct heap_node *node;
    struct bucket *bucket;
    uint64_t now_ms = vhost->now.wall_ms;
    unsigned work = 0;
    if (disk_behind(vhost))
        return;
    while (work < FIRE_AT_ONCE && (node = heap_first(&delays->wake)) && node->key <= now_ms)
        work += 1 + wake(container_of(node, struct delay, wake), FIRE_AT_ONCE - work);
    prepare_ahead(delays, now_ms);
    work = 0;
    while (work < SPLIT_AT_ONCE && (bucket = splittable(delays)))
        work += 1 + bucket_split(bucket, SPLIT_AT_ONCE - work);
    free_spent(delays, now_ms);
}

uint64_t delays_deadline_ms(const struct vhost *vhost)
{
    const struct delays *delays = vhost->delays;
    const struct heap_node *node;
    const struct bucket *bucket;
    uint64_t at_ms = UINT64_MAX, now_ms = vhost->now.wall_ms, steady_ms = vhost->now.steady_ms;
    if (delays->retry_steady_ms)
        return delays->retry_steady_ms;
    if (splittable(delays))
        return steady_ms;
    if ((node = heap_first(&delays->wake)))
        at_ms = node->key;
    if (may_prepare(delays) && (node = heap_first(&delays->prepare)) && node->key < at_ms)
        at_ms = node->key;
    if ((bucket = TAILQ_FIRST(&delays->spent)) && bucket_end_ms(bucket) < at_ms)
        at_ms = bucket_end_ms(bucket);
    if (at_ms == UINT64_MAX)
        return at_ms;
    uint64_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    return steady_ms + (wait_ms < CLOCK_LOOK_MS ? wait_ms : CLOCK_LOOK_MS);
}

/* ---- Recovery. */

struct lane *delay_restore(struct vhost *vhost, const struct delay_definition *definition)
{
    struct exchange *exchange = topology_exchange(vhost->topology, definition->exchange);
    unsigned level;
    if (!exchange || !exchange->inner || !bucket_level_of_span(definition->span_ms, &level))
        return NULL;
    struct delay *delay = exchange->delay ? exchange->delay : delay_new(vhost, exchange);
    return &bucket_restore(delay, level, definition->start_ms, definition->lane_id)->lane;
}

void delays_restored(struct vhost *vhost)
{
    struct delay *delay;
    if (!vhost->delays)
        return;
    TAILQ_FOREACH(delay, &vhost->delays->all, link)
    {
        struct bucket *bucket;
        size_t at = 0;
        while ((bucket = map_next(&delay->buckets, &at)))
            bucket_restored(bucket);
        delay_update(delay);
    }
    free_spent(vhost->delays, UINT64_MAX);
}
