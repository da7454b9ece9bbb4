/* Part of delay (delay/delay.h): messages that wait in exchanges are published when they are due.
 * See delay_fire.h. */
#include "broker/publish/delay_fire.h"

#include "broker/delay/bucket.h"
#include "broker/publish/publish.h"
#include "broker/store/paging.h"
#include "broker/topology/delayed.h"
#include "leveret/base/container.h"

/* Messages that one tick publishes at most; the rest is left to the next tick. */
#define FIRE_AT_ONCE 500u

/* Messages that one tick moves to finer buckets at most; the rest is left to the next tick. */
#define SPLIT_AT_ONCE 1000u

/* Loading so many messages is counted as publishing one. */
#define LOADS_PER_FIRE 16u

/* Buckets that are split at the same time; while there are so many, no bucket is prepared before it
 * is due. */
#define SPLITS_MAX 4u

/* While the journal has more bytes than these to write, a tick does nothing, so that it adds no
 * more. */
#define UNWRITTEN_BYTES_MAX (32u << 20)

/* Milliseconds after which a tick that did nothing for that reason is tried again. */
#define UNWRITTEN_RETRY_MS 5u

/* Milliseconds from one tick to the next at most, while messages wait: a wall clock that was set
 * forwards is noticed after this time. */
#define CLOCK_LOOK_MS 5000u

/* Takes the first message that is due out of its bucket. NULL when its chunk has to be read first,
 * or the bucket turns out not to be readable. */
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

static void fire(struct vhost *vhost, struct delay *delay)
{
    struct message *message = take_first(delay);
    if (!message)
        return;
    struct message *over = delayed_over(message);
    publish_delayed(vhost, delay->exchange, over ? over : message);
    message_unref(&over);
    message_unref(&message);
}

/* Prepares a bucket. Returns how much work that was, in messages published. */
static unsigned prepare(struct bucket *bucket)
{
    unsigned work = 1 + (unsigned)(bucket->lane.ready / LOADS_PER_FIRE);
    bucket_prepare(bucket);
    return work;
}

/* Does what is due in one exchange. Returns how much work that was: at most max, and that of one
 * bucket more. */
static unsigned wake(struct vhost *vhost, struct delay *delay, unsigned max)
{
    unsigned work = 0;
    uint64_t at_ms, now_ms = vhost->store.call.now.wall_ms;
    enum delay_step step;
    while (work < max && (step = delay_next_step(delay, &at_ms)) && at_ms <= now_ms) {
        if (step == DELAY_PREPARE) {
            work += prepare(container_of(heap_first(&delay->unready), struct bucket, unready));
            continue;
        }
        fire(vhost, delay);
        work++;
    }
    delay_update(delay);
    return work;
}

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

/* The first bucket to be split that does not wait for the journal; NULL: there is none. */
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

/* Whether the journal has too much to write; if so, notes when to try again. */
static bool disk_behind(struct vhost *vhost)
{
    struct delays *delays = &vhost->delays;
    bool behind = journal_unwritten_bytes(vhost->store.journal) > UNWRITTEN_BYTES_MAX;
    delays->retry_steady_ms = behind ? vhost->store.call.now.steady_ms + UNWRITTEN_RETRY_MS : 0;
    return behind;
}

void delays_tick(struct vhost *vhost)
{
    struct delays *delays = &vhost->delays;
    struct heap_node *node;
    struct bucket *bucket;
    uint64_t now_ms = vhost->store.call.now.wall_ms;
    unsigned work = 0;
    if (disk_behind(vhost))
        return;
    while (work < FIRE_AT_ONCE && (node = heap_first(&delays->wake)) && node->key <= now_ms)
        work += 1 + wake(vhost, container_of(node, struct delay, wake), FIRE_AT_ONCE - work);
    prepare_ahead(delays, now_ms);
    work = 0;
    while (work < SPLIT_AT_ONCE && (bucket = splittable(delays)))
        work += 1 + bucket_split(bucket, SPLIT_AT_ONCE - work);
    delays_free_spent(delays, now_ms);
}

uint64_t delays_deadline_ms(const struct vhost *vhost)
{
    const struct delays *delays = &vhost->delays;
    const struct heap_node *node;
    const struct bucket *bucket;
    uint64_t at_ms = UINT64_MAX, now_ms = vhost->store.call.now.wall_ms,
             steady_ms = vhost->store.call.now.steady_ms;
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
