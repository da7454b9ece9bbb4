/* The formats of all that the journal stores, as pure functions on bytes. Any thread.
 *
 * Keys begin with a letter; numbers in them are big-endian, so that keys sort as numbers do:
 *
 *   v                      which format the database has
 *   d KEY                  a definition
 *   i LANE                 a lane's record: up to where messages may have been delivered
 *   i LANE CHUNK           a chunk's index: which slots are alive, where its blocks begin
 *   b LANE SEQ             a block: messages of one commit within one chunk, the first being SEQ
 *   m BODY PART            a piece of a body that is kept apart: large, or shared by several lanes
 *
 * Blocks and bodies may lie in segments instead (segments.h), sealed with the same keys; the index
 * has their places.
 *
 * A value is an 8-byte checksum and the payload, numbers little-endian. The checksum covers the key
 * too, so that a record found under another's key is damage. docs/journal.md has the payloads. */
#ifndef LEVERET_JOURNAL_RECORD_H
#define LEVERET_JOURNAL_RECORD_H

#include "journal/leveldb/segments.h"
#include "leveret/base/message.h"
#include "leveret/base/text.h"
#include "leveret/journal/journal.h"

#define RECORD_SEAL_BYTES 8u
#define RECORD_KEY_MAX    17u

/* A key of fixed length. */
struct record_key {
    uint8_t at[RECORD_KEY_MAX];
    uint8_t len;
};

struct record_key record_key_version(void);
struct record_key record_key_lane(uint64_t lane_id);
struct record_key record_key_index(uint64_t lane_id, uint64_t chunk);
struct record_key record_key_block(uint64_t lane_id, uint64_t first_seq);
struct record_key record_key_body(uint64_t body_id, uint32_t part);

static inline struct bytes record_key_bytes(const struct record_key *key)
{
    return bytes_of(key->at, key->len);
}

/* The definition's key with its letter before it, at the end of *out. */
void record_key_definition(struct text *out, struct bytes key);

/* What is in the key of a lane record or an index. Errors: MALFORMED. */
MUST_USE enum status record_key_parse(struct bytes key, uint64_t *lane_id, uint64_t *chunk,
                                      bool *is_lane);

/* … and in a block's. Errors: MALFORMED. */
MUST_USE enum status record_key_parse_block(struct bytes key, uint64_t *lane_id,
                                            uint64_t *first_seq);

/* Sealing: record_begin leaves room for the checksum and returns where the value begins in *out;
 * record_seal, after the payload has been added, puts the checksum of all from there on.
 * record_open checks it and sets *payload, a view into value. Errors: CORRUPT. */
size_t record_begin(struct text *out);
void record_seal(struct text *out, size_t from, struct bytes key);
MUST_USE enum status record_open(struct bytes key, struct bytes value, struct bytes *payload);

/* ---- The version record. Errors: CORRUPT, VERSION. */
void record_version_encode(struct text *out);
/* *is_old: it is a format before this one, in which indexes have no sizes. */
MUST_USE enum status record_version_decode(struct bytes value, bool *is_old);

/* ---- The lane's record. */
void record_lane_encode(struct text *out, uint64_t lane_id, uint64_t delivered_seq);
/* Errors: CORRUPT. */
MUST_USE enum status record_lane_decode(struct bytes key, struct bytes value,
                                        uint64_t *delivered_seq);

/* ---- The index of a chunk. */

/* A live slot whose body is kept apart. */
struct record_body_ref {
    uint64_t body_id, body_bytes;
    struct segment_place place; /* segment 0: under the key m */
    uint16_t slot;
};

/* A block in a segment. */
struct record_extent {
    struct segment_place place;
    uint16_t slot; /* of its first message */
};

struct record_index {
    uint64_t lane_id, chunk;
    uint64_t live[JOURNAL_CHUNK_WORDS];   /* appended and not settled */
    uint64_t starts[JOURNAL_CHUNK_WORDS]; /* the slots under which the database has a block */
    uint64_t body_bytes;   /* of the live messages; not believed when it is read (sizes.h) */
    uint64_t stored_bytes; /* of the blocks */
    bool any_expires;
    uint16_t ref_count, extent_count;
};

/* sizes: of the live slots, encoded (sizes.h). */
void record_index_encode(struct text *out, const struct record_index *index,
                         const struct record_body_ref *refs, const struct record_extent *extents,
                         struct bytes sizes);
/* refs and extents have room for JOURNAL_CHUNK_SLOTS each; *sizes is a view into value, empty in an
 * index of an old format. Errors: CORRUPT. */
MUST_USE enum status record_index_decode(struct bytes key, struct bytes value,
                                         struct record_index *out, struct record_body_ref *refs,
                                         struct record_extent *extents, struct bytes *sizes);

/* ---- Blocks: record_block_begin, record_block_add for each message, record_block_end. */

struct record_block_out {
    struct text *text;
    size_t from;
    uint32_t count;
};

/* What a block takes beside its entries, and what an entry takes. */
#define RECORD_BLOCK_BYTES (RECORD_SEAL_BYTES + 6u)
static inline uint64_t record_entry_bytes(const struct message *message, uint64_t expires_ms,
                                          uint64_t body_id)
{
    return 18u + (expires_ms ? 8u : 0u) + (message->ttl_ms != MESSAGE_NO_TTL ? 8u : 0u) +
           message->envelope_bytes + (body_id ? 8u : message->body_bytes);
}

/* What a body kept apart takes in a segment: its parts follow one another, each sealed. */
#define RECORD_BODY_PART (1024u * 1024u)
static inline uint64_t record_body_bytes(uint64_t body_bytes)
{
    return body_bytes + (body_bytes + RECORD_BODY_PART - 1) / RECORD_BODY_PART * RECORD_SEAL_BYTES;
}

void record_block_begin(struct record_block_out *block, struct text *out);
/* body_id: where the body is kept apart, 0 when it is in the block. */
void record_block_add(struct record_block_out *block, uint64_t seq, uint64_t expires_ms,
                      const struct message *message, uint64_t body_id);
void record_block_end(struct record_block_out *block, struct bytes key);

/* A block being read. */
struct record_block_in {
    struct bytes rest;
    uint32_t left;
    int last_slot;
};

struct record_entry {
    uint64_t expires_ms; /* 0: never */
    uint64_t ttl_ms;     /* or MESSAGE_NO_TTL */
    uint64_t body_bytes;
    uint64_t body_id; /* 0: the body is here */
    struct bytes exchange, routing_key, properties;
    struct bytes body; /* a view into the block */
    uint16_t slot;     /* within the chunk */
    uint8_t priority;
    bool persistent, has_headers, blind;
};

/* value may have more behind the block. Errors: CORRUPT. */
MUST_USE enum status record_block_open(struct record_block_in *block, struct bytes key,
                                       struct bytes value);
/* The next message, slots ascending. Errors: NOT_FOUND at the end; CORRUPT. */
MUST_USE enum status record_block_next(struct record_block_in *block, struct record_entry *out);

/* The message of an entry, one reference, its body copied; empty and to be filled when the body is
 * kept apart. Errors: NULL when there is no memory. */
struct message *record_message(const struct record_entry *entry) MUST_USE;

#endif
