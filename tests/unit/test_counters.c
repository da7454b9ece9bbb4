/* The counters of a vhost: routes, confirms, publishers, sizes, deliveries by type of queue,
 * deaths. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/mem.h"
#include "leveret/wire/table.h"

static struct harness h;
static struct vhost_totals totals;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
}

static void teardown(void)
{
    harness_close(&h);
}

static const struct counters *count(void)
{
    harness_sync(&h);
    vhost_totals(h.vhost, &totals);
    return &totals.counters;
}

/* words: pairs of argument and value, ended by NULL. */
static void declare(const char *queue, const char *flags, const char *const *words)
{
    struct text table = {0};
    for (; words && *words; words += 2) {
        char *end;
        long number = strtol(words[1], &end, 10);
        if (*words[1] && !*end)
            table_put_i64(&table, words[0], number);
        else
            table_put_string(&table, words[0], bytes_of_text(words[1]));
    }
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
    harness_sync(&h);
}
#define DECLARE(queue, flags, ...) declare(queue, flags, (const char *const[]){__VA_ARGS__, NULL})

static void publish_bytes(size_t bytes)
{
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    char *body = mem_need(bytes + 1);
    command.u.publish.message = harness_message("", "q", body, bytes, false);
    harness_do(&h, 'A', &command);
    free(body);
}

START_TEST(queues_that_come_and_go)
{
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "q", "p");
    do_declare(&h, "A1", "x", "x");
    do_delete(&h, "A1", "q", "");
    const struct counters *c = count();
    ck_assert_uint_eq(c->queues_declared, 3);
    ck_assert_uint_eq(c->queues_created, 2);
    ck_assert_uint_eq(c->queues_deleted, 1);
    harness_detach(&h, 'A');
    ck_assert_uint_eq(count()->queues_deleted, 2);
}
END_TEST

START_TEST(routes)
{
    do_declare(&h, "A1", "a", "");
    do_declare(&h, "A1", "b", "");
    do_declare(&h, "A1", "c", "");
    do_exchange(&h, "A1", "x", "fanout", "");
    do_publish(&h, "A1", "", "a", "one", "");
    ck_assert_uint_eq(count()->routed, 1);
    do_publish(&h, "A1", "x", "", "none", "");
    do_publish(&h, "A1", "x", "", "comes back", "m");
    ck_assert_uint_eq(count()->routed, 1);
    ck_assert_uint_eq(totals.rates.drop_unroutable, 1);
    ck_assert_uint_eq(totals.rates.return_unroutable, 1);
    struct exchange_info exchange;
    ck_assert(vhost_find_exchange(h.vhost, BYTES_LITERAL("x"), &exchange));
    ck_assert_uint_eq(exchange.unroutable_dropped, 1);
    ck_assert_uint_eq(exchange.unroutable_returned, 1);
    do_bind(&h, "A1", "x", "a", "");
    do_bind(&h, "A1", "x", "b", "");
    do_bind(&h, "A1", "x", "c", "");
    do_publish(&h, "A1", "x", "", "three", "");
    ck_assert_uint_eq(count()->routed, 4);
    do_publish(&h, "A1", "nowhere", "", "fails its channel", "");
    ck_assert_uint_eq(count()->routed, 4);
    ck_assert_uint_eq(totals.rates.publish, 5);
}
END_TEST

/* Messages of a transaction are routed when it is committed. */
START_TEST(routes_of_transactions)
{
    do_declare(&h, "A1", "a", "");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_publish(&h, "A1", "", "a", "1", "");
    do_publish(&h, "A1", "", "a", "2", "");
    ck_assert_uint_eq(count()->routed, 0);
    ck_assert_uint_eq(totals.rates.publish, 2);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_eq(count()->routed, 2);
    do_publish(&h, "A1", "", "a", "3", "");
    do_plain(&h, "A1", COMMAND_TX_ROLLBACK);
    ck_assert_uint_eq(count()->routed, 2);
    do_exchange(&h, "A1", "x", "fanout", "");
    do_publish(&h, "A1", "x", "", "its exchange goes before the commit", "");
    struct command command = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    command.u.exchange_delete.name = BYTES_LITERAL("x");
    harness_do(&h, 'A', &command);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_eq(count()->routed, 2);
    ck_assert_uint_eq(totals.rates.drop_unroutable, 1);
}
END_TEST

START_TEST(confirms)
{
    do_declare(&h, "A1", "a", "d");
    do_publish(&h, "A1", "", "a", "before", "");
    ck_assert_uint_eq(count()->received_confirm, 0);
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "a", "1", "");
    ck_assert_uint_eq(count()->received_confirm, 1);
    ck_assert_uint_eq(totals.rates.confirm, 1);
    do_publish(&h, "A1", "", "a", "2", "p");
    do_publish(&h, "A1", "", "a", "3", "p");
    vhost_totals(h.vhost, &totals); /* before they are on disk */
    ck_assert_uint_eq(totals.rates.confirm, 1);
    ck_assert_uint_eq(totals.counters.received_confirm, 3);
    harness_detach(&h, 'A'); /* this channel's confirms are never sent */
    ck_assert_uint_eq(count()->received_confirm, 3);
    ck_assert_uint_eq(totals.rates.confirm, 1);
}
END_TEST

START_TEST(publishers)
{
    do_declare(&h, "A1", "a", "");
    do_open(&h, "A2");
    do_open(&h, "B1");
    ck_assert_uint_eq(count()->publishers, 0);
    do_publish(&h, "A1", "", "a", "1", "");
    do_publish(&h, "A1", "", "a", "2", "");
    do_publish(&h, "A2", "", "a", "3", "");
    do_publish(&h, "B1", "", "a", "4", "");
    ck_assert_uint_eq(count()->publishers, 3);
    do_close(&h, "A2");
    ck_assert_uint_eq(count()->publishers, 2);
    harness_detach(&h, 'A');
    ck_assert_uint_eq(count()->publishers, 1);
}
END_TEST

START_TEST(sizes)
{
    static const size_t bytes[] = {0, 1, 100, 101, 1000, 1001, 9999, 100000, 1000001};
    static const uint64_t wanted[COUNTED_SIZES] = {3, 2, 2, 1, 0, 1};
    uint64_t sum = 0;
    do_declare(&h, "A1", "q", "");
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        publish_bytes(bytes[i]);
        sum += bytes[i];
    }
    const struct counters *c = count();
    for (unsigned i = 0; i < COUNTED_SIZES; i++)
        ck_assert_uint_eq(c->sizes[i], wanted[i]);
    ck_assert_uint_eq(c->body_bytes, sum);
}
END_TEST

/* Messages that are refused for their size are not counted, also where the limit is a
 * small size. */
START_TEST(sizes_below_a_low_limit)
{
    static const uint64_t limits_tried[] = {50, 500, 5000};
    const uint64_t limit = limits_tried[_i];
    const struct vhost_limits limits = {.resident_bytes_max = 1 << 20, .message_bytes_max = limit};
    vhost_set_limits(h.vhost, &limits, h.now);
    do_declare(&h, "A1", "q", "");
    publish_bytes(limit);
    publish_bytes(limit + 1);
    const struct counters *c = count();
    for (unsigned i = 0; i < COUNTED_SIZES; i++)
        ck_assert_uint_eq(c->sizes[i], i == (unsigned)_i);
    ck_assert_uint_eq(c->body_bytes, limit);
    ck_assert_uint_eq(totals.rates.publish, 2);
    ck_assert_uint_eq(c->routed, 1);
}
END_TEST

START_TEST(deliveries_by_type_of_queue)
{
    DECLARE("q", "d", "x-queue-type", "quorum");
    do_declare(&h, "A1", "c", "");
    for (unsigned i = 0; i < 3; i++) {
        do_publish(&h, "A1", "", "q", "m", "");
        do_publish(&h, "A1", "", "c", "m", "");
    }
    do_get(&h, "A1", "q", "a");
    do_reject(&h, "A1", 1, true);
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 2, false);
    do_get(&h, "A1", "c", "");
    const struct counters *c = count();
    const struct rates *classic = &c->by_type[COUNTED_CLASSIC],
                       *quorum = &c->by_type[COUNTED_QUORUM];
    ck_assert_uint_eq(quorum->get, 2);
    ck_assert_uint_eq(quorum->redeliver, 1);
    ck_assert_uint_eq(quorum->ack, 1);
    ck_assert_uint_eq(quorum->get_no_ack, 0);
    ck_assert_uint_eq(classic->get_no_ack, 1);
    ck_assert_uint_eq(classic->get, 0);
    ck_assert_uint_eq(totals.rates.get, 2);
    ck_assert_uint_eq(totals.rates.get_no_ack, 1);
}
END_TEST

static uint64_t died(enum counted_type type, enum counted_strategy strategy,
                     enum counted_death death)
{
    return count()->dead_lettered[type][strategy][death];
}

START_TEST(deaths_by_reason_and_strategy)
{
    do_declare(&h, "A1", "dead", "d");
    DECLARE("c", "", "x-max-length", "1", "x-dead-letter-exchange", "", "x-dead-letter-routing-key",
            "dead");
    DECLARE("short", "", "x-max-length", "1");
    DECLARE("q", "d", "x-queue-type", "quorum", "x-delivery-limit", "1", "x-dead-letter-exchange",
            "", "x-dead-letter-routing-key", "dead");
    DECLARE("gone", "", "x-message-ttl", "0");
    for (unsigned i = 0; i < 3; i++) {
        do_publish(&h, "A1", "", "c", "m", "");
        do_publish(&h, "A1", "", "short", "m", "");
    }
    ck_assert_uint_eq(died(COUNTED_CLASSIC, COUNTED_AT_MOST_ONCE, COUNTED_MAXLEN), 2);
    ck_assert_uint_eq(died(COUNTED_CLASSIC, COUNTED_DISABLED, COUNTED_MAXLEN), 2);
    do_publish(&h, "A1", "", "gone", "m", "");
    ck_assert_uint_eq(died(COUNTED_CLASSIC, COUNTED_DISABLED, COUNTED_EXPIRED), 1);
    do_publish_ttl(&h, "A1", "q", "m", 10, "");
    harness_sync(&h);
    harness_pass(&h, 1000);
    ck_assert_uint_eq(died(COUNTED_QUORUM, COUNTED_AT_MOST_ONCE, COUNTED_EXPIRED), 1);
    do_publish(&h, "A1", "", "q", "m", "");
    for (uint64_t tag = 1; tag <= 2; tag++) {
        do_get(&h, "A1", "q", "a");
        do_reject(&h, "A1", tag, true);
    }
    ck_assert_uint_eq(died(COUNTED_QUORUM, COUNTED_AT_MOST_ONCE, COUNTED_DELIVERY_LIMIT), 1);
    do_publish(&h, "A1", "", "q", "m", "");
    do_get(&h, "A1", "q", "a");
    do_reject(&h, "A1", 3, false);
    ck_assert_uint_eq(died(COUNTED_QUORUM, COUNTED_AT_MOST_ONCE, COUNTED_REJECTED), 1);
    do_get(&h, "A1", "short", "a");
    do_reject(&h, "A1", 4, false);
    ck_assert_uint_eq(died(COUNTED_CLASSIC, COUNTED_DISABLED, COUNTED_REJECTED), 1);
    ck_assert_uint_eq(count()->dead_letters_confirmed[COUNTED_QUORUM], 0);
    ck_assert_uint_eq(totals.counters.routed,
                      10); /* dead letters are not what a client published */
}
END_TEST

/* A message counts as dead-lettered when it dies, and as confirmed when a queue has taken its
 * letter. */
START_TEST(deaths_at_least_once)
{
    DECLARE("q", "d", "x-queue-type", "quorum", "x-dead-letter-strategy", "at-least-once",
            "x-overflow", "reject-publish", "x-dead-letter-exchange", "",
            "x-dead-letter-routing-key", "later");
    do_publish(&h, "A1", "", "q", "m", "p");
    do_get(&h, "A1", "q", "a");
    do_reject(&h, "A1", 1, false);
    ck_assert_uint_eq(died(COUNTED_QUORUM, COUNTED_AT_LEAST_ONCE, COUNTED_REJECTED), 1);
    ck_assert_uint_eq(count()->dead_letters_confirmed[COUNTED_QUORUM], 0);
    do_declare(&h, "A1", "later", "d");
    harness_sync(&h);
    harness_pass(&h, 5000);
    ck_assert_uint_eq(count()->dead_letters_confirmed[COUNTED_QUORUM], 1);
    ck_assert_uint_eq(died(COUNTED_QUORUM, COUNTED_AT_LEAST_ONCE, COUNTED_REJECTED), 1);
}
END_TEST

START_TEST(sums)
{
    struct counters sum = {0}, more = {0};
    uint64_t *words = (uint64_t *)(void *)&more;
    size_t count_of_words = sizeof more / sizeof *words;
    for (size_t i = 0; i < count_of_words; i++)
        words[i] = i + 1;
    counters_add(&sum, &more);
    counters_add(&sum, &more);
    ck_assert_uint_eq(sum.by_type[0].publish, 2);
    ck_assert_uint_eq(sum.body_bytes, 2 * count_of_words);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("counters");
    TCase *tcase = tcase_create("counters");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, queues_that_come_and_go);
    tcase_add_test(tcase, routes);
    tcase_add_test(tcase, routes_of_transactions);
    tcase_add_test(tcase, confirms);
    tcase_add_test(tcase, publishers);
    tcase_add_test(tcase, sizes);
    tcase_add_loop_test(tcase, sizes_below_a_low_limit, 0, 3);
    tcase_add_test(tcase, deliveries_by_type_of_queue);
    tcase_add_test(tcase, deaths_by_reason_and_strategy);
    tcase_add_test(tcase, deaths_at_least_once);
    tcase_add_test(tcase, sums);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
