/* Which messages are duplicates: see dedup.h. Records in the journal are in dedup_store.c. */
#include "broker/dedup/dedup.h"

#include "broker/dedup/dedup_store.h"
#include "broker/topology/dedup_arguments.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

#include <stddef.h>

/* Identifiers in a cache without x-cache-size, and the highest x-cache-size that counts; a cache at
 * its size forgets its oldest identifier for each new one. */
#define CACHE_SIZE_DEFAULT 1000000u
#define CACHE_SIZE_MAX     1000000000u
/* Milliseconds: the highest x-cache-ttl that counts, ten years as for queues. */
#define CACHE_TTL_MAX UINT64_C(315360000000)
/* Memory counted for an identifier: its entry, and its places in the chains. */
#define IDENTIFIER_BYTES (sizeof(struct dedup_entry) + 2 * sizeof(uint32_t))
/* Identifiers and caches that one tick ends; the next tick goes on. */
#define TICK_WORK_MAX 1000u

/* ---- Arguments. */

/* The number in an argument, at most max; missing: the value when there is none. */
static uint64_t argument(struct bytes arguments, const char *name, uint64_t max, uint64_t missing)
{
    struct field field;
    uint64_t number;
    if (!table_find(arguments, name, &field) || !dedup_number(&field, &number))
        return missing;
    return number < max ? number : max;
}

/* ---- Life. */

void dedups_init(struct dedups *dedups, struct store *store)
{
    dedups->store = store;
    TAILQ_INIT(&dedups->dying);
}

void dedups_free(struct dedups *dedups)
{
    struct dedup *dedup;
    while ((dedup = TAILQ_FIRST(&dedups->dying))) {
        TAILQ_REMOVE(&dedups->dying, dedup, link);
        dedup_free(&dedup); /* NOLINT(clang-analyzer-unix.Malloc) */
    }
    heap_free(&dedups->expiry);
}

struct dedup *dedup_new(struct dedups *dedups, struct endpoint *owner, struct bytes arguments,
                        bool asked)
{
    if (!asked && !dedup_asked(arguments))
        return NULL;
    struct dedup *dedup = mem_need(sizeof *dedup);
    struct field field;
    dedup->set = dedups;
    dedup->owner = owner;
    dedup->ttl_ms = argument(arguments, "x-cache-ttl", CACHE_TTL_MAX, 0);
    uint64_t size = argument(arguments, "x-cache-size", CACHE_SIZE_MAX, 0);
    dedup->size_max = size ? size : CACHE_SIZE_DEFAULT;
    dedup->header = BYTES_LITERAL("x-deduplication-header");
    if (table_find(arguments, "x-deduplication-header", &field) && field.type == FIELD_STRING)
        dedup->header = field.value.bytes;
    dedup_cache_init(&dedup->cache, owner->kind == ENDPOINT_QUEUE && !size && !dedup->ttl_ms);
    return dedup;
}

void dedup_free(struct dedup **dedup)
{
    struct dedup *d = *dedup;
    *dedup = NULL;
    if (!d)
        return;
    heap_remove(&d->set->expiry, &d->expiry);
    holding_give(&d->set->store->holdings, ACCOUNT_DEDUPLICATION, d->counted * IDENTIFIER_BYTES);
    dedup_cache_free(&d->cache);
    free(d);
}

void dedup_delete(struct dedup **dedup)
{
    struct dedup *d = *dedup;
    *dedup = NULL;
    if (!d)
        return;
    heap_remove(&d->set->expiry, &d->expiry);
    dedup_store_forget_owner(d);
    d->owner = NULL;
    TAILQ_INSERT_TAIL(&d->set->dying, d, link);
}

/* ---- Identifiers. */

static void add_number(struct text *out, char tag, uint64_t number)
{
    number = __builtin_bswap64(number);
    text_add(out, &tag, 1);
    text_add(out, &number, sizeof number);
}

/* Writes the hash of the message's identifier. It depends on the value: 5 is the same in any width,
 * but not "5". Returns false when the message has none; a table, an array or void is none. */
static bool identify(const struct dedup *dedup, const struct message *message, struct hash128 *out)
{
    struct field field;
    struct text value = {0};
    int64_t integer;
    if (!message->has_headers ||
        !table_find_bytes(properties_headers(message_properties(message)), dedup->header, &field))
        return false;
    switch (field.type) {
    case FIELD_STRING:
    case FIELD_BYTES:
        *out = stable_hash128(field.value.bytes);
        return true;
    case FIELD_ARRAY:
    case FIELD_TABLE:
    case FIELD_VOID:
        return false;
    case FIELD_BOOL:
        add_number(&value, 't', (uint64_t)field.value.integer);
        break;
    case FIELD_TIMESTAMP:
        add_number(&value, 'i', field.value.timestamp);
        break;
    case FIELD_FLOAT:
    case FIELD_DOUBLE: {
        uint64_t bits;
        memcpy(&bits, &field.value.real, sizeof bits);
        add_number(&value, 'd', bits);
        break;
    }
    case FIELD_DECIMAL:
        add_number(&value, 'D',
                   (uint64_t)(uint32_t)field.value.decimal.digits << 8 | field.value.decimal.scale);
        break;
    default:
        (void)field_integer(&field, &integer);
        add_number(&value, 'i', (uint64_t)integer);
    }
    *out = stable_hash128(text_bytes(&value));
    out->high = ~out->high; /* so that it differs from the hash of a string with the same bytes */
    text_free(&value);
    return true;
}

/* ---- Entries. */

static struct dedup_entry *entry_at(const struct dedup *dedup, uint32_t number)
{
    return &dedup->cache.entries[number];
}

/* Sets the timer to the time when the oldest entry expires. A younger entry that expires earlier is
 * removed when it has become the oldest, or when a message has the same identifier. */
static void set_timer(struct dedup *dedup)
{
    struct heap *heap = &dedup->set->expiry;
    uint32_t oldest = dedup->cache.oldest;
    uint64_t at_ms = oldest == DEDUP_NONE ? 0 : entry_at(dedup, oldest)->value;
    if (at_ms == 0)
        heap_remove(heap, &dedup->expiry);
    else if (!heap_holds(&dedup->expiry) || dedup->expiry.key != at_ms)
        heap_set(heap, &dedup->expiry, at_ms);
}

/* Counts the identifiers that came or went since the last call in the account of memory. */
static void tell_memory(struct dedup *dedup)
{
    uint32_t count = dedup->cache.count;
    if (count > dedup->counted)
        holding_add(&dedup->set->store->holdings, ACCOUNT_DEDUPLICATION,
                    (count - dedup->counted) * IDENTIFIER_BYTES);
    else
        holding_give(&dedup->set->store->holdings, ACCOUNT_DEDUPLICATION,
                     (dedup->counted - count) * IDENTIFIER_BYTES);
    dedup->counted = count;
}

/* Whether the account has no room for another identifier, of this cache or of any other. */
static bool memory_full(const struct dedup *dedup)
{
    const struct account *account = dedup->set->store->holdings.account;
    return account && account_bytes(account, ACCOUNT_DEDUPLICATION) + IDENTIFIER_BYTES >
                          account_limit_bytes(account, ACCOUNT_DEDUPLICATION);
}

static void forget(struct dedup *dedup, uint32_t number)
{
    if (entry_at(dedup, number)->stored)
        dedup_store_erase(dedup, entry_at(dedup, number));
    dedup_cache_remove(&dedup->cache, number);
    tell_memory(dedup);
}

static uint32_t add(struct dedup *dedup, struct hash128 key)
{
    uint32_t number = dedup_cache_add(&dedup->cache, key);
    entry_at(dedup, number)->order = ++dedup->last_order;
    tell_memory(dedup);
    return number;
}

bool dedup_knows(struct dedup *dedup, const struct message *message, uint64_t *needed)
{
    struct hash128 key;
    if (!identify(dedup, message, &key))
        return false;
    uint32_t number = dedup_cache_find(&dedup->cache, key);
    if (number == DEDUP_NONE)
        return false;
    const struct dedup_entry *entry = entry_at(dedup, number);
    if (!dedup->cache.places && entry->value &&
        entry->value <= dedup->set->store->call.now.wall_ms) {
        forget(dedup, number);
        set_timer(dedup);
        return false;
    }
    if (entry->batch > *needed)
        *needed = entry->batch;
    dedup->refused++;
    return true;
}

static uint64_t ttl_of(const struct dedup *dedup, const struct message *message)
{
    struct field field;
    uint64_t ttl_ms;
    if (table_find(properties_headers(message_properties(message)), "x-cache-ttl", &field) &&
        dedup_number(&field, &ttl_ms))
        return ttl_ms < CACHE_TTL_MAX ? ttl_ms : CACHE_TTL_MAX;
    return dedup->ttl_ms;
}

void dedup_remember(struct dedup *dedup, const struct message *message)
{
    struct hash128 key;
    if (dedup->cache.places || !identify(dedup, message, &key) ||
        dedup_cache_find(&dedup->cache, key) != DEDUP_NONE)
        return;
    while (dedup->cache.count >= dedup->size_max || (dedup->cache.count && memory_full(dedup)))
        forget(dedup, dedup->cache.oldest);
    struct dedup_entry *entry = entry_at(dedup, add(dedup, key));
    uint64_t ttl_ms = ttl_of(dedup, message);
    entry->value = ttl_ms ? dedup->set->store->call.now.wall_ms + ttl_ms : 0;
    if (dedup->stored && message->persistent)
        dedup_store_put(dedup, entry);
    set_timer(dedup);
}

void dedup_restored(struct dedup *dedup)
{
    tell_memory(dedup);
    if (!dedup->cache.places)
        set_timer(dedup);
}

/* ---- Presence. */

void dedup_lane_stored(struct dedup *dedup, const struct lane *lane, struct place place)
{
    struct hash128 key;
    if (!identify(dedup, place_message(place), &key))
        return;
    uint32_t number = dedup_cache_find(&dedup->cache, key);
    if (number == DEDUP_NONE)
        number = add(dedup, key);
    dedup_cache_put(&dedup->cache, number, lane->number, place_seq(place));
    struct dedup_entry *entry = entry_at(dedup, number);
    if (bit_test(place.chunk->durable_bits, place.slot))
        dedup_store_put(dedup, entry);
    else if (entry->stored)
        dedup_store_erase(dedup, entry);
}

void dedup_lane_left(struct dedup *dedup, const struct lane *lane, uint64_t seq)
{
    uint32_t number = dedup_cache_at(&dedup->cache, lane->number, seq);
    if (number != DEDUP_NONE)
        forget(dedup, number);
}

void dedup_lane_emptied(struct dedup *dedup)
{
    if (dedup->cache.count == 0)
        return;
    struct dedup *old = mem_need(sizeof *old);
    old->set = dedup->set;
    old->cache = dedup->cache;
    old->id = dedup->id;
    old->counted = dedup->counted;
    dedup->counted = 0;
    dedup_cache_init(&dedup->cache, true);
    TAILQ_INSERT_TAIL(&dedup->set->dying, old, link);
    if (dedup->id) { /* the records with the old id belong to `old` from now on */
        dedup->id = 0;
        dedup_store_begin(dedup);
    }
}

/* ---- Time. */

void dedups_tick(struct dedups *dedups)
{
    struct heap_node *node;
    struct dedup *dedup;
    unsigned work = 0;
    while (work < TICK_WORK_MAX && (node = heap_first(&dedups->expiry)) &&
           node->key <= dedups->store->call.now.wall_ms) {
        dedup = container_of(node, struct dedup, expiry);
        forget(dedup, dedup->cache.oldest);
        set_timer(dedup);
        work++;
    }
    while (work < TICK_WORK_MAX && (dedup = TAILQ_FIRST(&dedups->dying))) {
        work++;
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see end_get in queue/dispatch.c */
        if (dedup->cache.count) {
            forget(dedup, dedup->cache.oldest);
            continue;
        }
        TAILQ_REMOVE(&dedups->dying, dedup, link);
        dedup_free(&dedup);
    }
}

uint64_t dedups_deadline_ms(const struct dedups *dedups)
{
    const struct heap_node *node = heap_first(&dedups->expiry);
    uint64_t wall_ms = dedups->store->call.now.wall_ms,
             steady_ms = dedups->store->call.now.steady_ms;
    if (!TAILQ_EMPTY(&dedups->dying))
        return steady_ms;
    if (!node)
        return UINT64_MAX;
    return steady_ms + (node->key > wall_ms ? node->key - wall_ms : 0);
}
