/* A flipped byte anywhere in the journal's files is noticed at start, with the file's name, and
 * nothing is removed; or it does not matter. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/leveldb/verify.h"
#include "journal_disk.h"
#include "leveret/journal/key_store.h"

static struct journal_disk disk;
#define J disk.journal
#define P disk.probe

/* What recovery told, to be compared. */
static struct probe sound;

static void make_database(void)
{
    struct journal_lane *lane = journal_lane_new(J, 7);
    journal_put(J, BYTES_LITERAL("definition"), BYTES_LITERAL("value"));
    for (uint64_t seq = 1; seq < 50; seq++) {
        probe_append(J, lane, seq, 100);
        disk_commit(&disk);
    }
    probe_append(J, lane, 50, 150000);
    journal_delivered(J, lane, 10);
    disk_commit(&disk);
    disk_restart(&disk); /* the log becomes a table */
    lane = probe_lane(&P, 7);
    for (uint64_t seq = 51; seq < 2000; seq++)
        probe_append(J, lane, seq, 1000);
    probe_append(J, lane, 2000, 200000);
    disk_commit(&disk);
    for (uint64_t seq = 2001; seq < 2020; seq++) {
        probe_append(J, lane, seq, 70);
        disk_commit(&disk);
    }
    disk_close(&disk);
    sound = (struct probe){0};
}

static void setup(void)
{
    disk_begin(&disk, NULL);
    make_database();
    disk_shell("cp -r '%s' '%s.sound'", disk.path, disk.path);
    disk_open(&disk);
    sound = P;
    disk_close(&disk);
    memset(&P, 0, sizeof P);
}

static void teardown(void)
{
    disk_end(&disk);
}

static void restore(void)
{
    disk_shell("rm -rf '%s' && cp -r '%s.sound' '%s'", disk.path, disk.path, disk.path);
}

static void flip(const char *name, long offset)
{
    uint8_t byte;
    int fd = open(name, O_RDWR);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x41;
    ck_assert_int_eq(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

/* Whether recovery told the same as with the sound files. */
static bool is_same(void)
{
    if (strcmp(P.definition, sound.definition) != 0 || P.lanes != sound.lanes ||
        P.chunks != sound.chunks || probe_delivered(&P, 7) != probe_delivered(&sound, 7))
        return false;
    for (unsigned i = 0; i < P.chunks; i++)
        if (P.chunk[i].chunk != sound.chunk[i].chunk ||
            memcmp(P.chunk[i].live, sound.chunk[i].live, sizeof P.chunk[i].live) != 0)
            return false;
    return true;
}

/* Flips the byte and starts. Returns whether it was noticed. */
static bool is_noticed(const char *last, long offset)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", disk.path, last);
    flip(name, offset);
    char *error;
    enum status status = disk_restart_fails(&disk, &error);
    if (status == STATUS_OK) {
        ck_assert_msg(is_same(), "%s: byte %ld flipped: started with other content", last, offset);
        return false;
    }
    ck_assert_int_eq(status, STATUS_CORRUPT);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error, last) || strcmp(last, "CURRENT") == 0, "%s: byte %ld: %s", last,
                  offset, error);
    ck_assert_ptr_nonnull(strstr(error, disk.path));
    free(error);
    ck_assert_int_eq(access(name, F_OK), 0);
    return true;
}

START_TEST(a_flipped_byte_is_noticed)
{
    char sound_path[256];
    snprintf(sound_path, sizeof sound_path, "%s.sound", disk.path);
    DIR *directory = opendir(sound_path);
    unsigned files = 0, kinds = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat about;
        const char *name = entry->d_name;
        if (name[0] == '.' || strncmp(name, "LO", 2) == 0 || strcmp(name, "reserve") == 0)
            continue; /* LOG, LOCK */
        ck_assert_int_eq(fstatat(dirfd(directory), name, &about, 0), 0);
        files++;
        kinds |= strstr(name, ".ldb") ? 1 : strstr(name, ".log") ? 2 : name[0] == 's' ? 4 : 0;
        long stride = about.st_size < 60 ? 1 : about.st_size / 40;
        unsigned flips = 0, noticed = 0;
        for (long offset = 0; offset < about.st_size; offset += stride, flips++) {
            restore();
            noticed += is_noticed(name, offset);
        }
        /* Little of what is there does not matter. */
        ck_assert_msg(noticed * 10 >= flips * 9, "%s: %u of %u", name, noticed, flips);
    }
    closedir(directory);
    ck_assert_uint_ge(files, 5);
    ck_assert_uint_eq(kinds, 7);
}
END_TEST

START_TEST(each_byte_of_the_logs_end_is_noticed)
{
    char command[600], name[64] = "";
    snprintf(command, sizeof command, "basename $(ls '%s.sound'/*.log)", disk.path);
    FILE *pipe = popen(command, "r");
    ck_assert_int_eq(fscanf(pipe, "%63s", name), 1);
    pclose(pipe);
    struct stat about;
    char path[512];
    snprintf(path, sizeof path, "%s.sound/%s", disk.path, name);
    ck_assert_int_eq(stat(path, &about), 0);
    for (long offset = about.st_size - 150; offset < about.st_size; offset++) {
        restore();
        ck_assert_msg(is_noticed(name, offset), "%s: byte %ld", name, offset);
    }
}
END_TEST

START_TEST(missing_and_short_files_are_noticed)
{
    static const char *const damages[] = {"rm *.ldb",
                                          "rm segment-000001",
                                          "rm MANIFEST-*",
                                          "truncate -s -1 segment-000001",
                                          "for f in *.ldb; do truncate -s -1 $f; done",
                                          "echo MANIFEST-999999 > CURRENT",
                                          ": > CURRENT"};
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char *error;
        restore();
        disk_shell("cd '%s' && %s", disk.path, damages[i]);
        ck_assert_msg(disk_restart_fails(&disk, &error) == STATUS_CORRUPT, "%s", damages[i]);
        ck_assert_ptr_nonnull(strstr(error, disk.path));
        free(error);
    }
}
END_TEST

START_TEST(a_log_cut_off_anywhere_is_no_damage)
{
    for (int cut = 1; cut < 400; cut += 7) {
        char *error;
        restore();
        disk_shell("cd '%s' && truncate -s -%d *.log", disk.path, cut);
        enum status status = disk_restart_fails(&disk, &error);
        ck_assert_msg(status == STATUS_OK, "%d: %s", cut, error ? error : "");
        ck_assert_uint_ge(probe_live(&P, 7), probe_live(&sound, 7) - 3);
    }
}
END_TEST

START_TEST(pages_with_damage_have_the_rest)
{
    /* The damage comes while it is open, so that only reading finds it. */
    restore();
    disk_open(&disk);
    struct journal_lane *lane = probe_lane(&P, 7);
    char name[512];
    struct stat about;
    snprintf(name, sizeof name, "%s/segment-000002", disk.path);
    if (access(name, F_OK) != 0)
        snprintf(name, sizeof name, "%s/segment-000001", disk.path);
    ck_assert_int_eq(stat(name, &about), 0);
    flip(name, about.st_size / 2);
    unsigned damaged = 0, found = 0;
    for (uint64_t chunk = 0; chunk < 4; chunk++) {
        disk_page_in(&disk, lane, chunk);
        damaged += P.page_status == STATUS_CORRUPT;
        found += (unsigned)P.page_count;
    }
    ck_assert_uint_eq(damaged, 1);
    ck_assert_uint_ge(found, 2019 - 512);
    ck_assert_uint_lt(found, 2019);
    disk_close(&disk);
}
END_TEST

START_TEST(another_format_is_refused)
{
    disk_shell("cp -r '%s.sound' '%s.other'", disk.path, disk.path);
    restore();
    struct key_store *store;
    char *error;
    ck_assert_int_eq(key_store_open(disk.path, &store, &error), STATUS_OK);
    struct key_store *second;
    char *second_error;
    ck_assert_int_eq(key_store_open(disk.path, &second, &second_error), STATUS_LOCKED);
    free(second_error);
    ck_assert_int_eq(disk_restart_fails(&disk, &error), STATUS_LOCKED);
    free(error);
    key_store_close(&store);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("damage");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 1200);
    tcase_add_test(tests, a_flipped_byte_is_noticed);
    tcase_add_test(tests, each_byte_of_the_logs_end_is_noticed);
    tcase_add_test(tests, missing_and_short_files_are_noticed);
    tcase_add_test(tests, a_log_cut_off_anywhere_is_no_damage);
    tcase_add_test(tests, pages_with_damage_have_the_rest);
    tcase_add_test(tests, another_format_is_refused);
    Suite *suite = suite_create("journal_damage");
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
