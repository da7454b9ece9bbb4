/* What a crash leaves half written is cut off, and only that: torn last writes in the log, half
 * records in the manifest. After a stop in order the same bytes are damage. */
#include <check.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/leveldb/verify.h"
#include "journal_disk.h"
#include "leveret/base/file.h"

static struct journal_disk disk;
#define J disk.journal
#define P disk.probe

#define LIVE 60u /* messages in the sound database */

static void keep(void)
{
    disk_shell("rm -rf '%s.sound' && cp -r '%s' '%s.sound'", disk.path, disk.path, disk.path);
}

static void restore(bool crashed)
{
    disk_shell("rm -rf '%s' && cp -r '%s.sound' '%s'", disk.path, disk.path, disk.path);
    if (crashed)
        disk_shell("rm '%s/clean'", disk.path);
}

/* The one file of this pattern: the newest. */
static void find_file(const char *pattern, char *name, size_t room)
{
    char whole[300];
    glob_t found;
    snprintf(whole, sizeof whole, "%s/%s", disk.path, pattern);
    ck_assert_int_eq(glob(whole, 0, NULL, &found), 0);
    snprintf(name, room, "%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
}

static long size_of(const char *name)
{
    struct stat about;
    ck_assert_int_eq(stat(name, &about), 0);
    return (long)about.st_size;
}

static void write_at(const char *name, long offset, const void *bytes, size_t len)
{
    int fd = open(name, O_WRONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, len, offset), (ssize_t)len);
    close(fd);
}

static void fill(const char *name, long from, long to, int byte)
{
    uint8_t buffer[512];
    memset(buffer, byte, sizeof buffer);
    for (long at = from; at < to; at += (long)sizeof buffer)
        write_at(name, at, buffer, to - at < 512 ? (size_t)(to - at) : sizeof buffer);
}

static char log_name[300];
static long log_sound, log_end; /* where the last write begins and ends */

/* A database whose log ends with one write of some 20 KiB. */
static void setup(void)
{
    disk_begin(&disk, NULL);
    struct journal_lane *lane = journal_lane_new(J, 7);
    for (uint64_t seq = 1; seq <= LIVE; seq++) {
        probe_append(J, lane, seq, 100);
        if (seq % 20 == 0)
            disk_commit(&disk);
    }
    find_file("*.log", log_name, sizeof log_name);
    log_sound = size_of(log_name);
    for (uint64_t seq = LIVE + 1; seq <= LIVE + 100; seq++)
        probe_append(J, lane, seq, 200);
    disk_commit(&disk);
    log_end = size_of(log_name);
    ck_assert_int_gt(log_end - log_sound, 3 * 4096);
    disk_close(&disk);
    keep();
}

static void teardown(void)
{
    disk_end(&disk);
}

static enum status start(void)
{
    char *error = NULL;
    enum status status = disk_restart_fails(&disk, &error);
    free(error);
    return status;
}

/* Each page of the last write may be there or not, the first and the last too. */
START_TEST(a_torn_last_write_is_dropped)
{
    long first_page = log_sound / 4096 + 1, last_page = (log_end - 1) / 4096;
    unsigned starts = 0;
    for (unsigned there = 0; there + 1u < 1u << (last_page - first_page + 2); there++) {
        restore(true);
        for (long page = first_page - 1; page <= last_page; page++) {
            long from = page * 4096 > log_sound ? page * 4096 : log_sound;
            long to = (page + 1) * 4096 < log_end ? (page + 1) * 4096 : log_end;
            if (!(there >> (page - first_page + 1) & 1))
                fill(log_name, from, to, there % 2 ? 0 : 0xa5);
        }
        ck_assert_msg(start() == STATUS_OK, "pages %x", there);
        ck_assert_uint_eq(probe_live(&P, 7), LIVE);
        starts++;
    }
    ck_assert_uint_ge(starts, 7);
}
END_TEST

START_TEST(after_a_stop_in_order_it_is_damage)
{
    restore(false);
    fill(log_name, log_end - 4096, log_end, 0);
    ck_assert_int_eq(start(), STATUS_CORRUPT);
    ck_assert_int_eq(size_of(log_name), log_end);
    restore(false);
    ck_assert_int_eq(start(), STATUS_OK);
    ck_assert_uint_eq(probe_live(&P, 7), LIVE + 100);
}
END_TEST

START_TEST(damage_before_something_sound_is_damage)
{
    for (long at = 0; at < log_sound - 100; at += log_sound / 9) {
        restore(true);
        fill(log_name, at, at + 20, 0xa5);
        ck_assert_msg(start() == STATUS_CORRUPT, "byte %ld", at);
        ck_assert_int_eq(size_of(log_name), log_end);
    }
}
END_TEST

START_TEST(what_was_cut_is_told)
{
    restore(true);
    fill(log_name, log_end - 4096, log_end, 0);
    struct verify_rest rest;
    char *error;
    ck_assert_int_eq(verify_database(disk.path, UINT64_MAX, VERIFY_AFTER_CRASH, &rest, &error),
                     STATUS_OK);
    ck_assert_ptr_nonnull(strstr(rest.cut, log_name));
    ck_assert_int_eq(size_of(log_name), log_sound);
    free(rest.cut);
    free(rest.tables);
    ck_assert_int_eq(verify_database(disk.path, UINT64_MAX, VERIFY_AFTER_CRASH, &rest, &error),
                     STATUS_OK);
    ck_assert_ptr_null(rest.cut);
    free(rest.tables);
}
END_TEST

/* ---- The manifest. */

/* Appends to the manifest the first `half` bytes of its last record, and its last record whole. */
static void append_half_record(char *name, size_t half, bool and_whole)
{
    uint8_t bytes[8192];
    find_file("MANIFEST-*", name, 300);
    int fd = open(name, O_RDWR);
    ssize_t len = read(fd, bytes, sizeof bytes);
    ck_assert_int_gt(len, 0);
    long at = 0, last = 0;
    while (at < len) {
        last = at;
        at += 7 + (bytes[at + 4] | bytes[at + 5] << 8);
    }
    ck_assert_int_eq(at, len);
    ck_assert_uint_lt(half, (size_t)(len - last));
    ck_assert_int_eq(pwrite(fd, bytes + last, half, len), (ssize_t)half);
    if (and_whole)
        ck_assert_int_eq(pwrite(fd, bytes + last, (size_t)(len - last), len + (long)half),
                         len - last);
    close(fd);
}

START_TEST(a_half_record_in_the_manifest_is_cut_off)
{
    char name[300];
    for (size_t half = 1; half < 12; half += 2) {
        for (int and_whole = 0; and_whole < 2; and_whole++) {
            restore(true);
            append_half_record(name, half, and_whole);
            ck_assert_msg(start() == STATUS_OK, "%zu bytes", half);
            ck_assert_uint_eq(probe_live(&P, 7), LIVE + 100);
        }
    }
    restore(false);
    append_half_record(name, 9, true);
    ck_assert_int_eq(start(), STATUS_CORRUPT);
}
END_TEST

START_TEST(a_manifest_is_mended_before_the_database_is_opened_again)
{
    char name[300], *cut, *error;
    restore(true);
    find_file("MANIFEST-*", name, sizeof name);
    long sound = size_of(name);
    append_half_record(name, 10, true);
    ck_assert_int_eq(verify_mend_manifest(disk.path, &cut, &error), STATUS_OK);
    ck_assert_ptr_nonnull(strstr(cut, name));
    ck_assert_int_eq(size_of(name), sound);
    free(cut);
    ck_assert_int_eq(verify_mend_manifest(disk.path, &cut, &error), STATUS_OK);
    ck_assert_ptr_null(cut);
}
END_TEST

/* Cut off there, it would name a file that is not there. */
START_TEST(a_manifest_that_would_lack_something_is_damage)
{
    char name[300], first_log[300];
    restore(true);
    find_file("*.log", first_log, sizeof first_log);
    append_half_record(name, 10, true);
    ck_assert_int_eq(unlink(first_log), 0);
    long whole = size_of(name);
    ck_assert_int_eq(start(), STATUS_CORRUPT);
    ck_assert_int_eq(size_of(name), whole);
}
END_TEST

/* ---- Files that are written once. */

START_TEST(a_file_is_replaced_whole)
{
    char name[300], text[20] = "";
    snprintf(name, sizeof name, "%s/once", disk.directory);
    ck_assert_int_eq(file_replace(name, BYTES_LITERAL("first")), STATUS_OK);
    ck_assert_int_eq(file_replace(name, BYTES_LITERAL("2nd")), STATUS_OK);
    FILE *file = fopen(name, "r");
    ck_assert_uint_eq(fread(text, 1, sizeof text, file), 3);
    ck_assert_str_eq(text, "2nd");
    fclose(file);
    snprintf(name, sizeof name, "%s/once.new", disk.directory);
    ck_assert_int_ne(access(name, F_OK), 0);
    snprintf(name, sizeof name, "%s/none/once", disk.directory);
    ck_assert_int_eq(file_replace(name, BYTES_LITERAL("x")), STATUS_IO);
    ck_assert_int_eq(file_sync_parent(name), STATUS_IO);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("torn");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_torn_last_write_is_dropped);
    tcase_add_test(tests, after_a_stop_in_order_it_is_damage);
    tcase_add_test(tests, damage_before_something_sound_is_damage);
    tcase_add_test(tests, what_was_cut_is_told);
    tcase_add_test(tests, a_half_record_in_the_manifest_is_cut_off);
    tcase_add_test(tests, a_manifest_is_mended_before_the_database_is_opened_again);
    tcase_add_test(tests, a_manifest_that_would_lack_something_is_damage);
    tcase_add_test(tests, a_file_is_replaced_whole);
    Suite *suite = suite_create("journal_torn");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
