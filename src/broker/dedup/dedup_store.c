/* Part of dedup (dedup.h): keys and values of the journal, and recovery from them.
 *
 *   owner   I kind:u8 name               1 id:u64
 *   entry   i id:u64 identifier:16 bytes 1 order:u64 value:u64 priority:u8
 *
 * An entry names its owner by an id, which keeps entries short. A later owner of the same name gets
 * another id, so that it does not take over entries of the owner that was deleted. */
#include "broker/dedup/dedup_store.h"

#include "broker/store/definition.h"
#include "leveret/base/mem.h"
#include "leveret/wire/cursor.h"

#define FORMAT          1u
#define OWNER_KEY_MAX   (2 + NAME_BYTES_MAX)
#define ENTRY_KEY_BYTES 25u

static struct bytes owner_key(const struct dedup *dedup, uint8_t room[OWNER_KEY_MAX])
{
    struct writer writer = writer_of(room, OWNER_KEY_MAX);
    write_u8(&writer, DEFINITION_DEDUP_OWNER);
    write_u8(&writer, (uint8_t)dedup->owner->kind);
    write_raw(&writer, dedup->owner->name.at, dedup->owner->name.len);
    return bytes_of(room, 2 + dedup->owner->name.len);
}

static struct bytes entry_key(const struct dedup *dedup, const struct dedup_entry *entry,
                              uint8_t room[ENTRY_KEY_BYTES])
{
    struct writer writer = writer_of(room, ENTRY_KEY_BYTES);
    write_u8(&writer, DEFINITION_DEDUP);
    write_u64(&writer, dedup->id);
    write_u64(&writer, entry->key.high);
    write_u64(&writer, entry->key.low);
    return bytes_of(room, ENTRY_KEY_BYTES);
}

void dedup_store_begin(struct dedup *dedup)
{
    uint8_t key[OWNER_KEY_MAX], value[9];
    struct writer writer = writer_of(value, sizeof value);
    dedup->id = store_lane_ids(dedup->set->store, 1);
    write_u8(&writer, FORMAT);
    write_u64(&writer, dedup->id);
    journal_put(dedup->set->store->journal, owner_key(dedup, key), bytes_of(value, sizeof value));
    dedup->set->store->journalled = true;
}

void dedup_store_forget_owner(struct dedup *dedup)
{
    uint8_t key[OWNER_KEY_MAX];
    if (!dedup->id)
        return;
    journal_erase(dedup->set->store->journal, owner_key(dedup, key));
    dedup->set->store->journalled = true;
}

void dedup_store_put(struct dedup *dedup, struct dedup_entry *entry)
{
    uint8_t key[ENTRY_KEY_BYTES], value[18];
    struct writer writer = writer_of(value, sizeof value);
    if (!dedup->id)
        dedup_store_begin(dedup);
    write_u8(&writer, FORMAT);
    write_u64(&writer, entry->order);
    write_u64(&writer, entry->value);
    write_u8(&writer, entry->priority);
    journal_put(dedup->set->store->journal, entry_key(dedup, entry, key),
                bytes_of(value, sizeof value));
    entry->stored = true;
    entry->batch = journal_filling(dedup->set->store->journal);
    dedup->set->store->journalled = true;
}

void dedup_store_erase(struct dedup *dedup, struct dedup_entry *entry)
{
    uint8_t key[ENTRY_KEY_BYTES];
    journal_erase(dedup->set->store->journal, entry_key(dedup, entry, key));
    entry->stored = false;
    entry->batch = 0;
    dedup->set->store->journalled = true;
}

/* ---- Recovery. */

static struct bytes id_key(const uint64_t *id)
{
    return bytes_of(id, sizeof *id);
}

enum status dedup_restore_entry(struct dedups *dedups, struct bytes key, struct bytes value)
{
    struct reader k = reader_of(key), v = reader_of(value);
    (void)read_u8(&k);
    uint64_t id = read_u64(&k);
    struct hash128 identifier = {.high = read_u64(&k)};
    identifier.low = read_u64(&k);
    uint8_t format = read_u8(&v);
    uint64_t order = read_u64(&v), number = read_u64(&v);
    uint8_t priority = read_u8(&v);
    if (k.failed || v.failed || reader_left(&k) || reader_left(&v))
        return STATUS_CORRUPT;
    if (format != FORMAT)
        return STATUS_VERSION;
    struct dedup *dedup = map_get(&dedups->recovered, id_key(&id));
    if (!dedup) {
        dedup = mem_need(sizeof *dedup);
        dedup->set = dedups;
        dedup->id = id;
        dedup_cache_init(&dedup->cache, false);
        map_put(&dedups->recovered, id_key(&dedup->id), dedup);
    }
    if (dedup_cache_find(&dedup->cache, identifier) != DEDUP_NONE)
        return STATUS_CORRUPT;
    uint32_t added = dedup_cache_add(&dedup->cache, identifier);
    struct dedup_entry *entry = &dedup->cache.entries[added];
    entry->order = order;
    entry->value = number;
    entry->priority = priority;
    entry->stored = true;
    return STATUS_OK;
}

enum status dedup_restore_owner(struct dedups *dedups, struct bytes key, struct bytes value)
{
    struct reader v = reader_of(value);
    uint8_t format = read_u8(&v);
    uint64_t id = read_u64(&v);
    if (v.failed || reader_left(&v) || key.len < 2 || key.len > OWNER_KEY_MAX)
        return STATUS_CORRUPT;
    if (format != FORMAT)
        return STATUS_VERSION;
    struct dedup_owner *owner = mem_need(sizeof *owner + key.len);
    owner->id = id;
    owner->kind = key.at[1];
    owner->name_len = key.len - 2;
    memcpy(owner->name, key.at + 2, owner->name_len);
    owner->next = dedups->owners;
    dedups->owners = owner;
    return STATUS_OK;
}
