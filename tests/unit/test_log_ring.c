/* The last lines of the log: order, levels, what is lost, records that run over the ring's end. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/log_ring.h"

static void expect_line(struct log_ring *ring, unsigned level, uint64_t *next, uint64_t *missed,
                        const char *wanted)
{
    struct text line = {0};
    bool found = log_ring_read(ring, level, next, missed, &line);
    ck_assert_int_eq(found, wanted != NULL);
    if (wanted)
        ck_assert_msg(bytes_equal_text(text_bytes(&line), wanted), "%.*s, not %s",
                      BYTES_PRINT(text_bytes(&line)), wanted);
    text_free(&line);
}

START_TEST(lines_in_order)
{
    struct log_ring *ring = log_ring_new(1000);
    uint64_t next = 0, missed = 0, first, end;
    expect_line(ring, 0, &next, &missed, NULL);
    log_ring_add(ring, 1, BYTES_LITERAL("a"));
    log_ring_add(ring, 2, BYTES_LITERAL(""));
    log_ring_add(ring, 1, BYTES_LITERAL("ccc"));
    expect_line(ring, 0, &next, &missed, "a");
    expect_line(ring, 0, &next, &missed, "");
    expect_line(ring, 0, &next, &missed, "ccc");
    expect_line(ring, 0, &next, &missed, NULL);
    log_ring_add(ring, 1, BYTES_LITERAL("d"));
    expect_line(ring, 0, &next, &missed, "d");
    ck_assert_uint_eq(missed, 0);
    log_ring_span(ring, &first, &end);
    ck_assert_uint_eq(first, 0);
    ck_assert_uint_eq(end, 4);
    log_ring_free(&ring);
    ck_assert_ptr_null(ring);
}
END_TEST

START_TEST(levels_are_skipped)
{
    struct log_ring *ring = log_ring_new(1000);
    uint64_t next = 0, missed = 0;
    log_ring_add(ring, 1, BYTES_LITERAL("a"));
    log_ring_add(ring, 3, BYTES_LITERAL("b"));
    log_ring_add(ring, 1, BYTES_LITERAL("c"));
    expect_line(ring, 2, &next, &missed, "b");
    expect_line(ring, 2, &next, &missed, NULL);
    ck_assert_uint_eq(next, 3);
    ck_assert_uint_eq(missed, 0);
    log_ring_free(&ring);
}
END_TEST

/* Two readers at different places, and a ring of a size that no record divides. */
START_TEST(old_lines_go)
{
    struct log_ring *ring = log_ring_new(101);
    uint64_t slow = 0, slow_missed = 0, quick = 0, quick_missed = 0, first, end;
    char line[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(line, sizeof line, "line %u%.*s", i, (int)(i % 7), "------");
        log_ring_add(ring, 1, bytes_of_text(line));
        expect_line(ring, 0, &quick, &quick_missed, line);
        expect_line(ring, 0, &quick, &quick_missed, NULL);
    }
    ck_assert_uint_eq(quick_missed, 0);
    log_ring_span(ring, &first, &end);
    ck_assert_uint_eq(end, 1000);
    ck_assert_uint_gt(first, 990);
    ck_assert_uint_lt(first, 999);
    for (uint64_t i = first; i < 1000; i++) {
        snprintf(line, sizeof line, "line %u%.*s", (unsigned)i, (int)(i % 7), "------");
        expect_line(ring, 0, &slow, &slow_missed, line);
    }
    expect_line(ring, 0, &slow, &slow_missed, NULL);
    ck_assert_uint_eq(slow_missed, first);
    log_ring_free(&ring);
}
END_TEST

START_TEST(too_long_a_line)
{
    struct log_ring *ring = log_ring_new(64);
    uint64_t next = 0, missed = 0;
    char line[65];
    memset(line, 'x', sizeof line);
    log_ring_add(ring, 1, BYTES_LITERAL("kept"));
    log_ring_add(ring, 1, bytes_of(line, 57));
    expect_line(ring, 0, &next, &missed, "kept");
    log_ring_add(ring, 1, bytes_of(line, 56)); /* just fits, alone */
    struct text out = {0};
    ck_assert(log_ring_read(ring, 0, &next, &missed, &out));
    ck_assert_uint_eq(out.len, 56);
    text_free(&out);
    log_ring_free(&ring);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log_ring");
    TCase *tests = tcase_create("log_ring");
    tcase_add_test(tests, lines_in_order);
    tcase_add_test(tests, levels_are_skipped);
    tcase_add_test(tests, old_lines_go);
    tcase_add_test(tests, too_long_a_line);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
