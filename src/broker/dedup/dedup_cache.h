/* The identifiers of one struct dedup, found by their hash or by the place of their message, and
 * listed by age. Thread: the vhost's owner. An entry is named by its number, which is valid until
 * the entry is removed. */
#ifndef BROKER_DEDUP_CACHE_H
#define BROKER_DEDUP_CACHE_H

#include "broker/topology/stable_hash.h"

#define DEDUP_NONE UINT32_MAX

struct dedup_entry {
    struct hash128 key;
    uint64_t value; /* a cache: when it expires, by the wall clock, 0: never; by presence: the
                       sequence number of its message, 0: not set yet */
    uint64_t order; /* the position by age: the oldest entry has the lowest */
    uint64_t batch; /* the batch with its record; 0: none, or the record is from before the start */
    uint32_t next_by_key, next_by_place, older, newer; /* numbers of entries, or DEDUP_NONE */
    uint8_t priority; /* by presence: the number of its message's lane */
    bool stored;      /* true: the journal has a record */
};

struct dedup_cache {
    struct dedup_entry *entries;
    uint32_t *by_key, *by_place; /* hash tables of chains; by_place only if places is true */
    uint32_t count, used, room;  /* used: entries of the array that have been used */
    uint32_t buckets;            /* of each hash table: a power of two, or 0 */
    uint32_t spare;              /* the first removed entry, chained by next_by_key */
    uint32_t oldest, newest;
    bool places; /* true: by presence; entries are found by lane and sequence number as well */
};

/* Makes an empty cache. */
void dedup_cache_init(struct dedup_cache *cache, bool places);
void dedup_cache_free(struct dedup_cache *cache);

/* Adds a key that is not there, as the newest entry. Returns its number. */
uint32_t dedup_cache_add(struct dedup_cache *cache, struct hash128 key);
/* Sets the place of an entry's message, which no other entry has: lane number (priority), seq. */
void dedup_cache_put(struct dedup_cache *cache, uint32_t number, uint8_t priority, uint64_t seq);
void dedup_cache_remove(struct dedup_cache *cache, uint32_t number);
/* The entry with this key, with this place; DEDUP_NONE: there is none. */
uint32_t dedup_cache_find(const struct dedup_cache *cache, struct hash128 key);
uint32_t dedup_cache_at(const struct dedup_cache *cache, uint8_t priority, uint64_t seq);
/* Sorts the list by age by dedup_entry.order, after recovery has added entries in any order. */
void dedup_cache_sort(struct dedup_cache *cache);

#endif
