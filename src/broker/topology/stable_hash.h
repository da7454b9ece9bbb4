/* Hashes that are the same on every machine and after every start, for decisions and records that
 * depend on them. (map_hash uses a secret, so it differs.) Not for security: an attacker can find
 * two inputs with the same hash. Thread: any. */
#ifndef BROKER_STABLE_HASH_H
#define BROKER_STABLE_HASH_H

#include "leveret/base/bytes.h"

uint64_t stable_hash(struct bytes input, uint64_t seed);

struct hash128 {
    uint64_t high, low;
};
/* Long enough that two inputs never have the same hash by chance. */
struct hash128 stable_hash128(struct bytes input);

static inline bool stable_hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

/* Mixes the bits of a number: the finalizer of splitmix64. */
static inline uint64_t stable_hash_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#endif
