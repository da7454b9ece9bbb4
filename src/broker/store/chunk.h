/* A chunk: up to JOURNAL_CHUNK_SLOTS neighbours in a lane, the unit of paging. A message's place
 * is its slot; four bit maps say what is known of it whether it is in memory or not.
 * Thread: the vhost's owner.
 *
 *   live         it is in the lane: ready, or delivered and not settled
 *   ready        it waits for a consumer
 *   redelivered  it may have been delivered before
 *   durable      the journal has it
 *
 * A chunk is open while it is the last of its lane: it takes more. Closed, it can leave memory
 * (paging.c). slots[] covers the slots from first on, so that a lane that keeps running empty
 * lives in a few places. */
#ifndef BROKER_CHUNK_H
#define BROKER_CHUNK_H

#include <sys/queue.h>

#include "leveret/base/check.h"
#include "leveret/journal/journal.h"

struct deaths;
struct lane;
struct returns;

/* A chunk is closed early when its bodies reach this, so that pages stay small. */
#define CHUNK_BYTES_MAX (1u << 20)

enum chunk_state {
    CHUNK_RESIDENT,
    CHUNK_STORING, /* resident, and its transient messages are being written */
    CHUNK_STORED,  /* not in memory; the journal has all of it */
    CHUNK_READING, /* not in memory yet: asked for */
};

/* Where a chunk waits for leave to go out of memory; paging.c's. */
enum chunk_list { CHUNK_UNLISTED, CHUNK_LEAVING, CHUNK_HEAVY };

struct chunk {
    struct lane *lane;
    uint64_t number; /* seq = number * JOURNAL_CHUNK_SLOTS + slot */
    TAILQ_ENTRY(chunk) paging_link;
    uint8_t state; /* enum chunk_state */
    uint8_t list;  /* enum chunk_list */
    bool closed;
    bool spilled;          /* its transient messages were handed to journal_page_out */
    uint16_t used;         /* slots given out */
    uint16_t first, room;  /* slots[i] is slot first + i; room of them are allocated */
    uint16_t live, ready;  /* how many bits are set below */
    uint16_t durable;      /* live and durable */
    uint64_t batch;        /* of the last append */
    uint64_t body_bytes;   /* of the live messages, in memory or not */
    uint64_t memory_bytes; /* what its messages cost */
    uint64_t live_bits[JOURNAL_CHUNK_WORDS], ready_bits[JOURNAL_CHUNK_WORDS],
        redelivered_bits[JOURNAL_CHUNK_WORDS], durable_bits[JOURNAL_CHUNK_WORDS];
    struct message **slots;
    uint64_t *expires; /* wall clock by slot - first, 0: never; NULL: none does, or not in memory */
    bool any_expires;
    struct deaths *deaths; /* messages that wait to be dead-lettered; NULL: none (dead_letter.c) */
    struct returns *returns; /* returns.h; NULL: none of its messages came back, or nobody counts */
};
TAILQ_HEAD(chunk_queue, chunk);

struct chunk *chunk_new(struct lane *lane, uint64_t number);
void chunk_free(struct chunk **chunk); /* with the messages it holds */

/* Puts a message into the next slot and returns that; takes a reference. expires_ms 0: never. The
 * slot is live, but neither ready nor durable yet. The chunk must be open and not full. */
unsigned chunk_add(struct chunk *chunk, struct message *message, uint64_t expires_ms);

/* Gives a slot that is live its message back (page-in); takes the reference. */
void chunk_fill(struct chunk *chunk, unsigned slot, struct message *message, uint64_t expires_ms);

/* The slot is settled; what it held is handed out (NULL when it was not in memory), with its
 * reference. body_bytes: its body's size. */
struct message *chunk_remove(struct chunk *chunk, unsigned slot, uint64_t body_bytes);

/* Lets go of all messages; the bit maps stay. Returns the memory freed, in bytes. */
uint64_t chunk_drop_messages(struct chunk *chunk);
/* An open chunk with nothing live: gives memory back that a burst left. */
void chunk_rest(struct chunk *chunk);

static inline bool bit_test(const uint64_t *bits, unsigned slot)
{
    return bits[slot / 64] >> (slot % 64) & 1;
}

static inline void bit_set(uint64_t *bits, unsigned slot)
{
    bits[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static inline void bit_clear(uint64_t *bits, unsigned slot)
{
    bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

/* The first slot that is set; there must be one. */
static inline unsigned bit_first(const uint64_t *bits)
{
    for (unsigned word = 0; word < JOURNAL_CHUNK_WORDS; word++)
        if (bits[word])
            return word * 64 + (unsigned)__builtin_ctzll(bits[word]);
    check_failed("a bit is set", __FILE__, __LINE__);
}

/* The first slot from `from` on that is set, or JOURNAL_CHUNK_SLOTS. */
static inline unsigned bit_next(const uint64_t *bits, unsigned from)
{
    for (unsigned word = from / 64; word < JOURNAL_CHUNK_WORDS; word++) {
        uint64_t rest = bits[word];
        if (word == from / 64)
            rest &= ~UINT64_C(0) << (from % 64);
        if (rest)
            return word * 64 + (unsigned)__builtin_ctzll(rest);
    }
    return JOURNAL_CHUNK_SLOTS;
}

static inline bool chunk_in_memory(const struct chunk *chunk)
{
    return chunk->state == CHUNK_RESIDENT || chunk->state == CHUNK_STORING;
}

static inline bool chunk_full(const struct chunk *chunk)
{
    return chunk->used == JOURNAL_CHUNK_SLOTS || chunk->body_bytes >= CHUNK_BYTES_MAX;
}

static inline struct message *chunk_message(const struct chunk *chunk, unsigned slot)
{
    return chunk->slots[slot - chunk->first];
}

/* When the message in this slot expires, 0: never. It must be in memory. */
static inline uint64_t chunk_expires(const struct chunk *chunk, unsigned slot)
{
    return chunk->expires ? chunk->expires[slot - chunk->first] : 0;
}

#endif
