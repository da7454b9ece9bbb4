/* The log: what a line looks like, what is left out, and rotation. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/log.h"
#include "leveret/base/number.h"

static char path[64], moved[80];
static struct log *logger;
static char content[16384];

static void setup(void)
{
    snprintf(path, sizeof path, "test_log.%d.log", (int)getpid());
    snprintf(moved, sizeof moved, "%s.1", path);
    ck_assert_int_eq(log_open(path, LOG_INFO, LOG_TEXT, &logger), STATUS_OK);
}

static void teardown(void)
{
    log_close(&logger);
    unlink(path);
    unlink(moved);
}

static const char *read_back(const char *from)
{
    FILE *file = fopen(from, "r");
    ck_assert_ptr_nonnull(file);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return content;
}

START_TEST(a_line)
{
    struct tm time;
    uint64_t milliseconds;
    log_line(logger, LOG_WARNING, "connection", "user=%s", "alice");
    log_line(logger, LOG_DEBUG, "connection", "below the level");
    const char *at = strptime(read_back(path), "%Y-%m-%dT%H:%M:%S.", &time);
    ck_assert_ptr_nonnull(at);
    at = number_scan(at, &milliseconds);
    ck_assert_ptr_nonnull(at);
    ck_assert_uint_lt(milliseconds, 1000);
    ck_assert_str_eq(at, "Z warning connection: user=alice\n");
}
END_TEST

START_TEST(levels)
{
    enum log_level level;
    log_set_level(logger, LOG_DEBUG);
    log_line(logger, LOG_DEBUG, "a", "one");
    log_set_level(logger, LOG_NONE);
    log_line(logger, LOG_ERROR, "a", "two");
    log_line(NULL, LOG_ERROR, "a", "three");
    ck_assert_ptr_nonnull(strstr(read_back(path), "debug a: one"));
    ck_assert_ptr_null(strstr(content, "two"));
    ck_assert_int_eq(log_level_parse("Warning", &level), STATUS_OK);
    ck_assert_int_eq(level, LOG_WARNING);
    ck_assert_int_eq(log_level_parse("critical", &level), STATUS_OK);
    ck_assert_int_eq(level, LOG_ERROR);
    ck_assert_int_eq(log_level_parse("loud", &level), STATUS_MALFORMED);
}
END_TEST

START_TEST(control_characters_break_no_line)
{
    log_line(logger, LOG_ERROR, "a", "queue '%s'", "x\n2026 error forged: \x1b[2J");
    read_back(path);
    ck_assert_ptr_eq(strchr(content, '\n'), content + strlen(content) - 1);
    ck_assert_ptr_null(strchr(content, '\x1b'));
    ck_assert_ptr_nonnull(strstr(content, "x\\x0a2026"));
}
END_TEST

START_TEST(long_lines_are_cut)
{
    static char longest[20000];
    memset(longest, '\n', sizeof longest - 1); /* each grows when it is escaped */
    log_line(logger, LOG_ERROR, "a", "%s", longest);
    ck_assert_uint_le(strlen(read_back(path)), 4096);
    ck_assert_int_eq(content[strlen(content) - 1], '\n');
}
END_TEST

/* The text of the only line, without its newline. */
static const char *only_text(void)
{
    char *at = strstr(read_back(path), " error a: ");
    ck_assert_ptr_nonnull(at);
    at[strcspn(at, "\n")] = '\0';
    return at + strlen(" error a: ");
}

START_TEST(texts_are_cut)
{
    static char longest[5000], expected[600];
    memset(longest, 'x', sizeof longest - 1);
    memset(expected, 'x', LOG_VALUE_BYTES_MAX);
    snprintf(expected + LOG_VALUE_BYTES_MAX, sizeof expected - LOG_VALUE_BYTES_MAX,
             "\xe2\x80\xa6|%.256s\xe2\x80\xa6|7", longest);
    log_line(logger, LOG_ERROR, "a", "%s|%.*s|%d", longest, (int)sizeof longest - 1, longest, 7);
    ck_assert_str_eq(only_text(), expected);
}
END_TEST

START_TEST(a_text_of_just_the_limit_is_whole)
{
    char text[LOG_VALUE_BYTES_MAX + 1] = {0};
    memset(text, 'y', LOG_VALUE_BYTES_MAX);
    log_line(logger, LOG_ERROR, "a", "%s", text);
    ck_assert_str_eq(only_text(), text);
}
END_TEST

START_TEST(a_format_may_choose_its_limit)
{
    static char text[1001];
    memset(text, 'z', sizeof text - 1);
    log_line(logger, LOG_ERROR, "a", "%.1000s", text);
    ck_assert_str_eq(only_text(), text);
}
END_TEST

START_TEST(a_cut_leaves_characters_whole)
{
    char text[2 * LOG_VALUE_BYTES_MAX + 1] = "a";
    for (size_t i = 1; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "\xc3\xa4", 3);
    log_line(logger, LOG_ERROR, "a", "%s", text);
    ck_assert_uint_eq(strlen(only_text()), LOG_VALUE_BYTES_MAX - 1 + strlen("\xe2\x80\xa6"));
}
END_TEST

START_TEST(numbers_of_all_sizes)
{
    log_line(logger, LOG_ERROR, "a", "%d %u %02x %lu %llu %zu %c %% %.2f %s", -5, 6u, 7u, 8ul, 9ull,
             (size_t)10, 'c', 1.5, "end");
    ck_assert_str_eq(only_text(), "-5 6 07 8 9 10 c % 1.50 end");
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
    log_line(logger, LOG_ERROR, "a", "%.*s", 9, "a\0b\xff\xc2\x85\xc3\xa4");
    ck_assert_str_eq(only_text(), "a\\x00b\\xff\\x85\xc3\xa4\\x00");
}
END_TEST

START_TEST(bytes_that_are_no_text_in_json)
{
    struct log *other;
    log_close(&logger);
    ck_assert_int_eq(log_open(path, LOG_INFO, LOG_JSON, &other), STATUS_OK);
    log_line(other, LOG_INFO, "area", "%.*s", 8, "a\0b\xff\xc2\x85\n\"");
    log_close(&other);
    ck_assert_ptr_nonnull(
        strstr(read_back(path), "\"text\":\"a\\u0000b\\ufffd\\u0085\\u000a\\\"\"}\n"));
}
END_TEST

START_TEST(json)
{
    struct log *other;
    log_close(&logger);
    ck_assert_int_eq(log_open(path, LOG_INFO, LOG_JSON, &other), STATUS_OK);
    log_line(other, LOG_INFO, "area", "say \"it\" \\ \t");
    log_close(&other);
    ck_assert_ptr_null(other);
    ck_assert(strncmp(read_back(path), "{\"time\":\"2", 10) == 0);
    ck_assert_ptr_nonnull(strstr(content,
                                 "\"level\":\"info\",\"area\":\"area\",\"text\":\"say \\\"it\\\" "
                                 "\\\\ \\u0009\"}\n"));
}
END_TEST

START_TEST(rotation)
{
    log_line(logger, LOG_INFO, "a", "before");
    ck_assert_int_eq(rename(path, moved), 0);
    log_line(logger, LOG_INFO, "a", "between");
    ck_assert_int_eq(log_reopen(logger), STATUS_OK);
    log_line(logger, LOG_INFO, "a", "after");
    read_back(moved);
    ck_assert(strstr(content, "before") && strstr(content, "between"));
    ck_assert_ptr_null(strstr(content, "after"));
    ck_assert_ptr_nonnull(strstr(read_back(path), "after"));
}
END_TEST

START_TEST(no_such_directory)
{
    struct log *other = NULL;
    ck_assert_int_eq(log_open("no/such/directory/log", LOG_INFO, LOG_TEXT, &other), STATUS_IO);
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_line);
    tcase_add_test(tc, levels);
    tcase_add_test(tc, control_characters_break_no_line);
    tcase_add_test(tc, long_lines_are_cut);
    tcase_add_test(tc, texts_are_cut);
    tcase_add_test(tc, a_text_of_just_the_limit_is_whole);
    tcase_add_test(tc, a_format_may_choose_its_limit);
    tcase_add_test(tc, a_cut_leaves_characters_whole);
    tcase_add_test(tc, numbers_of_all_sizes);
    tcase_add_test(tc, bytes_that_are_no_text);
    tcase_add_test(tc, bytes_that_are_no_text_in_json);
    tcase_add_test(tc, json);
    tcase_add_test(tc, rotation);
    tcase_add_test(tc, no_such_directory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
