/* Part of verify.h: LevelDB's file formats, as far as they are needed to check logs, manifests and
 * tables. The formats are described in LevelDB's doc/log_format.md and doc/table_format.md. */
#include <endian.h>

#include "journal/leveldb/crc32c.h"
#include "journal/leveldb/verify.h"
#include "leveret/base/mem.h"

/* ---- Numbers. */

static uint32_t get_le32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, 4);
    return le32toh(value);
}

/* Takes a varint off the front of *rest; false when there is none. */
static bool take_varint(struct bytes *rest, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (rest->len == 0)
            return false;
        uint8_t byte = *rest->at;
        rest->at++;
        rest->len--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool take_bytes(struct bytes *rest, uint64_t len)
{
    if (rest->len < len)
        return false;
    rest->at += len;
    rest->len -= (size_t)len;
    return true;
}

static bool take_slice(struct bytes *rest)
{
    uint64_t len;
    return take_varint(rest, &len) && take_bytes(rest, len);
}

/* ---- Logs. A log is blocks of 32 KiB with records in them: 4 bytes of checksum, 2 of length, 1 of
 * type, then the data. A record that does not fit into its block is written in pieces: a first one,
 * middle ones, a last one. */

#define LOG_BLOCK  32768u
#define LOG_HEADER 7u

enum { LOG_ZERO, LOG_FULL, LOG_FIRST, LOG_MIDDLE, LOG_LAST };

static bool log_checksum_fits(const uint8_t *header, size_t len)
{
    return crc32c_unmask(get_le32(header)) == crc32c_extend(0, header + 6, len + 1);
}

/* A record says that it is longer than what is left of the log. Returns whether it was cut off by a
 * crash. It was not when its checksum fits what is left, or when a sound record is behind it: then
 * its length is damaged. */
static bool is_cut_off(const uint8_t *header, size_t left)
{
    if (log_checksum_fits(header, left - LOG_HEADER))
        return false;
    for (size_t at = 1; at + LOG_HEADER < left; at++) {
        const uint8_t *next = header + at;
        size_t len = next[4] | (size_t)next[5] << 8;
        if (len > 0 && next[6] >= LOG_FULL && next[6] <= LOG_LAST &&
            at + LOG_HEADER + len <= left && log_checksum_fits(next, len))
            return false;
    }
    return true;
}

static bool all_zeros(const uint8_t *at, size_t len)
{
    while (len > 0 && at[len - 1] == 0)
        len--;
    return len == 0;
}

struct log_walk {
    struct text joined;
    bool inside; /* the last piece was not the last of its record */
};

/* Takes a piece, and calls each() when its record is whole. *go_on: each() wants more records.
 * Returns false when the piece cannot stand here. */
static bool take_piece(struct log_walk *walk, unsigned type, struct bytes data,
                       bool (*each)(void *context, struct bytes record), void *context, bool *go_on)
{
    bool begins = type == LOG_FULL || type == LOG_FIRST;
    if (begins == walk->inside || type > LOG_LAST)
        return false;
    if (type == LOG_FULL) {
        *go_on = each(context, data);
        return true;
    }
    if (begins)
        walk->joined.len = 0;
    text_add_bytes(&walk->joined, data);
    walk->inside = type != LOG_LAST;
    if (!walk->inside)
        *go_on = each(context, text_bytes(&walk->joined));
    return true;
}

enum status verify_log(struct bytes log, bool (*each)(void *context, struct bytes record),
                       void *context, size_t *sound, size_t *damage)
{
    struct log_walk walk = {0};
    *sound = 0;
    enum status status = STATUS_OK;
    bool go_on = true;
    size_t at = 0;
    while (go_on && at < log.len) {
        size_t block_left = LOG_BLOCK - at % LOG_BLOCK;
        size_t left = log.len - at < block_left ? log.len - at : block_left;
        if (left < LOG_HEADER) { /* the rest of a block is filled with zeros */
            if (!all_zeros(log.at + at, left) && left == block_left)
                break;
            at += left;
            continue;
        }
        const uint8_t *header = log.at + at;
        size_t len = header[4] | (size_t)header[5] << 8;
        if (header[6] == LOG_ZERO && len == 0) {
            /* The file was made longer and never written to from here on. */
            if (!all_zeros(log.at + at, log.len - at))
                break;
            at = log.len;
        } else if (LOG_HEADER + len > left) {
            if (left == block_left || !is_cut_off(header, left))
                break;
            at = log.len;
        } else {
            if (!log_checksum_fits(header, len) ||
                !take_piece(&walk, header[6], bytes_of(header + LOG_HEADER, len), each, context,
                            &go_on))
                break;
            at += LOG_HEADER + len;
            if (!walk.inside)
                *sound = at;
        }
    }
    if (go_on && at < log.len) {
        *damage = at;
        status = STATUS_CORRUPT;
    }
    text_free(&walk.joined);
    return status;
}

bool verify_log_is_torn(struct bytes log, size_t damage)
{
    for (size_t at = damage + 1; at + LOG_HEADER < log.len; at++) {
        const uint8_t *header = log.at + at;
        size_t len = header[4] | (size_t)header[5] << 8;
        if ((header[6] == LOG_FULL || header[6] == LOG_FIRST) && len > 0 &&
            LOG_HEADER + len <= LOG_BLOCK - at % LOG_BLOCK && at + LOG_HEADER + len <= log.len &&
            log_checksum_fits(header, len))
            return false;
    }
    return true;
}

/* ---- Manifests. Each record is a list of fields, each with a tag. */

enum {
    EDIT_COMPARATOR = 1,
    EDIT_LOG_NUMBER = 2,
    EDIT_NEXT_FILE = 3,
    EDIT_LAST_SEQUENCE = 4,
    EDIT_COMPACT_POINTER = 5,
    EDIT_DELETED_FILE = 6,
    EDIT_NEW_FILE = 7,
    EDIT_PREVIOUS_LOG = 9
};

static void add_file(struct verify_manifest *manifest, uint64_t number, uint64_t bytes)
{
    if (manifest->count == manifest->room) {
        manifest->room = manifest->room ? manifest->room * 2 : 64;
        manifest->files = mem_need_array(manifest->files, manifest->room, sizeof *manifest->files);
    }
    manifest->files[manifest->count++] = (struct verify_file){number, bytes};
}

static void delete_file(struct verify_manifest *manifest, uint64_t number)
{
    for (size_t i = 0; i < manifest->count; i++) {
        if (manifest->files[i].number == number) {
            manifest->files[i] = manifest->files[--manifest->count];
            return;
        }
    }
}

static bool take_field(struct verify_manifest *manifest, struct bytes *rest)
{
    uint64_t tag, level, number, bytes;
    if (!take_varint(rest, &tag))
        return false;
    switch (tag) {
    case EDIT_COMPARATOR:
        return take_slice(rest);
    case EDIT_LOG_NUMBER:
        return take_varint(rest, &manifest->log_number);
    case EDIT_NEXT_FILE:
    case EDIT_LAST_SEQUENCE:
    case EDIT_PREVIOUS_LOG:
        return take_varint(rest, &number);
    case EDIT_COMPACT_POINTER:
        return take_varint(rest, &level) && take_slice(rest);
    case EDIT_DELETED_FILE:
        if (!take_varint(rest, &level) || !take_varint(rest, &number))
            return false;
        delete_file(manifest, number);
        return true;
    case EDIT_NEW_FILE:
        if (!take_varint(rest, &level) || !take_varint(rest, &number) ||
            !take_varint(rest, &bytes) || !take_slice(rest) || !take_slice(rest))
            return false;
        add_file(manifest, number, bytes);
        return true;
    default:
        return false;
    }
}

enum status verify_edit(struct verify_manifest *manifest, struct bytes record)
{
    while (record.len > 0)
        if (!take_field(manifest, &record))
            return STATUS_CORRUPT;
    return STATUS_OK;
}

/* ---- Tables. A table has blocks, an index block and a footer. A block's trailer is a type byte
 * and a checksum. */

static bool take_handle(struct bytes *rest, struct verify_block *out)
{
    return take_varint(rest, &out->offset) && take_varint(rest, &out->bytes);
}

enum status verify_footer(struct bytes footer, struct verify_block *meta,
                          struct verify_block *index)
{
    static const uint8_t magic[8] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    if (footer.len != VERIFY_FOOTER_BYTES || memcmp(footer.at + 40, magic, 8) != 0)
        return STATUS_CORRUPT;
    footer.len -= 8;
    if (!take_handle(&footer, meta) || !take_handle(&footer, index) ||
        !all_zeros(footer.at, footer.len))
        return STATUS_CORRUPT;
    return STATUS_OK;
}

enum status verify_block(struct bytes block)
{
    if (block.len < VERIFY_TRAILER_BYTES)
        return STATUS_CORRUPT;
    uint32_t stored = crc32c_unmask(get_le32(block.at + block.len - 4));
    return stored == crc32c_extend(0, block.at, block.len - 4) ? STATUS_OK : STATUS_CORRUPT;
}

enum status verify_index(struct bytes index, bool (*each)(void *context, struct verify_block block),
                         void *context)
{
    if (index.len < 4)
        return STATUS_CORRUPT;
    uint64_t restarts = get_le32(index.at + index.len - 4);
    if (restarts > (index.len - 4) / 4)
        return STATUS_CORRUPT;
    struct bytes rest = bytes_of(index.at, index.len - 4 - (size_t)restarts * 4);
    while (rest.len > 0) {
        uint64_t shared, own, value_len;
        if (!take_varint(&rest, &shared) || !take_varint(&rest, &own) ||
            !take_varint(&rest, &value_len) || !take_bytes(&rest, own) || rest.len < value_len)
            return STATUS_CORRUPT;
        struct bytes value = bytes_of(rest.at, (size_t)value_len);
        struct verify_block block;
        if (!take_handle(&value, &block))
            return STATUS_CORRUPT;
        if (!each(context, block))
            return STATUS_CORRUPT;
        take_bytes(&rest, value_len);
    }
    return STATUS_OK;
}
