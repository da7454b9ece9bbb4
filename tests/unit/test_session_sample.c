/* Samples of connections: which come, a walk that is cut into calls while connections end, and the
 * bytes that their vhost counts. */
#include <check.h>
#include <stdlib.h>

#include "session_harness.h"

static struct harness *h;
static struct connection *clients[4];

static void set_up(void)
{
    h = harness_new();
    for (unsigned i = 0; i < 4; i++) {
        clients[i] = harness_connect(h);
        harness_log_in(h, clients[i]);
    }
}

static void tear_down(void)
{
    harness_free(&h);
}

static struct session_sample samples[8];

/* A whole walk, so many samples in a call. */
static size_t walk(bool all, size_t max)
{
    struct session_walk walk = {.all = all};
    size_t count = 0;
    while (!walk.done)
        count += sessions_sample(harness_sessions(h), &walk, &samples[count], max);
    return count;
}

static void speak(struct connection *client)
{
    const struct method qos = {.id = METHOD_BASIC_QOS};
    harness_send(h, client, 1, &qos);
}

START_TEST(only_those_that_have_moved_bytes)
{
    ck_assert_uint_eq(walk(false, 8), 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert(samples[i].changed && !samples[i].before && samples[i].received_bytes &&
                  samples[i].sent_bytes);
    uint64_t third = samples[2].id, bytes = samples[2].received_bytes;
    ck_assert_uint_eq(walk(false, 8), 0);
    speak(clients[2]);
    ck_assert_uint_eq(walk(false, 1), 1);
    ck_assert_uint_eq(samples[0].id, third);
    ck_assert(samples[0].before && samples[0].received_bytes > bytes);
    ck_assert_uint_eq(walk(true, 3), 4);
    for (unsigned i = 0; i < 4; i++)
        ck_assert(samples[i].before && !samples[i].changed);
}
END_TEST

START_TEST(connections_end_during_a_walk)
{
    struct session_walk walk = {.all = false};
    ck_assert_uint_eq(sessions_sample(harness_sessions(h), &walk, samples, 1), 1);
    harness_break(h, clients[1]); /* the walk would go on with it */
    harness_break(h, clients[0]);
    ck_assert_uint_eq(sessions_sample(harness_sessions(h), &walk, samples, 1), 1);
    ck_assert(!walk.done);
    harness_break(h, clients[3]); /* the last one */
    harness_settle(h);
    ck_assert_uint_eq(sessions_sample(harness_sessions(h), &walk, samples, 1), 0);
    ck_assert(walk.done);
}
END_TEST

static uint64_t vhost_received(void)
{
    uint64_t received, sent;
    node_vhost_traffic(harness_options(h)->node, BYTES_LITERAL("/"), &received, &sent);
    return received;
}

START_TEST(the_vhost_counts_their_bytes)
{
    uint64_t sum = 0;
    ck_assert_uint_eq(vhost_received(), 0);
    size_t count = walk(false, 8);
    for (size_t i = 0; i < count; i++)
        sum += samples[i].received_bytes;
    ck_assert_uint_eq(vhost_received(), sum);
    speak(clients[0]);
    ck_assert_uint_eq(vhost_received(), sum); /* not looked at yet */
    harness_break(h, clients[0]);             /* tells what is left */
    harness_settle(h);
    ck_assert_uint_gt(vhost_received(), sum);
    ck_assert_uint_eq(walk(false, 8), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session_sample");
    TCase *tcase = tcase_create("session_sample");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, only_those_that_have_moved_bytes);
    tcase_add_test(tcase, connections_end_during_a_walk);
    tcase_add_test(tcase, the_vhost_counts_their_bytes);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
