/* The sizes of the bodies of a chunk's messages, each of them exact, and their sum. Journals count
 * bytes nowhere else: the LevelDB journal and the memory journal use the same functions, so the
 * simulator tests what runs in production.
 *
 * Why every single size. Limits in bytes drop messages by this sum, so it must be exact: a message
 * takes out of the sum what it has put in. While all sizes are the same they take no memory of
 * their own; different ones take 4 bytes for each message.
 *
 * Normal course: sizes_add when a message is appended, sizes_remove when it is settled. The sizes
 * are encoded into the chunk's index and decoded from there at recovery. The sum is always made
 * from the sizes, never read from disk.
 *
 * What can go wrong: bytes are no encoding of sizes: CORRUPT.
 *
 * Thread: the vhost's owner. The functions are pure. */
#ifndef LEVERET_JOURNAL_SIZES_H
#define LEVERET_JOURNAL_SIZES_H

#include "leveret/base/check.h"
#include "leveret/base/status.h"
#include "leveret/base/text.h"
#include "leveret/journal/journal.h"

/* All zeros: no message. */
struct sizes {
    uint64_t sum;   /* of the sizes of all messages that are counted, in bytes */
    uint32_t *each; /* sizes of the slots first to first + room - 1; NULL: all sizes are same */
    uint32_t same;  /* the size in every slot that each does not cover */
    uint16_t count; /* how many messages are counted */
    uint16_t first, room; /* the slots that each covers */
};

/* Frees what it holds; it is then all zeros. */
void sizes_clear(struct sizes *sizes);

/* For sizes_add only: notes a size that is not the same as the others. */
void sizes_add_other(struct sizes *sizes, unsigned slot, uint32_t bytes);

/* Counts a message. No message may be counted in this slot already. bytes: its body's size, below
 * 4 GiB. */
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

/* Takes a message that is counted out again. Returns its size. */
static inline uint64_t sizes_remove(struct sizes *sizes, unsigned slot)
{
    uint64_t bytes = sizes_of(sizes, slot);
    CHECK(sizes->count > 0 && sizes->sum >= bytes);
    sizes->sum -= bytes;
    if (--sizes->count == 0)
        sizes_clear(sizes);
    return bytes;
}

/* Appends the encoded sizes to *out. live: the slots that are counted. The encoding:
 *   0 size            all slots have this size
 *   1 size size …     one size for each slot, slots ascending
 * A size has 7 bits in each byte, the lowest first; its last byte is below 128. */
void sizes_encode(const struct sizes *sizes, const uint64_t live[JOURNAL_CHUNK_WORDS],
                  struct text *out);
/* Decodes the sizes of the slots in live into *out, which must be all zeros. Errors: CORRUPT; *out
 * is then all zeros. */
MUST_USE enum status sizes_decode(struct bytes encoded, const uint64_t live[JOURNAL_CHUNK_WORDS],
                                  struct sizes *out);

#endif
