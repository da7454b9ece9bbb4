/* How many messages dead-lettering makes of one: in meshes and chains of queues; a client's
 * rejection begins anew; receivers do not see the count. Messages are counted, no clock is read. */
#include <stdio.h>
#include <stdlib.h>

#include "broker/publish/offspring.h"
#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static uint64_t warnings;
static unsigned arrived; /* messages delivered */
static bool noted;       /* true: one of them had a header that receivers must not see */

static void watch(void *context, char peer, const struct event *event)
{
    (void)context, (void)peer;
    struct properties properties;
    struct field field;
    if (event->type != EVENT_DELIVER)
        return;
    arrived++;
    ck_assert_int_eq(properties_decode(message_properties(event->u.deliver.message), &properties),
                     STATUS_OK);
    noted |= table_find(properties.headers, OFFSPRING_HEADER, &field);
}

static void setup(void)
{
    h = (struct harness){.window_bytes = 1u << 30};
    harness_open(&h);
    h.quiet = true;
    h.watch = watch;
    arrived = 0;
    noted = false;
    do_open(&h, "A1");
    do_exchange(&h, "A1", "x", "fanout", "");
}

static void teardown(void)
{
    harness_close(&h);
}

static void declare(const char *queue, const char *flags, const char *exchange, const char *key,
                    bool at_least_once)
{
    struct text table = {0};
    table_put_string(&table, "x-dead-letter-exchange", bytes_of_text(exchange));
    if (key)
        table_put_string(&table, "x-dead-letter-routing-key", bytes_of_text(key));
    table_put_i64(&table, "x-message-ttl", 1000);
    if (at_least_once) {
        table_put_string(&table, "x-dead-letter-strategy", bytes_of_text("at-least-once"));
        table_put_string(&table, "x-overflow", bytes_of_text("reject-publish"));
    }
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
}

static void info_of(const char *queue, struct queue_info *out)
{
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), out));
}

static uint64_t dropped(void)
{
    struct vhost_totals totals;
    vhost_totals(h.vhost, &totals);
    return totals.counters.dead_letters_dropped;
}

static uint64_t all_messages(void)
{
    struct vhost_totals totals;
    vhost_totals(h.vhost, &totals);
    return totals.messages_ready + totals.messages_unacknowledged;
}

/* Lets time go by until no message is left. Returns how many messages there were at most at a time;
 * *all: how many came into a queue after the first. */
static uint64_t let_die(const char *stem, unsigned queues, uint64_t *all)
{
    uint64_t most = 0;
    for (unsigned i = 0; i < 200 && all_messages(); i++) {
        harness_pass(&h, 1000);
        harness_sync(&h);
        if (all_messages() > most)
            most = all_messages();
    }
    *all = 0;
    for (unsigned i = 0; i < queues; i++) {
        char name[16];
        struct queue_info info;
        snprintf(name, sizeof name, "%s%u", stem, i);
        info_of(name, &info);
        *all += info.rates.publish;
    }
    --*all;
    return most;
}

static void make_mesh(unsigned queues, bool at_least_once)
{
    for (unsigned i = 0; i < queues; i++) {
        char name[16];
        snprintf(name, sizeof name, "q%u", i);
        declare(name, at_least_once ? "d" : "", "x", NULL, at_least_once);
        do_bind(&h, "A1", "x", name, "");
    }
}

/* A message that dies in a mesh of n queues goes by all ways that meet no queue twice. */
START_TEST(a_small_mesh_is_as_before)
{
    uint64_t all;
    make_mesh(4, false);
    do_publish(&h, "A1", "", "q0", "m", "");
    (void)let_die("q", 4, &all);
    ck_assert_uint_eq(all_messages(), 0);
    ck_assert_uint_eq(all, 3 + 3 * 2 + 3 * 2 * 1);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

START_TEST(a_large_mesh_is_bounded)
{
    uint64_t all;
    make_mesh(9, _i == 1);
    do_publish(&h, "A1", "", "q0", "m", _i == 1 ? "p" : "");
    uint64_t most = let_die("q", 9, &all);
    ck_assert_uint_le(most, OFFSPRING_MAX);
    ck_assert_uint_le(all, 9 * OFFSPRING_MAX); /* without the limit: 109,600 */
    ck_assert_uint_gt(all, OFFSPRING_MAX);
    ck_assert_uint_gt(dropped(), 0);
    struct queue_info info;
    info_of("q1", &info);
    ck_assert_uint_gt(info.dead_letters_dropped, 0);
    if (_i == 0) /* else a letter that can only go in a circle is held */
        ck_assert_uint_eq(all_messages(), 0);
    ck_assert_uint_le(all_messages(), OFFSPRING_MAX);
}
END_TEST

/* The number of messages is stored with them: it is known after a restart. */
START_TEST(a_mesh_is_bounded_across_restarts)
{
    uint64_t most = 0;
    do_exchange(&h, "A1", "y", "fanout", "d");
    for (unsigned i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "q%u", i);
        declare(name, "d", "y", NULL, false);
        do_bind(&h, "A1", "y", name, "");
    }
    do_publish(&h, "A1", "", "q0", "m", "p");
    for (unsigned i = 0; i < 100 && (i == 0 || all_messages()); i++) {
        harness_sync(&h);
        harness_crash(&h);
        h.watch = watch;
        harness_pass(&h, 1000);
        for (unsigned j = 0; j < 20; j++) {
            harness_sync(&h);
            harness_pass(&h, 1);
        }
        if (all_messages() > most)
            most = all_messages();
    }
    ck_assert_uint_eq(all_messages(), 0);
    ck_assert_uint_le(most, OFFSPRING_MAX);
    ck_assert_uint_gt(most, 7 * 6 * 5);
}
END_TEST

START_TEST(a_chain_ends_after_so_many)
{
    char name[16], next[16];
    for (unsigned i = 0; i < GENERATIONS_MAX + 10; i++) {
        snprintf(name, sizeof name, "c%u", i);
        snprintf(next, sizeof next, "c%u", i + 1);
        declare(name, "", "", next, false);
    }
    uint64_t all;
    do_publish(&h, "A1", "", "c0", "m", "");
    (void)let_die("c", GENERATIONS_MAX + 10, &all);
    ck_assert_uint_eq(all, GENERATIONS_MAX);
    ck_assert_uint_eq(dropped(), 1);
    snprintf(name, sizeof name, "c%u", GENERATIONS_MAX);
    struct queue_info info;
    info_of(name, &info);
    ck_assert_uint_eq(info.dead_letters_dropped, 1);
}
END_TEST

START_TEST(a_rejection_begins_anew)
{
    declare("r", "", "x", NULL, false);
    do_bind(&h, "A1", "x", "r", "");
    do_consume(&h, "A1", "r", 1, "a", 0);
    do_publish(&h, "A1", "", "r", "m", "");
    for (uint64_t tag = 1; tag <= 3 * GENERATIONS_MAX; tag++)
        do_nack(&h, "A1", tag, false, false);
    ck_assert_uint_eq(arrived, 3 * GENERATIONS_MAX + 1);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

START_TEST(receivers_do_not_see_it)
{
    declare("a", "", "x", NULL, false);
    do_declare(&h, "A1", "b", "");
    do_declare(&h, "A1", "c", "");
    do_bind(&h, "A1", "x", "b", "");
    do_bind(&h, "A1", "x", "c", "");
    do_publish(&h, "A1", "", "a", "m", "");
    harness_pass(&h, 1000);
    do_consume(&h, "A1", "b", 1, "", 0);
    do_consume(&h, "A1", "c", 2, "a", 0);
    ck_assert_uint_eq(arrived, 2);
    ck_assert(!noted);
}
END_TEST

START_TEST(a_letter_to_very_many_queues)
{
    declare("a", "", "x", NULL, false);
    for (unsigned i = 0; i < OFFSPRING_MAX + 50; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%u", i);
        do_declare(&h, "A1", name, "");
        do_bind(&h, "A1", "x", name, "");
    }
    do_publish(&h, "A1", "", "a", "m", "");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(all_messages(), OFFSPRING_MAX);
    ck_assert_uint_eq(dropped(), 50);
}
END_TEST

static void warn(void *context, const char *text)
{
    (void)context;
    warnings++;
    ck_assert(strstr(text, "'q"));
}

START_TEST(each_queue_is_told_of_once)
{
    uint64_t all;
    warnings = 0;
    harness_close(&h);
    h = (struct harness){.warn = warn, .window_bytes = 1u << 30};
    harness_open(&h);
    h.quiet = true;
    do_open(&h, "A1");
    do_exchange(&h, "A1", "x", "fanout", "");
    make_mesh(9, false);
    do_publish(&h, "A1", "", "q0", "m", "");
    do_publish(&h, "A1", "", "q0", "m", "");
    (void)let_die("q", 9, &all);
    ck_assert_uint_gt(warnings, 0);
    ck_assert_uint_le(warnings, 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("offspring");
    TCase *tests = tcase_create("offspring");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_small_mesh_is_as_before);
    tcase_add_loop_test(tests, a_large_mesh_is_bounded, 0, 2);
    tcase_add_test(tests, a_mesh_is_bounded_across_restarts);
    tcase_add_test(tests, a_chain_ends_after_so_many);
    tcase_add_test(tests, a_rejection_begins_anew);
    tcase_add_test(tests, receivers_do_not_see_it);
    tcase_add_test(tests, a_letter_to_very_many_queues);
    tcase_add_test(tests, each_queue_is_told_of_once);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
