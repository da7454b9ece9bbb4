/* Queues that are paused: they take messages and deliver none. */
#include "core_harness.h"

static struct harness h;

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

static void pause_queue(bool paused)
{
    do_pause(&h, "A1", "q", paused);
    harness_sync(&h);
    expect(&h, "A1 ok pause\n");
}

START_TEST(a_paused_queue_delivers_nothing_until_it_is_resumed)
{
    do_consume(&h, "A1", "q", 1, "a", 0);
    harness_take(&h);
    pause_queue(true);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "");
    harness_sync(&h);
    expect(&h, "");
    do_pause(&h, "A1", "q", false);
    harness_sync(&h);
    expect(&h, "A1 deliver c1 t1 one\nA1 deliver c1 t2 two\nA1 ok pause\n");
}
END_TEST

START_TEST(a_get_finds_a_paused_queue_empty)
{
    do_publish(&h, "A1", "", "q", "one", "p");
    pause_queue(true);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 empty\n");
    pause_queue(false);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 one left 0\n");
}
END_TEST

START_TEST(deliveries_from_before_are_settled_and_come_back)
{
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    harness_sync(&h);
    harness_take(&h);
    pause_queue(true);
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true);
    harness_sync(&h);
    expect(&h, "");
    do_pause(&h, "A1", "q", false);
    harness_sync(&h);
    expect(&h, "A1 deliver c1 t3 two redelivered\nA1 ok pause\n");
}
END_TEST

START_TEST(messages_expire_in_a_paused_queue)
{
    struct queue_info info;
    pause_queue(true);
    do_publish_ttl(&h, "A1", "q", "one", 1000, "");
    harness_pass(&h, 1500);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &info));
    ck_assert(info.paused);
    ck_assert_uint_eq(info.messages_ready, 0);
}
END_TEST

START_TEST(a_pause_survives_a_restart)
{
    struct queue_info info;
    pause_queue(true);
    do_publish(&h, "A1", "", "q", "one", "p");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &info));
    ck_assert(info.paused);
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    expect(&h, "A1 empty\n");
    pause_queue(false);
    harness_crash(&h);
    do_open(&h, "A1");
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    expect(&h, "A1 ok open\nA1 got t1 one left 0\n");
}
END_TEST

START_TEST(a_get_that_waits_for_the_disk_is_answered_when_the_queue_is_paused)
{
    do_publish(&h, "A1", "", "q", "one", "p");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok open\n");
    do_pause(&h, "A1", "q", true);
    harness_sync(&h);
    expect(&h, "A1 empty\nA1 ok pause\n");
}
END_TEST

START_TEST(publishers_to_a_paused_queue_are_not_slowed_down)
{
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
    pause_queue(true);
    for (int i = 0; i < 2000; i++)
        do_publish(&h, "A1", "", "q", "m", "");
    expect(&h, "");
}
END_TEST

START_TEST(pausing_a_queue_that_is_not_there_is_refused)
{
    do_pause(&h, "A1", "none", true);
    expect(&h, "A1 fail pause NOT_FOUND no queue 'none' in vhost '/'\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pause");
    TCase *tcase = tcase_create("pause");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_paused_queue_delivers_nothing_until_it_is_resumed);
    tcase_add_test(tcase, a_get_finds_a_paused_queue_empty);
    tcase_add_test(tcase, deliveries_from_before_are_settled_and_come_back);
    tcase_add_test(tcase, messages_expire_in_a_paused_queue);
    tcase_add_test(tcase, a_pause_survives_a_restart);
    tcase_add_test(tcase, a_get_that_waits_for_the_disk_is_answered_when_the_queue_is_paused);
    tcase_add_test(tcase, publishers_to_a_paused_queue_are_not_slowed_down);
    tcase_add_test(tcase, pausing_a_queue_that_is_not_there_is_refused);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
