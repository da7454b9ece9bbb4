/* Identifiers in an array, with two hash tables and a list by age: see dedup_cache.h. */
#include "broker/dedup/dedup_cache.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Entries that a cache has room for at first; the room doubles when it is full. */
#define ROOM_MIN 8u

void dedup_cache_init(struct dedup_cache *cache, bool places)
{
    *cache = (struct dedup_cache){
        .spare = DEDUP_NONE, .oldest = DEDUP_NONE, .newest = DEDUP_NONE, .places = places};
}

void dedup_cache_free(struct dedup_cache *cache)
{
    free(cache->entries);
    free(cache->by_key);
    free(cache->by_place);
    dedup_cache_init(cache, cache->places);
}

static uint32_t *key_bucket(const struct dedup_cache *cache, struct hash128 key)
{
    return &cache->by_key[key.low & (cache->buckets - 1)];
}

static uint32_t *place_bucket(const struct dedup_cache *cache, uint8_t priority, uint64_t seq)
{
    return &cache->by_place[stable_hash_mix(seq * 256 + priority) & (cache->buckets - 1)];
}

static void chain_key(struct dedup_cache *cache, uint32_t number)
{
    uint32_t *bucket = key_bucket(cache, cache->entries[number].key);
    cache->entries[number].next_by_key = *bucket;
    *bucket = number;
}

static void chain_place(struct dedup_cache *cache, uint32_t number)
{
    struct dedup_entry *entry = &cache->entries[number];
    uint32_t *bucket = place_bucket(cache, entry->priority, entry->value);
    entry->next_by_place = *bucket;
    *bucket = number;
}

static void grow(struct dedup_cache *cache)
{
    cache->room = cache->room ? cache->room * 2 : ROOM_MIN;
    CHECK(cache->room < DEDUP_NONE / 2);
    cache->entries = mem_need_array(cache->entries, cache->room, sizeof *cache->entries);
    cache->buckets = cache->room;
    cache->by_key = mem_need_array(cache->by_key, cache->buckets, sizeof *cache->by_key);
    memset(cache->by_key, 0xff, cache->buckets * sizeof *cache->by_key);
    if (cache->places) {
        cache->by_place = mem_need_array(cache->by_place, cache->buckets, sizeof *cache->by_place);
        memset(cache->by_place, 0xff, cache->buckets * sizeof *cache->by_place);
    }
    for (uint32_t at = cache->oldest; at != DEDUP_NONE; at = cache->entries[at].newer) {
        chain_key(cache, at);
        if (cache->places && cache->entries[at].value)
            chain_place(cache, at);
    }
}

uint32_t dedup_cache_add(struct dedup_cache *cache, struct hash128 key)
{
    if (cache->spare == DEDUP_NONE && cache->used == cache->room)
        grow(cache);
    uint32_t number = cache->spare;
    if (number != DEDUP_NONE)
        cache->spare = cache->entries[number].next_by_key;
    else
        number = cache->used++;
    cache->entries[number] =
        (struct dedup_entry){.key = key, .older = cache->newest, .newer = DEDUP_NONE};
    if (cache->newest != DEDUP_NONE)
        cache->entries[cache->newest].newer = number;
    else
        cache->oldest = number;
    cache->newest = number;
    chain_key(cache, number);
    cache->count++;
    return number;
}

static void unchain_place(struct dedup_cache *cache, uint32_t number)
{
    struct dedup_entry *entry = &cache->entries[number];
    uint32_t *at = place_bucket(cache, entry->priority, entry->value);
    while (*at != number)
        at = &cache->entries[*at].next_by_place;
    *at = entry->next_by_place;
}

void dedup_cache_put(struct dedup_cache *cache, uint32_t number, uint8_t priority, uint64_t seq)
{
    struct dedup_entry *entry = &cache->entries[number];
    if (entry->value)
        unchain_place(cache, number);
    entry->priority = priority;
    entry->value = seq; /* no seq is 0 */
    chain_place(cache, number);
}

void dedup_cache_remove(struct dedup_cache *cache, uint32_t number)
{
    struct dedup_entry *entry = &cache->entries[number];
    uint32_t *at = key_bucket(cache, entry->key);
    while (*at != number)
        at = &cache->entries[*at].next_by_key;
    *at = entry->next_by_key;
    if (cache->places && entry->value)
        unchain_place(cache, number);
    if (entry->older != DEDUP_NONE)
        cache->entries[entry->older].newer = entry->newer;
    else
        cache->oldest = entry->newer;
    if (entry->newer != DEDUP_NONE)
        cache->entries[entry->newer].older = entry->older;
    else
        cache->newest = entry->older;
    entry->next_by_key = cache->spare;
    cache->spare = number;
    if (--cache->count == 0) /* gives the memory back that a burst left */
        dedup_cache_free(cache);
}

uint32_t dedup_cache_find(const struct dedup_cache *cache, struct hash128 key)
{
    uint32_t at = cache->buckets ? *key_bucket(cache, key) : DEDUP_NONE;
    while (at != DEDUP_NONE && !stable_hash128_equal(cache->entries[at].key, key))
        at = cache->entries[at].next_by_key;
    return at;
}

uint32_t dedup_cache_at(const struct dedup_cache *cache, uint8_t priority, uint64_t seq)
{
    uint32_t at = cache->buckets ? *place_bucket(cache, priority, seq) : DEDUP_NONE;
    while (at != DEDUP_NONE &&
           (cache->entries[at].value != seq || cache->entries[at].priority != priority))
        at = cache->entries[at].next_by_place;
    return at;
}

static int by_order(const void *a, const void *b)
{
    const struct dedup_entry *x = *(struct dedup_entry *const *)a;
    const struct dedup_entry *y = *(struct dedup_entry *const *)b;
    return x->order < y->order ? -1 : x->order > y->order;
}

void dedup_cache_sort(struct dedup_cache *cache)
{
    if (cache->count < 2)
        return;
    struct dedup_entry **sorted = mem_need_array(NULL, cache->count, sizeof *sorted);
    uint32_t count = 0;
    for (uint32_t at = cache->oldest; at != DEDUP_NONE; at = cache->entries[at].newer)
        sorted[count++] = &cache->entries[at];
    qsort(sorted, count, sizeof *sorted, by_order);
    cache->oldest = cache->newest = DEDUP_NONE;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)(sorted[i] - cache->entries);
        sorted[i]->older = cache->newest;
        sorted[i]->newer = DEDUP_NONE;
        if (cache->newest != DEDUP_NONE)
            cache->entries[cache->newest].newer = number;
        else
            cache->oldest = number;
        cache->newest = number;
    }
    free(sorted);
}
