/* The journal's records and LevelDB's files as the journal checks them. The first byte says which;
 * the records' checksums are made to fit, for else nothing would get behind them. What is taken as
 * a block or an index has one encoding only, the one that came. */
#include <stdlib.h>

#include "journal/leveldb/record.h"
#include "journal/leveldb/verify.h"
#include "journal/sizes.h"
#include "leveret/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct text sealed(struct bytes key, struct bytes payload)
{
    struct text value = {0};
    size_t from = record_begin(&value);
    text_add_bytes(&value, payload);
    record_seal(&value, from, key);
    return value;
}

static void check_block(struct bytes payload)
{
    struct record_key key = record_key_block(7, 512);
    struct text value = sealed(record_key_bytes(&key), payload), again = {0};
    struct record_block_in in;
    struct record_block_out out;
    struct record_entry entry;
    if (record_block_open(&in, record_key_bytes(&key), text_bytes(&value)) == STATUS_OK) {
        enum status status;
        unsigned count = 0;
        record_block_begin(&out, &again);
        while ((status = record_block_next(&in, &entry)) == STATUS_OK) {
            struct message *message = record_message(&entry);
            if (!message)
                break;
            record_block_add(&out, 512u + entry.slot, entry.expires_ms, message, entry.body_id);
            message_unref(&message);
            count++;
        }
        if (status == STATUS_NOT_FOUND && count > 0) {
            record_block_end(&out, record_key_bytes(&key));
            CHECK(again.len <= value.len);
            CHECK(memcmp(again.at + RECORD_BLOCK_BYTES, value.at + RECORD_BLOCK_BYTES,
                         again.len - RECORD_BLOCK_BYTES) == 0);
        }
    }
    text_free(&again);
    text_free(&value);
}

static void check_index(struct bytes payload)
{
    static struct record_body_ref refs[JOURNAL_CHUNK_SLOTS];
    static struct record_extent extents[JOURNAL_CHUNK_SLOTS];
    struct record_key key = record_key_index(7, 3);
    struct text value = sealed(record_key_bytes(&key), payload), again = {0};
    struct record_index index;
    struct bytes sizes;
    struct sizes decoded = {0};
    if (record_index_decode(record_key_bytes(&key), text_bytes(&value), &index, refs, extents,
                            &sizes) == STATUS_OK) {
        record_index_encode(&again, &index, refs, extents, sizes);
        CHECK(again.len == value.len);
        if (sizes_decode(sizes, index.live, &decoded) == STATUS_OK)
            sizes_clear(&decoded);
        CHECK(decoded.count == 0 && decoded.sum == 0 && !decoded.each);
    }
    text_free(&again);
    text_free(&value);
}

static bool on_record(void *context, struct bytes record)
{
    return verify_edit(context, record) == STATUS_OK;
}

static bool on_block(void *context, struct verify_block block)
{
    return ++*(unsigned *)context < 1000 && block.bytes != 77;
}

static void check_files(unsigned kind, struct bytes data)
{
    struct verify_manifest manifest = {0};
    struct verify_block meta, index;
    size_t sound, damage;
    unsigned blocks = 0;
    enum status status;
    switch (kind) {
    case 0:
        status = verify_log(data, on_record, &manifest, &sound, &damage);
        CHECK(sound <= data.len && (status == STATUS_OK || damage <= data.len));
        break;
    case 1:
        status = verify_edit(&manifest, data);
        break;
    case 2:
        status = verify_footer(data, &meta, &index);
        break;
    case 3:
        status = verify_index(data, on_block, &blocks);
        break;
    default:
        status = verify_block(data);
        break;
    }
    (void)status;
    free(manifest.files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct bytes rest = bytes_of(data + 1, size - 1);
    uint64_t seq, chunk;
    bool is_lane;
    if (data[0] < 100)
        check_block(rest);
    else if (data[0] < 150)
        check_index(rest);
    else
        check_files(data[0] % 5, rest);
    if (record_key_parse(rest, &seq, &chunk, &is_lane) == STATUS_OK ||
        record_key_parse_block(rest, &chunk, &seq) == STATUS_OK)
        CHECK(rest.len <= RECORD_KEY_MAX);
    return 0;
}
