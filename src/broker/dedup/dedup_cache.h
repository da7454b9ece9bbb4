/* Identifiers of messages, found by their hash, in the order in which they came. Thread: the
 * vhost's owner. Entries are named by numbers; a number is valid until the entry is removed. */
#ifndef BROKER_DEDUP_CACHE_H
#define BROKER_DEDUP_CACHE_H

#include "broker/topology/stable_hash.h"

#define DEDUP_NONE UINT32_MAX

struct dedup_entry {
    struct hash128 key;
    uint64_t value; /* when it expires (wall clock, 0: never), or the message's seq */
    uint64_t order; /* growing with age's end: the oldest has the lowest */
    uint64_t batch; /* of its record in the journal */
    uint32_t next_by_key, next_by_place, older, newer;
    uint8_t priority; /* of the message's lane */
    bool stored;      /* has a record in the journal */
};

struct dedup_cache {
    struct dedup_entry *entries;
    uint32_t *by_key, *by_place; /* chains; by_place only when places are used */
    uint32_t count, used, room;  /* used: entries given out at least once */
    uint32_t buckets;            /* a power of two, or 0 */
    uint32_t spare;              /* chain of removed ones, by next_by_key */
    uint32_t oldest, newest;
    bool places; /* entries are found by priority and seq too */
};

/* An empty cache. */
void dedup_cache_init(struct dedup_cache *cache, bool places);
void dedup_cache_free(struct dedup_cache *cache);

/* Adds a key that is not there, as the newest. */
uint32_t dedup_cache_add(struct dedup_cache *cache, struct hash128 key);
/* Says whose place the entry is; each place has one entry. */
void dedup_cache_put(struct dedup_cache *cache, uint32_t number, uint8_t priority, uint64_t seq);
void dedup_cache_remove(struct dedup_cache *cache, uint32_t number);
/* The entry, or DEDUP_NONE. */
uint32_t dedup_cache_find(const struct dedup_cache *cache, struct hash128 key);
uint32_t dedup_cache_at(const struct dedup_cache *cache, uint8_t priority, uint64_t seq);
/* Puts the entries into the order that they say (after recovery added them in any). */
void dedup_cache_sort(struct dedup_cache *cache);

#endif
