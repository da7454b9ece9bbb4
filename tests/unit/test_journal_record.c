/* The journal's record formats, and CRC-32C. */
#include <check.h>
#include <stdlib.h>

#include "journal/leveldb/crc32c.h"
#include "journal/leveldb/record.h"
#include "journal/leveldb/verify.h"
#include "journal_probe.h"

START_TEST(keys_sort_as_numbers_do)
{
    static const uint64_t numbers[] = {0, 1, 255, 256, 65536, UINT64_MAX};
    for (size_t i = 1; i < 6; i++) {
        struct record_key a = record_key_index(5, numbers[i - 1]);
        struct record_key b = record_key_index(5, numbers[i]);
        ck_assert_int_lt(memcmp(a.at, b.at, 17), 0);
        a = record_key_block(numbers[i - 1], UINT64_MAX);
        b = record_key_block(numbers[i], 0);
        ck_assert_int_lt(memcmp(a.at, b.at, 17), 0);
    }
    uint64_t lane, number;
    bool is_lane;
    struct record_key key = record_key_lane(77);
    ck_assert_int_eq(record_key_parse(record_key_bytes(&key), &lane, &number, &is_lane), STATUS_OK);
    ck_assert(is_lane && lane == 77);
    key = record_key_index(77, 88);
    ck_assert_int_eq(record_key_parse(record_key_bytes(&key), &lane, &number, &is_lane), STATUS_OK);
    ck_assert(!is_lane && lane == 77 && number == 88);
    key = record_key_index(77, UINT64_MAX);
    ck_assert_int_eq(record_key_parse(record_key_bytes(&key), &lane, &number, &is_lane),
                     STATUS_MALFORMED);
    key = record_key_block(9, 10);
    ck_assert_int_eq(record_key_parse_block(record_key_bytes(&key), &lane, &number), STATUS_OK);
    ck_assert(lane == 9 && number == 10);
}
END_TEST

static struct text make_block(struct record_key key, unsigned count)
{
    struct text out = {0};
    struct record_block_out block;
    record_block_begin(&block, &out);
    for (unsigned i = 0; i < count; i++) {
        struct message *m = probe_message(i, i * 10);
        m->priority = (uint8_t)i;
        m->ttl_ms = i % 3 ? i : MESSAGE_NO_TTL;
        record_block_add(&block, 512 + i * 2, i % 2 ? 1000 + i : 0, m, i == 7 ? 99 : 0);
        message_unref(&m);
    }
    record_block_end(&block, record_key_bytes(&key));
    return out;
}

START_TEST(a_block_comes_back_as_it_went)
{
    struct record_key key = record_key_block(7, 512);
    struct text value = make_block(key, 20);
    struct record_block_in block;
    ck_assert_int_eq(record_block_open(&block, record_key_bytes(&key), text_bytes(&value)),
                     STATUS_OK);
    for (unsigned i = 0; i < 20; i++) {
        struct record_entry entry;
        ck_assert_int_eq(record_block_next(&block, &entry), STATUS_OK);
        ck_assert_uint_eq(entry.slot, i * 2);
        ck_assert_uint_eq(entry.expires_ms, i % 2 ? 1000 + i : 0);
        ck_assert_uint_eq(entry.body_id, i == 7 ? 99 : 0);
        struct message *m = record_message(&entry);
        ck_assert_ptr_nonnull(m);
        ck_assert_uint_eq(m->priority, i);
        ck_assert_uint_eq(m->ttl_ms, i % 3 ? i : MESSAGE_NO_TTL);
        ck_assert_uint_eq(m->body_bytes, i * 10);
        if (i != 7)
            ck_assert(probe_message_is(m, i, i * 10));
        message_unref(&m);
    }
    struct record_entry entry;
    ck_assert_int_eq(record_block_next(&block, &entry), STATUS_NOT_FOUND);
    text_free(&value);
}
END_TEST

START_TEST(a_block_may_have_more_behind_it)
{
    struct record_key key = record_key_block(7, 512);
    struct text value = make_block(key, 3);
    struct record_block_in block;
    text_add(&value, "garbage", 7);
    ck_assert_int_eq(record_block_open(&block, record_key_bytes(&key), text_bytes(&value)),
                     STATUS_OK);
    text_free(&value);
}
END_TEST

START_TEST(blocks_cut_off_or_changed_or_elsewhere_are_corrupt)
{
    struct record_key key = record_key_block(7, 512), other = record_key_block(7, 1024);
    struct text value = make_block(key, 20);
    struct record_block_in block;
    for (size_t len = 0; len < value.len; len++)
        ck_assert_int_eq(record_block_open(&block, record_key_bytes(&key), bytes_of(value.at, len)),
                         STATUS_CORRUPT);
    for (size_t i = 0; i < value.len; i++) {
        value.at[i] ^= 1;
        ck_assert_int_eq(record_block_open(&block, record_key_bytes(&key), text_bytes(&value)),
                         STATUS_CORRUPT);
        value.at[i] ^= 1;
    }
    ck_assert_int_eq(record_block_open(&block, record_key_bytes(&other), text_bytes(&value)),
                     STATUS_CORRUPT);
    text_free(&value);
}
END_TEST

START_TEST(an_index_comes_back_as_it_went)
{
    static struct record_body_ref refs[JOURNAL_CHUNK_SLOTS], got_refs[JOURNAL_CHUNK_SLOTS];
    static struct record_extent extents[JOURNAL_CHUNK_SLOTS], got_extents[JOURNAL_CHUNK_SLOTS];
    struct record_index index = {.lane_id = 7,
                                 .chunk = 9,
                                 .live = {1, 2, 3},
                                 .starts = {4},
                                 .body_bytes = 1000,
                                 .stored_bytes = 2000,
                                 .any_expires = true,
                                 .ref_count = 2,
                                 .extent_count = 1};
    refs[0] = (struct record_body_ref){11, 5000, {0, 0, 0}, 3};
    refs[1] = (struct record_body_ref){12, 6000, {5, 77, 6008}, 500};
    extents[0] = (struct record_extent){{6, 88, 999}, 2};
    struct text value = {0};
    record_index_encode(&value, &index, refs, extents, BYTES_LITERAL("sizes"));
    struct record_key key = record_key_index(7, 9);
    struct record_index got;
    struct bytes sizes;
    ck_assert_int_eq(record_index_decode(record_key_bytes(&key), text_bytes(&value), &got, got_refs,
                                         got_extents, &sizes),
                     STATUS_OK);
    ck_assert(got.lane_id == 7 && got.chunk == 9 && got.any_expires);
    ck_assert_mem_eq(got.live, index.live, sizeof got.live);
    ck_assert_mem_eq(got.starts, index.starts, sizeof got.starts);
    ck_assert_uint_eq(got.body_bytes, 1000);
    ck_assert_uint_eq(got.stored_bytes, 2000);
    ck_assert_uint_eq(got.ref_count, 2);
    ck_assert_uint_eq(got_refs[1].body_id, 12);
    ck_assert_uint_eq(got_refs[1].place.offset, 77);
    ck_assert_uint_eq(got_refs[1].slot, 500);
    ck_assert_uint_eq(got_extents[0].place.bytes, 999);
    ck_assert_uint_eq(got_extents[0].slot, 2);
    ck_assert(bytes_equal(sizes, BYTES_LITERAL("sizes")));
    for (size_t len = 0; len < value.len; len++)
        ck_assert_int_eq(record_index_decode(record_key_bytes(&key), bytes_of(value.at, len), &got,
                                             got_refs, got_extents, &sizes),
                         STATUS_CORRUPT);
    text_free(&value);
}
END_TEST

START_TEST(other_versions_are_told_apart_from_damage)
{
    struct text value = {0};
    struct record_key key = record_key_version();
    bool is_old = true;
    record_version_encode(&value);
    ck_assert_int_eq(record_version_decode(text_bytes(&value), &is_old), STATUS_OK);
    ck_assert(!is_old);
    value.at[8] ^= 0x10;
    ck_assert_int_eq(record_version_decode(text_bytes(&value), &is_old), STATUS_CORRUPT);
    record_seal(&value, 0, record_key_bytes(&key));
    ck_assert_int_eq(record_version_decode(text_bytes(&value), &is_old), STATUS_VERSION);
    value.at[8] = 1;
    record_seal(&value, 0, record_key_bytes(&key));
    ck_assert_int_eq(record_version_decode(text_bytes(&value), &is_old), STATUS_OK);
    ck_assert(is_old);
    text_free(&value);
}
END_TEST

START_TEST(crc32c_is_what_others_compute)
{
    /* From RFC 3720, B.4. */
    uint8_t bytes[32];
    memset(bytes, 0, 32);
    ck_assert_uint_eq(crc32c_extend(0, bytes, 32), 0x8a9136aau);
    memset(bytes, 0xff, 32);
    ck_assert_uint_eq(crc32c_extend(0, bytes, 32), 0x62a8ab43u);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (uint8_t)i;
    ck_assert_uint_eq(crc32c_extend(0, bytes, 32), 0x46dd794eu);
    for (size_t cut = 0; cut <= 32; cut++)
        ck_assert_uint_eq(crc32c_extend(crc32c_extend(0, bytes, cut), bytes + cut, 32 - cut),
                          0x46dd794eu);
    for (size_t len = 0; len <= 32; len++)
        ck_assert_uint_eq(crc32c_extend(0, bytes, len), crc32c_by_tables(0, bytes, len));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("record");
    tcase_add_test(tests, keys_sort_as_numbers_do);
    tcase_add_test(tests, a_block_comes_back_as_it_went);
    tcase_add_test(tests, a_block_may_have_more_behind_it);
    tcase_add_test(tests, blocks_cut_off_or_changed_or_elsewhere_are_corrupt);
    tcase_add_test(tests, an_index_comes_back_as_it_went);
    tcase_add_test(tests, other_versions_are_told_apart_from_damage);
    tcase_add_test(tests, crc32c_is_what_others_compute);
    Suite *suite = suite_create("journal_record");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
