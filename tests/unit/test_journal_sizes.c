/* Sums of body sizes are exact: in sizes.h, over restarts of the journal, and in a database that a
 * version before sizes were stored has written with a wrong sum. */
#include <check.h>
#include <stdlib.h>

#include "journal/leveldb/database.h"
#include "journal/leveldb/record.h"
#include "journal/sizes.h"
#include "journal_disk.h"
#include "leveret/base/random.h"

static struct journal_disk disk;
#define J disk.journal
#define P disk.probe

static void setup(void)
{
    disk_begin(&disk, NULL);
}

static void teardown(void)
{
    disk_end(&disk);
}

static unsigned below(struct random_stream *random, unsigned limit)
{
    return (unsigned)(random_next(random) % limit);
}

/* ---- The module. */

struct model {
    struct sizes sizes;
    uint64_t live[JOURNAL_CHUNK_WORDS];
    uint32_t bytes[JOURNAL_CHUNK_SLOTS];
};

static bool is_live(const struct model *model, unsigned slot)
{
    return model->live[slot / 64] >> (slot % 64) & 1;
}

static void check_model(const struct model *model, const struct sizes *sizes)
{
    uint64_t sum = 0;
    unsigned count = 0;
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++) {
        if (!is_live(model, slot))
            continue;
        ck_assert_uint_eq(sizes_of(sizes, slot), model->bytes[slot]);
        sum += model->bytes[slot];
        count++;
    }
    ck_assert_uint_eq(sizes->sum, sum);
    ck_assert_uint_eq(sizes->count, count);
}

static void check_encoding(const struct model *model)
{
    struct text encoded = {0};
    struct sizes again = {0};
    sizes_encode(&model->sizes, model->live, &encoded);
    ck_assert_int_eq(sizes_decode(text_bytes(&encoded), model->live, &again), STATUS_OK);
    check_model(model, &again);
    sizes_clear(&again);
    for (size_t len = 0; len < encoded.len; len++) {
        ck_assert_int_eq(sizes_decode(bytes_of(encoded.at, len), model->live, &again),
                         STATUS_CORRUPT);
        ck_assert_uint_eq(again.sum + again.count, 0);
    }
    text_add(&encoded, "", 1);
    ck_assert_int_eq(sizes_decode(text_bytes(&encoded), model->live, &again), STATUS_CORRUPT);
    text_free(&encoded);
}

START_TEST(each_size_is_remembered)
{
    static const uint32_t sizes[] = {0, 1, 127, 128, 5000, 300000, UINT32_MAX};
    struct model model = {0};
    struct random_stream random = {(uint64_t)_i + 1};
    uint32_t usual = sizes[below(&random, 7)];
    for (unsigned step = 0; step < 4000; step++) {
        unsigned slot = below(&random, JOURNAL_CHUNK_SLOTS);
        bool fills = below(&random, 1000) < (step / 500 % 2 ? 300 : 700);
        if (is_live(&model, slot)) {
            if (!fills)
                ck_assert_uint_eq(sizes_remove(&model.sizes, slot), model.bytes[slot]);
            if (!fills)
                model.live[slot / 64] &= ~((uint64_t)1 << (slot % 64));
        } else if (fills) {
            model.bytes[slot] =
                below(&random, 10) < (unsigned)_i ? sizes[below(&random, 7)] : usual;
            model.live[slot / 64] |= (uint64_t)1 << (slot % 64);
            sizes_add(&model.sizes, slot, model.bytes[slot]);
        }
        if (step % 200 == 0) {
            check_model(&model, &model.sizes);
            check_encoding(&model);
        }
    }
    sizes_clear(&model.sizes);
}
END_TEST

START_TEST(sizes_that_are_the_same_take_no_memory)
{
    struct sizes sizes = {0};
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++)
        sizes_add(&sizes, slot, 77);
    ck_assert_ptr_null(sizes.each);
    for (unsigned slot = 0; slot < JOURNAL_CHUNK_SLOTS; slot++)
        ck_assert_uint_eq(sizes_remove(&sizes, slot), 77);
    sizes_add(&sizes, 500, 5);
    sizes_add(&sizes, 501, 6);
    ck_assert_uint_le(sizes.room, 16);
    sizes_remove(&sizes, 500);
    ck_assert_uint_eq(sizes.sum, 6);
    sizes_remove(&sizes, 501);
    ck_assert_ptr_null(sizes.each);
}
END_TEST

/* ---- The journal. */

static uint64_t recovered_bytes(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < P.chunks; i++)
        sum += P.chunk[i].body_bytes;
    return sum;
}

/* Small messages are stored; a large one and small ones are settled in one batch, while the large
 * one is not on disk yet. An average would be taken from the sum of all of them. */
START_TEST(what_is_settled_takes_its_own_size_along)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    for (uint64_t seq = 1; seq <= 100; seq++)
        probe_append(J, lane, seq, 24);
    disk_commit(&disk);
    probe_append(J, lane, 101, 5000);
    for (uint64_t seq = 1; seq <= 90; seq++)
        journal_settle(J, lane, seq);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 101), 5000);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 95), 24);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 90), 0);
    journal_settle(J, lane, 101);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(recovered_bytes(), 10 * 24ull);
}
END_TEST

START_TEST(sizes_outlive_restarts)
{
    struct random_stream random = {5};
    static uint32_t bytes[1500];
    struct journal_lane *lane = journal_lane_new(J, 7);
    uint64_t sum = 0;
    for (uint64_t seq = 1; seq < 1500; seq++) {
        static const uint32_t sizes[] = {0, 10, 100, 5000, 200000};
        bytes[seq] = sizes[seq % 300 == 0 ? 4 : below(&random, 4)];
        sum += bytes[seq];
        probe_append(J, lane, seq, bytes[seq]);
        if (seq % 97 == 0)
            disk_commit(&disk);
    }
    disk_commit(&disk);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 200; i++) {
            uint64_t seq = 1 + below(&random, 1499);
            uint64_t known = journal_body_bytes(J, lane, seq);
            ck_assert(known == bytes[seq] || known == 0);
            journal_settle(J, lane, seq);
            sum -= known;
            if (i % 50 == 0)
                disk_commit(&disk);
        }
        if (round % 2)
            disk_restart(&disk);
        else
            disk_crash(&disk);
        lane = probe_lane(&P, 7);
        if (round % 2)
            ck_assert_uint_eq(recovered_bytes(), sum);
        sum = recovered_bytes();
    }
}
END_TEST

START_TEST(transients_on_disk_have_their_sizes)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct journal_entry entries[3];
    for (uint64_t i = 0; i < 3; i++)
        entries[i] = (struct journal_entry){i + 1, 0, probe_message(i + 1, 100 * i)};
    journal_page_out(J, lane, 0, entries, 3);
    for (unsigned i = 0; i < 3; i++)
        message_unref(&entries[i].message);
    disk_await(&disk, &P.paged_outs, 1);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 2), 100);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 3), 200);
    journal_settle(J, lane, 3);
    journal_settle(J, lane, 3);
    ck_assert_uint_eq(journal_body_bytes(J, lane, 3), 0);
}
END_TEST

/* ---- An old database. */

struct rewriting {
    struct database_batch *batch;
    unsigned indexes;
};

static bool make_index_old(void *context, struct bytes key, struct bytes value)
{
    static struct record_body_ref refs[JOURNAL_CHUNK_SLOTS];
    static struct record_extent extents[JOURNAL_CHUNK_SLOTS];
    struct rewriting *rewriting = context;
    struct record_index index;
    struct bytes sizes;
    uint64_t lane_id, chunk;
    bool is_lane;
    ck_assert_int_eq(record_key_parse(key, &lane_id, &chunk, &is_lane), STATUS_OK);
    if (is_lane)
        return true;
    ck_assert_int_eq(record_index_decode(key, value, &index, refs, extents, &sizes), STATUS_OK);
    ck_assert_uint_gt(sizes.len, 0);
    index.body_bytes = (uint64_t)0 - 4266; /* what came of an estimate */
    struct text old = {0};
    record_index_encode(&old, &index, refs, extents, bytes_of("", 0));
    database_batch_put(rewriting->batch, key, text_bytes(&old));
    text_free(&old);
    rewriting->indexes++;
    return true;
}

static void make_database_old(void)
{
    struct database *database;
    struct rewriting rewriting = {database_batch_new(), 0};
    struct text version = {0};
    struct record_key key = record_key_version();
    char *error;
    ck_assert_int_eq(database_open(disk.path, false, &database, &error), STATUS_OK);
    ck_assert_int_eq(database_walk(database, bytes_of_text("i"), bytes_of_text("j"), make_index_old,
                                   &rewriting, &error),
                     STATUS_OK);
    ck_assert_uint_ge(rewriting.indexes, 2);
    record_version_encode(&version);
    version.at[RECORD_SEAL_BYTES] = 1;
    record_seal(&version, 0, record_key_bytes(&key));
    database_batch_put(rewriting.batch, record_key_bytes(&key), text_bytes(&version));
    ck_assert_int_eq(database_write(database, rewriting.batch, &error), STATUS_OK);
    text_free(&version);
    database_batch_free(&rewriting.batch);
    database_close(&database);
}

START_TEST(wrong_sums_of_an_old_database_come_right)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    uint64_t sum = 0;
    for (uint64_t seq = 1; seq < 900; seq++) {
        size_t bytes = seq % 7 ? 24 : seq % 100 ? 900 : 150000;
        sum += bytes;
        probe_append(J, lane, seq, bytes);
        if (seq % 300 == 1)
            disk_commit(&disk);
    }
    disk_commit(&disk);
    for (uint64_t seq = 1; seq < 50; seq++) {
        sum -= journal_body_bytes(J, lane, seq);
        journal_settle(J, lane, seq);
    }
    disk_close(&disk);
    make_database_old();
    disk_open(&disk);
    ck_assert_uint_eq(recovered_bytes(), sum);
    disk_commit(&disk);
    disk_restart(&disk); /* now they are stored */
    ck_assert_uint_eq(recovered_bytes(), sum);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("sizes");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, each_size_is_remembered, 0, 8);
    tcase_add_test(tests, sizes_that_are_the_same_take_no_memory);
    tcase_add_test(tests, what_is_settled_takes_its_own_size_along);
    tcase_add_test(tests, sizes_outlive_restarts);
    tcase_add_test(tests, transients_on_disk_have_their_sizes);
    tcase_add_test(tests, wrong_sums_of_an_old_database_come_right);
    Suite *suite = suite_create("journal_sizes");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
