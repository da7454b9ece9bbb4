/* The sizes of the bodies of a chunk's messages, each of them exact, and their sum. The one place
 * where a journal counts bytes: the LevelDB journal (batch.c, paged.c) and the memory journal use
 * the same functions, so that the simulator drives what runs in production. Pure; the owner's.
 *
 * Why each. A limit in bytes drops messages by this sum, so it must not be an estimate: what leaves
 * the sum is what went in. Sizes that are all the same cost nothing; others 4 bytes a message.
 *
 * Normal course: sizes_add when a message is appended, sizes_remove when it is settled; encoded
 * into the chunk's index, and decoded from there at recovery. What can go wrong: bytes that are no
 * encoding of sizes: CORRUPT. A sum on disk is not believed: it is made anew from the sizes. */
#ifndef LEVERET_JOURNAL_SIZES_H
#define LEVERET_JOURNAL_SIZES_H

#include "leveret/base/check.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/journal/journal.h"

/* All zeros: no message. */
struct sizes {
    uint64_t sum;         /* of the bodies of all messages counted, in bytes */
    uint32_t *each;       /* of slots first to first + room - 1; NULL: all messages have `same` */
    uint32_t same;        /* the size in every slot that is not in each[] */
    uint16_t count;       /* messages counted */
    uint16_t first, room; /* what each[] covers */
};

/* Forgets everything and frees. */
void sizes_clear(struct sizes *sizes);

/* For sizes_add: a message of another size than the others. */
void sizes_add_other(struct sizes *sizes, unsigned slot, uint32_t bytes);

/* Counts a message. Nothing may be counted in this slot already; bytes is a body's size, which is
 * below 4 GiB. */
static inline void sizes_add(struct sizes *sizes, unsigned slot, uint64_t bytes)
{
    if (sizes->count == 0)
        sizes->same = (uint32_t)bytes;
    if (__builtin_expect(sizes->each || sizes->same != bytes, 0))
        sizes_add_other(sizes, slot, (uint32_t)bytes);
    sizes->count++;
    sizes->sum += bytes;
}

/* The size of a message that is counted. */
static inline uint64_t sizes_of(const struct sizes *sizes, unsigned slot)
{
    return sizes->each && slot >= sizes->first && slot - sizes->first < sizes->room
               ? sizes->each[slot - sizes->first]
               : sizes->same;
}

/* A message that is counted goes; returns its size. */
static inline uint64_t sizes_remove(struct sizes *sizes, unsigned slot)
{
    uint64_t bytes = sizes_of(sizes, slot);
    CHECK(sizes->count > 0 && sizes->sum >= bytes);
    sizes->sum -= bytes;
    if (--sizes->count == 0)
        sizes_clear(sizes);
    return bytes;
}

/* Appends the sizes of the slots in live, which are those that are counted:
 *   0 size            all of them have this size
 *   1 size size …     slots ascending
 * A size is a number of 7 bits a byte, the lowest first; the last byte is below 128. */
void sizes_encode(const struct sizes *sizes, const uint64_t live[JOURNAL_CHUNK_WORDS],
                  struct text *out);
/* Sets *out, which must be all zeros, from an encoding for these slots. Errors: CORRUPT; *out is
 * all zeros then. */
MUST_USE enum status sizes_decode(struct bytes encoded, const uint64_t live[JOURNAL_CHUNK_WORDS],
                                  struct sizes *out);

#endif
