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

uint64_t map_hash(struct bytes key);

/* The value, or NULL. */
void *map_get(const struct map *map, struct bytes key);
void *map_get_hashed(const struct map *map, struct bytes key, uint64_t hash);

/* Stores value (not NULL) under key; returns the value it replaced, or NULL. When a value is
 * replaced the new key view replaces the old one too. */
void *map_put(struct map *map, struct bytes key, void *value);

/* Removes; returns the value, or NULL when there was none. */
void *map_remove(struct map *map, struct bytes key);

/* Walks all values in no particular order: start with *at = 0; NULL at the end. The map must not
 * change meanwhile, but for the removal of nothing. */
void *map_next(const struct map *map, size_t *at);

#endif
