/* The log's outputs: levels and formats of each, levels of areas, rotation, systemd's journal. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "leveret/base/log.h"
#include "log_journald.h"

static char folder[] = "/tmp/test_log_outputs.XXXXXX", path[100], content[16384];
static struct log *logger;
static struct log_options options;

static void setup(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    options = (struct log_options){.file = {true, LOG_INFO, LOG_TEXT}, .path = path};
    options.rotation.count = 3;
}

static void teardown(void)
{
    log_close(&logger);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", folder, entry->d_name);
        unlink(file);
    }
    closedir(dir);
    rmdir(folder);
}

/* The content of the log's file, or with end of PATH.end; NULL: there is no such file. */
static const char *read_back(const char *end)
{
    char name[256];
    snprintf(name, sizeof name, "%s%s", path, end);
    FILE *file = fopen(name, "r");
    if (!file)
        return NULL;
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return content;
}

static bool file_has(const char *end, const char *text)
{
    const char *all = read_back(end);
    return all && strstr(all, text);
}

static void open_log(void)
{
    ck_assert_int_eq(log_new(&options, &logger), STATUS_OK);
}

/* ---- Levels and formats. */

static char tapped[4096];
static void tap(void *context, enum log_level level, struct bytes line)
{
    (void)context;
    (void)level;
    size_t at = strlen(tapped);
    snprintf(tapped + at, sizeof tapped - at, "%.*s\n", BYTES_PRINT(line));
}

START_TEST(each_output_has_its_level_and_format)
{
    options.file = (struct log_output){true, LOG_WARNING, LOG_JSON};
    options.tap = (struct log_output){true, LOG_DEBUG, LOG_TEXT};
    open_log();
    tapped[0] = '\0';
    log_set_tap(logger, tap, NULL);
    log_line(logger, LOG_DEBUG, "a", "one");
    log_line(logger, LOG_ERROR, "a", "two");
    ck_assert(!file_has("", "one"));
    ck_assert(file_has("", "\"level\":\"error\",\"area\":\"a\",\"text\":\"two\"}\n"));
    ck_assert_ptr_nonnull(strstr(tapped, "debug a: one\n"));
    ck_assert_ptr_nonnull(strstr(tapped, "error a: two\n"));
    options.tap.on = false;
    options.file = (struct log_output){true, LOG_DEBUG, LOG_TEXT};
    ck_assert_int_eq(log_set_options(logger, &options), STATUS_OK);
    log_line(logger, LOG_DEBUG, "a", "three");
    ck_assert(file_has("", "Z debug a: three\n"));
    ck_assert_ptr_null(strstr(tapped, "three"));
}
END_TEST

START_TEST(areas_have_levels)
{
    options.file.level = LOG_DEBUG;
    options.area_count = 2;
    options.areas[0] = (struct log_area_level){"connection", LOG_ERROR};
    options.areas[1] = (struct log_area_level){"default", LOG_INFO};
    open_log();
    log_line(logger, LOG_WARNING, "connection", "one");
    log_line(logger, LOG_ERROR, "connection", "two");
    log_line(logger, LOG_DEBUG, "queue", "three");
    log_line(logger, LOG_INFO, "queue", "four");
    ck_assert(!file_has("", "one"));
    ck_assert(file_has("", "two"));
    ck_assert(!file_has("", "three"));
    ck_assert(file_has("", "four"));
}
END_TEST

START_TEST(the_file_may_change)
{
    char other[160];
    open_log();
    log_line(logger, LOG_INFO, "a", "one");
    snprintf(other, sizeof other, "%s2", path);
    options.path = other;
    ck_assert_int_eq(log_set_options(logger, &options), STATUS_OK);
    log_line(logger, LOG_INFO, "a", "two");
    ck_assert(file_has("", "one"));
    ck_assert(!file_has("", "two"));
    ck_assert(file_has("2", "two"));
    options.path = "/no/such/folder/log";
    ck_assert_int_eq(log_set_options(logger, &options), STATUS_IO);
    log_line(logger, LOG_INFO, "a", "three");
    ck_assert(file_has("2", "three"));
}
END_TEST

/* ---- Rotation. */

START_TEST(by_size)
{
    options.rotation.bytes_max = 200;
    open_log();
    for (int i = 0; i < 40; i++)
        log_line(logger, LOG_INFO, "a", "number %d of a line of the log", i);
    ck_assert(file_has("", "number 39 "));
    ck_assert(file_has(".0", "number "));
    ck_assert(file_has(".1", "number "));
    ck_assert(file_has(".2", "number "));
    ck_assert_ptr_null(read_back(".3"));
    ck_assert_uint_lt(strlen(read_back(".0")), 400);
}
END_TEST

START_TEST(a_count_of_zero_keeps_none)
{
    options.rotation.bytes_max = 100;
    options.rotation.count = 0;
    open_log();
    for (int i = 0; i < 20; i++)
        log_line(logger, LOG_INFO, "a", "number %d of a line of the log", i);
    ck_assert(file_has("", "number 19 "));
    ck_assert(!file_has("", "number 0 "));
    ck_assert_ptr_null(read_back(".0"));
}
END_TEST

START_TEST(by_date)
{
    /* The last line of the file is two days old. */
    struct utimbuf old = {time(NULL) - 2 * 86400, time(NULL) - 2 * 86400};
    FILE *file = fopen(path, "w");
    fputs("an old line\n", file);
    fclose(file);
    ck_assert_int_eq(utime(path, &old), 0);
    ck_assert_int_eq(log_schedule_parse("$D0", &options.rotation.schedule), STATUS_OK);
    open_log();
    log_line(logger, LOG_INFO, "a", "new");
    log_line(logger, LOG_INFO, "a", "newer");
    ck_assert(file_has(".0", "an old line"));
    ck_assert(!file_has(".0", "new"));
    ck_assert(file_has("", "newer"));
    ck_assert_ptr_null(read_back(".1"));
}
END_TEST

static bool pretend_to_compress(const char *name)
{
    char target[256];
    snprintf(target, sizeof target, "%s.gz", name);
    return rename(name, target) == 0;
}

START_TEST(what_is_put_aside_may_be_compressed)
{
    options.rotation.compress = pretend_to_compress;
    open_log();
    log_line(logger, LOG_INFO, "a", "one");
    ck_assert_int_eq(log_rotate(logger), STATUS_OK);
    log_line(logger, LOG_INFO, "a", "two");
    ck_assert_int_eq(log_rotate(logger), STATUS_OK); /* waits for the first */
    log_close(&logger);                              /* and for the second */
    ck_assert(file_has(".1.gz", "one"));
    ck_assert(file_has(".0.gz", "two"));
    ck_assert_ptr_null(read_back(".0"));
}
END_TEST

START_TEST(a_file_that_cannot_be_moved_is_used_on)
{
    char blocked[160], inner[200];
    snprintf(blocked, sizeof blocked, "%s.0", path);
    snprintf(inner, sizeof inner, "%s/x", blocked);
    ck_assert_int_eq(mkdir(blocked, 0700), 0);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    options.rotation.count = 1;
    open_log();
    log_line(logger, LOG_INFO, "a", "one");
    ck_assert_int_eq(log_rotate(logger), STATUS_IO);
    log_line(logger, LOG_INFO, "a", "two");
    ck_assert(file_has("", "one"));
    ck_assert(file_has("", "two"));
    rmdir(inner);
    rmdir(blocked);
}
END_TEST

/* A device or a pipe stays where it is, whatever the rotation says. */
static void log_to_pipe(unsigned count)
{
    char got[4096];
    struct stat before, after;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    ck_assert_int_eq(stat(path, &before), 0);
    options.rotation.bytes_max = 10;
    options.rotation.count = count;
    ck_assert_int_eq(log_schedule_parse("$H0", &options.rotation.schedule), STATUS_OK);
    open_log();
    log_line(logger, LOG_INFO, "a", "a line that is longer than the limit");
    log_line(logger, LOG_INFO, "a", "another one");
    ck_assert_int_eq(log_rotate(logger), STATUS_NOT_FOUND);
    log_line(logger, LOG_INFO, "a", "the last one");
    ck_assert_int_eq(stat(path, &after), 0);
    ck_assert(S_ISFIFO(after.st_mode) && after.st_ino == before.st_ino);
    ssize_t len = read(reader, got, sizeof got - 1);
    ck_assert_int_gt(len, 0);
    got[len] = '\0';
    ck_assert_ptr_nonnull(strstr(got, "longer than"));
    ck_assert_ptr_nonnull(strstr(got, "the last one"));
    ck_assert_ptr_null(read_back(".0"));
    close(reader);
    log_close(&logger);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(what_is_no_file_is_never_put_aside)
{
    log_to_pipe(0);
    log_to_pipe(3);
}
END_TEST

/* ---- Schedules. */

START_TEST(schedules)
{
    static const char *const bad[] = {"D0",     "$D",    "$D24", "$H60",  "$W7", "$M0",  "$M32",
                                      "$W0D24", "$D0D0", "$D0 ", "daily", "$X1", "$Mlas"};
    static const struct {
        const char *text, *after, *next; /* local time */
    } good[] = {
        {"$D0", "2026-01-31 12:00:00", "2026-02-01 00:00:00"},
        {"$D23", "2026-01-31 12:00:00", "2026-01-31 23:00:00"},
        {"$D12", "2026-01-31 12:00:00", "2026-02-01 12:00:00"},
        {"$H30", "2026-01-31 12:29:59", "2026-01-31 12:30:00"},
        {"$H30", "2026-01-31 23:45:00", "2026-02-01 00:30:00"},
        {"$W0D23", "2026-01-30 12:00:00", "2026-02-01 23:00:00"}, /* a Friday */
        {"$W5", "2026-01-30 12:00:00", "2026-02-06 00:00:00"},
        {"$M1D4", "2026-01-01 03:00:00", "2026-01-01 04:00:00"},
        {"$M31", "2026-02-01 00:00:00", "2026-02-28 00:00:00"},
        {"$Mlast", "2028-02-28 00:00:01", "2028-02-29 00:00:00"},
        {"$M15", "2026-12-20 00:00:00", "2027-01-15 00:00:00"},
    };
    struct log_schedule schedule;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(log_schedule_parse(bad[i], &schedule) == STATUS_MALFORMED, "%s", bad[i]);
    ck_assert_int_eq(log_schedule_parse("", &schedule), STATUS_OK);
    ck_assert_uint_eq(log_schedule_next(&schedule, 1000), 0);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct tm tm = {.tm_isdst = -1}, got;
        char text[32];
        ck_assert_int_eq(log_schedule_parse(good[i].text, &schedule), STATUS_OK);
        ck_assert_ptr_nonnull(strptime(good[i].after, "%Y-%m-%d %H:%M:%S", &tm));
        tm.tm_isdst = -1;
        time_t next = (time_t)log_schedule_next(&schedule, (uint64_t)mktime(&tm));
        localtime_r(&next, &got);
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &got);
        ck_assert_msg(strcmp(text, good[i].next) == 0, "%s after %s: %s", good[i].text,
                      good[i].after, text);
    }
}
END_TEST

/* ---- systemd's journal. */

START_TEST(journald_gets_fields)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int journal = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(journal, (struct sockaddr *)&address, sizeof address), 0);
    int fd = log_journald_open(path);
    ck_assert_int_ge(fd, 0);
    log_journald_write(fd, LOG_WARNING, "alarm", bytes_of_text("memory is short"));
    char got[512] = "";
    ck_assert_int_gt(recv(journal, got, sizeof got - 1, 0), 0);
    ck_assert_str_eq(got, "PRIORITY=4\nSYSLOG_IDENTIFIER=leveretd\nLEVERET_AREA=alarm\n"
                          "MESSAGE=alarm: memory is short\n");
    close(fd);
    close(journal);
    ck_assert_int_eq(log_journald_open("/no/such/socket"), -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_output_has_its_level_and_format,
                                  areas_have_levels,
                                  the_file_may_change,
                                  by_size,
                                  a_count_of_zero_keeps_none,
                                  by_date,
                                  what_is_put_aside_may_be_compressed,
                                  a_file_that_cannot_be_moved_is_used_on,
                                  what_is_no_file_is_never_put_aside,
                                  schedules,
                                  journald_gets_fields};
    Suite *suite = suite_create("log_outputs");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
