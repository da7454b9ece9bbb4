/* Policies: which apply to an object, what they and the object's arguments say together, for
 * objects that exist and new ones, before and after a restart. */
#include <stdio.h>
#include <stdlib.h>

#include "policy_fixture.h"

/* ---- Which policy applies. */

START_TEST(test_priority)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "q1", "d");
    harness_sync(&h);
    harness_take(&h);
    put_number(&h, "low", "^q", 1, "max-length", 10);
    harness_sync(&h);
    expect(&h, "A1 ok policy-put\n");
    expect_queue(&h, "q1", "low/ max-length=10");
    put_number(&h, "high", "1$", 2, "max-length", 20);
    expect_queue(&h, "q1", "high/ max-length=20");
    do_declare(&h, "A1", "q2", "");
    expect_queue(&h, "q2", "low/ max-length=10");
    /* Of two policies with the same priority the name decides. */
    put_number(&h, "also high", "^q1", 2, "max-length", 30);
    expect_queue(&h, "q1", "also high/ max-length=30");
    put_number(&h, "high", "1$", 3, "max-length", 21);
    expect_queue(&h, "q1", "high/ max-length=21");
    clear(&h, false, "high");
    clear(&h, false, "also high");
    expect_queue(&h, "q1", "low/ max-length=10");
    clear(&h, false, "low");
    expect_queue(&h, "q1", "/");
    harness_close(&h);
}
END_TEST

static void put_target(struct harness *h, const char *name, enum policy_target target)
{
    struct text definition = {0};
    number(&definition, "max-length", 5);
    put(h, &(struct put){.target = target}, name, ".*", &definition);
}

START_TEST(test_targets)
{
    struct harness h;
    struct text arguments = {0};
    open_broker(&h);
    word(&arguments, "x-queue-type", "quorum");
    do_declare(&h, "A1", "classic", "d");
    do_declare_args(&h, "A1", "quorum", "d", &arguments);
    put_target(&h, "s", POLICY_STREAMS);
    put_target(&h, "x", POLICY_EXCHANGES);
    expect_queue(&h, "classic", "/");
    expect_queue(&h, "quorum", "/");
    struct exchange_info exchange;
    ck_assert(vhost_find_exchange(h.vhost, bytes_of_text(""), &exchange));
    ck_assert(bytes_equal_text(exchange.policy, "x"));
    put_target(&h, "c", POLICY_CLASSIC_QUEUES);
    put_target(&h, "r", POLICY_QUORUM_QUEUES);
    expect_queue(&h, "classic", "c/ max-length=5");
    expect_queue(&h, "quorum", "r/ max-length=5");
    put_target(&h, "a", POLICY_QUEUES);
    expect_queue(&h, "classic", "a/ max-length=5");
    expect_queue(&h, "quorum", "a/ max-length=5");
    /* As in RabbitMQ: a policy with a key that a type of queue does not support does not apply to
     * queues of that type at all. */
    put_number(&h, "0", ".*", 9, "delivery-limit", 3);
    expect_queue(&h, "classic", "a/ max-length=5");
    expect_queue(&h, "quorum", "0/ delivery-limit=3");
    text_free(&arguments);
    harness_close(&h);
}
END_TEST

START_TEST(test_all_queues)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "exclusive", "x");
    do_declare(&h, "A1", "auto", "a");
    do_declare(&h, "A1", "amq.gen-x", "xs");
    put_number(&h, "p", "", 0, "max-length", 3);
    expect_queue(&h, "exclusive", "p/ max-length=3");
    expect_queue(&h, "auto", "p/ max-length=3");
    expect_queue(&h, "amq.gen-x", "p/ max-length=3");
    harness_close(&h);
}
END_TEST

/* ---- What policies and arguments say together. */

START_TEST(test_operator_policy)
{
    struct harness h;
    struct text both = {0};
    open_broker(&h);
    do_declare(&h, "A1", "q", "");
    put_limit(&h, "o", "^q", "max-length", 5);
    expect_queue(&h, "q", "/o max-length=5");
    number(&both, "max-length", 7);
    number(&both, "expires", 1000);
    word(&both, "overflow", "reject-publish");
    put(&h, &(struct put){0}, "p", "^q", &both);
    expect_queue(&h, "q", "p/o expires=1000 max-length=5 overflow=reject-publish");
    number(&both, "max-length", 3);
    put(&h, &(struct put){0}, "p", "^q", &both);
    expect_queue(&h, "q", "p/o max-length=3");
    clear(&h, true, "o");
    expect_queue(&h, "q", "p/ max-length=3");
    harness_close(&h);
}
END_TEST

/* Publishes ten messages and returns how many stay in the queue. */
static uint64_t kept(struct harness *h, const char *queue)
{
    struct queue_info info;
    do_purge(h, "A1", queue);
    for (int i = 0; i < 10; i++)
        do_publish(h, "A1", "", queue, "m", "");
    ck_assert(vhost_find_queue(h->vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

START_TEST(test_arguments)
{
    struct harness h;
    struct text arguments = {0};
    open_broker(&h);
    number(&arguments, "x-max-length", 6);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    ck_assert_uint_eq(kept(&h, "q"), 6);
    put_number(&h, "p", "^q", 0, "max-length", 8);
    ck_assert_uint_eq(kept(&h, "q"), 6);
    put_number(&h, "p", "^q", 0, "max-length", 4);
    ck_assert_uint_eq(kept(&h, "q"), 4);
    put_limit(&h, "o", "^q", "max-length", 2);
    ck_assert_uint_eq(kept(&h, "q"), 2);
    reopen(&h);
    ck_assert_uint_eq(kept(&h, "q"), 2);
    clear(&h, true, "o");
    clear(&h, false, "p");
    ck_assert_uint_eq(kept(&h, "q"), 6);
    text_free(&arguments);
    harness_close(&h);
}
END_TEST

/* ---- Effects. */

static uint64_t ready(struct harness *h, const char *queue)
{
    struct queue_info info;
    return vhost_find_queue(h->vhost, bytes_of_text(queue), &info) ? info.messages_ready : 999;
}

START_TEST(test_ttl)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "q", "");
    do_publish(&h, "A1", "", "q", "old", "");
    put_number(&h, "p", "q", 0, "message-ttl", 500);
    harness_pass(&h, 600);
    ck_assert_uint_eq(ready(&h, "q"), 1); /* as in RabbitMQ, it holds for later messages only */
    do_purge(&h, "A1", "q");
    do_publish(&h, "A1", "", "q", "new", "");
    clear(&h, false, "p");
    do_publish(&h, "A1", "", "q", "newest", "");
    harness_pass(&h, 600);
    ck_assert_uint_eq(ready(&h, "q"), 1);
    harness_close(&h);
}
END_TEST

START_TEST(test_expires)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "q", "");
    harness_pass(&h, 1000);
    put_number(&h, "p", "q", 0, "expires", 500);
    harness_pass(&h, 400);
    ck_assert_uint_eq(ready(&h, "q"), 0);
    clear(&h, false, "p");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(ready(&h, "q"), 0);
    put_number(&h, "p", "q", 0, "expires", 500);
    harness_pass(&h, 600);
    ck_assert_uint_eq(ready(&h, "q"), 999);
    harness_close(&h);
}
END_TEST

START_TEST(test_trims)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "q", "d");
    for (int i = 0; i < 5000; i++)
        do_publish(&h, "A1", "", "q", "m", "p");
    put_number(&h, "p", "q", 0, "max-length", 10);
    harness_pass(&h, 10);
    ck_assert_uint_eq(ready(&h, "q"), 10);
    harness_close(&h);
}
END_TEST

START_TEST(test_alternate_exchange)
{
    struct harness h;
    struct text definition = {0};
    open_broker(&h);
    do_declare(&h, "A1", "q", "d");
    do_exchange(&h, "A1", "lost", "fanout", "d");
    do_bind(&h, "A1", "lost", "q", "");
    do_exchange(&h, "A1", "x", "direct", "d");
    do_publish(&h, "A1", "x", "nowhere", "m", "");
    ck_assert_uint_eq(ready(&h, "q"), 0);
    word(&definition, "alternate-exchange", "lost");
    put(&h, &(struct put){.target = POLICY_EXCHANGES}, "p", "^x", &definition);
    do_publish(&h, "A1", "x", "nowhere", "m", "p");
    ck_assert_uint_eq(ready(&h, "q"), 1);
    do_exchange(&h, "A1", "x2", "direct", "");
    do_publish(&h, "A1", "x2", "nowhere", "m", "p");
    ck_assert_uint_eq(ready(&h, "q"), 2);
    reopen(&h);
    do_publish(&h, "A1", "x", "nowhere", "m", "");
    ck_assert_uint_eq(ready(&h, "q"), 3);
    clear(&h, false, "p");
    do_publish(&h, "A1", "x", "nowhere", "m", "");
    ck_assert_uint_eq(ready(&h, "q"), 3);
    harness_close(&h);
}
END_TEST

/* ---- Restarts. */

START_TEST(test_restart)
{
    struct harness h;
    open_broker(&h);
    do_declare(&h, "A1", "q", "d");
    put_number(&h, "p", "^q", -3, "max-length", 7);
    put_limit(&h, "o", "^q", "max-length", 5);
    put_number(&h, "gone", "^q", 8, "max-length", 7);
    clear(&h, false, "gone");
    reopen(&h);
    expect_queue(&h, "q", "p/o max-length=5");
    struct policy_info info[3];
    uint64_t after = 0;
    ck_assert_uint_eq(vhost_list_policies(h.vhost, false, &after, info, 3), 1);
    ck_assert(bytes_equal_text(info[0].name, "p") && bytes_equal_text(info[0].pattern, "^q"));
    ck_assert_int_eq(info[0].priority, -3);
    ck_assert_int_eq(info[0].target, POLICY_ALL);
    ck_assert_uint_eq(vhost_list_policies(h.vhost, false, &after, info, 3), 0);
    clear(&h, false, "p");
    clear(&h, true, "o");
    reopen(&h);
    expect_queue(&h, "q", "/");
    harness_close(&h);
}
END_TEST

/* A command is answered when the policy is on disk and has been applied to all objects. */
START_TEST(test_many_queues)
{
    struct harness h;
    char name[32];
    open_broker(&h);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "q%d", i);
        do_declare(&h, "A1", name, "");
    }
    harness_take(&h);
    put_number(&h, "p", "^q", 0, "max-length", 7);
    harness_sync(&h);
    expect(&h, "");
    expect_queue(&h, "q4999", "/");
    put_number(&h, "p", "^q", 0, "max-length", 8); /* the sweep begins anew */
    harness_pass(&h, 1);
    harness_sync(&h);
    expect(&h, "A1 ok policy-put\nA1 ok policy-put\n");
    expect_queue(&h, "q0", "p/ max-length=8");
    expect_queue(&h, "q4999", "p/ max-length=8");
    clear(&h, false, "p");
    do_close(&h, "A1"); /* its commands are not answered any more */
    harness_pass(&h, 1);
    harness_sync(&h);
    expect(&h, "A1 ok close\n");
    expect_queue(&h, "q4999", "/");
    harness_close(&h);
}
END_TEST

/* The vhost is freed while a sweep is under way. */
START_TEST(test_goes_meanwhile)
{
    struct harness h;
    char name[32];
    open_broker(&h);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "q%d", i);
        do_declare(&h, "A1", name, "");
    }
    harness_sync(&h);
    put_number(&h, "p", "^q", 0, "max-length", 7);
    ck_assert_uint_le(vhost_deadline_ms(h.vhost), h.now.steady_ms);
    harness_close(&h);
}
END_TEST

START_TEST(test_definition_too_long)
{
    struct harness h;
    struct text definition = {0};
    char longer[9000];
    open_broker(&h);
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    word(&definition, "dead-letter-exchange", longer);
    put(&h, &(struct put){0}, "p", "q", &definition);
    expect(&h, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\na policy's definition "
               "is too long\n\n");
    harness_close(&h);
}
END_TEST

/* ---- At random: queues and policies are made and deleted while sweeps are under way; at the end
 * of each sweep every queue has the policies that a plain look at all policies finds. */

#define NAMES    4000
#define POLICIES 12

static bool plain_match(struct bytes pattern, struct bytes name)
{
    /* "^q12" or "12$" */
    size_t len = pattern.len - 1;
    if (len > name.len)
        return false;
    if (pattern.at[0] == '^')
        return memcmp(name.at, pattern.at + 1, len) == 0;
    return memcmp(name.at + name.len - len, pattern.at, len) == 0;
}

static bool better(const struct policy_info *a, const struct policy_info *b)
{
    return a->priority != b->priority
               ? a->priority > b->priority
               : memcmp(a->name.at, b->name.at, 2) < 0; /* names: "p" and a letter */
}

static struct bytes expected_policy(struct harness *h, bool operator_policies, struct bytes name)
{
    struct policy_info infos[POLICIES];
    const struct policy_info *best = NULL;
    uint64_t after = 0;
    size_t count = vhost_list_policies(h->vhost, operator_policies, &after, infos, POLICIES);
    for (size_t i = 0; i < count; i++)
        if (plain_match(infos[i].pattern, name) && (!best || better(&infos[i], best)))
            best = &infos[i];
    return best ? best->name : (struct bytes){0};
}

static void check_all(struct harness *h)
{
    struct queue_info info;
    uint64_t after = 0;
    while (vhost_list_queues(h->vhost, &after, &info, 1)) {
        ck_assert(bytes_equal(info.policy, expected_policy(h, false, info.name)));
        ck_assert(bytes_equal(info.operator_policy, expected_policy(h, true, info.name)));
    }
}

static void random_policy(struct harness *h, struct random_stream *random)
{
    char name[3] = {'p', (char)('a' + random_next(random) % POLICIES), '\0'}, pattern[16];
    struct text definition = {0};
    uint64_t dice = random_next(random);
    bool operator_policy = dice & 1;
    if (dice % 5 == 0) {
        struct policy_info info;
        if (vhost_find_policy(h->vhost, operator_policy, bytes_of_text(name), &info))
            clear(h, operator_policy, name);
        return;
    }
    snprintf(pattern, sizeof pattern, dice & 2 ? "^q%u" : "%u$", (unsigned)(dice >> 8 & 31));
    number(&definition, "max-length", (int64_t)(dice >> 16 & 0xff));
    put(h, &(struct put){.operator_policy = operator_policy, .priority = (int64_t)(dice >> 32 & 3)},
        name, pattern, &definition);
}

static void random_queues(struct harness *h, struct random_stream *random, unsigned count)
{
    char name[16];
    for (unsigned i = 0; i < count; i++) {
        uint64_t dice = random_next(random);
        unsigned which = (unsigned)(dice >> 8) % NAMES;
        snprintf(name, sizeof name, "q%u", which);
        if (dice % 4)
            do_declare(h, "A1", name, which % 2 ? "d" : "");
        else
            do_delete(h, "A1", name, "");
    }
}

START_TEST(test_at_random)
{
    struct random_stream random = {(uint64_t)_i + 1};
    struct harness h;
    open_broker(&h);
    h.quiet = true;
    random_queues(&h, &random, 6000);
    for (int round = 0; round < 25; round++) {
        for (int i = 0; i < 8; i++) {
            if (random_next(&random) % 4)
                random_policy(&h, &random);
            random_queues(&h, &random, 30);
            vhost_tick(h.vhost, h.now);
        }
        if (round % 8 == 7) {
            harness_sync(&h);
            harness_crash(&h);
            do_open(&h, "A1");
        }
        harness_pass(&h, 1);
        check_all(&h);
    }
    harness_close(&h);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *t = tcase_create("policy");
    tcase_add_test(t, test_priority);
    tcase_add_test(t, test_targets);
    tcase_add_test(t, test_all_queues);
    tcase_add_test(t, test_operator_policy);
    tcase_add_test(t, test_arguments);
    tcase_add_test(t, test_ttl);
    tcase_add_test(t, test_expires);
    tcase_add_test(t, test_trims);
    tcase_add_test(t, test_alternate_exchange);
    tcase_add_test(t, test_restart);
    tcase_add_test(t, test_many_queues);
    tcase_add_test(t, test_goes_meanwhile);
    tcase_add_test(t, test_definition_too_long);
    tcase_add_loop_test(t, test_at_random, 0, 3);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
