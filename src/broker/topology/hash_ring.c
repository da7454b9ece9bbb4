/* The ring as one array. See hash_ring.h.
 *
 * Normal course: the upper bits of a hash give an index, and the point that is sought is there or
 * one or two places behind. Adding a point shifts the points behind it up to the next gap; removing
 * one shifts them back.
 *
 * What can go wrong. Many points fall on the end of the array: they go into spare places behind it,
 * whose number doubles when they are full. Two points are equal (one chance in 2^64 for each pair):
 * the older one stands first. */
#include "broker/topology/hash_ring.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "broker/topology/stable_hash.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define BITS_MIN  6u
#define SPARE_MIN 16u
#define WINDOW    6u /* places that one look-up reads at once; as many empty ones end the array */

void hash_ring_free(struct hash_ring *ring)
{
    free(ring->points);
    *ring = (struct hash_ring){0};
}

static uint64_t home(const struct hash_ring *ring, uint64_t at)
{
    return at >> (64 - ring->bits);
}

static uint64_t end(const struct hash_ring *ring)
{
    return ring->places + ring->spare;
}

static void add_spare(struct hash_ring *ring)
{
    uint64_t old = end(ring);
    ring->spare *= 2;
    ring->points = mem_need_array(ring->points, end(ring) + WINDOW, sizeof *ring->points);
    memset(ring->points + old, 0, (end(ring) + WINDOW - old) * sizeof *ring->points);
}

static void insert(struct hash_ring *ring, struct ring_point point)
{
    uint64_t place = home(ring, point.at);
    while (place < end(ring) && ring->points[place].owner && ring->points[place].at <= point.at)
        place++;
    uint64_t gap = place;
    while (gap < end(ring) && ring->points[gap].owner)
        gap++;
    if (gap == end(ring))
        add_spare(ring);
    memmove(&ring->points[place + 1], &ring->points[place], (gap - place) * sizeof *ring->points);
    ring->points[place] = point;
}

static void take_out(struct hash_ring *ring, const struct ring_point *point)
{
    uint64_t place = home(ring, point->at);
    while (ring->points[place].at != point->at || ring->points[place].owner != point->owner) {
        place++;
        CHECK(place < end(ring));
    }
    uint64_t last = place;
    while (last + 1 < end(ring) && ring->points[last + 1].owner &&
           home(ring, ring->points[last + 1].at) <= last)
        last++;
    memmove(&ring->points[place], &ring->points[place + 1], (last - place) * sizeof *ring->points);
    ring->points[last] = (struct ring_point){0};
}

static void resize(struct hash_ring *ring, unsigned bits)
{
    struct hash_ring old = *ring;
    ring->bits = bits;
    ring->places = UINT64_C(1) << bits;
    ring->spare = SPARE_MIN;
    ring->points = mem_need((end(ring) + WINDOW) * sizeof *ring->points);
    for (uint64_t i = 0; i < end(&old); i++)
        if (old.points[i].owner)
            insert(ring, old.points[i]);
    free(old.points);
}

/* Resizes the ring for count points: at most three quarters full, and not below
 * three sixteenths. */
static void make_room(struct hash_ring *ring, uint64_t count)
{
    unsigned bits = BITS_MIN;
    while (count > (UINT64_C(3) << bits) / 4)
        bits++;
    if (count == 0)
        hash_ring_free(ring);
    else if (bits > ring->bits || bits + 1 < ring->bits)
        resize(ring, bits);
}

static struct ring_point point_of(void *owner, uint64_t seed, uint64_t number)
{
    return (struct ring_point){stable_hash_mix(seed + (number + 1) * UINT64_C(0x9e3779b97f4a7c15)),
                               owner};
}

void hash_ring_add(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from, uint64_t to)
{
    make_room(ring, ring->count + (to - from) * RING_POINTS);
    for (uint64_t i = from * RING_POINTS; i < to * RING_POINTS; i++)
        insert(ring, point_of(owner, seed, i));
    ring->count += (to - from) * RING_POINTS;
}

void hash_ring_remove(struct hash_ring *ring, void *owner, uint64_t seed, uint64_t from,
                      uint64_t to)
{
    for (uint64_t i = from * RING_POINTS; i < to * RING_POINTS; i++) {
        struct ring_point point = point_of(owner, seed, i);
        take_out(ring, &point);
    }
    ring->count -= (to - from) * RING_POINTS;
    make_room(ring, ring->count);
}

/* The first point at or behind a place on the ring, which must not be empty. */
static const struct ring_point *next_point(const struct hash_ring *ring, uint64_t at)
{
    const struct ring_point *point = &ring->points[home(ring, at)];
    const struct ring_point *behind = &ring->points[end(ring)];
    for (; point < behind; point++)
        if (point->owner && point->at >= at)
            return point;
    for (point = ring->points; !point->owner; point++)
        ;
    return point;
}

/* A point, and its distance behind a place. */
struct ring_candidate {
    const struct ring_point *point;
    uint64_t distance;
};

/* The same point with its distance. For most places it is among the next WINDOW points, and is
 * found there without a branch that the processor could predict wrongly. */
static struct ring_candidate nearest_behind(const struct hash_ring *ring, uint64_t at)
{
    const struct ring_point *window = &ring->points[home(ring, at)];
    struct ring_candidate best = {window, UINT64_MAX};
    for (unsigned i = 0; i < WINDOW; i++) {
        uint64_t distance = window[i].owner && window[i].at >= at ? window[i].at - at : UINT64_MAX;
        bool nearer = distance < best.distance;
        best.point = nearer ? &window[i] : best.point;
        best.distance = nearer ? distance : best.distance;
    }
    if (__builtin_expect(best.distance == UINT64_MAX, 0)) {
        best.point = next_point(ring, at);
        best.distance = best.point->at - at;
    }
    return best;
}

void *hash_ring_find(const struct hash_ring *ring, uint64_t hash)
{
    if (ring->count == 0)
        return NULL;
    struct ring_candidate best = nearest_behind(ring, stable_hash_mix(hash));
    for (unsigned probe = 1; probe < RING_PROBES; probe++) {
        struct ring_candidate other =
            nearest_behind(ring, stable_hash_mix(hash + probe * UINT64_C(0xd1342543de82ef95)));
        bool nearer = other.distance < best.distance;
        best.point = nearer ? other.point : best.point;
        best.distance = nearer ? other.distance : best.distance;
    }
    return best.point->owner;
}
