/* The journal on LevelDB: blocks that are merged, and segments that are emptied and removed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "journal_disk_fixture.h"

START_TEST(large_batches_go_to_segments_which_go_when_dead)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 1025, 1500);
    disk_commit(&disk);
    disk_shell("ls '%s' | grep -q segment-000001", disk.path);
    probe_append(J, lane, 1025, 300000);
    disk_commit(&disk);
    disk_restart(&disk);
    disk_page_in(&disk, probe_lane(&P, 7), 1);
    check_page(512, 1024, 1500);
    disk_page_in(&disk, probe_lane(&P, 7), 2);
    ck_assert_uint_eq(P.page_count, 2);
    ck_assert(probe_message_is(P.page[1].message, 1025, 300000));
    lane = probe_lane(&P, 7);
    for (uint64_t seq = 1; seq < 1026; seq++)
        journal_settle(J, lane, seq);
    disk_commit(&disk);
    disk_restart(&disk);
    disk_shell("! ls '%s' | grep -q segment-", disk.path);
}
END_TEST

static unsigned count_blocks(void)
{
    struct journal_figures figures;
    journal_leveldb_figures(J, &figures);
    return (unsigned)figures.blocks_written;
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        journal_flush(J);
        usleep(1000);
        journal_poll(J);
    }
}

START_TEST(many_small_blocks_are_merged_once_a_chunk_is_complete)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 512, 513, 6000);
    for (uint64_t seq = 513; seq < 1024; seq++) {
        probe_append(J, lane, seq, 30);
        if (seq < 600)
            disk_commit(&disk);
    }
    disk_commit(&disk);
    unsigned before = count_blocks();
    append_many(lane, 1024, 1030, 10); /* the chunk is complete */
    journal_flush(J);
    journal_page_in(J, lane, 1);
    journal_settle(J, lane, 700);
    for (unsigned i = 0; i < 30000 && count_blocks() < before + 2; i++) {
        journal_page_in(J, lane, 1); /* at any moment */
        turns(2);
    }
    ck_assert_uint_eq(count_blocks(), before + 2);
    journal_settle(J, lane, 701);
    disk_await(&disk, &P.pages, 1);
    turns(100);
    ck_assert_uint_eq(P.bad_pages, 0);
    disk_page_in(&disk, lane, 1);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 510);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 516);
    disk_page_in(&disk, probe_lane(&P, 7), 1);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 510);
    ck_assert(probe_message_is(P.page[0].message, 512, 6000));
    ck_assert(probe_message_is(P.page[509].message, 1023, 30));
    lane = probe_lane(&P, 7);
    journal_lane_drop(J, &lane);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(P.lanes, 0);
}
END_TEST

static uint64_t segment_bytes(void)
{
    char command[300], line[32];
    uint64_t bytes = 0;
    snprintf(command, sizeof command, "cat '%s'/segment-* 2> /dev/null | wc -c", disk.path);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, pipe));
    ck_assert_ptr_nonnull(number_scan(line, &bytes));
    pclose(pipe);
    return bytes;
}

static size_t body_bytes_of(uint64_t seq)
{
    return seq % 100 == 7 ? 200000 : seq % 10 == 3 ? 5000 : 6000;
}

/* Fills lane 1 and drains it, while every 25th message goes to lanes 2 and 3, too, and stays there.
 * Returns how many stay; *asked: pages that were asked for. */
static uint64_t fill_and_drain(struct journal_lane *a, struct journal_lane *b,
                               struct journal_lane *c, unsigned *asked)
{
    struct random_stream random = {1};
    uint64_t kept = 0;
    for (uint64_t seq = 1; seq < 8000; seq++) {
        struct message *m = probe_message(seq, body_bytes_of(seq));
        journal_append(J, a, seq, 0, m);
        if (seq % 25 == 7) {
            journal_append(J, b, seq, 0, m);
            journal_append(J, c, seq, 0, m);
            kept++;
        }
        message_unref(&m);
        if (seq % 200 == 0)
            disk_commit(&disk);
        if (seq % 200 == 100) { /* while it is filled and moved */
            journal_page_in(J, seq % 400 == 100 ? b : c, random_next(&random) % (seq / 512 + 1));
            ++*asked;
        }
        if (seq > 600)
            journal_settle(J, a, seq - 600);
    }
    for (uint64_t seq = 7300; seq < 8000; seq++)
        journal_settle(J, a, seq);
    disk_commit(&disk);
    return kept;
}

/* All messages of a lane, read back and compared; returns how many. */
static uint64_t read_back(struct journal_lane *lane)
{
    uint64_t found = 0;
    for (uint64_t chunk = 0; chunk < 16; chunk++) {
        disk_page_in(&disk, lane, chunk);
        ck_assert_int_eq(P.page_status, STATUS_OK);
        found += P.page_count;
        for (size_t i = 0; i < P.page_count; i++) {
            uint64_t seq = P.page[i].seq;
            ck_assert(probe_message_is(P.page[i].message, seq, body_bytes_of(seq)));
        }
    }
    return found;
}

/* Two queues share all segments; one is drained, of the other some messages stay: shared bodies,
 * large and small ones. */
START_TEST(segments_that_are_mostly_dead_are_emptied)
{
    char mount_point[] = "/tmp/journal-mount-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(mount_point));
    if (mount("tmpfs", mount_point, "tmpfs", 0, "size=200m") != 0) {
        rmdir(mount_point);
        fprintf(stderr, "skipped: a tmpfs cannot be mounted here\n");
        return;
    }
    disk_end(&disk);
    disk_begin(&disk, mount_point);
    struct journal_lane *a = journal_lane_new(J, 1), *b = journal_lane_new(J, 2),
                        *c = journal_lane_new(J, 3);
    unsigned asked = 0; /* pages */
    uint64_t kept = fill_and_drain(a, b, c, &asked);
    uint64_t live = 80 * 200000 + 240 * 6000;
    for (unsigned i = 0; i < 6000 && (i < 40 || segment_bytes() > 2 * live + 25000000); i++) {
        journal_page_in(J, i % 2 ? b : c, i % 16);
        asked++;
        turns(10);
    }
    ck_assert_uint_le(segment_bytes(), 2 * live + 25000000);
    disk_await(&disk, &P.pages, asked);
    ck_assert_uint_eq(P.bad_pages, 0);
    for (unsigned round = 0; round < 2; round++) {
        ck_assert_uint_eq(read_back(round ? c : b), kept);
        disk_restart(&disk);
        b = probe_lane(&P, 2);
        c = probe_lane(&P, 3);
        ck_assert_ptr_null(probe_lane(&P, 1));
    }
    journal_lane_drop(J, &b);
    journal_lane_drop(J, &c);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(segment_bytes(), 0);
    disk_end(&disk);
    umount(mount_point);
    rmdir(mount_point);
    disk_begin(&disk, NULL); /* for teardown */
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("leveldb");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 1200);
    tcase_add_test(tests, large_batches_go_to_segments_which_go_when_dead);
    tcase_add_test(tests, many_small_blocks_are_merged_once_a_chunk_is_complete);
    tcase_add_test(tests, segments_that_are_mostly_dead_are_emptied);
    Suite *suite = suite_create("journal_segments");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
