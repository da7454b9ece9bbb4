/* Length limits of queues. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/table.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static void teardown(void)
{
    harness_close(&h);
}

/* limit and bytes: -1: none. */
static void declare(const char *queue, const char *flags, int64_t limit, int64_t bytes,
                    const char *overflow)
{
    struct text table = {0};
    if (limit >= 0)
        table_put_i64(&table, "x-max-length", limit);
    if (bytes >= 0)
        table_put_i64(&table, "x-max-length-bytes", bytes);
    if (overflow)
        table_put_string(&table, "x-overflow", bytes_of_text(overflow));
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
    harness_sync(&h);
    harness_take(&h);
}

START_TEST(drop_head)
{
    declare("q", "", 2, -1, NULL);
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    do_publish(&h, "A1", "", "q", "three", "");
    do_declare(&h, "A1", "q", "p");
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 2 0\nA1 got t1 two left 1\nA1 got t2 three left 0\n");
}
END_TEST

START_TEST(by_bytes)
{
    declare("q", "", -1, 8, NULL);
    do_publish(&h, "A1", "", "q", "four", "");
    do_publish(&h, "A1", "", "q", "five", "");
    do_publish(&h, "A1", "", "q", "a", "");
    do_declare(&h, "A1", "q", "p");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 2 0\nA1 got t1 five left 1\n");
    do_publish(&h, "A1", "", "q", "far too long", "");
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

START_TEST(zero)
{
    declare("q", "", 0, -1, NULL);
    do_publish(&h, "A1", "", "q", "dropped", "");
    do_get(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "", 0);
    do_publish(&h, "A1", "", "q", "taken", "");
    expect(&h, "A1 empty\nA1 ok consume c1\nA1 deliver c1 t1 taken\n");
}
END_TEST

START_TEST(refused_and_taken_elsewhere)
{
    declare("full", "d", 1, -1, "reject-publish");
    declare("other", "d", -1, -1, NULL);
    do_bind(&h, "A1", "amq.fanout", "full", "");
    do_bind(&h, "A1", "amq.fanout", "other", "");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_sync(&h);
    harness_take(&h);
    do_publish(&h, "A1", "amq.fanout", "", "one", "p");
    do_publish(&h, "A1", "amq.fanout", "", "two", "p");
    do_publish(&h, "A1", "", "other", "three", "p");
    harness_sync(&h);
    expect(&h, "A1 confirm 1\nA1 confirm 2 nack\nA1 confirm 3\n");
    do_declare(&h, "A1", "full", "p");
    do_declare(&h, "A1", "other", "p");
    expect(&h, "A1 ok declare full 1 0\nA1 ok declare other 3 0\n");
    do_get(&h, "A1", "full", ""); /* room again */
    do_publish(&h, "A1", "", "full", "four", "p");
    harness_sync(&h);
    expect(&h, "A1 got t1 one left 0\nA1 confirm 4\n");
}
END_TEST

START_TEST(transaction_is_partial)
{
    declare("full", "d", 1, -1, "reject-publish");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_publish(&h, "A1", "", "full", "one", "p");
    do_publish(&h, "A1", "", "full", "two", "p");
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    harness_sync(&h);
    expect(&h, "A1 ok tx-select\nA1 fail commit PRECONDITION_FAILED partial tx completion\n");
    do_open(&h, "A2");
    do_declare(&h, "A2", "full", "p");
    expect(&h, "A2 ok open\nA2 ok declare full 1 0\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("length");
    TCase *tcase = tcase_create("limits");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, drop_head);
    tcase_add_test(tcase, by_bytes);
    tcase_add_test(tcase, zero);
    tcase_add_test(tcase, refused_and_taken_elsewhere);
    tcase_add_test(tcase, transaction_is_partial);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
