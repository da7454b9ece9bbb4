/* Writes that fail: nothing is committed, what was committed stays readable, and it goes on by
 * itself.
 *
 * This program's own write, pwrite, pread and fdatasync stand before the C library's, for LevelDB
 * too. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "journal_disk.h"
#include "scarce.h"

static struct journal_disk disk;
#define J disk.journal
#define P disk.probe

/* ---- Injection. */

enum { FAIL_WRITE = 1, FAIL_PWRITE = 2, FAIL_SYNC = 4, FAIL_PREAD = 8 };
static atomic_uint failing, failed;
static atomic_int failing_errno;

/* Whether fd is a file of the database. */
static bool is_ours(int fd)
{
    char link[64], name[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, name, sizeof name - 1);
    if (len < 0)
        return false;
    name[len] = '\0';
    return strstr(name, "journal-test-") && !strstr(name, "/LOG");
}

static bool fails(unsigned kind, int fd)
{
    if (!(atomic_load(&failing) & kind) || !is_ours(fd))
        return false;
    atomic_fetch_add(&failed, 1);
    errno = atomic_load(&failing_errno);
    return true;
}

ssize_t write(int fd, const void *at, size_t len)
{
    if (!fails(FAIL_WRITE, fd))
        return syscall(SYS_write, fd, at, len);
    if (len > 1) /* half of it, so that a torn record is left */
        syscall(SYS_write, fd, at, len / 2);
    errno = atomic_load(&failing_errno);
    return -1;
}

ssize_t pwrite(int fd, const void *at, size_t len, off_t offset)
{
    return fails(FAIL_PWRITE, fd) ? -1 : syscall(SYS_pwrite64, fd, at, len, offset);
}

ssize_t pread(int fd, void *at, size_t len, off_t offset)
{
    return fails(FAIL_PREAD, fd) ? -1 : syscall(SYS_pread64, fd, at, len, offset);
}

int fdatasync(int fd)
{
    return fails(FAIL_SYNC, fd) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

static void inject(unsigned kinds, int number)
{
    atomic_store(&failing_errno, number);
    atomic_store(&failed, 0);
    atomic_store(&failing, kinds);
}

/* ---- */

static void setup(void)
{
    disk_begin(&disk, NULL);
}

static void teardown(void)
{
    inject(0, 0);
    disk_end(&disk);
}

static void append_many(struct journal_lane *lane, uint64_t from, uint64_t to, size_t body_bytes)
{
    for (uint64_t seq = from; seq < to; seq++)
        probe_append(J, lane, seq, body_bytes);
}

static void turns(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        journal_flush(J);
        usleep(2000);
        journal_poll(J);
    }
}

static const struct {
    unsigned kinds;
    int number;
    size_t body_bytes;
    enum status health;
} cases[] = {
    {FAIL_SYNC, EIO, 10, STATUS_IO},           {FAIL_WRITE, EIO, 10, STATUS_IO},
    {FAIL_WRITE, ENOSPC, 10, STATUS_NO_SPACE}, {FAIL_PWRITE, ENOSPC, 20000, STATUS_NO_SPACE},
    {FAIL_SYNC, EIO, 20000, STATUS_IO},        {FAIL_WRITE, EDQUOT, 20000, STATUS_NO_SPACE},
};
#define CASES ((int)(sizeof cases / sizeof *cases))

START_TEST(a_failed_write_is_tried_until_it_succeeds)
{
    size_t body_bytes = cases[_i].body_bytes;
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 101, body_bytes);
    disk_commit(&disk);
    inject(cases[_i].kinds, cases[_i].number);
    uint64_t before = P.committed;
    append_many(lane, 101, 201, body_bytes);
    disk_await(&disk, &P.healths, 1);
    ck_assert_uint_gt(atomic_load(&failed), 0);
    ck_assert_uint_eq(P.committed, before);
    ck_assert_int_eq(P.health, cases[_i].health);
    ck_assert_uint_eq(P.healths, 1);
    ck_assert_uint_gt(strlen(P.health_text), 0);
    /* Reading goes on, and so does settling: of what is stored, what waits and what has
     * just come. */
    append_many(lane, 201, 301, body_bytes);
    for (uint64_t seq = 51; seq < 301; seq += 2)
        journal_settle(J, lane, seq);
    turns(50);
    disk_page_in(&disk, lane, 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 175);
    ck_assert(probe_message_is(P.page[49].message, 50, body_bytes));
    ck_assert(probe_message_is(P.page[174].message, 300, body_bytes));
    ck_assert_uint_eq(P.committed, before);
    inject(0, 0);
    disk_commit(&disk);
    disk_await(&disk, &P.healths, 2);
    ck_assert_int_eq(P.health, STATUS_OK);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 175);
    disk_page_in(&disk, probe_lane(&P, 7), 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 175);
    for (size_t i = 0; i < P.page_count; i++)
        ck_assert(probe_message_is(P.page[i].message, P.page[i].seq, body_bytes));
}
END_TEST

START_TEST(a_crash_while_writing_fails_loses_nothing_committed)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    size_t body_bytes = cases[_i].body_bytes;
    append_many(lane, 1, 101, body_bytes);
    disk_commit(&disk);
    inject(cases[_i].kinds, cases[_i].number);
    append_many(lane, 101, 201, body_bytes);
    turns(50);
    inject(0, 0); /* nothing is tried again before it is closed */
    disk_crash(&disk);
    ck_assert_uint_ge(probe_live(&P, 7), 100);
    disk_page_in(&disk, probe_lane(&P, 7), 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_ge(P.page_count, 100);
}
END_TEST

START_TEST(much_happens_while_writing_fails)
{
    unsigned seed = (unsigned)_i + 1;
    struct journal_lane *lanes[4];
    static uint8_t alive[4][3000];
    uint64_t next[4] = {1, 1, 1, 1};
    memset(alive, 0, sizeof alive);
    for (unsigned i = 0; i < 4; i++)
        lanes[i] = journal_lane_new(J, i + 1);
    for (unsigned round = 0; round < 300; round++) {
        if (round % 20 == 0)
            inject(round % 40 ? 0 : FAIL_SYNC | FAIL_WRITE | FAIL_PWRITE,
                   round % 80 ? EIO : ENOSPC);
        unsigned i = (unsigned)rand_r(&seed) % 4;
        struct message *m = probe_message(next[i], 5000);
        for (unsigned k = 0; k < 4 && next[i] < 2900; k++) /* fan-out, now and then */
            if (k == i || rand_r(&seed) % 4 == 0) {
                journal_append(J, lanes[k], next[k], 0, m);
                alive[k][next[k]++] = 1;
            }
        message_unref(&m);
        for (unsigned n = 0; n < 3; n++) {
            unsigned k = (unsigned)rand_r(&seed) % 4;
            uint64_t seq = (uint64_t)rand_r(&seed) % next[k];
            if (alive[k][seq])
                journal_settle(J, lanes[k], seq);
            alive[k][seq] = 0;
        }
        if (rand_r(&seed) % 60 == 0) {
            unsigned k = (unsigned)rand_r(&seed) % 4;
            journal_lane_drop(J, &lanes[k]);
            lanes[k] = journal_lane_new(J, 100 + round);
            memset(alive[k], 0, sizeof alive[k]);
            next[k] = 1;
        }
        turns(1);
    }
    inject(0, 0);
    disk_commit(&disk);
    disk_crash(&disk);
    uint64_t expected = 0, found = 0;
    for (unsigned k = 0; k < 4; k++)
        for (uint64_t seq = 0; seq < next[k]; seq++)
            expected += alive[k][seq];
    for (unsigned k = 0; k < P.lanes; k++)
        found += probe_live(&P, P.lane_ids[k]);
    ck_assert_uint_eq(found, expected);
    for (unsigned i = 0; i < P.chunks; i++) {
        disk_page_in(&disk, probe_lane(&P, P.chunk[i].lane_id), P.chunk[i].chunk);
        ck_assert_int_eq(P.page_status, STATUS_OK);
    }
}
END_TEST

START_TEST(closing_while_writing_fails_gives_up)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 11, 10);
    disk_commit(&disk);
    inject(FAIL_SYNC, EIO);
    append_many(lane, 11, 21, 10);
    turns(20);
    append_many(lane, 21, 31, 10);
    disk_close(&disk);
    inject(0, 0);
    disk_open(&disk);
    ck_assert_uint_ge(probe_live(&P, 7), 10);
}
END_TEST

START_TEST(a_database_that_cannot_be_made_is_made_later)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    inject(FAIL_WRITE | FAIL_SYNC, ENOSPC);
    append_many(lane, 1, 11, 10);
    disk_await(&disk, &P.healths, 1);
    ck_assert_uint_eq(P.committed, 0);
    ck_assert_int_eq(P.health, STATUS_NO_SPACE);
    inject(0, 0);
    disk_commit(&disk);
    disk_await(&disk, &P.healths, 2);
    disk_crash(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 10);
}
END_TEST

START_TEST(transients_that_cannot_be_stored_are_told)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct journal_entry entry = {3, 0, probe_message(3, 50)};
    inject(FAIL_PWRITE, ENOSPC);
    journal_page_out(J, lane, 0, &entry, 1);
    disk_await(&disk, &P.paged_outs, 1);
    ck_assert_int_eq(P.paged_out_status, STATUS_NO_SPACE);
    disk_page_in(&disk, lane, 0);
    ck_assert_uint_eq(P.page_count, 0);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    inject(0, 0);
    journal_page_out(J, lane, 0, &entry, 1);
    disk_await(&disk, &P.paged_outs, 2);
    ck_assert_int_eq(P.paged_out_status, STATUS_OK);
    message_unref(&entry.message);
}
END_TEST

/* ---- No memory. */

/* Small bodies, shared and large ones, and transient ones paged out: what is read has an allocation
 * for each. A queue is told of none that fails. */
START_TEST(reading_waits_for_memory)
{
    static const size_t sizes[] = {10, 3000, 20000};
    struct journal_lane *lane = journal_lane_new(J, 7), *other = journal_lane_new(J, 8);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        struct message *m = probe_message(seq, sizes[seq - 1]);
        journal_append(J, lane, seq, 0, m);
        journal_append(J, other, seq, 0, m);
        message_unref(&m);
    }
    disk_commit(&disk);
    struct journal_entry paged = {4, 0, probe_message(4, 50)};
    journal_page_out(J, lane, 0, &paged, 1);
    disk_await(&disk, &P.paged_outs, 1);
    unsigned failures = 0;
    for (unsigned nth = 1, waits = 1; waits; nth++) {
        scarce_begin(nth);
        disk_page_in(&disk, lane, 0);
        waits = scarce_end();
        failures += waits;
        ck_assert_int_eq(P.page_status, STATUS_OK);
        ck_assert_uint_eq(P.page_count, 4);
        for (uint64_t seq = 1; seq <= 3; seq++)
            ck_assert(probe_message_is(P.page[seq - 1].message, seq, sizes[seq - 1]));
        ck_assert(probe_message_is(P.page[3].message, 4, 50));
    }
    ck_assert_uint_gt(failures, 6);
    /* Nobody waits for memory when the journal is closed. */
    scarce_begin(1);
    journal_page_in(J, lane, 0);
    while (!scarce_failed())
        usleep(1000);
    message_unref(&paged.message);
}
END_TEST

/* ---- A disk that is full for real. */

static char mount_point[64];

static bool mount_small(const char *size)
{
    char options[64];
    snprintf(mount_point, sizeof mount_point, "/tmp/journal-mount-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(mount_point));
    snprintf(options, sizeof options, "size=%s", size);
    if (mount("tmpfs", mount_point, "tmpfs", 0, options) == 0)
        return true;
    rmdir(mount_point);
    fprintf(stderr, "skipped: a tmpfs cannot be mounted here\n");
    return false;
}

static void unmount_small(void)
{
    umount(mount_point);
    rmdir(mount_point);
}

/* Waits until most of the disk is free. */
static void await_space(void)
{
    struct statvfs about;
    for (unsigned waited = 0;; waited++) {
        ck_assert_int_eq(statvfs(mount_point, &about), 0);
        if (about.f_bavail * 3 > about.f_blocks * 2 && P.health == STATUS_OK)
            return;
        ck_assert_uint_lt(waited, 10000);
        turns(1);
    }
}

/* Appends until writing fails. Returns the last seq that was committed. */
static uint64_t fill_up(struct journal_lane *lane, uint64_t *next, size_t body_bytes)
{
    uint64_t ends[4096], committed = 0;
    for (unsigned i = 0; i < 4096 && P.health == STATUS_OK; i++) {
        append_many(lane, *next, *next + 20, body_bytes);
        *next += 20;
        uint64_t batch = journal_filling(J);
        ends[i] = *next - 1;
        for (unsigned waited = 0; P.committed < batch && P.health == STATUS_OK; waited++)
            turns(1);
        if (P.committed >= batch)
            committed = ends[i];
    }
    ck_assert_int_eq(P.health, STATUS_NO_SPACE);
    return committed;
}

static const struct {
    const char *size;
    size_t body_bytes;
} disks[] = {{"4m", 100}, {"4m", 1000}, {"8m", 10000}, {"16m", 3000}, {"40m", 100000}};

START_TEST(a_full_disk_is_left_by_itself)
{
    if (!mount_small(disks[_i].size))
        return;
    disk_begin(&disk, mount_point);
    struct journal_lane *lane = journal_lane_new(J, 7);
    uint64_t next = 1, settled = 1;
    for (unsigned round = 0; round < 3; round++) {
        unsigned healths = P.healths;
        uint64_t committed = fill_up(lane, &next, disks[_i].body_bytes);
        /* All that was committed can be read, and settled: that makes room. */
        unsigned pages = 0;
        for (uint64_t chunk = settled / 512; chunk <= committed / 512; chunk++, pages++) {
            disk_page_in(&disk, lane, chunk);
            ck_assert_int_eq(P.page_status, STATUS_OK);
        }
        ck_assert_uint_gt(committed, settled + 20);
        if (round == 1) { /* a crash with a full disk */
            turns(20);
            disk_close(&disk);
            disk_open(&disk);
            healths = 0;
            lane = probe_lane(&P, 7);
            ck_assert_uint_ge(probe_live(&P, 7), committed - settled + 1);
            P.health = STATUS_OK;
        }
        for (; settled < next - 5; settled++)
            journal_settle(J, lane, settled);
        if (round != 1)
            disk_await(&disk, &P.healths, healths + 2);
        append_many(lane, next, next + 1, 10);
        next++;
        disk_commit(&disk);
        await_space();
    }
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), next - settled);
    disk_end(&disk);
    unmount_small();
}
END_TEST

START_TEST(another_program_fills_the_disk)
{
    if (!mount_small("16m"))
        return;
    disk_begin(&disk, mount_point);
    struct journal_lane *lane = journal_lane_new(J, 7);
    append_many(lane, 1, 1001, 1000);
    disk_commit(&disk);
    disk_shell("dd if=/dev/zero of=%s/other bs=4k 2> /dev/null || true", mount_point);
    append_many(lane, 1001, 1101, 1000);
    disk_await(&disk, &P.healths, 1);
    ck_assert_int_eq(P.health, STATUS_NO_SPACE);
    disk_page_in(&disk, lane, 0);
    ck_assert_uint_eq(P.page_count, 511);
    uint64_t before = P.committed;
    turns(100);
    ck_assert_uint_eq(P.committed, before);
    /* Erasing works even so, from the reserve. */
    for (uint64_t seq = 1; seq < 1101; seq++)
        journal_settle(J, lane, seq);
    for (unsigned waited = 0; P.committed == before; waited++) {
        ck_assert_uint_lt(waited, 5000);
        turns(1);
    }
    disk_shell("rm %s/other", mount_point);
    disk_await(&disk, &P.healths, 2);
    ck_assert_int_eq(P.health, STATUS_OK);
    append_many(lane, 1101, 1201, 1000);
    disk_commit(&disk);
    disk_restart(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), 100);
    disk_end(&disk);
    unmount_small();
}
END_TEST

/* ---- Reading that fails just now. */

/* No file can be opened any more, or again. */
static void let_open(bool may)
{
    static struct rlimit before;
    struct rlimit none;
    if (may) {
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
        return;
    }
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = open("/dev/null", O_RDONLY);
    ck_assert_int_ge(lowest, 0);
    close(lowest);
    none = (struct rlimit){(rlim_t)lowest, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

#define STORED_BYTES 20000u

/* So many that they are in a segment, which is opened to be read. */
static struct journal_lane *make_stored(void)
{
    append_many(journal_lane_new(J, 7), 1, 301, STORED_BYTES);
    disk_commit(&disk);
    disk_restart(&disk);
    return probe_lane(&P, 7);
}

START_TEST(reading_waits_for_descriptors)
{
    struct journal_lane *lane = make_stored();
    let_open(false);
    journal_page_in(J, lane, 0);
    disk_await(&disk, &P.stalls, 1);
    ck_assert_uint_eq(P.pages, 0);
    let_open(true);
    disk_await(&disk, &P.pages, 1);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 300);
    ck_assert_uint_eq(P.goes_on, 1);
    ck_assert(probe_message_is(P.page[299].message, 300, STORED_BYTES));
}
END_TEST

START_TEST(reading_waits_for_the_disk)
{
    struct journal_lane *lane = make_stored();
    inject(FAIL_PREAD, EIO);
    journal_page_in(J, lane, 0);
    disk_await(&disk, &P.stalls, 1);
    ck_assert_uint_eq(P.pages, 0);
    journal_settle(J, lane, 7);
    inject(0, 0);
    disk_await(&disk, &P.pages, 1);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert_uint_eq(P.page_count, 299);
}
END_TEST

START_TEST(paged_out_messages_wait_for_the_disk)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    struct journal_entry entry = {1, 0, probe_message(1, 100)};
    journal_page_out(J, lane, 0, &entry, 1);
    message_unref(&entry.message);
    disk_await(&disk, &P.paged_outs, 1);
    inject(FAIL_PREAD, EIO);
    journal_page_in(J, lane, 0);
    disk_await(&disk, &P.stalls, 1);
    inject(0, 0);
    disk_await(&disk, &P.pages, 1);
    ck_assert_int_eq(P.page_status, STATUS_OK);
    ck_assert(probe_message_is(P.page[0].message, 1, 100));
}
END_TEST

/* Neither its end nor that of its lane waits for the disk. */
START_TEST(a_stalled_journal_closes)
{
    struct journal_lane *lane = make_stored();
    inject(FAIL_PREAD, EIO);
    journal_page_in(J, lane, 0);
    disk_await(&disk, &P.stalls, 1);
    if (_i)
        journal_lane_drop(J, &lane);
    disk_close(&disk);
    inject(0, 0);
    disk_open(&disk);
    ck_assert_uint_eq(probe_live(&P, 7), _i ? 0 : 300);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal_failure");
    TCase *tests = tcase_create("failure");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 1200);
    tcase_add_loop_test(tests, a_failed_write_is_tried_until_it_succeeds, 0, CASES);
    tcase_add_loop_test(tests, a_crash_while_writing_fails_loses_nothing_committed, 0, CASES);
    tcase_add_loop_test(tests, much_happens_while_writing_fails, 0, 3);
    tcase_add_test(tests, closing_while_writing_fails_gives_up);
    tcase_add_test(tests, a_database_that_cannot_be_made_is_made_later);
    tcase_add_test(tests, transients_that_cannot_be_stored_are_told);
    tcase_add_test(tests, reading_waits_for_memory);
    tcase_add_test(tests, reading_waits_for_descriptors);
    tcase_add_test(tests, reading_waits_for_the_disk);
    tcase_add_test(tests, paged_out_messages_wait_for_the_disk);
    tcase_add_loop_test(tests, a_stalled_journal_closes, 0, 2);
    suite_add_tcase(suite, tests);
    tests = tcase_create("full");
    tcase_add_checked_fixture(tests, NULL, NULL);
    tcase_set_timeout(tests, 1200);
    tcase_add_loop_test(tests, a_full_disk_is_left_by_itself, 0, 5);
    tcase_add_test(tests, another_program_fills_the_disk);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
