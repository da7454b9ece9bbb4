/* What a vhost has on record and in memory: its journal, its lanes, and the chunks that are to
 * leave memory. Thread: the vhost's owner.
 *
 * Normal course: a change is put into the batch that is filling (store_put, store_erase,
 * journal_append), and whoever promises it asks store_needed which batch that is. A lane
 * registers itself under the journal's handle, so that pages find their way back to it. */
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
    bool journalled;         /* true: the call under way has written something to the journal */
    bool recovering;         /* true: what changes comes from the journal */

    struct map lanes; /* from &lane->handle (the handle's bytes) to struct lane * */
    uint64_t lane_next, lane_reserved; /* ids below lane_reserved are on record as used */
    uint64_t ready, unsettled;         /* messages of all queues */

    /* Paging. */
    uint64_t memory_bytes; /* of messages in memory */
    uint64_t pages_out;    /* page-outs under way */
    uint64_t page_out_ms;  /* steady: no page-out before that, since one failed; 0: at once */
    /* Closed chunks, by paging_link. Durable ones leave when their batch is on disk, those with
     * transient messages when memory is short. Rubble are those of lanes that were cleared: they
     * are freed in portions. */
    struct chunk_queue leaving, heavy, rubble;

    struct returns_list returns_changed; /* counts to be put on record at the end of the turn */
};

/* An empty store. The journal and the account (NULL: nothing is counted) are not owned. */
void store_init(struct store *store, struct journal *journal, struct account *account);
/* After all lanes are gone. */
void store_free(struct store *store);

/* The key that says up to where lane ids are taken; see also enum definition_kind. */
#define STORE_LANES_KEY 'l'
/* The first of that many neighbouring lane ids that were never used. */
uint64_t store_lane_ids(struct store *store, unsigned count);

/* Definitions in the journal; each marks the call as journalled. */
void store_put(struct store *store, const struct text *key, const struct text *value);
void store_erase(struct store *store, const struct text *key);

/* The batch that a reply to the call under way waits for: 0, or the one that is filling. */
static inline uint64_t store_needed(const struct store *store)
{
    return store->journalled ? journal_await(store->journal) : 0;
}

/* Messages of the lane came into memory, or left it: so many bytes. */
static inline void store_memory(struct lane *lane, int64_t bytes)
{
    lane->store->memory_bytes += (uint64_t)bytes;
    lane->stock->memory_bytes += (uint64_t)bytes;
}

/* Frees what cleared lanes left behind, at most so many chunks. */
void store_clear_rubble(struct store *store, uint64_t chunks_max);

#endif
