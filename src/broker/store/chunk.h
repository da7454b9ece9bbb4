/* A chunk: up to JOURNAL_CHUNK_SLOTS consecutive messages of a lane, the unit of paging. Each
 * message has a slot. Four bit maps tell the state of each slot; they stay in memory when the
 * messages leave it. Thread: the vhost's owner.
 *
 *   live         the message is in the lane: ready, or delivered and not settled
 *   ready        the message waits for a consumer
 *   redelivered  the message may have been delivered before
 *   durable      the journal has the message
 *
 * A chunk is open while it is the last of its lane: new messages go into it. A closed chunk can
 * leave memory (paging.h). slots[] begins with the slot `first`, so that a lane that becomes empty
 * again and again needs memory for a few slots only. */
#ifndef BROKER_CHUNK_H
#define BROKER_CHUNK_H

#include <sys/queue.h>

#include "leveret/base/check.h"
#include "leveret/journal/journal.h"

struct deaths;
struct lane;
struct returns;

/* Bytes of bodies at which a chunk is full before its slots are, so that pages stay small. */
#define CHUNK_BYTES_MAX (1u << 20)

enum chunk_state {
    CHUNK_RESIDENT, /* its messages are in memory */
    CHUNK_STORING,  /* the same, and its transient messages are being written */
    CHUNK_STORED,   /* its messages are not in memory; the journal has all of them */
    CHUNK_READING,  /* the same, and the journal has been asked for them */
};

/* The list of struct store in which a chunk waits to leave memory; for paging.c alone. */
enum chunk_list { CHUNK_UNLISTED, CHUNK_LEAVING, CHUNK_HEAVY };

struct chunk {
    struct lane *lane;
    uint64_t number; /* seq = number * JOURNAL_CHUNK_SLOTS + slot */
    TAILQ_ENTRY(chunk) paging_link;
    uint8_t state;         /* enum chunk_state */
    uint8_t list;          /* enum chunk_list */
    bool closed;           /* true: no new message goes into it */
    bool spilled;          /* true: its transient messages were handed to journal_page_out */
    uint16_t used;         /* slots that have had a message */
    uint16_t first, room;  /* slots[i] is slot first + i; room of them are allocated */
    uint16_t live, ready;  /* bits that are set in live_bits, in ready_bits */
    uint16_t durable;      /* messages that are live and durable */
    uint64_t batch;        /* the journal's batch with its last durable message */
    uint64_t body_bytes;   /* of the live messages, in memory or not */
    uint64_t memory_bytes; /* of its messages that are in memory */
    uint64_t live_bits[JOURNAL_CHUNK_WORDS], ready_bits[JOURNAL_CHUNK_WORDS],
        redelivered_bits[JOURNAL_CHUNK_WORDS], durable_bits[JOURNAL_CHUNK_WORDS];
    struct message **slots;
    uint64_t *expires; /* when the message of slot first + i expires, by the wall clock, 0: never;
                          NULL: none expires, or the messages are not in memory */
    bool any_expires;  /* true: some message that is or was in it expires */
    struct deaths *deaths;   /* messages that wait to be dead-lettered (queue/dead_letter.c); NULL:
                                none */
    struct returns *returns; /* counts of returns (returns.h); NULL: no message has come back, or
                                its queue does not count returns */
};
TAILQ_HEAD(chunk_queue, chunk);

struct chunk *chunk_new(struct lane *lane, uint64_t number);
void chunk_free(struct chunk **chunk); /* drops its references of messages as well */

/* Puts a message into the next slot and returns the slot; takes a reference. expires_ms: by the
 * wall clock, 0: never. The slot is live, but neither ready nor durable yet. The chunk must be open
 * and not full. */
unsigned chunk_add(struct chunk *chunk, struct message *message, uint64_t expires_ms);

/* Puts the message of a live slot back into memory (page-in); takes over the caller's reference. */
void chunk_fill(struct chunk *chunk, unsigned slot, struct message *message, uint64_t expires_ms);

/* Empties a slot. Returns its message with the chunk's reference, or NULL when the message is not
 * in memory. body_bytes: the size of the message's body. */
struct message *chunk_remove(struct chunk *chunk, unsigned slot, uint64_t body_bytes);

/* Drops the references of all messages; the bit maps stay. Returns the bytes that it freed. */
uint64_t chunk_drop_messages(struct chunk *chunk);
/* Frees the memory that a burst of messages left in an open chunk without live messages. */
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

/* The first slot whose bit is set; at least one bit must be set. */
static inline unsigned bit_first(const uint64_t *bits)
{
    for (unsigned word = 0; word < JOURNAL_CHUNK_WORDS; word++)
        if (bits[word])
            return word * 64 + (unsigned)__builtin_ctzll(bits[word]);
    check_failed("a bit is set", __FILE__, __LINE__);
}

/* The first slot from `from` on whose bit is set, or JOURNAL_CHUNK_SLOTS. */
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

/* When the message in this slot expires, by the wall clock; 0: never. It must be in memory. */
static inline uint64_t chunk_expires(const struct chunk *chunk, unsigned slot)
{
    return chunk->expires ? chunk->expires[slot - chunk->first] : 0;
}

#endif
