/* Policies: which apply, what they say together with arguments, on objects that are there and new
 * ones, before and after a restart. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

/* ---- Commands in few words. */

static void number(struct text *table, const char *key, int64_t value)
{
    table_put_i64(table, key, value);
}

static void word(struct text *table, const char *key, const char *value)
{
    table_put_string(table, key, bytes_of_text(value));
}

struct put {
    bool operator_policy;
    int64_t priority;
    enum policy_target target;
};

/* Frees the definition. */
static void put(struct harness *h, const struct put *how, const char *name, const char *pattern,
                struct text *definition)
{
    struct command command = {.type = COMMAND_POLICY_PUT, .channel = 1};
    command.u.policy.operator_policy = how->operator_policy;
    command.u.policy.name = bytes_of_text(name);
    command.u.policy.pattern = bytes_of_text(pattern);
    command.u.policy.definition = text_bytes(definition);
    command.u.policy.priority = how->priority;
    command.u.policy.target = how->target;
    harness_do(h, 'A', &command);
    text_free(definition);
    *definition = (struct text){0};
}

static void put_number(struct harness *h, const char *name, const char *pattern, int64_t priority,
                       const char *key, int64_t value)
{
    struct text definition = {0};
    number(&definition, key, value);
    put(h, &(struct put){.priority = priority}, name, pattern, &definition);
}

static void put_limit(struct harness *h, const char *name, const char *pattern, const char *key,
                      int64_t value)
{
    struct text definition = {0};
    number(&definition, key, value);
    put(h, &(struct put){.operator_policy = true}, name, pattern, &definition);
}

static void clear(struct harness *h, bool operator_policy, const char *name)
{
    struct command command = {.type = COMMAND_POLICY_DELETE, .channel = 1};
    command.u.policy.operator_policy = operator_policy;
    command.u.policy.name = bytes_of_text(name);
    harness_do(h, 'A', &command);
}

/* "policy operator-policy key=value key=value" of a queue. */
static const char *of_queue(struct harness *h, const char *name)
{
    static char text[512];
    struct queue_info info;
    struct bytes key;
    struct field field;
    struct text out = {0};
    ck_assert(vhost_find_queue(h->vhost, bytes_of_text(name), &info));
    text_printf(&out, "%.*s/%.*s", BYTES_PRINT(info.policy), BYTES_PRINT(info.operator_policy));
    struct reader at = reader_of(info.effective_definition);
    while (table_next(&at, &key, &field)) {
        text_printf(&out, " %.*s=", BYTES_PRINT(key));
        field_print(&out, &field);
    }
    ck_assert(out.len < sizeof text);
    memcpy(text, out.at, out.len);
    text[out.len] = '\0';
    text_free(&out);
    return text;
}

#define expect_queue(h, name, text) ck_assert_str_eq(of_queue(h, name), text)

static void open_broker(struct harness *h)
{
    *h = (struct harness){0};
    harness_open(h);
    do_open(h, "A1");
    harness_take(h);
}

static void reopen(struct harness *h)
{
    harness_sync(h);
    harness_crash(h);
    do_open(h, "A1");
    harness_take(h);
}

/* ---- Which applies. */

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
    /* Of two of one priority the name decides. */
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
    /* As in RabbitMQ: with keys that a type of queue does not have, all of it is not for them. */
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

/* ---- What they say together. */

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

/* How many of ten messages stay in a queue. */
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
    ck_assert_uint_eq(ready(&h, "q"), 1); /* as in RabbitMQ: for messages that come later */
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

/* ---- Keeping. */

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

/* A command is answered when it is on disk and applied to all. */
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
    put_number(&h, "p", "^q", 0, "max-length", 8); /* begins anew */
    harness_pass(&h, 1);
    harness_sync(&h);
    expect(&h, "A1 ok policy-put\nA1 ok policy-put\n");
    expect_queue(&h, "q0", "p/ max-length=8");
    expect_queue(&h, "q4999", "p/ max-length=8");
    clear(&h, false, "p");
    do_close(&h, "A1"); /* nobody waits any more */
    harness_pass(&h, 1);
    harness_sync(&h);
    expect(&h, "A1 ok close\n");
    expect_queue(&h, "q4999", "/");
    harness_close(&h);
}
END_TEST

/* The vhost goes while a sweep is under way. */
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

/* ---- At random: queues and policies come and go while sweeps are under way; at the end of each
 * sweep every queue has what a plain look at all policies says. */

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

/* ---- Refusals. */

struct wrong {
    bool operator_policy;
    const char *key, *text; /* text NULL: number */
    int64_t number;
    const char *why;
};

static const struct wrong wrongs[] = {
    {false, "message-ttl", NULL, -1, "-1 is not a valid message TTL"},
    {false, "message-ttl", "x", 0, "<<\"x\">> is not a valid message TTL"},
    {false, "expires", NULL, 0, "0 is not a valid queue expiry"},
    {false, "max-length", NULL, -1, "-1 is not a valid maximum length"},
    {false, "overflow", "x", 0, "<<\"x\">> is not a valid overflow value"},
    {false, "dead-letter-exchange", NULL, 3, "3 is not a valid dead letter exchange name"},
    {false, "alternate-exchange", NULL, 3, "3 is not a valid alternate exchange name"},
    {false, "queue-mode", "x", 0, "<<\"x\">> is not a valid queue-mode value"},
    {false, "ha-mode", "exactly", 0, "ha-mode=\"exactly\" takes an integer, none given"},
    {false, "ha-sync-mode", "automatic", 0,
     "ha-mode must be specified to specify ha-params, ha-sync-mode or ha-promote-on-shutdown"},
    {false, "foo", NULL, 1, "[{<<\"foo\">>,1}] are not recognised policy settings"},
    {true, "overflow", "x", 0, "<<\"x\">> is not a valid overflow value"},
    {true, "queue-mode", "lazy", 0,
     "[{<<\"queue-mode\">>,<<\"lazy\">>}] are not recognised policy settings"},
    {false, "target-group-size", NULL, -3, "-3 is not a valid qq target count value"},
    {true, "target-group-size", "a", 0, "<<\"a\">> is not a valid qq target count value"},
    {false, "stream-filter-size-bytes", NULL, 15,
     "15 is not a valid filter size. Valid range is 16-255"},
    {false, "stream-filter-size-bytes", NULL, 256,
     "256 is not a valid filter size. Valid range is 16-255"},
    {true, "stream-filter-size-bytes", NULL, 16,
     "[{<<\"stream-filter-size-bytes\">>,16}] are not recognised policy settings"},
    {false, "consumer-disconnected-timeout", NULL, -1,
     "-1 is not a valid consumer disconnected timeout"},
    {true, "consumer-disconnected-timeout", NULL, 1000,
     "[{<<\"consumer-disconnected-timeout\">>,1000}] are not recognised policy settings"},
    {false, "delivery-limit", "a", 0, "<<\"a\">> is not a valid delivery limit"},
    {false, "delayed-retry-type", "all", 0,
     "<<\"all\">> is not a delayed retry type that is supported: only disabled is"},
    {true, "delayed-retry-type", "failed", 0,
     "<<\"failed\">> is not a delayed retry type that is supported: only disabled is"},
    {false, "delayed-retry-min", NULL, 100,
     "100 is not taken as delayed-retry-min: delayed retry is not supported"},
    {true, "delayed-retry-max", NULL, 100,
     "100 is not taken as delayed-retry-max: delayed retry is not supported"},
};

START_TEST(test_refusals)
{
    struct harness h;
    struct text definition = {0}, expected = {0};
    const struct wrong *wrong = &wrongs[_i];
    open_broker(&h);
    if (wrong->text)
        word(&definition, wrong->key, wrong->text);
    else
        number(&definition, wrong->key, wrong->number);
    put(&h, &(struct put){.operator_policy = wrong->operator_policy}, "p", "q", &definition);
    text_printf(&expected, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\n%s\n\n%c",
                wrong->why, '\0');
    expect(&h, (const char *)expected.at);
    text_free(&expected);
    harness_close(&h);
}
END_TEST

START_TEST(test_bad_patterns)
{
    struct harness h;
    struct text definition = {0};
    open_broker(&h);
    put_number(&h, "p", "(", 0, "max-length", 1);
    expect(&h, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\npattern should be "
               "regular expression but is invalid: {\"missing closing parenthesis\",1}\n\n");
    do_open(&h, "A2");
    harness_take(&h);
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
    put(&h, &(struct put){0}, "p", "q", &definition);
    expect(&h, "A1 fail policy-put PRECONDITION_FAILED Validation failed\n\nno policy "
               "provided\n\n");
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
    clear(&h, true, "p");
    expect(&h, "A1 fail policy-delete NOT_FOUND no operator policy 'p' in vhost '/'\n");
    /* Backtracks without end: no match. */
    do_declare(&h, "A2", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "");
    do_close(&h, "A1");
    do_open(&h, "A1");
    put_number(&h, "p", "^(a+)+$", 0, "max-length", 1);
    expect_queue(&h, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "/");
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
    tcase_add_loop_test(t, test_refusals, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(t, test_bad_patterns);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
