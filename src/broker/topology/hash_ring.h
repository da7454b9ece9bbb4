/* Consistent hashing: a ring of hashes on which owners have points. Every hash belongs to one
 * owner. When an owner comes or goes, or its weight changes, only the hashes that it gains or loses
 * change their owner. Thread: the vhost's owner.
 *
 * An owner has RING_POINTS points for each unit of its weight. A look-up does not take the first
 * point behind one place on the ring but the nearest behind any of RING_PROBES places (Appleton and
 * O'Reilly, "Multi-probe consistent hashing"): the shares are as even as with some ten times as
 * many points, and no more hashes change their owner. The answer depends only on the seeds and
 * weights of the owners, not on the order in which they were added. */
#ifndef BROKER_HASH_RING_H
#define BROKER_HASH_RING_H

#include <stdint.h>

/* Measured over 10 to 100,000 owners of equal weight: the standard deviation of their shares is
 * 3.2 % with these, 2.6 % with 24 probes, 2.2 % with 64 points; a unit of weight takes 0.6 to
 * 1.3 KB. */
#define RING_POINTS 32u
#define RING_PROBES 16u

struct ring_point {
    uint64_t at;
    void *owner; /* NULL: the place is empty */
};

/* A sorted hash table: points in order, with gaps, each at or shortly behind the index that its
 * upper bits give. It has 2^bits places, and spare ones behind them for points that are shifted
 * beyond the end. */
struct hash_ring {
    struct ring_point *points;
    uint64_t count, places, spare;
    unsigned bits;
};

/* An empty ring is all zeros. */
void hash_ring_free(struct hash_ring *ring);

/* Add and remove the points of owner (not NULL) for its units of weight from `from` up to but not
 * including `to`. seed: the hash of the owner's name. */
void hash_ring_add(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from, uint64_t to);
void hash_ring_remove(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from,
                      uint64_t to);

/* The owner of a hash; NULL when the ring is empty. */
void *hash_ring_find(const struct hash_ring *ring, uint64_t hash);

#endif
