/* The hash map: linear probing, at most three quarters full, removal by shifting back, so that no
 * tombstones collect. The hash is XXH3 (libxxhash) with a secret: clients choose names, and a
 * client that could predict hashes could choose names that all collide, which would make every
 * look-up slow. */
#include "leveret/base/map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

/* Entries that the first map_put allocates. */
#define PLACES_MIN 8u

_Static_assert(MAP_SECRET_BYTES == sizeof XXH3_kSecret, "one length for both");

/* A global variable, one for the process: every folder uses maps, and passing the secret to all of
 * them would be in the way everywhere. */
static uint8_t own_secret[MAP_SECRET_BYTES];
static const uint8_t *secret = XXH3_kSecret;

void map_set_secret(const uint8_t *bytes)
{
    if (bytes)
        memcpy(own_secret, bytes, sizeof own_secret);
    secret = bytes ? own_secret : XXH3_kSecret;
}

uint64_t map_hash(struct bytes key)
{
    return XXH3_64bits_withSecret(key.at, key.len, secret, MAP_SECRET_BYTES);
}

uint64_t map_hash_stable(struct bytes key)
{
    return XXH3_64bits(key.at, key.len);
}

void map_free(struct map *map)
{
    free(map->entries);
    *map = (struct map){0};
}

/* The entry that holds key, or the free one where it would go. */
static struct map_entry *find(const struct map *map, struct bytes key, uint64_t hash)
{
    size_t at = hash & map->mask;
    for (;;) {
        struct map_entry *entry = &map->entries[at];
        if (!entry->value || (entry->hash == hash && bytes_equal(entry->key, key)))
            return entry;
        at = (at + 1) & map->mask;
    }
}

void *map_get_hashed(const struct map *map, struct bytes key, uint64_t hash)
{
    return map->count ? find(map, key, hash)->value : NULL;
}

void *map_get(const struct map *map, struct bytes key)
{
    return map->count ? find(map, key, map_hash(key))->value : NULL;
}

static void resize(struct map *map, size_t places)
{
    struct map_entry *old = map->entries;
    size_t old_places = old ? map->mask + 1 : 0;
    map->entries = mem_need(places * sizeof *map->entries);
    map->mask = places - 1;
    for (size_t i = 0; i < old_places; i++) {
        if (old[i].value)
            *find(map, old[i].key, old[i].hash) = old[i];
    }
    free(old);
}

void *map_put(struct map *map, struct bytes key, void *value)
{
    CHECK(value);
    if (!map->entries)
        resize(map, PLACES_MIN);
    else if ((map->count + 1) * 4 > (map->mask + 1) * 3)
        resize(map, (map->mask + 1) * 2);
    uint64_t hash = map_hash(key);
    struct map_entry *entry = find(map, key, hash);
    void *before = entry->value;
    *entry = (struct map_entry){hash, key, value};
    map->count += !before;
    return before;
}

/* Moves entries behind a removed one forward, so that probing finds them without a tombstone. */
static void close_hole(struct map *map, size_t hole)
{
    size_t at = hole;
    for (;;) {
        at = (at + 1) & map->mask;
        struct map_entry *entry = &map->entries[at];
        if (!entry->value)
            break;
        size_t home = entry->hash & map->mask;
        if (((at - home) & map->mask) >= ((at - hole) & map->mask)) {
            map->entries[hole] = *entry;
            hole = at;
        }
    }
    map->entries[hole].value = NULL;
}

void *map_remove(struct map *map, struct bytes key)
{
    if (!map->count)
        return NULL;
    struct map_entry *entry = find(map, key, map_hash(key));
    void *value = entry->value;
    if (!value)
        return NULL;
    map->count--;
    close_hole(map, (size_t)(entry - map->entries));
    if (map->count == 0) {
        map_free(map);
    } else if (map->mask + 1 > PLACES_MIN && map->count * 8 < map->mask + 1) {
        resize(map, (map->mask + 1) / 2);
    }
    return value;
}

void *map_next(const struct map *map, size_t *at)
{
    if (!map->entries)
        return NULL;
    while (*at <= map->mask) {
        void *value = map->entries[(*at)++].value;
        if (value)
            return value;
    }
    return NULL;
}

static int compare_keys(const void *a, const void *b)
{
    struct bytes x = ((const struct map_entry *)a)->key, y = ((const struct map_entry *)b)->key;
    size_t shorter = x.len < y.len ? x.len : y.len;
    int order = shorter ? memcmp(x.at, y.at, shorter) : 0;
    return order ? order : (x.len > y.len) - (x.len < y.len);
}

struct map_entry *map_sorted(const struct map *map)
{
    struct map_entry *sorted = mem_need_array(NULL, map->count, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; map->entries && i <= map->mask; i++)
        if (map->entries[i].value)
            sorted[count++] = map->entries[i];
    qsort(sorted, count, sizeof *sorted, compare_keys);
    return sorted;
}
