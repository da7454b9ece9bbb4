/* A hash map from byte strings to pointers, open addressing. Thread: one at a time.
 *
 * The map copies neither keys nor values: the key usually lies inside the value, and both must stay
 * where they are until removed. */
#ifndef LEVERET_BASE_MAP_H
#define LEVERET_BASE_MAP_H

#include "leveret/base/bytes.h"

struct map_entry {
    uint64_t hash;
    struct bytes key;
    void *value; /* NULL: this entry is free */
};

struct map {
    struct map_entry *entries; /* NULL until the first map_put */
    size_t mask;               /* number of entries allocated, minus 1 */
    size_t count;
};

/* An empty map is all zeros: struct map m = {0}. */
void map_free(struct map *map); /* frees the entries, not keys or values */

/* Makes the hashes of this process unpredictable. Call it once, before the first map is used and
 * before threads start. Without it (in tests and in programs that only talk to a broker) hashes are
 * the same in every run; NULL restores that. bytes: MAP_SECRET_BYTES random bytes. */
#define MAP_SECRET_BYTES 192
void map_set_secret(const uint8_t *bytes);

/* Differs from process to process: never store it or send it. */
uint64_t map_hash(struct bytes key);
/* The same in every process: for file names and the like. Not for maps whose keys
 * clients choose. */
uint64_t map_hash_stable(struct bytes key);

/* The value, or NULL. */
void *map_get(const struct map *map, struct bytes key);
void *map_get_hashed(const struct map *map, struct bytes key, uint64_t hash);

/* Stores value (not NULL) under key; returns the value it replaced, or NULL. The new key view
 * replaces the old one too. */
void *map_put(struct map *map, struct bytes key, void *value);

/* Removes the key; returns its value, or NULL when there was none. */
void *map_remove(struct map *map, struct bytes key);

/* Walks all values in an order that differs from process to process: start with *at = 0; returns
 * NULL at the end. The map must not change during the walk. */
void *map_next(const struct map *map, size_t *at);

/* A copy of all map->count entries, ascending by key: for listings, and for work that must be done
 * in the same order in every run. The caller frees it; never NULL. */
struct map_entry *map_sorted(const struct map *map);

#endif
