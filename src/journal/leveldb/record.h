/* The formats of all records that the journal stores, as pure functions on bytes.
 *
 * Thread: any.
 *
 * Keys begin with a letter; numbers in them are big-endian, so that keys sort as numbers do:
 *
 *   v                      the version of the format
 *   d KEY                  a definition
 *   i LANE                 a lane's record: up to which seq messages may have been delivered
 *   i LANE CHUNK           a chunk's index: which slots are alive, where its blocks begin
 *   b LANE SEQ             a block: messages of one batch in one chunk; the first of them is SEQ
 *   m BODY PART            a part of a body that is stored apart: it is large, or several lanes
 * have it
 *
 * Blocks and bodies may be in segments instead (segments.h), sealed with the same keys; the index
 * has their places.
 *
 * A value is an 8-byte checksum and the payload, in which numbers are little-endian. The checksum
 * covers the key too, so a record that is found under another key is damage. docs/journal.md has
 * the payloads. */
#ifndef LEVERET_JOURNAL_RECORD_H
#define LEVERET_JOURNAL_RECORD_H

#include "journal/leveldb/segments.h"
#include "leveret/base/message.h"
#include "leveret/base/text.h"
#include "leveret/journal/journal.h"

#define RECORD_SEAL_BYTES 8u  /* bytes of the checksum before a payload */
#define RECORD_KEY_MAX    17u /* bytes of the longest key, but for definitions */

/* A key of any record but a definition. */
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

/* Appends a definition's key to *out, with its letter before it. */
void record_key_definition(struct text *out, struct bytes key);

/* Reads the key of a lane's record (is_lane) or of an index. Errors: MALFORMED. */
MUST_USE enum status record_key_parse(struct bytes key, uint64_t *lane_id, uint64_t *chunk,
                                      bool *is_lane);

/* Reads the key of a block. Errors: MALFORMED. */
MUST_USE enum status record_key_parse_block(struct bytes key, uint64_t *lane_id,
                                            uint64_t *first_seq);

/* Sealing. record_begin leaves room for the checksum and returns where the value begins in *out.
 * The caller appends the payload. record_seal then writes the checksum of the key and the payload.
 * record_open checks it and sets *payload, a view into value. Errors: CORRUPT. */
size_t record_begin(struct text *out);
void record_seal(struct text *out, size_t from, struct bytes key);
MUST_USE enum status record_open(struct bytes key, struct bytes value, struct bytes *payload);

/* ---- The version record. Errors: CORRUPT, VERSION. */
void record_version_encode(struct text *out);
/* *is_old: the database has format 1, in which indexes have no sizes. */
MUST_USE enum status record_version_decode(struct bytes value, bool *is_old);

/* ---- The lane's record. */
void record_lane_encode(struct text *out, uint64_t lane_id, uint64_t delivered_seq);
/* Errors: CORRUPT. */
MUST_USE enum status record_lane_decode(struct bytes key, struct bytes value,
                                        uint64_t *delivered_seq);

/* ---- The index of a chunk. */

/* A live slot whose message has a body that is stored apart. */
struct record_body_ref {
    uint64_t body_id, body_bytes;
    struct segment_place place; /* segment 0: in the database, under the key m */
    uint16_t slot;
};

/* A block in a segment. */
struct record_extent {
    struct segment_place place;
    uint16_t slot; /* of its first message */
};

struct record_index {
    uint64_t lane_id, chunk;
    uint64_t live[JOURNAL_CHUNK_WORDS];   /* slots of messages that are not settled */
    uint64_t starts[JOURNAL_CHUNK_WORDS]; /* slots with which blocks in the database begin */
    uint64_t body_bytes; /* the sum of the live messages' body sizes; written, but not used when it
                            is read (sizes.h) */
    uint64_t stored_bytes; /* bytes of the blocks in the database */
    bool any_expires;
    uint16_t ref_count, extent_count;
};

/* sizes: the encoded sizes of the live slots (sizes.h). */
void record_index_encode(struct text *out, const struct record_index *index,
                         const struct record_body_ref *refs, const struct record_extent *extents,
                         struct bytes sizes);
/* refs and extents must have room for JOURNAL_CHUNK_SLOTS each. *sizes: a view into value; empty
 * when the index is of format 1. Errors: CORRUPT. */
MUST_USE enum status record_index_decode(struct bytes key, struct bytes value,
                                         struct record_index *out, struct record_body_ref *refs,
                                         struct record_extent *extents, struct bytes *sizes);

/* ---- Blocks. A block is written by record_block_begin, record_block_add for each message and
 * record_block_end. */

struct record_block_out {
    struct text *text;
    size_t from;
    uint32_t count;
};

/* Bytes that a block takes beside its entries. */
#define RECORD_BLOCK_BYTES (RECORD_SEAL_BYTES + 6u)
/* Bytes that an entry takes. */
static inline uint64_t record_entry_bytes(const struct message *message, uint64_t expires_ms,
                                          uint64_t body_id)
{
    return 18u + (expires_ms ? 8u : 0u) + (message->ttl_ms != MESSAGE_NO_TTL ? 8u : 0u) +
           message->envelope_bytes + (body_id ? 8u : message->body_bytes);
}

/* Bytes of a part of a body that is stored apart; only the last part has fewer. */
#define RECORD_BODY_PART (1024u * 1024u)
/* Bytes that such a body takes in a segment, where its parts follow one another, each sealed. */
static inline uint64_t record_body_bytes(uint64_t body_bytes)
{
    return body_bytes + (body_bytes + RECORD_BODY_PART - 1) / RECORD_BODY_PART * RECORD_SEAL_BYTES;
}

void record_block_begin(struct record_block_out *block, struct text *out);
/* body_id: the id of a body that is stored apart; 0: the body goes into the block. */
void record_block_add(struct record_block_out *block, uint64_t seq, uint64_t expires_ms,
                      const struct message *message, uint64_t body_id);
void record_block_end(struct record_block_out *block, struct bytes key);

/* A block that is being read. */
struct record_block_in {
    struct bytes rest;
    uint32_t left;
    int last_slot;
};

struct record_entry {
    uint64_t expires_ms; /* 0: never */
    uint64_t ttl_ms;     /* MESSAGE_NO_TTL: none */
    uint64_t body_bytes;
    uint64_t body_id; /* of a body that is stored apart; 0: the body is in the block */
    struct bytes exchange, routing_key, properties; /* views into the block, like the next */
    struct bytes body;
    uint16_t slot; /* of the chunk */
    uint8_t priority;
    bool persistent, has_headers, blind;
};

/* Begins to read a block. value may be longer than the block. Errors: CORRUPT. */
MUST_USE enum status record_block_open(struct record_block_in *block, struct bytes key,
                                       struct bytes value);
/* Reads the next message; slots ascend. Errors: NOT_FOUND: there are no more; CORRUPT. */
MUST_USE enum status record_block_next(struct record_block_in *block, struct record_entry *out);

/* Makes the message of an entry and returns a reference to it. Its body is copied; a body that is
 * stored apart is still to be filled in. NULL: there is no memory. */
struct message *record_message(const struct record_entry *entry) MUST_USE;

#endif
