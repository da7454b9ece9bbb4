/* Definitions, lane ids, and chunks to be freed: see store.h. */
#include "broker/store/store.h"

#include "leveret/wire/cursor.h"

void store_init(struct store *store, struct journal *journal, struct account *account)
{
    *store = (struct store){
        .holdings.account = account,
        .journal = journal,
        .committed = journal_committed(journal),
        .lane_next = 1,
        .lane_reserved = 1,
    };
    TAILQ_INIT(&store->leaving);
    TAILQ_INIT(&store->heavy);
    TAILQ_INIT(&store->rubble);
    TAILQ_INIT(&store->page_readers);
    TAILQ_INIT(&store->returns_changed);
}

void store_free(struct store *store)
{
    store_clear_rubble(store, UINT64_MAX);
    map_free(&store->lanes);
    holding_end(&store->holdings);
}

void store_put(struct store *store, const struct text *key, const struct text *value)
{
    journal_put(store->journal, text_bytes(key), text_bytes(value));
    store->journalled = true;
}

void store_erase(struct store *store, const struct text *key)
{
    journal_erase(store->journal, text_bytes(key));
    store->journalled = true;
}

/* Lane ids that are put on record as used at once, so that few of them cost a write. */
#define LANES_AT_ONCE 1024u

uint64_t store_lane_ids(struct store *store, unsigned count)
{
    if (store->lane_next + count > store->lane_reserved) {
        static const uint8_t key = STORE_LANES_KEY;
        uint8_t value[8];
        struct writer writer = writer_of(value, sizeof value);
        store->lane_reserved += LANES_AT_ONCE;
        write_u64(&writer, store->lane_reserved);
        journal_put(store->journal, bytes_of(&key, 1), bytes_of(value, sizeof value));
    }
    store->lane_next += count;
    return store->lane_next - count;
}

void store_clear_rubble(struct store *store, uint64_t chunks_max)
{
    struct chunk *chunk;
    for (; chunks_max && (chunk = TAILQ_FIRST(&store->rubble)); chunks_max--) {
        TAILQ_REMOVE(&store->rubble, chunk, paging_link);
        call_spend(&store->call, (uint64_t)chunk->room * WORK_DISCARD);
        chunk_free(&chunk);
    }
}
