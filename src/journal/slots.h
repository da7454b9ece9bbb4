/* Sets of the slots of a chunk: one bit for each of its JOURNAL_CHUNK_SLOTS messages.
 *
 * Thread: any; a set belongs to the thread that owns what it is part of. */
#ifndef LEVERET_JOURNAL_SLOTS_H
#define LEVERET_JOURNAL_SLOTS_H

#include "leveret/journal/journal.h"

static inline bool slots_has(const uint64_t *words, unsigned slot)
{
    return words[slot / 64] >> (slot % 64) & 1;
}

static inline void slots_add(uint64_t *words, unsigned slot)
{
    words[slot / 64] |= (uint64_t)1 << (slot % 64);
}

static inline void slots_remove(uint64_t *words, unsigned slot)
{
    words[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

static inline bool slots_any(const uint64_t *words)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        any |= words[i];
    return any != 0;
}

static inline unsigned slots_count(const uint64_t *words)
{
    unsigned count = 0;
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        count += (unsigned)__builtin_popcountll(words[i]);
    return count;
}

/* The first slot of the set that is not before from; JOURNAL_CHUNK_SLOTS: there is none. */
unsigned slots_next(const uint64_t *words, unsigned from);

#endif
