/* Which chunks are in memory. Thread: the vhost's owner.
 *
 * Normal course: a lane (of a priority queue the one that has the head) keeps the chunks at its
 * head (what consumers take next), a few behind it (what they may give back) and the open one. Any
 * other closed chunk leaves memory: when all of it is durable, as soon as its batch is on disk, at
 * no cost; when some of it is transient, only if the vhost is short of memory, after
 * journal_page_out. Chunks that the head comes near are read ahead.
 *
 * What can go wrong: a page is damaged: the lane has failed (lane.h). It cannot be read just now:
 * the lane is stalled until it can. A page-out fails: the chunk stays, and after a pause it is
 * tried again. A page comes for what is settled or deleted meanwhile: it is let go. */
#ifndef BROKER_PAGING_H
#define BROKER_PAGING_H

#include "broker/store/store.h"

void paging_closed(struct chunk *chunk);                      /* a chunk takes no more */
void paging_passed(struct lane *lane, uint64_t chunk_number); /* the cursor left it */
void paging_forget(struct chunk *chunk);                      /* it is about to be freed */
void paging_lane_dropped(struct lane *lane);                  /* its reports will not come */

/* Asks for a chunk, if it is on disk. */
void paging_read(struct chunk *chunk);
/* Makes sure that the head comes into memory, and some of what follows. */
void paging_read_ahead(struct lane *lane);
/* Asks for all of a lane that is not in memory; returns how many chunks will come. */
unsigned paging_read_all(struct lane *lane);

/* store->committed has grown: chunks that waited for that leave memory. */
void paging_committed(struct store *store);
/* Memory may be short: writes out chunks with transient messages. */
void paging_relieve(struct store *store);
/* Lets page-outs be tried again when the pause after one that failed is over. */
void paging_tick(struct store *store);
/* When it is over, by the steady clock; UINT64_MAX: there is none. */
static inline uint64_t paging_deadline_ms(const struct store *store)
{
    return store->page_out_ms ? store->page_out_ms : UINT64_MAX;
}

/* ---- The journal's callbacks. */

/* Message references are taken. */
void paging_paged_in(struct store *store, struct journal_page *page);
/* Returns whether a chunk has left memory for it. */
bool paging_paged_out(struct store *store, struct journal_lane *handle, uint64_t number,
                      enum status status);
/* What is wanted of the lane cannot be read just now, or (OK) can again. */
void paging_stalled(struct store *store, struct journal_lane *handle, enum status status);

#endif
