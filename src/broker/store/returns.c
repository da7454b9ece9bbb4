/* Counts of returns: see returns.h. A definition's key is n lane:u64 chunk:u64. Its value is a
 * format version and, for each durable message that has come back, slot:u16 returns:u32
 * failures:u32; both counts include the delivery that is out. Format 1 has no failures, because
 * then all returns were counted alike. */
#include "broker/store/returns.h"

#include "broker/store/definition.h"
#include "broker/store/store.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

#define FORMAT          2u
#define FORMAT_UNKINDED 1u
#define KEY_BYTES       17u
#define TRIPLE_BYTES    10u
#define VALUE_BYTES     (1 + JOURNAL_CHUNK_SLOTS * TRIPLE_BYTES)
#define ACQUIRED        "x-acquired-count"
#define COUNTED         "x-delivery-count"

/* The highest count of a message, at which it stays; one more must fit into 32 bits, for the
 * delivery that is out. */
#define COUNT_MAX (UINT32_MAX - 1)

/* ---- Counting. */

static struct returns *need(struct chunk *chunk)
{
    if (!chunk->returns) {
        chunk->returns = mem_need(sizeof *chunk->returns);
        chunk->returns->chunk = chunk;
    }
    return chunk->returns;
}

static void set(struct place place, struct tally tally)
{
    struct returns *returns = need(place.chunk);
    returns->tallies[place.slot] = tally;
    if (!returns->changed && bit_test(place.chunk->durable_bits, place.slot)) {
        returns->changed = true;
        TAILQ_INSERT_TAIL(&place.chunk->lane->store->returns_changed, returns, link);
    }
}

struct tally returns_count(struct place place, enum return_kind kind)
{
    struct tally tally = returns_of(place);
    if (tally.returns < COUNT_MAX)
        tally.returns++;
    if (kind == RETURN_FAILURE && tally.failures < COUNT_MAX)
        tally.failures++;
    set(place, tally);
    return tally;
}

void returns_lent(struct place place)
{
    set(place, returns_of(place));
}

struct message *returns_mark(struct message *message, uint32_t acquired, uint32_t counted)
{
    const char *const replaced[] = {ACQUIRED, counted ? COUNTED : NULL, NULL};
    struct rewrite rewrite;
    if (!rewrite_begin(&rewrite, message))
        return message_ref(message);
    rewrite_keep(&rewrite, replaced);
    table_put_i64(&rewrite.headers, ACQUIRED, acquired);
    if (counted)
        table_put_i64(&rewrite.headers, COUNTED, counted);
    struct message *copy = rewrite_end(&rewrite, message);
    return copy ? copy : message_ref(message);
}

/* ---- On record. */

static struct bytes write_key(uint64_t lane_id, uint64_t chunk, uint8_t key[KEY_BYTES])
{
    struct writer writer = writer_of(key, KEY_BYTES);
    write_u8(&writer, DEFINITION_RETURNS);
    write_u64(&writer, lane_id);
    write_u64(&writer, chunk);
    return bytes_of(key, KEY_BYTES);
}

static void erase(struct store *store, uint64_t lane_id, uint64_t chunk)
{
    uint8_t key[KEY_BYTES];
    journal_erase(store->journal, write_key(lane_id, chunk, key));
}

static void unlist(struct returns *returns)
{
    if (returns->changed)
        TAILQ_REMOVE(&returns->chunk->lane->store->returns_changed, returns, link);
    returns->changed = false;
}

void returns_free(struct chunk *chunk)
{
    if (!chunk->returns)
        return;
    unlist(chunk->returns);
    free(chunk->returns);
    chunk->returns = NULL;
}

void returns_forget(struct chunk *chunk)
{
    if (!chunk->returns)
        return;
    if (chunk->returns->stored)
        erase(chunk->lane->store, chunk->lane->id, chunk->number);
    returns_free(chunk);
}

static void put(struct returns *returns)
{
    struct chunk *chunk = returns->chunk;
    uint8_t key[KEY_BYTES], value[VALUE_BYTES];
    struct writer writer = writer_of(value, sizeof value);
    write_u8(&writer, FORMAT);
    for (unsigned slot = 0; (slot = bit_next(chunk->durable_bits, slot)) < JOURNAL_CHUNK_SLOTS;
         slot++) {
        const struct tally *tally = &returns->tallies[slot];
        if (!tally->returns)
            continue;
        bool out = !bit_test(chunk->ready_bits, slot);
        write_u16(&writer, (uint16_t)slot);
        write_u32(&writer, tally->returns + out);
        write_u32(&writer, tally->failures + out);
    }
    journal_put(chunk->lane->store->journal, write_key(chunk->lane->id, chunk->number, key),
                bytes_of(value, (size_t)(writer.at - value)));
    returns->stored = true;
}

void returns_flush(struct store *store)
{
    struct returns *returns;
    while ((returns = TAILQ_FIRST(&store->returns_changed))) {
        unlist(returns);
        put(returns);
    }
}

/* ---- Recovery. */

bool returns_read_key(struct bytes key, uint64_t *lane_id, uint64_t *chunk)
{
    struct reader reader = reader_of(key);
    bool kind = read_u8(&reader) == DEFINITION_RETURNS;
    *lane_id = read_u64(&reader);
    *chunk = read_u64(&reader);
    return kind && !reader.failed && reader_left(&reader) == 0;
}

static uint32_t read_count(struct reader *reader)
{
    uint32_t count = read_u32(reader);
    return count < COUNT_MAX ? count : COUNT_MAX;
}

enum status returns_restore(struct store *store, uint64_t lane_id, uint64_t number,
                            struct chunk *chunk, struct bytes value)
{
    if (!chunk) {
        erase(store, lane_id, number);
        return STATUS_OK;
    }
    struct reader reader = reader_of(value);
    uint8_t format = read_u8(&reader);
    if (!reader.failed && format != FORMAT && format != FORMAT_UNKINDED)
        return STATUS_VERSION;
    struct returns *returns = need(chunk);
    returns->stored = true;
    while (!reader.failed && reader_left(&reader)) {
        unsigned slot = read_u16(&reader);
        struct tally tally = {.returns = read_count(&reader)};
        tally.failures = format == FORMAT_UNKINDED ? tally.returns : read_count(&reader);
        if (reader.failed || slot >= JOURNAL_CHUNK_SLOTS)
            return STATUS_CORRUPT;
        if (bit_test(chunk->live_bits, slot))
            returns->tallies[slot] = tally;
    }
    return reader.failed ? STATUS_CORRUPT : STATUS_OK;
}
