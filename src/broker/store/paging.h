/* Paging: which chunks are in memory. Thread: the vhost's owner.
 *
 * Normal course: a lane keeps in memory the chunks at its head, from which consumers take next, a
 * few chunks before the head, whose messages may be given back, and the open chunk. In a queue with
 * priorities only the lane with the queue's next message keeps its head. Any other closed chunk
 * leaves memory. When all its messages are durable it leaves as soon as its batch is on disk, at no
 * cost; when some are transient it leaves only if the vhost is short of memory, after
 * journal_page_out. Chunks that the head comes near are read ahead.
 *
 * What can go wrong. A page is damaged: the lane has failed (lane.h). A page cannot be read now:
 * the lane is stalled until it can. A page-out fails: the chunk stays in memory, and after a pause
 * it is tried again. A page comes for messages that are settled or deleted meanwhile: it is
 * dropped. */
#ifndef BROKER_PAGING_H
#define BROKER_PAGING_H

#include "broker/store/store.h"

/* What a lane tells: */
void paging_closed(struct chunk *chunk);                      /* the chunk was closed */
void paging_passed(struct lane *lane, uint64_t chunk_number); /* the cursor left this chunk */
void paging_forget(struct chunk *chunk);                      /* the chunk is about to be freed */
void paging_lane_dropped(struct lane *lane); /* the journal forgets it: no page-out is reported */

/* Asks the journal for the messages of a chunk that is not in memory. */
void paging_read(struct chunk *chunk);
/* Asks for the chunks near the head that are not in memory. */
void paging_read_ahead(struct lane *lane);
/* Asks for all chunks of a lane that are not in memory; returns how many are being read. */
unsigned paging_read_all(struct lane *lane);

/* store->committed has grown: chunks that waited for that leave memory. */
void paging_committed(struct store *store);
/* Memory may be short: writes out chunks with transient messages. */
void paging_relieve(struct store *store);
/* Ends the pause after a failed page-out when its time is over. */
void paging_tick(struct store *store);
/* When that pause ends, by the steady clock; UINT64_MAX: there is no pause. */
static inline uint64_t paging_deadline_ms(const struct store *store)
{
    return store->page_out_ms ? store->page_out_ms : UINT64_MAX;
}

/* ---- The journal's callbacks. */

/* A chunk was read, or its page is damaged (page->status). Takes over the references of the page's
 * messages. */
void paging_paged_in(struct store *store, struct journal_page *page);
/* A page-out is done, or has failed. Returns false when the chunk is gone meanwhile. */
bool paging_paged_out(struct store *store, struct journal_lane *handle, uint64_t number,
                      enum status status);
/* A page of the lane cannot be read now; OK: it can be read again. */
void paging_stalled(struct store *store, struct journal_lane *handle, enum status status);

#endif
