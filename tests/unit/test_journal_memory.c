/* The journal in memory. */
#include <check.h>
#include <stdlib.h>

#include "journal_probe.h"
#include "leveret/journal/journal_memory.h"

static struct journal_memory_disk *disk;
static struct journal *journal;
static struct probe probe;
static struct journal_callbacks callbacks;

static void setup(void)
{
    disk = journal_memory_disk_new();
    callbacks = probe_callbacks(&probe);
    journal = journal_memory_new(disk, &callbacks, false);
}

static void teardown(void)
{
    journal_free(&journal);
    probe_clear(&probe);
    journal_memory_disk_free(&disk);
}

static void commit(void)
{
    journal_flush(journal);
    journal_memory_sync(journal);
    journal_poll(journal);
}

static void restart(void)
{
    journal_free(&journal);
    probe_clear(&probe);
    journal = journal_memory_new(disk, &callbacks, false);
    struct journal_recovery recovery = probe_recovery(&probe);
    char *error;
    ck_assert_int_eq(journal_recover(journal, &recovery, &error), STATUS_OK);
}

START_TEST(an_awaited_batch_is_committed_with_nothing_in_it)
{
    ck_assert_uint_eq(journal_await(journal), 1);
    journal_flush(journal);
    ck_assert_uint_eq(journal_filling(journal), 2);
    journal_poll(journal);
    ck_assert_uint_eq(probe.committed, 1);
    journal_put(journal, BYTES_LITERAL("a"), BYTES_LITERAL("1"));
    journal_flush(journal); /* batch 2, in flight */
    ck_assert_uint_eq(journal_await(journal), 3);
    journal_flush(journal);
    journal_poll(journal);
    ck_assert_uint_eq(probe.committed, 1); /* not before the one in front of it */
    commit();
    commit();
    ck_assert_uint_eq(probe.committed, 3);
    journal_flush(journal); /* nobody waits */
    ck_assert_uint_eq(journal_filling(journal), 4);
}
END_TEST

START_TEST(batches_are_numbered_and_reported_in_order)
{
    ck_assert_uint_eq(journal_filling(journal), 1);
    journal_flush(journal); /* nothing in it */
    ck_assert_uint_eq(journal_filling(journal), 1);
    journal_put(journal, BYTES_LITERAL("a"), BYTES_LITERAL("1"));
    journal_flush(journal);
    ck_assert_uint_eq(journal_filling(journal), 2);
    journal_put(journal, BYTES_LITERAL("b"), BYTES_LITERAL("2"));
    journal_flush(journal); /* one is in flight */
    ck_assert_uint_eq(journal_filling(journal), 2);
    journal_poll(journal);
    ck_assert_uint_eq(probe.commits, 0);
    journal_memory_sync(journal);
    journal_poll(journal);
    ck_assert_uint_eq(probe.committed, 1);
    commit();
    ck_assert_uint_eq(probe.committed, 2);
    ck_assert_uint_eq(journal_committed(journal), 2);
}
END_TEST

START_TEST(recovery_finds_what_was_synced_only)
{
    struct journal_lane *lane = journal_lane_new(journal, 7);
    journal_put(journal, BYTES_LITERAL("a"), BYTES_LITERAL("1"));
    journal_put(journal, BYTES_LITERAL("b"), BYTES_LITERAL("2"));
    for (uint64_t seq = 500; seq < 520; seq++)
        probe_append(journal, lane, seq, 10);
    commit();
    journal_settle(journal, lane, 501);
    journal_delivered(journal, lane, 505);
    journal_put(journal, BYTES_LITERAL("a"), BYTES_LITERAL("3"));
    journal_erase(journal, BYTES_LITERAL("b"));
    commit();
    probe_append(journal, lane, 520, 10);
    journal_flush(journal); /* not synced */
    restart();
    ck_assert_str_eq(probe.definition, "a=3;");
    ck_assert_uint_eq(probe.lanes, 1);
    ck_assert_uint_eq(probe_delivered(&probe, 7), 505);
    ck_assert_uint_eq(probe.chunks, 2);
    ck_assert_uint_eq(probe_live(&probe, 7), 19);
    ck_assert_uint_eq(probe.chunk[0].body_bytes + probe.chunk[1].body_bytes, 190);

    journal_page_in(journal, probe_lane(&probe, 7), 0);
    journal_poll(journal);
    ck_assert_uint_eq(probe.page_count, 11);
    ck_assert_uint_eq(probe.page[1].seq, 502);
    ck_assert(probe_message_is(probe.page[1].message, 502, 10));
}
END_TEST

START_TEST(transients_page_and_do_not_survive)
{
    struct journal_lane *lane = journal_lane_new(journal, 7);
    struct journal_entry entries[2] = {{10, 0, probe_message(10, 5)},
                                       {12, 99, probe_message(12, 5)}};
    probe_append(journal, lane, 11, 5);
    journal_page_out(journal, lane, 0, entries, 2);
    message_unref(&entries[0].message);
    message_unref(&entries[1].message);
    commit();
    ck_assert_uint_eq(probe.paged_outs, 1);
    journal_page_in(journal, lane, 0);
    journal_poll(journal);
    ck_assert_uint_eq(probe.page_count, 3);
    ck_assert_uint_eq(probe.page[2].expires_ms, 99);
    restart();
    ck_assert_uint_eq(probe_live(&probe, 7), 1);
}
END_TEST

START_TEST(a_dropped_lane_is_gone_and_its_pages_are_not_told)
{
    struct journal_lane *lane = journal_lane_new(journal, 7);
    probe_append(journal, lane, 1, 5);
    commit();
    journal_page_in(journal, lane, 0);
    journal_lane_drop(journal, &lane);
    ck_assert_ptr_null(lane);
    commit();
    ck_assert_uint_eq(probe.pages, 0);
    restart();
    ck_assert_uint_eq(probe.lanes, 0);
}
END_TEST

START_TEST(a_failing_disk_commits_nothing_until_it_works)
{
    struct journal_lane *lane = journal_lane_new(journal, 7);
    journal_memory_fail(journal, STATUS_NO_SPACE);
    probe_append(journal, lane, 1, 5);
    ck_assert_uint_gt(journal_unwritten_bytes(journal), 5);
    commit();
    ck_assert_int_eq(probe.health, STATUS_NO_SPACE);
    ck_assert_uint_eq(probe.commits, 0);
    journal_memory_fail(journal, STATUS_OK);
    commit();
    ck_assert_int_eq(probe.health, STATUS_OK);
    ck_assert_uint_eq(probe.committed, 1);
    ck_assert_uint_eq(journal_unwritten_bytes(journal), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("memory");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, batches_are_numbered_and_reported_in_order);
    tcase_add_test(tests, an_awaited_batch_is_committed_with_nothing_in_it);
    tcase_add_test(tests, recovery_finds_what_was_synced_only);
    tcase_add_test(tests, transients_page_and_do_not_survive);
    tcase_add_test(tests, a_dropped_lane_is_gone_and_its_pages_are_not_told);
    tcase_add_test(tests, a_failing_disk_commits_nothing_until_it_works);
    Suite *suite = suite_create("journal_memory");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
