/* Log-in attempts: what is late, what is refused, what is told, and that nobody is locked out by
 * somebody else's failures. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/auth/attempts.h"

static struct attempts *attempts;
static bool tell;

static void setup(void)
{
    attempts = attempts_new();
}

static void teardown(void)
{
    attempts_free(&attempts);
}

static struct attempt attempt_of(const char *address, const char *user, uint64_t now_ms)
{
    return (struct attempt){ATTEMPT_HTTP, address, bytes_of_text(user), now_ms};
}

/* One attempt as a log-in makes it; returns how late its answer is. *allowed tells whether the
 * password was looked at. */
static uint32_t try_in(const char *address, const char *user, uint64_t now_ms, bool good,
                       bool *allowed)
{
    struct attempt attempt = attempt_of(address, user, now_ms);
    *allowed = attempts_allowed(attempts, &attempt);
    return attempts_count(attempts, &attempt, *allowed, *allowed && good, &tell);
}

static void fail_often(const char *address, const char *user, uint64_t now_ms, unsigned times)
{
    bool allowed;
    for (unsigned i = 0; i < times; i++)
        (void)try_in(address, user, now_ms, false, &allowed);
}

START_TEST(failures_are_late_and_then_refused)
{
    bool allowed;
    for (unsigned i = 0; i < ATTEMPTS_PAIR_LATE; i++)
        ck_assert_uint_eq(try_in("192.0.2.1", "alice", 0, false, &allowed), 0);
    for (unsigned i = ATTEMPTS_PAIR_LATE; i < ATTEMPTS_PAIR_REFUSED; i++) {
        ck_assert_uint_eq(try_in("192.0.2.1", "alice", 0, false, &allowed), ATTEMPTS_LATE_MS);
        ck_assert(allowed);
    }
    ck_assert_uint_eq(try_in("192.0.2.1", "alice", 0, true, &allowed), ATTEMPTS_LATE_MS);
    ck_assert_msg(!allowed, "not even the right password is looked at");
    ck_assert(!tell);
}
END_TEST

START_TEST(others_are_not_refused)
{
    bool allowed;
    fail_often("192.0.2.1", "alice", 0, 1000);
    ck_assert_uint_eq(try_in("192.0.2.1", "bob", 0, true, &allowed), 0);
    ck_assert(allowed);
    ck_assert_uint_eq(try_in("192.0.2.2", "alice", 0, true, &allowed), 0);
    ck_assert(allowed);
}
END_TEST

START_TEST(a_lock_out_ends)
{
    bool allowed;
    fail_often("192.0.2.1", "alice", 0, 1000);
    (void)try_in("192.0.2.1", "alice", 999 / ATTEMPTS_PAIR_DRAIN, true, &allowed);
    ck_assert(!allowed);
    ck_assert_uint_eq(try_in("192.0.2.1", "alice", 1000 / ATTEMPTS_PAIR_DRAIN, true, &allowed), 0);
    ck_assert(allowed);
    ck_assert_uint_eq(try_in("192.0.2.1", "alice", 1000 / ATTEMPTS_PAIR_DRAIN, false, &allowed), 0);
}
END_TEST

START_TEST(made_up_names_lock_nobody_out)
{
    char user[32];
    bool allowed;
    uint32_t late_ms = 0;
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(user, sizeof user, "nobody%u", i);
        late_ms = try_in("192.0.2.1", user, i / 100, false, &allowed);
        ck_assert(allowed);
    }
    ck_assert_uint_eq(late_ms, ATTEMPTS_LATE_MS);
    ck_assert(!tell);
    ck_assert_uint_eq(try_in("192.0.2.1", "alice", 1000, true, &allowed), 0);
    ck_assert(allowed);
    ck_assert_uint_eq(try_in("192.0.2.2", "alice", 1000, false, &allowed), 0);
    ck_assert(tell);
}
END_TEST

/* The pair under attack stays known, however many other names are made up meanwhile. */
START_TEST(a_flood_of_names_hides_no_attack)
{
    char user[32];
    bool allowed;
    fail_often("192.0.2.1", "alice", 0, ATTEMPTS_PAIR_REFUSED);
    for (unsigned i = 0; i < 100000; i++) {
        snprintf(user, sizeof user, "nobody%u", i);
        (void)try_in("192.0.2.1", user, 0, false, &allowed);
    }
    (void)try_in("192.0.2.1", "alice", 0, true, &allowed);
    ck_assert(!allowed);
}
END_TEST

static bool source_is(const struct attempts_source *source, const char *address, const char *user)
{
    return strcmp(source->address, address) == 0 &&
           bytes_equal_text(bytes_of(source->user, source->user_len), user);
}

START_TEST(counts_by_protocol_and_source)
{
    struct attempt other = {ATTEMPT_AMQP, "192.0.2.1", BYTES_LITERAL("alice"), 0};
    struct attempts_counts counts;
    size_t count, seen = 0;
    bool allowed;
    fail_often("192.0.2.1", "alice", 0, 3);
    (void)try_in("192.0.2.1", "alice", 0, true, &allowed);
    (void)attempts_count(attempts, &other, true, true, &tell);
    attempts_totals(attempts, ATTEMPT_HTTP, &counts);
    ck_assert(counts.all == 4 && counts.failed == 3);
    attempts_totals(attempts, ATTEMPT_AMQP, &counts);
    ck_assert(counts.all == 1 && counts.failed == 0);
    struct attempts_source *sources = attempts_sources(attempts, &count);
    ck_assert_uint_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        ck_assert(source_is(&sources[i], "192.0.2.1", "alice"));
        seen += sources[i].counts.all;
    }
    ck_assert_uint_eq(seen, 5);
    free(sources);
    attempts_reset(attempts);
    attempts_totals(attempts, ATTEMPT_HTTP, &counts);
    ck_assert_uint_eq(counts.all, 0);
    free(attempts_sources(attempts, &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

START_TEST(sources_are_bounded)
{
    static char user[2 * ATTEMPTS_USER_BYTES];
    size_t count;
    bool allowed;
    for (unsigned i = 0; i < 3 * ATTEMPTS_SOURCES_MAX; i++) {
        snprintf(user, sizeof user, "%0*u", (int)sizeof user - 1, i);
        (void)try_in("192.0.2.1", user, i, false, &allowed);
    }
    snprintf(user, sizeof user, "the newest");
    (void)try_in("192.0.2.1", user, 100000, false, &allowed);
    struct attempts_source *sources = attempts_sources(attempts, &count);
    bool found = false;
    ck_assert_uint_le(count, ATTEMPTS_SOURCES_MAX);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_le(sources[i].user_len, ATTEMPTS_USER_BYTES);
        found = found || source_is(&sources[i], "192.0.2.1", "the newest");
    }
    ck_assert(found);
    free(sources);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attempts");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, failures_are_late_and_then_refused);
    tcase_add_test(tc, others_are_not_refused);
    tcase_add_test(tc, a_lock_out_ends);
    tcase_add_test(tc, made_up_names_lock_nobody_out);
    tcase_add_test(tc, a_flood_of_names_hides_no_attack);
    tcase_add_test(tc, counts_by_protocol_and_source);
    tcase_add_test(tc, sources_are_bounded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
