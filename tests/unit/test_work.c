/* Commands that are much work are done in portions, and tell what they cost: units of work are
 * counted, no clock is read. Done in portions, a command has the same effect as in one call
 * (test_core_random and test_redelivery_random run in both ways, too). */
#include <stdio.h>

#include "core_harness.h"

#define PORTION 400u

static struct harness h;

static void setup(void)
{
    h = (struct harness){.portion = PORTION, .window_bytes = 1u << 30};
    harness_open(&h);
    h.quiet = true;
    do_open(&h, "A1");
    do_open(&h, "B1");
    do_declare(&h, "A1", "q", "");
    h.units = h.portions = 0;
}

static void teardown(void)
{
    harness_close(&h);
}

static void publish_many(const char *queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char body[16];
        snprintf(body, sizeof body, "m%u", i);
        do_publish(&h, "A1", "", queue, body, "");
    }
}

static uint64_t depth(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static uint64_t unacked(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_unacknowledged;
}

/* Looks at the vhost between two portions, when it must be in order. */
static void look(struct harness *harness)
{
    struct vhost_totals totals;
    vhost_totals(harness->vhost, &totals);
    ck_assert_uint_eq(totals.messages_ready, depth("q"));
    ck_assert_uint_eq(totals.messages_unacknowledged, unacked("q"));
}

START_TEST(plain_commands_cost_nothing)
{
    publish_many("q", 1000);
    do_consume(&h, "B1", "q", 1, "a", 0);
    h.units = 0;
    for (uint64_t tag = 1; tag <= 1000; tag++)
        do_ack(&h, "B1", tag, false);
    do_publish(&h, "A1", "", "q", "m", "");
    ck_assert_uint_eq(h.units, 0);
    ck_assert_uint_eq(h.portions, 0);
}
END_TEST

START_TEST(an_ack_of_many)
{
    publish_many("q", 2000);
    do_consume(&h, "B1", "q", 1, "a", 0);
    ck_assert_uint_eq(unacked("q"), 2000);
    h.between = look;
    h.units = 0;
    do_ack(&h, "B1", 2000, true);
    ck_assert_uint_eq(unacked("q"), 0);
    ck_assert_uint_eq(h.units, 2000 * 2);
    ck_assert_uint_ge(h.portions, 2000 * 2 / PORTION - 1);
}
END_TEST

static unsigned late; /* messages published between two portions */

static void publish_late(struct harness *harness)
{
    (void)harness;
    late++;
    do_publish(&h, "A1", "", "q", "late", "");
}

START_TEST(an_ack_of_all_leaves_what_comes_later)
{
    publish_many("q", 1000);
    do_consume(&h, "B1", "q", 1, "a", 0);
    late = 0;
    h.between = publish_late;
    do_ack(&h, "B1", 0, true);
    ck_assert_uint_gt(late, 0);
    ck_assert_uint_eq(unacked("q"), late);
}
END_TEST

START_TEST(recover_ends_though_messages_come_back_at_once)
{
    publish_many("q", 1000);
    do_consume(&h, "B1", "q", 1, "a", 0);
    h.portions = 0;
    do_plain(&h, "B1", COMMAND_RECOVER);
    ck_assert_uint_ge(h.portions, 1000 * 2 / PORTION - 1);
    ck_assert_uint_eq(unacked("q"), 1000);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* Another consumer gets the messages in their order, and gets none before all are back. */
static unsigned next_body;

static void in_order(void *context, char peer, const struct event *event)
{
    (void)context;
    char body[16];
    if (peer != 'C' || event->type != EVENT_DELIVER)
        return;
    snprintf(body, sizeof body, "m%u", next_body++);
    ck_assert(bytes_equal_text(message_body_piece(event->u.deliver.message, 0), body));
}

START_TEST(what_comes_back_keeps_its_order)
{
    next_body = 0;
    publish_many("q", 1000);
    do_consume(&h, "B1", "q", 1, "a", 0);
    do_open(&h, "C1");
    do_consume(&h, "C1", "q", 1, "a", 0);
    if (_i == 0)
        do_cancel(&h, "B1", 1);
    h.portions = 0;
    h.watch = in_order;
    if (_i == 0)
        do_nack(&h, "B1", 1000, true, true);
    else if (_i == 1)
        do_close(&h, "B1");
    else
        harness_detach(&h, 'B');
    ck_assert_uint_eq(next_body, 1000);
    ck_assert_uint_eq(unacked("q"), 1000);
    ck_assert_uint_gt(h.portions, 1);
    h.watch = NULL;
}
END_TEST

START_TEST(a_purge_beside_unsettled_ones)
{
    publish_many("q", 5000);
    do_get(&h, "B1", "q", "a");
    h.units = h.portions = 0;
    h.between = look;
    h.quiet = false;
    do_purge(&h, "A1", "q");
    expect(&h, "A1 ok purge 4999\n");
    ck_assert_uint_eq(h.units, 4999);
    ck_assert_uint_ge(h.portions, 4999 / PORTION - 1);
}
END_TEST

START_TEST(what_a_purge_leaves_is_freed_in_portions)
{
    publish_many("q", 100000);
    do_purge(&h, "A1", "q");
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), h.now.steady_ms);
    unsigned ticks = 0;
    for (; vhost_deadline_ms(h.vhost) <= h.now.steady_ms; ticks++)
        (void)vhost_tick(h.vhost, h.now);
    ck_assert_uint_ge(ticks, 5);
    ck_assert_uint_le(ticks, 20);
}
END_TEST

static unsigned confirms;

static void count_confirms(void *context, char peer, const struct event *event)
{
    (void)context, (void)peer;
    confirms += event->type == EVENT_CONFIRM;
}

static void no_confirm_yet(struct harness *harness)
{
    (void)harness;
    ck_assert_uint_eq(confirms, 0);
}

START_TEST(a_message_to_many_queues)
{
    char name[16];
    do_exchange(&h, "A1", "f", "fanout", "");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "f%u", i);
        do_declare(&h, "A1", name, "");
        do_bind(&h, "A1", "f", name, "");
    }
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    confirms = 0;
    h.watch = count_confirms;
    h.between = no_confirm_yet;
    h.units = h.portions = 0;
    do_publish(&h, "A1", "f", "", "m", "");
    harness_sync(&h);
    ck_assert_uint_eq(confirms, 1);
    ck_assert_uint_ge(h.units, 1000 * 3);
    ck_assert_uint_ge(h.portions, 1000 * 3 / PORTION - 1);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "f%u", i);
        ck_assert_uint_eq(depth(name), 1);
    }
    h.watch = NULL;
}
END_TEST

static void delete_one(struct harness *harness)
{
    h.between = NULL;
    do_delete(harness, "B1", "f999", "");
}

START_TEST(a_queue_goes_while_its_message_comes)
{
    char name[16];
    do_exchange(&h, "A1", "f", "fanout", "");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "f%u", i);
        do_declare(&h, "A1", name, "");
        do_bind(&h, "A1", "f", name, "");
    }
    h.between = delete_one;
    do_publish(&h, "A1", "f", "", "m", "");
    ck_assert(!h.between);
    for (unsigned i = 0; i < 999; i++) {
        snprintf(name, sizeof name, "f%u", i);
        ck_assert_uint_eq(depth(name), 1);
    }
}
END_TEST

START_TEST(many_bindings_go_in_portions)
{
    char key[16];
    do_exchange(&h, "A1", "d", "direct", "");
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%u", i);
        do_bind(&h, "A1", "d", "q", key);
    }
    h.portions = 0;
    h.quiet = false;
    struct vhost_totals totals;
    if (_i == 0) {
        do_delete(&h, "A1", "q", "");
        expect(&h, "A1 ok delete 0\n");
    } else {
        struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
        command.u.exchange_delete.name = bytes_of_text("d");
        harness_do(&h, 'A', &command);
        expect(&h, "A1 ok exchange-delete\n");
        struct exchange_info info;
        ck_assert(!vhost_find_exchange(h.vhost, bytes_of_text("d"), &info));
    }
    ck_assert_uint_ge(h.portions, 1000 * 12 / PORTION - 1);
    vhost_totals(h.vhost, &totals);
    ck_assert_uint_eq(totals.bindings, 0);
}
END_TEST

static unsigned flushes_held;

static void see_commit(struct harness *harness)
{
    flushes_held += vhost_holds_batch(harness->vhost);
}

START_TEST(a_commit_has_the_batch_to_itself)
{
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    publish_many("q", 1000);
    flushes_held = 0;
    h.portions = 0;
    h.between = see_commit;
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_ge(h.portions, 1000 * 10 / PORTION - 1);
    ck_assert_uint_eq(flushes_held, h.portions);
    ck_assert(!vhost_holds_batch(h.vhost));
    ck_assert_uint_eq(depth("q"), 1000);
}
END_TEST

/* Few messages may cost much: what they cost is known only once they are routed. */
START_TEST(a_small_commit_that_costs_much_has_the_batch_to_itself)
{
    char queue[16];
    do_exchange(&h, "A1", "f", "fanout", "");
    do_bind(&h, "A1", "f", "q", "");
    for (unsigned i = 0; i < 200; i++) {
        snprintf(queue, sizeof queue, "q%u", i);
        do_declare(&h, "A1", queue, "");
        do_bind(&h, "A1", "f", queue, "");
    }
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    for (unsigned i = 0; i < 4; i++)
        do_publish(&h, "A1", "f", "", "m", "");
    flushes_held = 0;
    h.portions = 0;
    h.between = see_commit;
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_ge(h.portions, 1);
    ck_assert_uint_eq(flushes_held, h.portions);
    ck_assert(!vhost_holds_batch(h.vhost));
    ck_assert_uint_eq(depth("q"), 4);
}
END_TEST

START_TEST(many_consumers_leave_in_portions)
{
    for (unsigned i = 0; i < 1000; i++)
        do_consume(&h, "B1", "q", i, "a", 0);
    h.portions = 0;
    if (_i == 0)
        do_close(&h, "B1");
    else
        harness_detach(&h, 'B');
    ck_assert_uint_ge(h.portions, 1000 * 6 / PORTION - 1);
    struct vhost_totals totals;
    vhost_totals(h.vhost, &totals);
    ck_assert_uint_eq(totals.consumers, 0);
    ck_assert_uint_eq(totals.channels, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("work");
    TCase *tests = tcase_create("work");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, plain_commands_cost_nothing);
    tcase_add_test(tests, an_ack_of_many);
    tcase_add_test(tests, an_ack_of_all_leaves_what_comes_later);
    tcase_add_test(tests, recover_ends_though_messages_come_back_at_once);
    tcase_add_loop_test(tests, what_comes_back_keeps_its_order, 0, 3);
    tcase_add_test(tests, a_purge_beside_unsettled_ones);
    tcase_add_test(tests, what_a_purge_leaves_is_freed_in_portions);
    tcase_add_test(tests, a_message_to_many_queues);
    tcase_add_test(tests, a_queue_goes_while_its_message_comes);
    tcase_add_loop_test(tests, many_bindings_go_in_portions, 0, 2);
    tcase_add_test(tests, a_commit_has_the_batch_to_itself);
    tcase_add_test(tests, a_small_commit_that_costs_much_has_the_batch_to_itself);
    tcase_add_loop_test(tests, many_consumers_leave_in_portions, 0, 2);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
