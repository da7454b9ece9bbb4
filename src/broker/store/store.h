/* Store: what a vhost has on record and in memory, which is its journal, its lanes, and the chunks
 * that are to leave memory. Thread: the vhost's owner.
 *
 * Normal course: a change is put into the batch that is filling (store_put, store_erase,
 * journal_append); code that answers a command asks store_needed which batch the answer waits for.
 * A lane stands in `lanes` under the journal's handle, so that pages find their lane. */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include "broker/call/call.h"
#include "broker/call/holding.h"
#include "broker/store/returns.h"
#include "leveret/base/map.h"
#include "leveret/base/text.h"

struct store {
    struct call call; /* the call under way */
    struct holdings holdings;
    struct journal *journal; /* not owned */
    uint64_t committed;      /* the last batch on disk */
    bool journalled;         /* true: the call under way has changed the journal */
    bool recovering;         /* true: recovery restores what the journal has */

    struct map lanes; /* from &lane->handle (the handle's bytes) to struct lane * */
    uint64_t lane_next, lane_reserved; /* ids below lane_reserved are on record as used */
    uint64_t ready, unsettled;         /* messages of all queues */
    /* Messages handed to the journal, to be kept or because memory was short, and read back. */
    uint64_t disk_writes, disk_reads;

    /* Paging. */
    uint64_t memory_bytes; /* of messages in memory */
    uint64_t pages_out;    /* page-outs under way */
    uint64_t page_out_ms;  /* steady clock: the end of the pause after a failed page-out; 0: none */
    /* Chunks, by paging_link. leaving: durable chunks, which leave memory when their batch is on
     * disk; heavy: chunks with transient messages, which leave when memory is short; rubble: chunks
     * of cleared lanes, which are freed in portions. */
    struct chunk_queue leaving, heavy, rubble;

    /* Those that look at chunks without taking messages (page_reader.h), by link; and how many of
     * them are to be woken. */
    TAILQ_HEAD(, page_reader) page_readers;
    unsigned page_readers_due;

    struct returns_list returns_changed; /* counts to be put on record at the end of the turn */
};

/* Makes an empty store. The journal and the account (NULL: nothing is counted) are not owned. */
void store_init(struct store *store, struct journal *journal, struct account *account);
/* To be called after all lanes are freed. */
void store_free(struct store *store);

/* While recovering is true, what changes comes from the journal: it is not journalled again, and
 * nothing is refused for memory. */
static inline void store_set_recovering(struct store *store, bool recovering)
{
    store->recovering = recovering;
    store->holdings.unlimited = recovering;
}

/* The journal's key under which lane_reserved is on record; the other kinds of keys are in enum
 * definition_kind. */
#define STORE_LANES_KEY 'l'
/* Takes `count` consecutive lane ids that were never used; returns the first. */
uint64_t store_lane_ids(struct store *store, unsigned count);

/* Puts a definition into the batch that is filling, or erases it there. Both set `journalled`. */
void store_put(struct store *store, const struct text *key, const struct text *value);
void store_erase(struct store *store, const struct text *key);

/* The batch that a reply to the call under way waits for: the one that is filling, or 0 when the
 * call has changed nothing in the journal. */
static inline uint64_t store_needed(const struct store *store)
{
    return store->journalled ? journal_await(store->journal) : 0;
}

/* Counts bytes of the lane's messages that came into memory; bytes below 0: they left it. */
static inline void store_memory(struct lane *lane, int64_t bytes)
{
    lane->store->memory_bytes += (uint64_t)bytes;
    lane->stock->memory_bytes += (uint64_t)bytes;
}

/* Frees chunks of cleared lanes, at most chunks_max. */
void store_clear_rubble(struct store *store, uint64_t chunks_max);

#endif
