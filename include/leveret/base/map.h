/* A hash map from byte strings to pointers, open addressing. One thread at a time.
 *
 * The map copies neither keys nor values: the key usually lies inside the value, and both must stay
 * where they are until removed. */
#ifndef LEVERET_BASE_MAP_H
#define LEVERET_BASE_MAP_H

#include "leveret/base/bytes.h"

struct map_entry {
    uint64_t hash;
    struct bytes key;
    void *value; /* NULL: the place is free */
};

struct map {
    struct map_entry *entries; /* NULL until the first map_put */
    size_t mask;               /* places - 1 */
    size_t count;
};

/* An empty map is all zeros: struct map m = {0}. */
void map_free(struct map *map); /* the places only, not keys or values */

/* Makes the hashes of this process unpredictable. Once, before the first map is used and before
 * threads start; without it (tests; programs that only talk to a broker) they are the same in every
 * run, and NULL brings that back. bytes: MAP_SECRET_BYTES, random. */
#define MAP_SECRET_BYTES 192
void map_set_secret(const uint8_t *bytes);

/* Differs from process to process: not to be written down or told. */
uint64_t map_hash(struct bytes key);
/* The same in every process: for file names and the like. Not for maps of what clients name. */
uint64_t map_hash_stable(struct bytes key);

/* The value, or NULL. */
void *map_get(const struct map *map, struct bytes key);
void *map_get_hashed(const struct map *map, struct bytes key, uint64_t hash);

/* Stores value (not NULL) under key; returns the value it replaced, or NULL. When a value is
 * replaced the new key view replaces the old one too. */
void *map_put(struct map *map, struct bytes key, void *value);

/* Removes; returns the value, or NULL when there was none. */
void *map_remove(struct map *map, struct bytes key);

/* Walks all values in no particular order, which differs from process to process: start with *at =
 * 0; NULL at the end. The map must not change meanwhile, but for the removal of nothing. */
void *map_next(const struct map *map, size_t *at);

/* A copy of all count entries, ascending by key: for what is told to somebody or done in an order
 * that is to be the same in every run. The caller frees it; never NULL. */
struct map_entry *map_sorted(const struct map *map);

#endif
