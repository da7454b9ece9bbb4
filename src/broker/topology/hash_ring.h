/* A ring of hashes on which owners have points: consistent hashing. Who is asked for a hash is told
 * one owner; when an owner comes or goes, or its share changes, only what it gains or loses moves.
 * Thread: the vhost's owner.
 *
 * An owner has RING_POINTS points for each unit of its weight. A look-up does not take the first
 * point behind one place on the ring but the nearest behind any of RING_PROBES places (Appleton and
 * O'Reilly, "Multi-probe consistent hashing"): shares come out as even as they would with some ten
 * times as many points, and what moves is as little as ever. The answer depends on the seeds and
 * weights of the owners alone, not on the order in which they came. */
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
    void *owner; /* NULL: nobody is here */
};

/* Points in order, each at or shortly behind the place that its upper bits say, with gaps: a hash
 * table that is sorted. places = 2^bits, and spare ones behind them for what is pushed out. */
struct hash_ring {
    struct ring_point *points;
    uint64_t count, places, spare;
    unsigned bits;
};

/* An empty ring is all zeros. */
void hash_ring_free(struct hash_ring *ring);

/* Gives owner (not NULL) the points of the units from `from` up to but not including `to`, and
 * takes them back. The seed is the owner's own: what its name hashes to. */
void hash_ring_add(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from, uint64_t to);
void hash_ring_remove(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from,
                      uint64_t to);

/* Whose this hash is; NULL when nobody has a point. */
void *hash_ring_find(const struct hash_ring *ring, uint64_t hash);

#endif
