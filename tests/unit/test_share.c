/* Shares of a worker's time: who spends much waits, in turn, and nobody else does. Units are
 * counted, no clock is read. */
#include <check.h>

#include "../../src/host/share.h"
#include "leveret/base/container.h"

struct client {
    struct sharer sharer;
    unsigned waiting; /* commands put aside */
    uint32_t units;   /* what each costs */
    unsigned done, over;
    bool leaves; /* after its next command */
};

static struct share share;
static unsigned wakes;

static void wake(void *context)
{
    (void)context;
    wakes++;
}

static bool go_on(struct sharer *sharer)
{
    struct client *client = container_of(sharer, struct client, sharer);
    if (!client->waiting)
        return false;
    client->waiting--;
    client->done++;
    if (client->leaves)
        share_leave(sharer);
    else
        (void)share_spend(sharer, client->units, 1);
    return true;
}

static void over(struct sharer *sharer)
{
    container_of(sharer, struct client, sharer)->over++;
}

static struct client client_of(uint32_t units, unsigned waiting)
{
    return (struct client){.sharer = {.share = &share, .go_on = go_on, .over = over},
                           .units = units,
                           .waiting = waiting};
}

static void setup(void)
{
    share_init(&share, wake, NULL);
    wakes = 0;
}

START_TEST(cheap_ones_never_wait)
{
    struct client cheap = client_of(0, 0);
    for (uint64_t ms = 1; ms < 100; ms++)
        ck_assert(!share_spend(&cheap.sharer, SHARE_FREE_UNITS - 1, ms));
    ck_assert_uint_eq(wakes, 0);
    ck_assert_uint_eq(share.waits, 0);
    ck_assert_uint_eq(share.units, 99 * (SHARE_FREE_UNITS - 1));
}
END_TEST

START_TEST(small_costs_add_up_within_a_millisecond)
{
    struct client client = client_of(0, 0);
    unsigned calls = 1;
    while (!share_spend(&client.sharer, 100, 5))
        calls++;
    ck_assert_uint_eq(calls, SHARE_FREE_UNITS / 100);
    ck_assert_uint_eq(wakes, 1);
}
END_TEST

START_TEST(a_debt_is_paid_by_rounds)
{
    struct client client = client_of(0, 0);
    ck_assert(share_spend(&client.sharer, 3 * SHARE_TURN_UNITS + 1, 1));
    for (unsigned round = 1; round <= 3; round++) {
        share_round(&share);
        ck_assert_uint_eq(client.over, 0);
        ck_assert_uint_eq(wakes, 1 + round);
    }
    share_round(&share);
    ck_assert_uint_eq(client.over, 1);
    ck_assert(!client.sharer.waits);
    ck_assert_uint_eq(wakes, 4); /* nobody waits: no more rounds */
}
END_TEST

START_TEST(a_turn_is_bounded)
{
    struct client clients[50];
    for (unsigned i = 0; i < 50; i++) {
        clients[i] = client_of(1000, 1000);
        share_wait(&clients[i].sharer);
    }
    uint64_t before = share.units;
    share_round(&share);
    ck_assert_uint_le(share.units - before, SHARE_TURN_UNITS + 1000 * 4);
    ck_assert_uint_ge(share.units - before, SHARE_TURN_UNITS - 1000 * 4);
    ck_assert_uint_eq(clients[0].done, SHARE_QUANTUM_UNITS / 1000);
    ck_assert_uint_eq(clients[49].done, 0); /* its turn comes in a later round */
}
END_TEST

START_TEST(all_get_the_same_whatever_a_command_costs)
{
    struct client small = client_of(10, 1000000), large = client_of(40000, 1000000);
    share_wait(&small.sharer);
    share_wait(&large.sharer);
    for (unsigned round = 0; round < 1000; round++)
        share_round(&share);
    uint64_t a = (uint64_t)small.done * small.units, b = (uint64_t)large.done * large.units;
    ck_assert_uint_ge(a + large.units, b);
    ck_assert_uint_ge(b + large.units, a);
    ck_assert_uint_ge(a + b, UINT64_C(1000) * (SHARE_TURN_UNITS - SHARE_QUANTUM_UNITS));
}
END_TEST

START_TEST(commands_that_cost_nothing_are_counted_while_they_wait)
{
    struct client client = client_of(0, 1000000);
    share_wait(&client.sharer);
    share_round(&share);
    ck_assert_uint_le(client.done, SHARE_TURN_UNITS / SHARE_COMMAND_UNITS);
    ck_assert_uint_gt(client.done, 0);
    ck_assert(client.sharer.waits);
}
END_TEST

START_TEST(one_may_leave_from_within)
{
    struct client leaver = client_of(10, 5), other = client_of(10, 5);
    leaver.leaves = true;
    share_wait(&leaver.sharer);
    share_wait(&other.sharer);
    share_round(&share);
    ck_assert_uint_eq(leaver.done, 1);
    ck_assert_uint_eq(leaver.over, 0);
    ck_assert_uint_eq(other.done, 5);
    ck_assert_uint_eq(other.over, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("share");
    TCase *tests = tcase_create("share");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, cheap_ones_never_wait);
    tcase_add_test(tests, small_costs_add_up_within_a_millisecond);
    tcase_add_test(tests, a_debt_is_paid_by_rounds);
    tcase_add_test(tests, a_turn_is_bounded);
    tcase_add_test(tests, all_get_the_same_whatever_a_command_costs);
    tcase_add_test(tests, commands_that_cost_nothing_are_counted_while_they_wait);
    tcase_add_test(tests, one_may_leave_from_within);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
