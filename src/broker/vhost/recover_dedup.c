/* Recovery of deduplication: which exchange or queue owns which identifiers (dedup/dedup_store.h).
 * See recover_dedup.h. */
#include "broker/vhost/recover_dedup.h"

#include <stdlib.h>

#include "broker/dedup/dedup_store.h"

/* The deduplication of the exchange or queue that a record names; NULL: it is gone, or does not
 * deduplicate any more. */
static struct dedup *dedup_of(struct vhost *vhost, const struct dedup_owner *owner)
{
    struct bytes name = bytes_of(owner->name, owner->name_len);
    if (owner->kind == ENDPOINT_QUEUE) {
        struct queue *queue = queues_find(&vhost->queues, name);
        return queue ? queue->dedup : NULL;
    }
    struct exchange *exchange = topology_exchange(vhost->topology, name);
    return exchange ? exchange->dedup : NULL;
}

/* For a queue that refuses a message while another with its identifier is in the queue: whether the
 * message of this entry still is. */
static bool is_present(const struct dedup *dedup, const struct dedup_entry *entry)
{
    struct queue *queue = queue_of(dedup->owner);
    if (entry->priority > (queue->priorities ? queue->priorities->max : 0))
        return false;
    struct lane *lane = queue_lane(queue, entry->priority);
    const struct chunk *chunk = lane_chunk(lane, entry->value / JOURNAL_CHUNK_SLOTS);
    return chunk && bit_test(chunk->live_bits, (unsigned)(entry->value % JOURNAL_CHUNK_SLOTS));
}

/* Moves the entries that were read under an id to the exchange or queue that owns the id. */
static void hand_over(struct dedup *to, struct dedup *from)
{
    struct dedup_cache *cache = &from->cache;
    dedup_cache_sort(cache);
    for (uint32_t at = cache->oldest; at != DEDUP_NONE; at = cache->entries[at].newer) {
        struct dedup_entry *old = &cache->entries[at];
        if (to->cache.places && !is_present(to, old)) {
            dedup_store_erase(to, old);
            continue;
        }
        uint32_t number = dedup_cache_add(&to->cache, old->key);
        if (to->cache.places)
            dedup_cache_put(&to->cache, number, old->priority, old->value);
        struct dedup_entry *entry = &to->cache.entries[number];
        entry->value = old->value;
        entry->order = to->last_order = old->order;
        entry->stored = true;
    }
    dedup_free(&from);
}

void recover_dedups(struct vhost *vhost, bool sound)
{
    struct dedups *dedups = &vhost->dedups;
    struct dedup_owner *owner;
    struct dedup *left;
    size_t at = 0;
    while ((owner = dedups->owners)) {
        dedups->owners = owner->next;
        struct dedup *to = dedup_of(vhost, owner);
        if (to && sound) {
            struct dedup *from =
                map_remove(&dedups->recovered, bytes_of(&owner->id, sizeof owner->id));
            to->id = owner->id;
            if (from)
                hand_over(to, from);
            dedup_restored(to);
        }
        free(owner);
    }
    while ((left = map_next(&dedups->recovered, &at))) {
        if (sound)
            TAILQ_INSERT_TAIL(&dedups->dying, left, link);
        else
            dedup_free(&left);
    }
    map_free(&dedups->recovered);
}
