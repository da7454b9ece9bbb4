/* What an object keeps for the samples of its numbers (vhost/sample.c): when it was made, and which
 * numbers its last sample had. Thread: the vhost's owner. */
#ifndef BROKER_SAMPLED_H
#define BROKER_SAMPLED_H

#include <stdbool.h>
#include <stdint.h>

struct sampled {
    uint64_t born_wall_ms; /* when it was made, or recovered */
    uint64_t mark;         /* sampled_mark of the numbers in its last sample, or at its birth */
    bool before;           /* true: it has been in a sample */
};

/* Stands for an object's numbers, so that they need not be kept for comparison. counted: the sum of
 * those that only grow; a, b: two that also fall. 0 for zeros. */
static inline uint64_t sampled_mark(uint64_t counted, uint64_t a, uint64_t b)
{
    return counted * UINT64_C(0x9e3779b97f4a7c15) + a * UINT64_C(0xc2b2ae3d27d4eb4f) +
           b * UINT64_C(0x165667b19e3779f9);
}

#endif
