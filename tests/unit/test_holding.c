/* What a vhost holds for clients is counted by kind, refused when there is no room for more of it,
 * given back when it goes, and comes back after a restart whatever the limit is. */
#include <stdio.h>

#include "core_harness.h"
#include "leveret/wire/table.h"

#define BUDGET_BYTES 1000000u

static struct harness h;
static struct account *account;

static void setup(void)
{
    account = account_new(BUDGET_BYTES);
    h = (struct harness){.account = account, .window_bytes = 1u << 20};
    harness_open(&h);
    do_open(&h, "A1");
    do_declare(&h, "A1", "q", "d");
    do_exchange(&h, "A1", "d", "direct", "d");
    do_exchange(&h, "A1", "c", "x-consistent-hash", "d");
    harness_sync(&h);
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
    for (int kind = 0; kind < ACCOUNT_KIND_COUNT; kind++)
        ck_assert_uint_eq(account_bytes(account, (enum account_kind)kind), 0);
    account_free(&account);
}

static bool refused(void)
{
    harness_sync(&h);
    const char *lines = harness_take(&h);
    bool no = strstr(lines, "PRECONDITION_FAILED no memory for") != NULL;
    ck_assert(no || !strstr(lines, "fail"));
    if (no) {
        do_close(&h, "A1");
        do_open(&h, "A1");
        harness_sync(&h);
        harness_take(&h);
    }
    return no;
}

/* Makes one more, until that is refused; returns how many there are. */
static unsigned until_refused(void (*make)(unsigned i))
{
    for (unsigned i = 0; i < 100000; i++) {
        make(i);
        if (refused())
            return i;
    }
    ck_abort_msg("never refused");
}

static void bind_key(unsigned i)
{
    char key[16];
    snprintf(key, sizeof key, "%u", i);
    do_bind(&h, "A1", "d", "q", key);
}

static void unbind_key(unsigned i)
{
    char key[16];
    struct command command = {.type = COMMAND_QUEUE_UNBIND, .channel = 1};
    snprintf(key, sizeof key, "%u", i);
    command.u.bind.source = bytes_of_text("d");
    command.u.bind.destination = bytes_of_text("q");
    command.u.bind.routing_key = bytes_of_text(key);
    harness_do(&h, 'A', &command);
}

START_TEST(bindings)
{
    unsigned count = until_refused(bind_key);
    uint64_t full = account_bytes(account, ACCOUNT_BINDINGS);
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_le(full, account_limit_bytes(account, ACCOUNT_BINDINGS));
    bind_key(0); /* it is there: nothing more is needed */
    ck_assert(!refused());
    unbind_key(0);
    ck_assert(!refused());
    ck_assert_uint_lt(account_bytes(account, ACCOUNT_BINDINGS), full);
    bind_key(0);
    ck_assert(!refused());
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_BINDINGS), full);

    /* A start succeeds with less room than that. */
    account_set_budget(account, BUDGET_BYTES / 10);
    harness_crash(&h);
    struct vhost_totals totals;
    vhost_totals(h.vhost, &totals);
    ck_assert_uint_eq(totals.bindings, count);
    ck_assert_uint_ge(account_bytes(account, ACCOUNT_BINDINGS), full);
    do_open(&h, "A1");
    harness_take(&h);
    bind_key(count);
    ck_assert(refused());
    do_delete(&h, "A1", "q", "");
    ck_assert(!refused());
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_BINDINGS), 0);
}
END_TEST

static void bind_heavy(unsigned i)
{
    char queue[16];
    snprintf(queue, sizeof queue, "h%u", i);
    do_declare(&h, "A1", queue, "");
    do_bind(&h, "A1", "c", queue, "64");
}

START_TEST(hash_rings)
{
    unsigned count = until_refused(bind_heavy);
    ck_assert_uint_eq(count,
                      account_limit_bytes(account, ACCOUNT_HASH_RINGS) / (64 * 32 * 16 * 4 / 3));
    do_delete(&h, "A1", "h0", "");
    ck_assert(!refused());
    bind_heavy(0);
    ck_assert(!refused());
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    command.u.exchange_delete.name = bytes_of_text("c");
    harness_do(&h, 'A', &command);
    ck_assert(!refused());
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_HASH_RINGS), 0);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_BINDINGS), 0);
}
END_TEST

static void declare_one(unsigned i)
{
    char queue[16];
    snprintf(queue, sizeof queue, "x%u", i);
    do_declare(&h, "A1", queue, "d");
}

static void declare_exchange(unsigned i)
{
    char name[16];
    snprintf(name, sizeof name, "x%u", i);
    do_exchange(&h, "A1", name, "fanout", "d");
}

START_TEST(definitions)
{
    uint64_t before = account_bytes(account, ACCOUNT_DEFINITIONS);
    unsigned queues = until_refused(declare_one);
    ck_assert_uint_gt(queues, 100);
    declare_exchange(0);
    while (refused()) {
        do_delete(&h, "A1", queues ? "x0" : "x1", "");
        harness_take(&h);
        declare_exchange(0);
    }
    (void)until_refused(declare_exchange);
    ck_assert_uint_le(account_bytes(account, ACCOUNT_DEFINITIONS),
                      account_limit_bytes(account, ACCOUNT_DEFINITIONS));
    harness_sync(&h);
    uint64_t full = account_bytes(account, ACCOUNT_DEFINITIONS);
    harness_crash(&h);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_DEFINITIONS), full);
    do_open(&h, "A1");
    ck_assert_uint_gt(full, before);
}
END_TEST

static void consume_one(unsigned i)
{
    do_consume(&h, "A1", "q", i, "", 0);
}

START_TEST(consumers)
{
    (void)until_refused(consume_one); /* the channel's end takes all of them along */
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_CONSUMERS), 0);
    consume_one(1);
    ck_assert(!refused());
    ck_assert_uint_gt(account_bytes(account, ACCOUNT_CONSUMERS), 0);
    do_cancel(&h, "A1", 1);
    ck_assert(!refused());
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_CONSUMERS), 0);
    consume_one(1);
    harness_detach(&h, 'A');
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_CONSUMERS), 0);
}
END_TEST

static void publish_one(unsigned i)
{
    char body[1001] = {0};
    memset(body, 'a' + (char)(i % 26), 1000);
    do_publish(&h, "A1", "", "q", body, "");
}

START_TEST(transactions)
{
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    unsigned count = until_refused(publish_one);
    ck_assert_uint_gt(count, 100);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_TRANSACTIONS), 0); /* its channel has failed */
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    for (unsigned i = 0; i < 100; i++)
        publish_one(i);
    ck_assert_uint_ge(account_bytes(account, ACCOUNT_TRANSACTIONS), 100 * 1000);
    do_plain(&h, "A1", _i ? COMMAND_TX_COMMIT : COMMAND_TX_ROLLBACK);
    ck_assert(!refused());
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_TRANSACTIONS), 0);
    publish_one(0);
    harness_detach(&h, 'A');
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_TRANSACTIONS), 0);
}
END_TEST

START_TEST(a_transaction_has_so_many_things)
{
    account_set_budget(account, UINT64_C(1) << 40);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    h.quiet = true;
    for (unsigned i = 0; i < 100000; i++)
        do_publish(&h, "A1", "", "q", "m", "");
    h.quiet = false;
    harness_take(&h);
    do_publish(&h, "A1", "", "q", "m", "");
    expect(&h, "A1 fail publish PRECONDITION_FAILED a transaction has at most 100000 messages and "
               "acknowledgements\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("holding");
    TCase *tests = tcase_create("holding");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, bindings);
    tcase_add_test(tests, hash_rings);
    tcase_add_test(tests, definitions);
    tcase_add_test(tests, consumers);
    tcase_add_loop_test(tests, transactions, 0, 2);
    tcase_add_test(tests, a_transaction_has_so_many_things);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
