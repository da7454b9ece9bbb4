/* XXH3 with a seed that is written in this file and must never change. */
#include "broker/topology/stable_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t stable_hash(struct bytes input, uint64_t seed)
{
    return XXH3_64bits_withSeed(input.at, input.len, seed);
}

struct hash128 stable_hash128(struct bytes input)
{
    XXH128_hash_t hash = XXH3_128bits(input.at, input.len);
    return (struct hash128){hash.high64, hash.low64};
}
