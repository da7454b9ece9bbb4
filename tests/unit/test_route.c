/* Routes over several exchanges: cycles, each queue once, alternate exchanges, several keys. */
#include "topology_fixture.h"

static struct fixture f;

static void setup(void)
{
    fixture_open(&f);
}

static void teardown(void)
{
    fixture_close(&f);
}

static void declare_with_alternate(const char *name, const char *type, const char *alternate)
{
    struct text arguments = {0};
    table_put_string(&arguments, "alternate-exchange", bytes_of_text(alternate));
    struct exchange_declaration d = {.name = bytes_of_text(name),
                                     .type = bytes_of_text(type),
                                     .arguments = text_bytes(&arguments)};
    ck_assert_int_eq(topology_declare(f.topology, &d, NULL, &f.refusal), STATUS_OK);
    text_free(&arguments);
}

START_TEST(default_exchange)
{
    add_queue(&f, "q");
    ck_assert_uint_eq(route_key(&f, "", "q"), 1);
    ck_assert(reached(&f, "q"));
    ck_assert(f.result.by_key);
    ck_assert_uint_eq(route_key(&f, "", "p"), 0);
    ck_assert_uint_eq(route_key(&f, "", ""), 0);
}
END_TEST

START_TEST(direct_chains)
{
    /* The first, a middle and the last of several bindings with one key go, in every order. */
    static const char *const names[] = {"q0", "q1", "q2"};
    static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (unsigned i = 0; i < 3; i++)
        add_queue(&f, names[i]);
    for (unsigned o = 0; o < 6; o++) {
        for (unsigned i = 0; i < 3; i++)
            ck_assert_int_eq(bind_queue(&f, "amq.direct", names[i], "k"), STATUS_OK);
        for (unsigned i = 0; i < 3; i++) {
            ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 3 - i);
            ck_assert_int_eq(unbind_queue(&f, "amq.direct", names[orders[o][i]], "k"), STATUS_OK);
            route_key(&f, "amq.direct", "k");
            ck_assert(!reached(&f, names[orders[o][i]]));
        }
        ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 0);
    }
}
END_TEST

START_TEST(once_only)
{
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", "a.*"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", "#"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "q", "a.b"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "amq.fanout", "q", "one"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "amq.fanout", "q", "two"), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "amq.topic", "amq.fanout", "a.b"), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "amq.topic", "a.b"), 1);
    ck_assert_uint_eq(route_key(&f, "amq.fanout", ""), 1);
}
END_TEST

START_TEST(exchange_to_exchange)
{
    add_queue(&f, "q");
    ck_assert_int_eq(declare(&f, "x", "direct"), STATUS_OK);
    ck_assert_int_eq(declare(&f, "y", "topic"), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "x", "y", "a.b"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "y", "q", "a.#"), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", "a.b"), 1);
    ck_assert_uint_eq(route_key(&f, "x", "a.c"), 0);
    ck_assert_int_eq(topology_delete(f.topology, bytes_of_text("y"), false, &f.refusal), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", "a.b"), 0);
}
END_TEST

START_TEST(cycles_end)
{
    add_queue(&f, "q");
    ck_assert_int_eq(declare(&f, "a", "fanout"), STATUS_OK);
    ck_assert_int_eq(declare(&f, "b", "fanout"), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "a", "b", ""), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "b", "a", ""), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "a", "a", ""), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "a", ""), 0);
    ck_assert_int_eq(bind_queue(&f, "b", "q", ""), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "a", ""), 1);
    ck_assert_uint_eq(route_key(&f, "b", ""), 1);
}
END_TEST

START_TEST(alternate)
{
    add_queue(&f, "q");
    add_queue(&f, "lost");
    declare_with_alternate("x", "direct", "ae");
    ck_assert_int_eq(bind_queue(&f, "x", "q", "k"), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", "other"), 0); /* ae is not there */
    ck_assert_int_eq(declare(&f, "ae", "fanout"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "ae", "lost", ""), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", "other"), 1);
    ck_assert(reached(&f, "lost"));
    ck_assert_uint_eq(route_key(&f, "x", "k"), 1);
    ck_assert(reached(&f, "q"));
    /* A chain of them, a circle, and the default exchange, which is none. */
    declare_with_alternate("first", "direct", "second");
    declare_with_alternate("second", "topic", "ae");
    declare_with_alternate("third", "direct", "");
    ck_assert_uint_eq(route_key(&f, "first", "q"), 1);
    ck_assert(reached(&f, "lost"));
    ck_assert_uint_eq(route_key(&f, "third", "q"), 0);
    declare_with_alternate("egg", "direct", "hen");
    declare_with_alternate("hen", "direct", "egg");
    ck_assert_uint_eq(route_key(&f, "egg", "q"), 0);
}
END_TEST

START_TEST(alternate_when_destination_leads_nowhere)
{
    /* An exchange as destination is a destination, even if it has none itself. */
    add_queue(&f, "lost");
    declare_with_alternate("x", "fanout", "ae");
    ck_assert_int_eq(declare(&f, "ae", "fanout"), STATUS_OK);
    ck_assert_int_eq(bind_queue(&f, "ae", "lost", ""), STATUS_OK);
    ck_assert_int_eq(declare(&f, "empty", "fanout"), STATUS_OK);
    ck_assert_int_eq(bind_exchange(&f, "x", "empty", ""), STATUS_OK);
    ck_assert_uint_eq(route_key(&f, "x", ""), 0);
}
END_TEST

START_TEST(several_keys)
{
    struct bytes keys[] = {bytes_of_text("a"), bytes_of_text("b"), bytes_of_text("a")};
    struct route_input input = {keys, 3, NULL, false};
    add_queue(&f, "a");
    add_queue(&f, "b");
    add_queue(&f, "c");
    route(f.topology, exchange_named(&f, ""), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 2);
    ck_assert_int_eq(bind_queue(&f, "amq.topic", "c", "b"), STATUS_OK);
    route(f.topology, exchange_named(&f, "amq.topic"), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 1);
    ck_assert_int_eq(bind_queue(&f, "amq.fanout", "c", "b"), STATUS_OK);
    route(f.topology, exchange_named(&f, "amq.fanout"), &input, &f.result);
    ck_assert_uint_eq(f.result.count, 1);
}
END_TEST

START_TEST(by_key_says_what_may_be_remembered)
{
    add_queue(&f, "q");
    ck_assert_int_eq(bind_exchange(&f, "amq.direct", "amq.headers", "k"), STATUS_OK);
    route_key(&f, "amq.direct", "k");
    ck_assert(!f.result.by_key);
    route_key(&f, "amq.direct", "other");
    ck_assert(f.result.by_key);
}
END_TEST

START_TEST(work_does_not_grow)
{
    uint64_t work[2][2];
    char key[32];
    unsigned made = 0;
    add_queue(&f, "q");
    ck_assert_int_eq(bind_queue(&f, "amq.direct", "q", "k"), STATUS_OK);
    for (unsigned i = 0; i < 2; i++) {
        for (; made < (i ? 20000 : 10); made++) {
            snprintf(key, sizeof key, "k%u", made);
            add_queue(&f, key);
            ck_assert_int_eq(bind_queue(&f, "amq.direct", key, key), STATUS_OK);
        }
        ck_assert_uint_eq(route_key(&f, "amq.direct", "k"), 1);
        work[i][0] = f.result.work;
        ck_assert_uint_eq(route_key(&f, "", "q"), 1);
        work[i][1] = f.result.work;
    }
    ck_assert_uint_eq(work[0][0], work[1][0]);
    ck_assert_uint_eq(work[0][1], work[1][1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, default_exchange);
    tcase_add_test(tc, direct_chains);
    tcase_add_test(tc, once_only);
    tcase_add_test(tc, exchange_to_exchange);
    tcase_add_test(tc, cycles_end);
    tcase_add_test(tc, alternate);
    tcase_add_test(tc, alternate_when_destination_leads_nowhere);
    tcase_add_test(tc, several_keys);
    tcase_add_test(tc, by_key_says_what_may_be_remembered);
    tcase_add_test(tc, work_does_not_grow);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
