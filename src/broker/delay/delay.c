/* Delayed messages of exchanges: see delay.h. Buckets are in bucket.c.
 *
 * Normal course: publish/publish.c calls delay_keep; when the time has come publish/delay_fire.c
 * takes the message and calls publish_delayed. A message leaves its bucket and enters its queues in
 * the same call, so in the same batch of the journal. */
#include "broker/delay/delay.h"

#include "broker/delay/bucket.h"
#include "broker/store/definition.h"
#include "broker/store/store.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* How long before its time an exchange's next bucket is loaded, also when LOADED_BYTES_MAX is
 * reached. */
#define FORCE_AHEAD_MS 250u

/* ---- Life. */

void delays_init(struct delays *delays, struct store *store)
{
    delays->store = store;
    TAILQ_INIT(&delays->all);
    TAILQ_INIT(&delays->open);
    TAILQ_INIT(&delays->splitting);
    TAILQ_INIT(&delays->spent);
}

static struct delay *delay_new(struct delays *delays, struct exchange *exchange)
{
    delays->any = true;
    struct delay *delay = exchange->delay = mem_need(sizeof *delay);
    delay->delays = delays;
    delay->exchange = exchange;
    TAILQ_INSERT_TAIL(&delays->all, delay, link);
    return delay;
}

static void delay_free(struct delay *delay, bool erase)
{
    struct delays *delays = delay->delays;
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

void delays_free(struct delays *delays)
{
    struct delay *delay;
    while ((delay = TAILQ_FIRST(&delays->all)))
        delay_free(delay, false); /* NOLINT(clang-analyzer-unix.Malloc) */
    heap_free(&delays->wake);
    heap_free(&delays->prepare);
}

uint64_t delay_messages(const struct delay *delay)
{
    return delay->stock.ready;
}

/* ---- In. */

void delay_keep(struct delays *delays, struct exchange *exchange, struct message *message,
                uint64_t delay_ms, uint64_t *needed)
{
    struct delay *delay = exchange->delay ? exchange->delay : delay_new(delays, exchange);
    uint64_t due_ms = delays->store->call.now.wall_ms + delay_ms;
    bucket_add(bucket_for(delay, bucket_level(delay_ms), due_ms), message, due_ms, needed);
    delay_update(delay);
}

/* ---- Out. */

enum delay_step delay_next_step(const struct delay *delay, uint64_t *at_ms)
{
    const struct due *first = due_first(&delay->due);
    struct heap_node *node = heap_first(&delay->unready);
    const struct bucket *barrier = node ? container_of(node, struct bucket, unready) : NULL;
    bool free = first && !(barrier && barrier->start_ms <= first->due_ms);
    bool pressing = !free || delay->delays->loaded_bytes < LOADED_BYTES_MAX;
    if (barrier && barrier->state == BUCKET_RESTS && pressing) {
        uint64_t start_ms = barrier->start_ms;
        *at_ms = start_ms > FORCE_AHEAD_MS ? start_ms - FORCE_AHEAD_MS : 0;
        if (!free || *at_ms < first->due_ms)
            return DELAY_PREPARE;
    }
    if (!free || delay->blocked)
        return DELAY_NONE;
    *at_ms = first->due_ms;
    return DELAY_FIRE;
}

void delay_update(struct delay *delay)
{
    struct heap *wake = &delay->delays->wake;
    uint64_t at_ms;
    if (delay_next_step(delay, &at_ms) == DELAY_NONE)
        heap_remove(wake, &delay->wake);
    else if (!heap_holds(&delay->wake) || delay->wake.key != at_ms)
        heap_set(wake, &delay->wake, at_ms);
}

/* ---- Time. */

void delays_free_spent(struct delays *delays, uint64_t now_ms)
{
    struct bucket *bucket;
    while ((bucket = TAILQ_FIRST(&delays->spent)) && bucket_end_ms(bucket) <= now_ms)
        bucket_free(bucket);
}

/* ---- Recovery. */

struct lane *delay_restore(struct delays *delays, struct exchange *exchange,
                           const struct delay_definition *definition)
{
    unsigned level;
    if (!exchange->inner || !bucket_level_of_span(definition->span_ms, &level))
        return NULL;
    struct delay *delay = exchange->delay ? exchange->delay : delay_new(delays, exchange);
    return &bucket_restore(delay, level, definition->start_ms, definition->lane_id)->lane;
}

void delays_restored(struct delays *delays)
{
    struct delay *delay;
    TAILQ_FOREACH(delay, &delays->all, link)
    {
        struct bucket *bucket;
        size_t at = 0;
        while ((bucket = map_next(&delay->buckets, &at)))
            bucket_restored(bucket);
        delay_update(delay);
    }
    delays_free_spent(delays, UINT64_MAX);
}
