/* Deduplication by exchanges and queues: which messages pass, how long identifiers are known,
 * restarts. */
#include <stdio.h>
#include <stdlib.h>

#include "dedup_fixture.h"

/* ---- Exchanges. */

START_TEST(exchange_drops_duplicates)
{
    dedup_exchange(0, 0);
    publish("x", "", "one", "a", "p");
    publish("x", "", "two", "a", "pm"); /* a duplicate: not returned, though no queue gets it */
    publish("x", "", "three", "b", "p");
    harness_turn(&h);
    ck_assert_uint_eq(ready("q"), 2);
    expect(&h, ""); /* a duplicate is not confirmed before the first message is on disk */
    harness_sync(&h);
    expect(&h, "A1 confirm 3 multiple\n");
    do_publish(&h, "A1", "x", "", "no identifier", "p");
    do_publish(&h, "A1", "x", "", "no identifier", "p");
    ck_assert_uint_eq(ready("q"), 4);
    struct exchange_info info;
    ck_assert(vhost_find_exchange(h.vhost, bytes_of_text("x"), &info));
    ck_assert_uint_eq(info.deduplicated, 1);
}
END_TEST

START_TEST(what_found_no_queue_may_come_again)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, 0, 0);
    exchange("d", "direct", &arguments);
    text_free(&arguments);
    do_declare(&h, "A1", "q", "");
    harness_sync(&h);
    harness_take(&h);
    publish("d", "k", "one", "a", "m");
    harness_turn(&h);
    expect(&h, "A1 return one NO_ROUTE\nA1 confirm 1\n");
    do_bind(&h, "A1", "d", "q", "k");
    publish("d", "k", "one", "a", "m");
    publish("d", "k", "one", "a", "m");
    ck_assert_uint_eq(ready("q"), 1);
}
END_TEST

START_TEST(cache_size)
{
    char identifier[2] = "a";
    dedup_exchange(3, 0);
    for (unsigned i = 0; i < 4; i++, identifier[0]++)
        publish("x", "", "m", identifier, "p");
    ck_assert_uint_eq(ready("q"), 4);
    publish("x", "", "m", "b", "p"); /* known; the oldest identifier, a, has been forgotten */
    ck_assert_uint_eq(ready("q"), 4);
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 5);
    publish("x", "", "m", "b", "p"); /* not known: a has displaced it */
    ck_assert_uint_eq(ready("q"), 6);
}
END_TEST

/* Memory for identifiers bounds a cache as its size does, and is given back. */
START_TEST(cache_memory)
{
    struct account *account = account_new(1u << 16);
    char identifier[8];
    uint64_t held;
    harness_close(&h);
    h = (struct harness){.account = account};
    setup();
    dedup_exchange(0, 0);
    for (unsigned i = 0; i < 2000; i++) {
        snprintf(identifier, sizeof identifier, "%u", i);
        publish("x", "", "m", identifier, "p");
    }
    held = account_bytes(account, ACCOUNT_DEDUPLICATION);
    ck_assert_uint_le(held, account_limit_bytes(account, ACCOUNT_DEDUPLICATION));
    ck_assert_uint_gt(held, account_limit_bytes(account, ACCOUNT_DEDUPLICATION) * 9 / 10);
    ck_assert_uint_eq(ready("q"), 2000);
    publish("x", "", "m", "1999", "p"); /* the newest identifier is known, the oldest is not */
    ck_assert_uint_eq(ready("q"), 2000);
    publish("x", "", "m", "0", "p");
    ck_assert_uint_eq(ready("q"), 2001);
    harness_sync(&h);
    harness_crash(&h);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_DEDUPLICATION), held);
    again();
    publish("x", "", "m", "1999", "p");
    ck_assert_uint_eq(ready("q"), 2001);
    harness_close(&h);
    ck_assert_uint_eq(account_bytes(account, ACCOUNT_DEDUPLICATION), 0);
    account_free(&account);
    h = (struct harness){0};
    harness_open(&h);
}
END_TEST

START_TEST(cache_ttl)
{
    struct text headers = {0};
    dedup_exchange(10, 1000);
    publish("x", "", "m", "a", "p");
    table_put_string(&headers, "x-deduplication-header", bytes_of_text("longer"));
    table_put_i32(&headers, "x-cache-ttl", 5000);
    publish_headers("x", "", "m", &headers, "p");
    harness_pass(&h, 900);
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 2);
    harness_pass(&h, 200);
    publish("x", "", "m", "a", "p");
    publish_headers("x", "", "m", &headers, "p");
    ck_assert_uint_eq(ready("q"), 3);
    harness_pass(&h, 4000);
    publish_headers("x", "", "m", &headers, "p");
    ck_assert_uint_eq(ready("q"), 4);
    text_free(&headers);
}
END_TEST

START_TEST(exchange_restart)
{
    dedup_exchange(4, 60000);
    publish("x", "", "m", "transient", "");
    publish("x", "", "m", "a", "p");
    publish("x", "", "m", "b", "p");
    harness_sync(&h);
    publish("x", "", "m", "lost", "p");
    harness_crash(&h);
    again();
    ck_assert_uint_eq(ready("q"), 2);
    publish("x", "", "m", "a", "p");
    publish("x", "", "m", "b", "p");
    ck_assert_uint_eq(ready("q"), 2);
    publish("x", "", "m", "transient", "p");
    publish("x", "", "m", "lost", "p");
    ck_assert_uint_eq(ready("q"), 4);
    publish("x", "", "m", "e", "p"); /* displaces a, which is the oldest as before the restart */
    publish("x", "", "m", "b", "p");
    ck_assert_uint_eq(ready("q"), 5);
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 6);
    harness_sync(&h);
    harness_crash(&h); /* the times of the identifiers go on */
    again();
    harness_pass(&h, 61000);
    publish("x", "", "m", "e", "p");
    ck_assert_uint_eq(ready("q"), 7);
}
END_TEST

START_TEST(exchange_deleted)
{
    struct command c = {.type = COMMAND_EXCHANGE_DELETE, .channel = 1};
    c.u.exchange_delete.name = bytes_of_text("x");
    dedup_exchange(0, 0);
    publish("x", "", "m", "a", "p");
    harness_sync(&h);
    harness_do(&h, 'A', &c);
    harness_sync(&h);
    dedup_exchange(0, 0); /* a new exchange of the same name knows none of the identifiers */
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 2);
    harness_sync(&h);
    harness_crash(&h); /* before the identifiers of the old exchange have been erased */
    again();
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 2);
    harness_pass(&h, 10);
    harness_sync(&h);
    harness_crash(&h);
    again();
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 2);
}
END_TEST

START_TEST(the_type)
{
    struct text none = {0}, arguments = {0};
    exchange("y", "x-message-deduplication", &none);
    expect(&h, "A1 fail exchange PRECONDITION_FAILED Missing or invalid argument, 'x-cache-size' "
               "must be an integer greater than 0\n");
    do_close(&h, "A1");
    again();
    table_put_string(&arguments, "x-cache-size", bytes_of_text("5"));
    table_put_string(&arguments, "x-cache-persistence", bytes_of_text("disk"));
    exchange("y", "x-message-deduplication", &arguments);
    do_declare(&h, "A1", "p", "");
    do_declare(&h, "A1", "q", "");
    do_bind(&h, "A1", "y", "p", "some key");
    do_bind(&h, "A1", "y", "q", "another");
    publish("y", "any", "m", "a", "");
    publish("y", "any", "m", "a", "");
    ck_assert_uint_eq(ready("p"), 1);
    ck_assert_uint_eq(ready("q"), 1);
    text_free(&arguments);
}
END_TEST

START_TEST(behind_another_exchange)
{
    struct text none = {0};
    struct command c = {.type = COMMAND_EXCHANGE_BIND, .channel = 1};
    dedup_exchange(0, 0);
    exchange("front", "fanout", &none);
    do_declare(&h, "A1", "all", "");
    do_bind(&h, "A1", "front", "all", "");
    c.u.bind.source = bytes_of_text("front");
    c.u.bind.destination = bytes_of_text("x");
    harness_do(&h, 'A', &c);
    publish("front", "", "m", "a", "");
    publish("front", "", "m", "a", "");
    ck_assert_uint_eq(ready("all"), 2);
    ck_assert_uint_eq(ready("q"), 1);
}
END_TEST

START_TEST(bad_arguments)
{
    static const struct {
        const char *key;
        int32_t value;
    } bad[] = {{"x-cache-size", 0},
               {"x-cache-ttl", -1},
               {"x-cache-persistence", 1},
               {"x-deduplication-header", 1},
               {"x-message-deduplication", 1}};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct text arguments = {0};
        if (i < 4)
            table_put_bool(&arguments, "x-message-deduplication", true);
        table_put_i32(&arguments, bad[i].key, bad[i].value);
        exchange("x", "direct", &arguments);
        ck_assert_ptr_nonnull(strstr(harness_take(&h), "fail exchange PRECONDITION_FAILED"));
        do_close(&h, "A1");
        again();
        if (i != 2) {
            do_declare_args(&h, "A1", "q", "", &arguments);
            ck_assert_ptr_nonnull(strstr(harness_take(&h), "fail declare PRECONDITION_FAILED"));
            do_close(&h, "A1");
            again();
        }
        text_free(&arguments);
    }
}
END_TEST

START_TEST(identifiers_are_values)
{
    struct text small = {0}, wide = {0}, string = {0}, flag = {0}, table = {0};
    dedup_exchange(0, 0);
    table_put_i32(&small, "x-deduplication-header", 5);
    table_put_i64(&wide, "x-deduplication-header", 5);
    table_put_string(&string, "x-deduplication-header", bytes_of_text("5"));
    table_put_bool(&flag, "x-deduplication-header", true);
    table_end(&table, table_begin(&table, "x-deduplication-header"));
    for (unsigned i = 0; i < 2; i++) {
        publish_headers("x", "", "m", &small, "");
        publish_headers("x", "", "m", &wide, "");
        publish_headers("x", "", "m", &string, "");
        publish_headers("x", "", "m", &flag, "");
    }
    ck_assert_uint_eq(ready("q"), 3);
    publish_headers("x", "", "m", &table, ""); /* no identifier */
    publish_headers("x", "", "m", &table, "");
    ck_assert_uint_eq(ready("q"), 5);
    text_free(&small);
    text_free(&wide);
    text_free(&string);
    text_free(&flag);
    text_free(&table);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dedup");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, exchange_drops_duplicates);
    tcase_add_test(tc, what_found_no_queue_may_come_again);
    tcase_add_test(tc, cache_size);
    tcase_add_test(tc, cache_memory);
    tcase_add_test(tc, cache_ttl);
    tcase_add_test(tc, exchange_restart);
    tcase_add_test(tc, exchange_deleted);
    tcase_add_test(tc, the_type);
    tcase_add_test(tc, behind_another_exchange);
    tcase_add_test(tc, bad_arguments);
    tcase_add_test(tc, identifiers_are_values);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
