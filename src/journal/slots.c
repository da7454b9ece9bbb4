/* See slots.h. */
#include "journal/slots.h"

unsigned slots_next(const uint64_t *words, unsigned from)
{
    for (unsigned i = from / 64; i < JOURNAL_CHUNK_WORDS; i++) {
        uint64_t word = words[i];
        if (i == from / 64)
            word &= UINT64_MAX << (from % 64);
        if (word)
            return i * 64 + (unsigned)__builtin_ctzll(word);
    }
    return JOURNAL_CHUNK_SLOTS;
}
