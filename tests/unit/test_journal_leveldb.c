/* The journal on LevelDB: what is there after a restart, paging, sharing, order. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal_disk_fixture.h"

START_TEST(nothing_makes_no_database)
{
    disk_commit(&disk);
    ck_assert_int_ne(access(disk.path, F_OK), 0);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes + P.definitions, 0);
}
END_TEST

START_TEST(definitions_survive)
{
    journal_put(J, BYTES_LITERAL("b"), BYTES_LITERAL("1"));
    journal_put(J, BYTES_LITERAL("a"), BYTES_LITERAL(""));
    disk_commit(&disk);
    journal_put(J, BYTES_LITERAL("c"), BYTES_LITERAL("3"));
    journal_put(J, BYTES_LITERAL("b"), BYTES_LITERAL("2"));
    journal_erase(J, BYTES_LITERAL("c"));
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_str_eq(P.definition, "a=;b=2;");
}
END_TEST

START_TEST(messages_survive_and_page_in)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 1500, 100);
    disk_commit(&disk);
    ck_assert_uint_eq(journal_unwritten_bytes(J), 0);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes, 1);
    ck_assert_uint_eq(P.chunks, 3);
    ck_assert_uint_eq(probe_live(&P, 7), 1499);
    ck_assert_uint_eq(P.chunk[1].body_bytes, 512 * 100);
    lane = probe_lane(&P, 7);
    disk_page_in(&disk, lane, 0);
    check_page(1, 512, 100);
    disk_page_in(&disk, lane, 2);
    check_page(1024, 1500, 100);
    disk_page_in(&disk, lane, 3);
    ck_assert_uint_eq(P.page_count, 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
}
END_TEST

START_TEST(what_was_not_committed_is_gone_after_a_crash)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 11, 10);
    disk_commit(&disk);
    append_many(lane, 11, 21, 10);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 10);
}
END_TEST

START_TEST(closing_writes_what_is_filling)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 11, 10);
    journal_flush(J);
    append_many(lane, 11, 21, 10);
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 20);
}
END_TEST

START_TEST(settled_messages_stay_gone)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 1025, 10);
    disk_commit(&disk);
    for (uint64_t seq = 1; seq < 1000; seq++)
        journal_settle(J, lane, seq);
    journal_delivered(J, lane, 1010);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 25);
    ck_assert_uint_eq(P.chunks, 2);
    ck_assert_uint_eq(P.chunk[0].chunk, 1);
    ck_assert_uint_eq(probe_delivered(&P, 7), 1010);
    ck_assert_uint_eq(P.chunk[0].body_bytes + P.chunk[1].body_bytes, 250);
    lane = probe_lane(&P, 7);
    disk_page_in(&disk, lane, 1);
    check_page(1000, 1024, 10);
    for (uint64_t seq = 1000; seq < 1025; seq++)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes + P.chunks, 0);
}
END_TEST

START_TEST(settled_before_written_is_never_written)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 1000, 10);
    for (uint64_t seq = 1; seq < 1000; seq++)
        journal_settle(J, lane, seq);
    ck_assert_uint_eq(journal_unwritten_bytes(J), 0);
    disk_commit(&disk); /* … but it is committed */
    ck_assert_uint_eq(P.committed, 1);
    ck_assert_int_ne(access(disk.path, F_OK), 0);
    struct journal_figures figures;
    journal_leveldb_figures(J, &figures);
    ck_assert_uint_eq(figures.batches, 0);
}
END_TEST

START_TEST(some_settled_before_written)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 101, 10);
    for (uint64_t seq = 1; seq < 101; seq += 2)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_page_in(&disk, lane, 0);
    ck_assert_uint_eq(P.page_count, 50);
    ck_assert_uint_eq(P.page[0].seq, 2);
    disk_restart(&disk);
    ck_assert_uint_eq(P.chunk[0].body_bytes, 500);
    disk_page_in(&disk, probe_lane(&P, 7), 0);
    ck_assert_uint_eq(P.page_count, 50);
    ck_assert(probe_message_is(P.page[49].message, 100, 10));
}
END_TEST

START_TEST(an_empty_batch_behind_one_in_flight_is_committed_in_order)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 2, 10);
    journal_flush(J);
    append_many(lane, 2, 3, 10);
    journal_settle(J, lane, 2);
    uint64_t batch = journal_filling(J);
    journal_flush(J);
    ck_assert_uint_eq(journal_filling(J), batch); /* the first is under way */
    disk_commit(&disk);
    ck_assert_uint_ge(P.committed, batch);
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 1);
}
END_TEST

START_TEST(an_awaited_batch_is_committed_with_nothing_in_it)
{
    ck_assert_uint_eq(journal_await(J), 1);
    disk_await(&disk, &P.commits, 1);
    ck_assert_uint_eq(P.committed, 1);
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 2, 10);
    journal_flush(J);
    uint64_t batch = journal_await(J);
    journal_flush(J); /* the one before is under way */
    while (P.committed < batch)
        disk_await(&disk, &P.commits, P.commits + 1);
    ck_assert_uint_eq(journal_filling(J), batch + 1);
    disk_commit(&disk); /* nobody waits */
    ck_assert_uint_eq(journal_filling(J), batch + 1);
}
END_TEST

START_TEST(pages_include_what_is_not_on_disk_yet)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 101, 10);
    disk_commit(&disk);
    append_many(lane, 101, 201, 10);
    journal_flush(J); /* in flight, or done */
    append_many(lane, 201, 301, 10);
    journal_settle(J, lane, 1);
    journal_page_in(J, lane, 0);
    journal_settle(J, lane, 300);
    disk_await(&disk, &P.pages, 1);
    check_page(2, 300, 10);
}
END_TEST

START_TEST(many_small_blocks_make_one_page)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    for (uint64_t seq = 1; seq < 200; seq++) {
        probe_append(J, lane, seq, 10);
        disk_commit(&disk);
    }
    for (uint64_t seq = 1; seq < 100; seq++)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_restart(&disk);
    disk_page_in(&disk, probe_lane(&P, 7), 0);
    check_page(100, 200, 10);
}
END_TEST

START_TEST(seqs_may_be_given_again_after_a_restart)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 41, 10);
    disk_commit(&disk);
    append_many(lane, 41, 61, 10);
    disk_commit(&disk);
    for (uint64_t seq = 51; seq < 61; seq++)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_restart(&disk);
    lane = probe_lane(&P, 7);
    append_many(lane, 51, 71, 33); /* other bodies */
    disk_commit(&disk);
    for (uint64_t seq = 1; seq < 51; seq++)
        journal_settle(J, lane, seq);
    disk_page_in(&disk, lane, 0);
    check_page(51, 71, 33);
}
END_TEST

START_TEST(seqs_given_again_behind_dead_blocks)
{
    /* Dead blocks begin at 51 and at 55; the new one begins at 51 and has 55 too. */
    for (size_t body_bytes = 10; body_bytes < 100000; body_bytes += 89990) {
        struct journal_lane *lane = journal_lane_new(J, body_bytes);
        append_many(lane, 1, 51, body_bytes);
        disk_commit(&disk);
        append_many(lane, 51, 55, body_bytes);
        disk_commit(&disk);
        append_many(lane, 55, 61, body_bytes);
        disk_commit(&disk);
        for (uint64_t seq = 51; seq < 61; seq++)
            journal_settle(J, lane, seq);
        disk_commit(&disk);
        disk_restart(&disk);
        lane = probe_lane(&P, body_bytes);
        append_many(lane, 51, 71, body_bytes + 1);
        disk_commit(&disk);
        for (uint64_t seq = 1; seq < 51; seq++)
            journal_settle(J, lane, seq);
        disk_restart(&disk);
        disk_page_in(&disk, probe_lane(&P, body_bytes), 0);
        check_page(51, 71, body_bytes + 1);
    }
}
END_TEST

START_TEST(properties_of_messages_survive)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct message *m =
        message_new(BYTES_LITERAL(""), BYTES_LITERAL("q"), BYTES_LITERAL("\x08\x00\x05"), 3);
    m->priority = 5;
    m->ttl_ms = 60000;
    m->has_headers = true;
    ck_assert_int_eq(message_fill(m, NULL, (const uint8_t *)"abc", 3), STATUS_OK);
    journal_append(J, lane, 1, 123456789, m);
    message_unref(&m);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert(P.chunk[0].any_expires);
    disk_page_in(&disk, probe_lane(&P, 7), 0);
    const struct message *got = P.page[0].message;
    ck_assert_uint_eq(P.page[0].expires_ms, 123456789);
    ck_assert_uint_eq(got->priority, 5);
    ck_assert_uint_eq(got->ttl_ms, 60000);
    ck_assert(got->has_headers);
    ck_assert(!got->persistent);
    ck_assert(bytes_equal(message_properties(got), BYTES_LITERAL("\x08\x00\x05")));
    ck_assert(bytes_equal_text(message_body_piece(got, 0), "abc"));
}
END_TEST

START_TEST(large_bodies_survive)
{
    static const size_t sizes[] = {0, 4096, 4097, 131072, 131073, 1048576, 3000000};
    struct journal_lane *lane = journal_lane_new(J, 7);
    for (size_t i = 0; i < 7; i++)
        probe_append(J, lane, i + 1, sizes[i]);
    disk_commit(&disk);
    disk_restart(&disk);
    struct journal_lane *found = probe_lane(&P, 7);
    disk_page_in(&disk, found, 0);
    ck_assert_uint_eq(P.page_count, 7);
    for (size_t i = 0; i < 7; i++)
        ck_assert(probe_message_is(P.page[i].message, i + 1, sizes[i]));
    for (uint64_t seq = 1; seq < 8; seq++)
        journal_settle(J, found, seq);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes, 0);
}
END_TEST

START_TEST(a_body_in_several_lanes_is_stored_once)
{
    struct journal_lane *lanes[8];
    for (uint64_t i = 0; i < 8; i++)
        lanes[i] = journal_lane_new(J, i + 1);
    for (uint64_t seq = 1; seq < 11; seq++) {
        struct message *m = probe_message(seq, 50000);
        for (uint64_t i = 0; i < 8; i++)
            journal_append(J, lanes[i], seq, 0, m);
        message_unref(&m);
    }
    journal_settle(J, lanes[0], 1); /* the first use of the first one */
    disk_commit(&disk);
    struct journal_figures figures;
    journal_leveldb_figures(J, &figures);
    ck_assert_uint_gt(figures.bytes_written, 500000);
    ck_assert_uint_lt(figures.bytes_written, 600000);
    ck_assert_uint_ge(figures.io.writes, figures.batches);
    ck_assert_uint_ge(figures.io.syncs, figures.batches);
    ck_assert_uint_eq(figures.io.write_bytes, figures.bytes_written);
    disk_restart(&disk);
    struct journal_lane *lane = probe_lane(&P, 1);
    disk_page_in(&disk, lane, 0);
    check_page(2, 11, 50000);
    for (uint64_t id = 1; id < 8; id++) {
        lane = probe_lane(&P, id);
        journal_lane_drop(J, &lane);
    }
    disk_commit(&disk);
    disk_restart(&disk);
    disk_page_in(&disk, probe_lane(&P, 8), 0); /* the last one still finds them */
    check_page(1, 11, 50000);
    lane = probe_lane(&P, 8);
    /* New bodies do not get the numbers of stored ones. */
    struct message *m = probe_message(11, 200000);
    journal_append(J, lane, 11, 0, m);
    message_unref(&m);
    disk_commit(&disk);
    disk_page_in(&disk, lane, 0);
    ck_assert_uint_eq(P.page_count, 11);
    ck_assert(probe_message_is(P.page[9].message, 10, 50000));
    ck_assert(probe_message_is(P.page[10].message, 11, 200000));
}
END_TEST

START_TEST(sharing_ends_well_whatever_is_settled_first)
{
    struct journal_lane *a = journal_lane_new(J, 1), *b = journal_lane_new(J, 2);
    struct message *m = probe_message(5, 9000);
    journal_append(J, a, 5, 0, m);
    journal_settle(J, a, 5);
    journal_append(J, b, 5, 0, m); /* no longer shared */
    journal_append(J, a, 6, 0, m);
    journal_settle(J, b, 5);
    journal_settle(J, a, 6);
    journal_append(J, b, 6, 0, m);
    message_unref(&m);
    m = probe_message(6, 9000);
    journal_append(J, a, 7, 0, m);
    journal_append(J, b, 7, 0, m);
    message_unref(&m);
    journal_lane_drop(J, &a);
    disk_commit(&disk);
    disk_page_in(&disk, b, 0);
    ck_assert_uint_eq(P.page_count, 2);
    ck_assert(probe_message_is(P.page[0].message, 5, 9000));
    ck_assert(probe_message_is(P.page[1].message, 6, 9000));
}
END_TEST

START_TEST(dropped_lanes_are_gone)
{
    struct journal_lane *a = journal_lane_new(J, 1), *b = journal_lane_new(J, 2);
    append_many(a, 1, 1000, 10);
    append_many(b, 1, 10, 10);
    journal_delivered(J, a, 5);
    disk_commit(&disk);
    append_many(a, 1000, 1100, 10);
    journal_flush(J);
    append_many(a, 1100, 1200, 10);
    journal_page_in(J, a, 0);
    journal_lane_drop(J, &a);
    disk_commit(&disk);
    disk_page_in(&disk, b, 0);
    ck_assert_uint_eq(P.pages, 1);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes, 1);
    ck_assert_uint_eq(probe_live(&P, 2), 9);
}
END_TEST

START_TEST(transients_page_out_and_in)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct journal_entry entries[100];
    for (uint64_t i = 0; i < 100; i++)
        entries[i] = (struct journal_entry){2 * i, i, probe_message(2 * i, 5000)};
    for (uint64_t i = 0; i < 100; i++)
        probe_append(J, lane, 2 * i + 1, 20);
    journal_page_out(J, lane, 0, entries, 60);
    journal_page_out(J, lane, 0, entries + 60, 40);
    journal_settle(J, lane, 0);
    journal_page_in(J, lane, 0); /* still being written */
    disk_await(&disk, &P.pages, 1);
    ck_assert_uint_eq(P.page_count, 199);
    disk_await(&disk, &P.paged_outs, 2);
    ck_assert_int_eq(P.paged_out_status, STATUS_OK);
    disk_commit(&disk);
    for (uint64_t i = 0; i < 100; i++)
        message_unref(&entries[i].message);
    disk_page_in(&disk, lane, 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 199);
    ck_assert(probe_message_is(P.page[1].message, 2, 5000));
    ck_assert_uint_eq(P.page[1].expires_ms, 1);
    for (uint64_t i = 1; i < 100; i++)
        journal_settle(J, lane, 2 * i);
    disk_page_in(&disk, lane, 0);
    ck_assert_uint_eq(P.page_count, 100);
    disk_shell("! ls '%s' | grep -q paged", disk.path); /* the file is gone */
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 100);
}
END_TEST

START_TEST(transients_do_not_survive)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct journal_entry entry = {3, 0, probe_message(3, 50)};
    probe_append(J, lane, 600, 10);
    disk_commit(&disk);
    journal_page_out(J, lane, 0, &entry, 1);
    message_unref(&entry.message);
    disk_await(&disk, &P.paged_outs, 1);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 1);
    disk_shell("! ls '%s' | grep -q paged", disk.path);
}
END_TEST

START_TEST(delivered_is_kept_only_with_something_to_deliver)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 11, 10);
    journal_delivered(J, lane, 3);
    journal_delivered(J, lane, 2);
    disk_commit(&disk);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_delivered(&P, 7), 3);
    lane = probe_lane(&P, 7);
    journal_delivered(J, lane, 10);
    for (uint64_t seq = 1; seq < 11; seq++)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_crash(&disk);
    ck_assert_uint_eq(P.lanes, 0);
}
END_TEST

/* Random operations against a model, with restarts and crashes in between. */
#define MODEL_SEQS 4096u
enum { ABSENT, ALIVE, SETTLED };

static void check_model(const uint8_t *model, uint64_t lane_id)
{
    uint64_t alive = 0;
    for (unsigned i = 0; i < MODEL_SEQS; i++)
        alive += model[i] == ALIVE;
    ck_assert_uint_eq(probe_live(&P, lane_id), alive);
    for (unsigned i = 0; i < P.chunks; i++)
        for (unsigned slot = 0; P.chunk[i].lane_id == lane_id && slot < JOURNAL_CHUNK_SLOTS; slot++)
            ck_assert_int_eq(P.chunk[i].live[slot / 64] >> (slot % 64) & 1,
                             model[P.chunk[i].chunk * JOURNAL_CHUNK_SLOTS + slot] == ALIVE);
}

/* Small ones, so that batches go to the database, and large ones, so that they go to segments. */
static size_t model_bytes(uint64_t seq)
{
    return seq % 1000 < 500 ? seq % 50 : seq % 7000;
}

START_TEST(a_random_history_is_remembered)
{
    unsigned seed = (unsigned)_i * 7919 + 1;
    uint8_t model[MODEL_SEQS] = {0};
    struct journal_lane *lane = journal_lane_new(J, 7);
    for (uint64_t next = 1; next < MODEL_SEQS;) {
        unsigned count = (unsigned)rand_r(&seed) % 300;
        for (unsigned i = 0; i < count && next < MODEL_SEQS; i++, next++) {
            probe_append(J, lane, next, model_bytes(next));
            model[next] = ALIVE;
            uint64_t other = (uint64_t)rand_r(&seed) % (next + 1);
            if (rand_r(&seed) % 3 && model[other] == ALIVE) {
                journal_settle(J, lane, other);
                model[other] = SETTLED;
            }
            if (rand_r(&seed) % 50 == 0)
                journal_flush(J);
            if (rand_r(&seed) % 50 == 0)
                journal_poll(J);
        }
        if (rand_r(&seed) % 4 == 0) {
            disk_commit(&disk);
            if (rand_r(&seed) % 2)
                disk_crash(&disk);
            else
                disk_restart(&disk);
            check_model(model, 7);
            lane = probe_lane(&P, 7);
            ck_assert_ptr_nonnull(lane);
        }
    }
    disk_commit(&disk);
    for (uint64_t chunk = 0; chunk <= MODEL_SEQS / JOURNAL_CHUNK_SLOTS; chunk++) {
        disk_page_in(&disk, lane, chunk);
        ck_assert_int_eq(P.page_status, STATUS_OK);
        for (size_t i = 0; i < P.page_count; i++) {
            uint64_t seq = P.page[i].seq;
            ck_assert_int_eq(model[seq], ALIVE);
            ck_assert(probe_message_is(P.page[i].message, seq, model_bytes(seq)));
            model[seq] = SETTLED;
        }
    }
    for (unsigned i = 0; i < MODEL_SEQS; i++)
        ck_assert_int_ne(model[i], ALIVE);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("leveldb");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 1200);
    tcase_add_test(tests, nothing_makes_no_database);
    tcase_add_test(tests, definitions_survive);
    tcase_add_test(tests, messages_survive_and_page_in);
    tcase_add_test(tests, what_was_not_committed_is_gone_after_a_crash);
    tcase_add_test(tests, closing_writes_what_is_filling);
    tcase_add_test(tests, settled_messages_stay_gone);
    tcase_add_test(tests, settled_before_written_is_never_written);
    tcase_add_test(tests, some_settled_before_written);
    tcase_add_test(tests, an_empty_batch_behind_one_in_flight_is_committed_in_order);
    tcase_add_test(tests, an_awaited_batch_is_committed_with_nothing_in_it);
    tcase_add_test(tests, pages_include_what_is_not_on_disk_yet);
    tcase_add_test(tests, many_small_blocks_make_one_page);
    tcase_add_test(tests, seqs_may_be_given_again_after_a_restart);
    tcase_add_test(tests, seqs_given_again_behind_dead_blocks);
    tcase_add_test(tests, properties_of_messages_survive);
    tcase_add_test(tests, large_bodies_survive);
    tcase_add_test(tests, a_body_in_several_lanes_is_stored_once);
    tcase_add_test(tests, sharing_ends_well_whatever_is_settled_first);
    tcase_add_test(tests, dropped_lanes_are_gone);
    tcase_add_test(tests, transients_page_out_and_in);
    tcase_add_test(tests, transients_do_not_survive);
    tcase_add_test(tests, delivered_is_kept_only_with_something_to_deliver);
    tcase_add_loop_test(tests, a_random_history_is_remembered, 0, 5);
    Suite *suite = suite_create("journal_leveldb");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
