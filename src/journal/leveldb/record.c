/* See record.h.
 *
 * What can go wrong: the bytes are not those that were written. Each record is checked against its
 * checksum first. Then each length in it is checked against what is left, because somebody who can
 * write the files can also make a checksum that fits. */
#include "journal/leveldb/record.h"

#include <endian.h>
#include <xxhash.h>

#include "leveret/base/check.h"

#define FORMAT_VERSION    2u
#define FORMAT_OLDEST     1u
#define INDEX_ANY_EXPIRES 0x01u
#define INDEX_SIZES       0x02u /* the index has sizes: from format 2 on */
#define ENTRY_BYTES       18u   /* slot 2, flags 1, priority 1, two lengths 2, envelope 4, body 8 */
#define ENTRY_PERSISTENT  0x01u
#define ENTRY_HAS_HEADERS 0x02u
#define ENTRY_TTL         0x04u
#define ENTRY_EXPIRES     0x08u
#define ENTRY_BODY_APART  0x10u
#define ENTRY_BLIND       0x20u
#define ENTRY_FLAGS       0x3fu
#define PLACE_BYTES       16u
#define BODY_REF_BYTES    (18u + PLACE_BYTES)
#define EXTENT_BYTES      (2u + PLACE_BYTES)

/* ---- Numbers. */

/* memcpy with a constant length becomes one instruction. */

static void put_be64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, 8);
}

static uint64_t get_be64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
    return be64toh(value);
}

static inline uint8_t *put_le(uint8_t *at, uint64_t value, unsigned bytes)
{
    value = htole64(value);
    memcpy(at, &value, bytes);
    return at + bytes;
}

/* Takes a number off the front of *rest, which must have that many bytes. */
static inline uint64_t take_le(struct bytes *rest, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, rest->at, bytes);
    rest->at += bytes;
    rest->len -= bytes;
    return le64toh(value);
}

static struct bytes take_bytes(struct bytes *rest, size_t len)
{
    struct bytes taken = bytes_of(rest->at, len);
    rest->at += len;
    rest->len -= len;
    return taken;
}

/* ---- Keys. */

static struct record_key key_of(char letter, uint64_t number)
{
    struct record_key key = {.len = 9};
    key.at[0] = (uint8_t)letter;
    put_be64(key.at + 1, number);
    return key;
}

struct record_key record_key_version(void)
{
    return (struct record_key){.at = {'v'}, .len = 1};
}

struct record_key record_key_lane(uint64_t lane_id)
{
    return key_of('i', lane_id);
}

struct record_key record_key_index(uint64_t lane_id, uint64_t chunk)
{
    struct record_key key = key_of('i', lane_id);
    put_be64(key.at + 9, chunk);
    key.len = 17;
    return key;
}

struct record_key record_key_block(uint64_t lane_id, uint64_t first_seq)
{
    struct record_key key = key_of('b', lane_id);
    put_be64(key.at + 9, first_seq);
    key.len = 17;
    return key;
}

struct record_key record_key_body(uint64_t body_id, uint32_t part)
{
    struct record_key key = key_of('m', body_id);
    part = htobe32(part);
    memcpy(key.at + 9, &part, 4);
    key.len = 13;
    return key;
}

void record_key_definition(struct text *out, struct bytes key)
{
    text_add(out, "d", 1);
    text_add_bytes(out, key);
}

enum status record_key_parse(struct bytes key, uint64_t *lane_id, uint64_t *chunk, bool *is_lane)
{
    if ((key.len != 9 && key.len != 17) || key.at[0] != 'i')
        return STATUS_MALFORMED;
    *lane_id = get_be64(key.at + 1);
    *is_lane = key.len == 9;
    *chunk = *is_lane ? 0 : get_be64(key.at + 9);
    /* The seqs of a chunk fit 64 bits, so a higher chunk is damage. */
    return *chunk > UINT64_MAX / JOURNAL_CHUNK_SLOTS ? STATUS_MALFORMED : STATUS_OK;
}

enum status record_key_parse_block(struct bytes key, uint64_t *lane_id, uint64_t *first_seq)
{
    if (key.len != 17 || key.at[0] != 'b')
        return STATUS_MALFORMED;
    *lane_id = get_be64(key.at + 1);
    *first_seq = get_be64(key.at + 9);
    return STATUS_OK;
}

/* ---- Sealing. */

static uint64_t checksum(struct bytes key, const uint8_t *payload, size_t len)
{
    return XXH3_64bits_withSeed(payload, len, XXH3_64bits(key.at, key.len));
}

size_t record_begin(struct text *out)
{
    size_t from = out->len;
    text_reserve(out, RECORD_SEAL_BYTES);
    out->len += RECORD_SEAL_BYTES;
    return from;
}

void record_seal(struct text *out, size_t from, struct bytes key)
{
    uint8_t *value = out->at + from;
    size_t len = out->len - from - RECORD_SEAL_BYTES;
    put_le(value, checksum(key, value + RECORD_SEAL_BYTES, len), RECORD_SEAL_BYTES);
}

enum status record_open(struct bytes key, struct bytes value, struct bytes *payload)
{
    if (value.len < RECORD_SEAL_BYTES)
        return STATUS_CORRUPT;
    uint64_t stored = take_le(&value, RECORD_SEAL_BYTES);
    if (stored != checksum(key, value.at, value.len))
        return STATUS_CORRUPT;
    *payload = value;
    return STATUS_OK;
}

/* ---- Version and lane. */

void record_version_encode(struct text *out)
{
    struct record_key key = record_key_version();
    size_t from = record_begin(out);
    put_le(text_reserve(out, 4), FORMAT_VERSION, 4);
    out->len += 4;
    record_seal(out, from, record_key_bytes(&key));
}

enum status record_version_decode(struct bytes value, bool *is_old)
{
    struct record_key key = record_key_version();
    struct bytes payload;
    enum status status = record_open(record_key_bytes(&key), value, &payload);
    if (status != STATUS_OK)
        return status;
    if (payload.len < 4)
        return STATUS_CORRUPT;
    uint64_t version = take_le(&payload, 4);
    *is_old = version < FORMAT_VERSION;
    return version >= FORMAT_OLDEST && version <= FORMAT_VERSION ? STATUS_OK : STATUS_VERSION;
}

void record_lane_encode(struct text *out, uint64_t lane_id, uint64_t delivered_seq)
{
    struct record_key key = record_key_lane(lane_id);
    size_t from = record_begin(out);
    put_le(text_reserve(out, 8), delivered_seq, 8);
    out->len += 8;
    record_seal(out, from, record_key_bytes(&key));
}

enum status record_lane_decode(struct bytes key, struct bytes value, uint64_t *delivered_seq)
{
    struct bytes payload;
    enum status status = record_open(key, value, &payload);
    if (status != STATUS_OK)
        return status;
    if (payload.len != 8)
        return STATUS_CORRUPT;
    *delivered_seq = take_le(&payload, 8);
    return STATUS_OK;
}

/* ---- The index. */

#define INDEX_BYTES (1u + 2u + 2u + 2u * 8u * JOURNAL_CHUNK_WORDS + 8u + 8u)

static uint8_t *put_place(uint8_t *at, const struct segment_place *place)
{
    at = put_le(at, place->segment, 4);
    at = put_le(at, place->offset, 4);
    return put_le(at, place->bytes, 8);
}

static void take_place(struct bytes *rest, struct segment_place *out)
{
    out->segment = (uint32_t)take_le(rest, 4);
    out->offset = (uint32_t)take_le(rest, 4);
    out->bytes = take_le(rest, 8);
}

void record_index_encode(struct text *out, const struct record_index *index,
                         const struct record_body_ref *refs, const struct record_extent *extents,
                         struct bytes sizes)
{
    struct record_key key = record_key_index(index->lane_id, index->chunk);
    size_t from = record_begin(out);
    uint8_t *at = text_reserve(out, INDEX_BYTES + index->ref_count * (size_t)BODY_REF_BYTES +
                                        index->extent_count * (size_t)EXTENT_BYTES);
    uint8_t *begin = at;
    at = put_le(at, (index->any_expires ? INDEX_ANY_EXPIRES : 0u) | (sizes.len ? INDEX_SIZES : 0u),
                1);
    at = put_le(at, index->ref_count, 2);
    at = put_le(at, index->extent_count, 2);
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        at = put_le(at, index->live[i], 8);
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        at = put_le(at, index->starts[i], 8);
    at = put_le(at, index->body_bytes, 8);
    at = put_le(at, index->stored_bytes, 8);
    for (unsigned i = 0; i < index->ref_count; i++) {
        at = put_le(at, refs[i].slot, 2);
        at = put_le(at, refs[i].body_id, 8);
        at = put_le(at, refs[i].body_bytes, 8);
        at = put_place(at, &refs[i].place);
    }
    for (unsigned i = 0; i < index->extent_count; i++) {
        at = put_le(at, extents[i].slot, 2);
        at = put_place(at, &extents[i].place);
    }
    out->len += (size_t)(at - begin);
    text_add_bytes(out, sizes);
    record_seal(out, from, record_key_bytes(&key));
}

static bool take_refs(struct bytes *rest, unsigned count, struct record_body_ref *refs)
{
    int last_slot = -1;
    for (unsigned i = 0; i < count; i++) {
        refs[i].slot = (uint16_t)take_le(rest, 2);
        refs[i].body_id = take_le(rest, 8);
        refs[i].body_bytes = take_le(rest, 8);
        take_place(rest, &refs[i].place);
        if (refs[i].slot >= JOURNAL_CHUNK_SLOTS || refs[i].slot <= last_slot ||
            refs[i].body_id == 0)
            return false;
        last_slot = refs[i].slot;
    }
    return true;
}

static bool take_extents(struct bytes *rest, unsigned count, struct record_extent *extents)
{
    for (unsigned i = 0; i < count; i++) {
        extents[i].slot = (uint16_t)take_le(rest, 2);
        take_place(rest, &extents[i].place);
        if (extents[i].slot >= JOURNAL_CHUNK_SLOTS || extents[i].place.segment == 0)
            return false;
    }
    return true;
}

enum status record_index_decode(struct bytes key, struct bytes value, struct record_index *out,
                                struct record_body_ref *refs, struct record_extent *extents,
                                struct bytes *sizes)
{
    struct bytes rest;
    bool is_lane;
    enum status status = record_open(key, value, &rest);
    if (status != STATUS_OK)
        return status;
    if (record_key_parse(key, &out->lane_id, &out->chunk, &is_lane) != STATUS_OK || is_lane ||
        rest.len < INDEX_BYTES)
        return STATUS_CORRUPT;
    uint64_t flags = take_le(&rest, 1);
    out->any_expires = flags & INDEX_ANY_EXPIRES;
    out->ref_count = (uint16_t)take_le(&rest, 2);
    out->extent_count = (uint16_t)take_le(&rest, 2);
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        out->live[i] = take_le(&rest, 8);
    for (unsigned i = 0; i < JOURNAL_CHUNK_WORDS; i++)
        out->starts[i] = take_le(&rest, 8);
    out->body_bytes = take_le(&rest, 8);
    out->stored_bytes = take_le(&rest, 8);
    if (out->ref_count > JOURNAL_CHUNK_SLOTS || out->extent_count > JOURNAL_CHUNK_SLOTS ||
        (flags & ~(uint64_t)(INDEX_ANY_EXPIRES | INDEX_SIZES)) ||
        rest.len <
            out->ref_count * (size_t)BODY_REF_BYTES + out->extent_count * (size_t)EXTENT_BYTES ||
        !take_refs(&rest, out->ref_count, refs) || !take_extents(&rest, out->extent_count, extents))
        return STATUS_CORRUPT;
    *sizes = rest;
    return (rest.len > 0) == !!(flags & INDEX_SIZES) ? STATUS_OK : STATUS_CORRUPT;
}

/* ---- Blocks. */

void record_block_begin(struct record_block_out *block, struct text *out)
{
    block->text = out;
    block->from = record_begin(out);
    block->count = 0;
    text_reserve(out, 6);
    out->len += 6; /* for the length and the count, which record_block_end writes */
}

static uint8_t flags_of(const struct message *message, uint64_t expires_ms, uint64_t body_id)
{
    return (uint8_t)((message->persistent ? ENTRY_PERSISTENT : 0) |
                     (message->has_headers ? ENTRY_HAS_HEADERS : 0) |
                     (message->blind ? ENTRY_BLIND : 0) |
                     (message->ttl_ms != MESSAGE_NO_TTL ? ENTRY_TTL : 0) |
                     (expires_ms ? ENTRY_EXPIRES : 0) | (body_id ? ENTRY_BODY_APART : 0));
}

void record_block_add(struct record_block_out *block, uint64_t seq, uint64_t expires_ms,
                      const struct message *message, uint64_t body_id)
{
    uint8_t *begin =
        text_reserve(block->text, (size_t)record_entry_bytes(message, expires_ms, body_id));
    uint8_t *at = put_le(begin, seq % JOURNAL_CHUNK_SLOTS, 2);
    *at++ = flags_of(message, expires_ms, body_id);
    *at++ = message->priority;
    *at++ = message->exchange_len;
    *at++ = message->routing_key_len;
    at = put_le(at, message->envelope_bytes, 4);
    at = put_le(at, message->body_bytes, 8);
    if (expires_ms)
        at = put_le(at, expires_ms, 8);
    if (message->ttl_ms != MESSAGE_NO_TTL)
        at = put_le(at, message->ttl_ms, 8);
    if (body_id)
        at = put_le(at, body_id, 8);
    memcpy(at, message->data, message->envelope_bytes);
    at += message->envelope_bytes;
    for (uint32_t i = 0; !body_id && i < message_body_pieces(message); i++) {
        struct bytes piece = message_body_piece(message, i);
        memcpy(at, piece.at, piece.len);
        at += piece.len;
    }
    block->text->len += (size_t)(at - begin);
    block->count++;
}

void record_block_end(struct record_block_out *block, struct bytes key)
{
    CHECK(block->count > 0 && block->count <= JOURNAL_CHUNK_SLOTS);
    uint8_t *at = block->text->at + block->from + RECORD_SEAL_BYTES;
    at = put_le(at, block->text->len - block->from, 4);
    put_le(at, block->count, 2);
    record_seal(block->text, block->from, key);
}

enum status record_block_open(struct record_block_in *block, struct bytes key, struct bytes value)
{
    if (value.len < RECORD_BLOCK_BYTES)
        return STATUS_CORRUPT;
    struct bytes rest = bytes_of(value.at + RECORD_SEAL_BYTES, value.len - RECORD_SEAL_BYTES);
    size_t len = (size_t)take_le(&rest, 4);
    if (len < RECORD_BLOCK_BYTES || len > value.len)
        return STATUS_CORRUPT;
    enum status status = record_open(key, bytes_of(value.at, len), &block->rest);
    if (status != STATUS_OK)
        return status;
    take_le(&block->rest, 4);
    block->left = (uint32_t)take_le(&block->rest, 2);
    block->last_slot = -1;
    return STATUS_OK;
}

/* Splits an envelope into its three parts. The two strings in it begin with their lengths, which
 * must be the lengths that the entry has given. */
static bool split_envelope(struct bytes envelope, size_t exchange_len, size_t routing_key_len,
                           struct record_entry *out)
{
    if (envelope.len < 2 + exchange_len + routing_key_len || envelope.at[0] != exchange_len ||
        envelope.at[1 + exchange_len] != routing_key_len)
        return false;
    out->exchange = bytes_of(envelope.at + 1, exchange_len);
    out->routing_key = bytes_of(envelope.at + 2 + exchange_len, routing_key_len);
    size_t before = 2 + exchange_len + routing_key_len;
    out->properties = bytes_of(envelope.at + before, envelope.len - before);
    return true;
}

enum status record_block_next(struct record_block_in *block, struct record_entry *out)
{
    struct bytes rest = block->rest;
    if (block->left == 0)
        return rest.len == 0 ? STATUS_NOT_FOUND : STATUS_CORRUPT;
    if (rest.len < ENTRY_BYTES)
        return STATUS_CORRUPT;
    out->slot = (uint16_t)take_le(&rest, 2);
    unsigned flags = (unsigned)take_le(&rest, 1);
    out->priority = (uint8_t)take_le(&rest, 1);
    size_t exchange_len = (size_t)take_le(&rest, 1);
    size_t routing_key_len = (size_t)take_le(&rest, 1);
    size_t envelope_bytes = (size_t)take_le(&rest, 4);
    out->body_bytes = take_le(&rest, 8);
    out->persistent = flags & ENTRY_PERSISTENT;
    out->has_headers = flags & ENTRY_HAS_HEADERS;
    out->blind = flags & ENTRY_BLIND;
    size_t numbers = (flags & ENTRY_EXPIRES ? 8u : 0) + (flags & ENTRY_TTL ? 8u : 0) +
                     (flags & ENTRY_BODY_APART ? 8u : 0);
    if (out->slot >= JOURNAL_CHUNK_SLOTS || out->slot <= block->last_slot ||
        (flags & ~ENTRY_FLAGS) || rest.len < numbers)
        return STATUS_CORRUPT;
    out->expires_ms = flags & ENTRY_EXPIRES ? take_le(&rest, 8) : 0;
    out->ttl_ms = flags & ENTRY_TTL ? take_le(&rest, 8) : MESSAGE_NO_TTL;
    out->body_id = flags & ENTRY_BODY_APART ? take_le(&rest, 8) : 0;
    /* A flag says that the number is there, so the number cannot be the one that means none. */
    if ((flags & ENTRY_EXPIRES && out->expires_ms == 0) ||
        (flags & ENTRY_TTL && out->ttl_ms == MESSAGE_NO_TTL) ||
        (flags & ENTRY_BODY_APART && out->body_id == 0))
        return STATUS_CORRUPT;
    if (rest.len < envelope_bytes ||
        !split_envelope(take_bytes(&rest, envelope_bytes), exchange_len, routing_key_len, out))
        return STATUS_CORRUPT;
    if (!out->body_id && rest.len < out->body_bytes)
        return STATUS_CORRUPT;
    out->body = take_bytes(&rest, out->body_id ? 0 : (size_t)out->body_bytes);
    block->rest = rest;
    block->left--;
    block->last_slot = out->slot;
    return STATUS_OK;
}

struct message *record_message(const struct record_entry *entry)
{
    struct message *message =
        message_new(entry->exchange, entry->routing_key, entry->properties, entry->body_bytes);
    if (!message)
        return NULL;
    message->persistent = entry->persistent;
    message->has_headers = entry->has_headers;
    message->blind = entry->blind;
    message->priority = entry->priority;
    message->ttl_ms = entry->ttl_ms;
    if (!entry->body_id &&
        message_fill(message, NULL, entry->body.at, entry->body.len) != STATUS_OK)
        message_unref(&message);
    return message;
}
