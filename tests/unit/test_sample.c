/* Samples with a given clock: what comes into one, how a walk is cut into calls, for how long
 * consumers could take, and since when a channel is idle. The simulator compares numbers. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/broker/sample.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "B1");
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

enum { ROOM = 200 };
static struct object_sample samples[ROOM];

/* A whole walk, at most `max` samples in each call; returns how many there were. */
static size_t walk(bool all, size_t max)
{
    struct sample_walk walk = {.all = all};
    size_t count = 0;
    while (!walk.done) {
        ck_assert_uint_le(count + max, ROOM);
        size_t n = vhost_sample(h.vhost, &walk, h.now, &samples[count], max);
        ck_assert_uint_le(n, max);
        count += n;
    }
    return count;
}

static const struct object_sample *sample_of(enum sampled_object kind, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (samples[i].kind == kind)
            return &samples[i];
    return NULL;
}

static void publish(const char *queue, const char *bodies)
{
    for (; *bodies; bodies++) {
        char body[] = {*bodies, 0};
        do_publish(&h, "A1", "", queue, body, "");
    }
}

START_TEST(only_what_has_changed)
{
    ck_assert_uint_eq(walk(false, 50), 0);
    for (unsigned i = 0; i < 100; i++) {
        char name[8];
        snprintf(name, sizeof name, "q%u", i);
        do_declare(&h, "A1", name, "");
    }
    ck_assert_uint_eq(walk(false, 50), 0); /* a new queue has no numbers */
    publish("q7", "abc");
    publish("q70", "a");
    size_t count = walk(false, 50); /* two queues, the default exchange, the channel */
    ck_assert_uint_eq(count, 4);
    const struct object_sample *queue = sample_of(SAMPLED_QUEUE, count);
    ck_assert(queue->changed && !queue->before);
    ck_assert_uint_eq(queue->u.queue.ready, 3);
    ck_assert_uint_eq(queue->u.queue.rates.publish, 3);
    ck_assert_uint_eq(sample_of(SAMPLED_EXCHANGE, count)->u.exchange.publish_in, 4);
    ck_assert_uint_eq(sample_of(SAMPLED_CHANNEL, count)->u.channel.publish, 4);
    ck_assert_uint_eq(walk(false, 50), 0);
    publish("q7", "d");
    count = walk(false, 1); /* one in each call */
    ck_assert_uint_eq(count, 3);
    ck_assert(sample_of(SAMPLED_QUEUE, count)->before);
    count = walk(true, 50); /* every object that was in a sample before; none has changed */
    ck_assert_uint_eq(count, 4);
    for (size_t i = 0; i < count; i++)
        ck_assert(samples[i].before && !samples[i].changed);
}
END_TEST

START_TEST(what_was_recovered_is_no_change)
{
    do_declare(&h, "A1", "q", "d");
    do_publish(&h, "A1", "", "q", "a", "p");
    do_publish(&h, "A1", "", "q", "b", "p");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(walk(false, 50), 0);
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, BYTES_LITERAL("q"), &info));
    ck_assert_uint_eq(info.born_ready, 2);
    ck_assert_uint_eq(info.disk_writes, 0);
    ck_assert_uint_eq(info.persistent_bytes, 2);
    do_publish(&h, "A1", "", "q", "c", "p");
    size_t count = walk(false, 50);
    const struct object_sample *queue = sample_of(SAMPLED_QUEUE, count);
    ck_assert_uint_eq(queue->born_ready, 2);
    ck_assert_uint_eq(queue->u.queue.ready, 3);
    ck_assert_uint_eq(queue->u.queue.disk_writes, 1);
    harness_sync(&h);
}
END_TEST

static uint64_t able_ms(void)
{
    struct queue_info info;
    struct sample_walk walk = {.all = false};
    while (!walk.done)
        (void)vhost_sample(h.vhost, &walk, h.now, samples, ROOM);
    ck_assert(vhost_find_queue(h.vhost, BYTES_LITERAL("q"), &info));
    return info.able_ms;
}

START_TEST(for_how_long_a_consumer_could_take)
{
    do_declare(&h, "A1", "q", "");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(able_ms(), 0); /* nobody could */
    do_qos(&h, "B1", 1, false);
    do_consume(&h, "B1", "q", 1, "a", 0);
    harness_pass(&h, 2000);
    ck_assert_uint_eq(able_ms(), 2000);
    publish("q", "ab"); /* the first goes out and uses up the prefetch; the second has to wait */
    harness_pass(&h, 500);
    ck_assert_uint_eq(able_ms(), 2000);
    do_ack(&h, "B1", 1, false); /* the second goes out at once */
    harness_pass(&h, 500);
    ck_assert_uint_eq(able_ms(), 2000);
    do_ack(&h, "B1", 2, false);
    harness_pass(&h, 700);
    ck_assert_uint_eq(able_ms(), 2700);
    do_cancel(&h, "B1", 1);
    harness_pass(&h, 700);
    ck_assert_uint_eq(able_ms(), 2700);
}
END_TEST

START_TEST(a_full_consumer_of_an_empty_queue_is_found_by_the_walk)
{
    do_declare(&h, "A1", "q", "");
    do_qos(&h, "B1", 1, false);
    do_consume(&h, "B1", "q", 1, "a", 0);
    publish("q", "a");
    ck_assert_uint_eq(able_ms(), 0); /* the walk that finds the queue changed looks */
    harness_pass(&h, 5000);
    ck_assert_uint_eq(able_ms(), 0);
}
END_TEST

static uint64_t idle_since(void)
{
    struct channel_info info;
    uint64_t after = 0;
    ck_assert_uint_eq(vhost_list_channels(h.vhost, &after, &info, 1), 1); /* A1 */
    return info.idle_since_wall_ms;
}

START_TEST(since_when_a_channel_is_idle)
{
    do_declare(&h, "A1", "q", "");
    publish("q", "a");
    walk(false, 50);
    ck_assert_uint_eq(idle_since(), 0); /* it was busy */
    uint64_t at_ms = h.now.wall_ms;
    harness_pass(&h, 5000);
    walk(false, 50);
    ck_assert_uint_eq(idle_since(), at_ms);
    harness_pass(&h, 5000);
    walk(false, 50);
    ck_assert_uint_eq(idle_since(), at_ms);
    publish("q", "b");
    harness_pass(&h, 1000);
    walk(false, 50);
    ck_assert_uint_eq(idle_since(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sample");
    TCase *tcase = tcase_create("sample");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, only_what_has_changed);
    tcase_add_test(tcase, what_was_recovered_is_no_change);
    tcase_add_test(tcase, for_how_long_a_consumer_could_take);
    tcase_add_test(tcase, a_full_consumer_of_an_empty_queue_is_found_by_the_walk);
    tcase_add_test(tcase, since_when_a_channel_is_idle);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
