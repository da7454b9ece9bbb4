/* Messages that wait in exchanges: which are kept, when they are routed, which survive a restart.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "delay_fixture.h"

/* ---- Declaring. */

START_TEST(the_inner_type_is_checked)
{
    declare_delayed("x", NULL, "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED Invalid argument, 'x-delayed-type' must be an "
               "existing exchange type\n");
}
END_TEST

START_TEST(an_unknown_inner_type_is_refused)
{
    declare_delayed("x", "nonsense", "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED unknown exchange type 'nonsense'\n");
}
END_TEST

START_TEST(it_does_not_delay_for_itself)
{
    declare_delayed("x", "x-delayed-message", "");
    expect(&h, "A1 fail exchange PRECONDITION_FAILED Invalid argument, 'x-delayed-message' can't "
               "be used for 'x-delayed-type'\n");
}
END_TEST

/* ---- Keeping and routing. */

START_TEST(a_message_comes_at_its_time)
{
    with_consumer();
    publish_after("x", "k", "late", 3000, "");
    publish_after("x", "k", "soon", 10, "");
    publish_after("x", "k", "now", 0, "");
    publish_after("x", "k", "past", -5, "");
    do_publish(&h, "A1", "x", "k", "plain", "");
    expect(&h, "A1 deliver c1 t1 now\nA1 deliver c1 t2 past\nA1 deliver c1 t3 plain\n");
    ck_assert_uint_eq(waiting("x"), 2);
    pass(9);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t4 soon\n");
    pass(2989);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t5 late\n");
    ck_assert_uint_eq(waiting("x"), 0);
    pass(2000);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX); /* nothing is left behind */
}
END_TEST

static int64_t delivered_delay;
static enum field_type delivered_type;

static void note_header(void *context, char peer, const struct event *event)
{
    struct properties properties;
    struct field field;
    (void)context;
    (void)peer;
    if (event->type != EVENT_DELIVER)
        return;
    ck_assert_int_eq(properties_decode(message_properties(event->u.deliver.message), &properties),
                     STATUS_OK);
    ck_assert(table_find(properties.headers, "x-delay", &field));
    delivered_delay = field.value.integer;
    delivered_type = field.type;
    ck_assert(table_find(properties.headers, "other", &field));
    ck_assert(!table_find(properties.headers, "BCC", &field));
}

START_TEST(the_delay_comes_back_negated)
{
    static const char *const texts[] = {"250", "+250", "0250", "250"};
    with_consumer();
    h.watch = note_header;
    for (unsigned i = 0; i < 7; i++) {
        struct text headers = {0};
        struct field number = {.type = FIELD_DOUBLE, .value.real = 250.9};
        table_put_string(&headers, "other", bytes_of_text("kept"));
        if (i < 4)
            table_put_string(&headers, "x-delay", bytes_of_text(texts[i]));
        else if (i == 4)
            table_put_i32(&headers, "x-delay", 250);
        else if (i == 5)
            table_put_field(&headers, bytes_of_text("x-delay"), &number);
        else
            table_put_i64(&headers, "x-delay", 3000000000);
        delivered_type = FIELD_VOID;
        publish_headers("x", "k", "m", 1, &headers, "");
        text_free(&headers);
        ck_assert_uint_eq(waiting("x"), 1);
        pass(250);
        if (i == 6)
            pass(3000000000 - 250);
        ck_assert_uint_eq(waiting("x"), 0);
        ck_assert_int_eq(delivered_type, i < 6 ? FIELD_I32 : FIELD_I64);
        ck_assert_int_eq(delivered_delay, i < 6 ? -250 : -3000000000);
    }
}
END_TEST

START_TEST(it_is_routed_by_the_bindings_of_its_time)
{
    declare_delayed("x", "topic", "");
    do_declare(&h, "A1", "early", "");
    do_declare(&h, "A1", "late", "");
    do_bind(&h, "A1", "x", "early", "a.#");
    publish_after("x", "a.b", "m", 1000, "m");
    do_delete(&h, "A1", "early", "");
    do_bind(&h, "A1", "x", "late", "*.b");
    harness_take(&h);
    pass(1000);
    do_get(&h, "A1", "late", "");
    expect(&h, "A1 got t1 m left 0\n");
}
END_TEST

START_TEST(mandatory_is_answered_at_once)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    publish_after("x", "nowhere", "lost", 100, "m");
    publish_after("x", "nowhere", "unseen", 100, "");
    publish_after("x", "k", "kept", 100, "m");
    harness_sync(&h);
    expect(&h, "A1 ok confirm-select\nA1 return lost NO_ROUTE\nA1 confirm 3 multiple\n");
    ck_assert_uint_eq(waiting("x"), 2);
    pass(100);
    expect(&h, "A1 deliver c1 t1 kept\n");
}
END_TEST

START_TEST(a_confirm_waits_for_the_disk)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    publish_after("x", "k", "kept", 60000, "p");
    vhost_flush(h.vhost, h.now);
    expect(&h, "A1 ok confirm-select\n");
    harness_sync(&h);
    expect(&h, "A1 confirm 1\n");
}
END_TEST

START_TEST(copies_go_along_and_stay_hidden)
{
    struct text headers = {0};
    with_consumer();
    do_declare(&h, "A1", "r", "");
    do_bind(&h, "A1", "x", "r", "blind");
    do_consume(&h, "A1", "r", 2, "", 0);
    harness_take(&h);
    table_put_string(&headers, "other", bytes_of_text("kept"));
    table_put_i32(&headers, "x-delay", 5);
    size_t array = array_begin(&headers, "BCC");
    struct field key = {.type = FIELD_STRING, .value.bytes = bytes_of_text("blind")};
    array_put_field(&headers, &key);
    array_end(&headers, array);
    publish_headers("x", "k", "m", 1, &headers, "");
    text_free(&headers);
    h.watch = note_header;
    pass(5);
    const char *lines = harness_take(&h);
    ck_assert_ptr_nonnull(strstr(lines, "c1"));
    ck_assert_ptr_nonnull(strstr(lines, "c2"));
}
END_TEST

START_TEST(an_exchange_that_is_bound_keeps_too)
{
    struct command bind = {.type = COMMAND_EXCHANGE_BIND, .channel = 1};
    with_consumer();
    do_exchange(&h, "A1", "front", "fanout", "");
    do_declare(&h, "A1", "r", "");
    do_consume(&h, "A1", "r", 2, "", 0);
    do_bind(&h, "A1", "front", "r", "");
    bind.u.bind.source = bytes_of_text("front");
    bind.u.bind.destination = bytes_of_text("x");
    harness_do(&h, 'A', &bind);
    harness_take(&h);
    publish_after("front", "k", "m", 50, "m");
    expect(&h, "A1 deliver c2 t1 m\n");
    pass(50);
    expect(&h, "A1 deliver c1 t2 m\n");
}
END_TEST

START_TEST(what_waits_goes_with_its_exchange)
{
    with_consumer();
    for (int i = 0; i < 20; i++)
        publish_after("x", "k", "m", i * i * i * 1000, i % 2 ? "p" : "");
    harness_sync(&h);
    delete_exchange("x");
    harness_take(&h);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    harness_sync(&h);
    restart();
    declare_delayed("x", "direct", "d");
    do_bind(&h, "A1", "x", "q", "k");
    harness_sync(&h);
    harness_take(&h);
    pass(10000000);
    expect(&h, "");
}
END_TEST

/* ---- Long delays, and malformed ones. */

#define DAY_MS  INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)

/* Lets time go by in one step, without ticks that only look at the clock. */
static void leap(int64_t ms)
{
    h.now.steady_ms += (uint64_t)ms;
    h.now.wall_ms += (uint64_t)ms;
    pass(0);
}

START_TEST(years_are_waited_for)
{
    static const int64_t delays[] = {(int64_t)UINT32_MAX + 1, YEAR_MS, 10 * YEAR_MS,
                                     INT64_C(3155760000000)};
    with_consumer();
    int64_t passed = 0;
    for (unsigned i = 0; i < 4; i++)
        publish_after("x", "k", (const char *[]){"49 days", "1", "10", "100"}[i], delays[i], "p");
    publish_after("x", "k", "same time", YEAR_MS, "p");
    ck_assert_uint_eq(waiting("x"), 5);
    harness_sync(&h);
    for (unsigned i = 0; i < 4; i++) {
        leap(delays[i] - passed - 5000);
        pass(4999);
        expect(&h, "");
        if (i == 1) {
            restart();
            pass(0);
        }
        pass(1);
        passed = delays[i];
        static const char *const lines[] = {"A1 deliver c1 t1 49 days\n",
                                            "A1 deliver c1 t1 1\nA1 deliver c1 t2 same time\n",
                                            "A1 deliver c1 t3 10\n", "A1 deliver c1 t4 100\n"};
        expect(&h, lines[i]);
        harness_sync(&h);
    }
    ck_assert_uint_eq(waiting("x"), 0);
}
END_TEST

static void refuse_delay(const struct field *delay, const char *why)
{
    char line[200];
    struct text headers = {0};
    table_put_field(&headers, bytes_of_text("x-delay"), delay);
    publish_headers("x", "k", "m", 1, &headers, "");
    text_free(&headers);
    snprintf(line, sizeof line, "A1 fail publish PRECONDITION_FAILED invalid x-delay: %s\n", why);
    expect(&h, line);
    ck_assert_uint_eq(waiting("x"), 0);
    do_close(&h, "A1");
    do_open(&h, "A1");
    harness_take(&h);
}

static struct field text_delay(const char *text)
{
    return (struct field){.type = FIELD_STRING, .value.bytes = bytes_of_text(text)};
}

START_TEST(what_is_no_delay_is_refused)
{
    static const char *const large = "it is larger than 3155760000000 ms";
    static const char *const texts[] = {"", "abc", "1e3", "12 ", "-", "+", "1.5"};
    static const char *const larges[] = {"3155760000001", "9223372036854775807",
                                         "9223372036854775808", "99999999999999999999999999"};
    declare_delayed("x", "direct", "d");
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "k");
    harness_sync(&h);
    harness_take(&h);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse_delay(&(struct field[]){text_delay(texts[i])}[0],
                     "it is no number but of type longstr");
    for (size_t i = 0; i < sizeof larges / sizeof *larges; i++)
        refuse_delay(&(struct field[]){text_delay(larges[i])}[0], large);
    const struct field numbers[] = {{.type = FIELD_I64, .value.integer = INT64_MAX},
                                    {.type = FIELD_I64, .value.integer = INT64_C(3155760000001)},
                                    {.type = FIELD_DOUBLE, .value.real = 1e300},
                                    {.type = FIELD_FLOAT, .value.real = 1e30}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        refuse_delay(&numbers[i], large);
    const struct field others[] = {{.type = FIELD_BOOL, .value.integer = 1},
                                   {.type = FIELD_VOID},
                                   {.type = FIELD_TABLE},
                                   {.type = FIELD_TIMESTAMP, .value.timestamp = 5},
                                   {.type = FIELD_DOUBLE, .value.real = NAN},
                                   {.type = FIELD_DOUBLE, .value.real = INFINITY}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char why[80];
        snprintf(why, sizeof why, "it is no number but of type %s",
                 field_type_name(others[i].type));
        refuse_delay(&others[i], why);
    }
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

/* A delay that is not above 0 is no delay, as in RabbitMQ's plugin. x-delay is not looked at where
 * no exchange delays. */
START_TEST(what_is_no_wait_goes_at_once)
{
    const struct field delays[] = {{.type = FIELD_I64, .value.integer = INT64_MIN},
                                   {.type = FIELD_DOUBLE, .value.real = 0.9},
                                   {.type = FIELD_DOUBLE, .value.real = -1e300},
                                   {.type = FIELD_STRING, .value.bytes = BYTES_LITERAL("-5")}};
    with_consumer();
    for (unsigned i = 0; i < 4; i++) {
        char line[40];
        struct text headers = {0};
        table_put_field(&headers, bytes_of_text("x-delay"), &delays[i]);
        publish_headers("x", "k", "m", 1, &headers, "");
        text_free(&headers);
        snprintf(line, sizeof line, "A1 deliver c1 t%u m\n", i + 1);
        expect(&h, line);
    }
    publish_after("", "q", "elsewhere", INT64_MAX, "");
    expect(&h, "A1 deliver c1 t5 elsewhere\n");
}
END_TEST

/* A malformed delay is refused when the message is published, not at the commit. */
START_TEST(a_transaction_refuses_early)
{
    with_consumer();
    do_exchange(&h, "A1", "front", "fanout", "d");
    struct command bind = {.type = COMMAND_EXCHANGE_BIND, .channel = 1};
    bind.u.bind.source = bytes_of_text("front");
    bind.u.bind.destination = bytes_of_text("x");
    harness_do(&h, 'A', &bind);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    harness_sync(&h);
    harness_take(&h);
    publish_after("front", "k", "m", INT64_MAX, "");
    expect(&h, "A1 fail publish PRECONDITION_FAILED invalid x-delay: it is larger than "
               "3155760000000 ms\n");
}
END_TEST

/* No client can be told that the delay of a dead letter is too long: the letter waits for the
 * longest delay. */
START_TEST(dead_letters_with_too_long_a_delay_wait)
{
    struct text arguments = {0};
    with_consumer();
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text("x"));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("k"));
    do_declare_args(&h, "A1", "work", "d", &arguments);
    text_free(&arguments);
    publish_after("", "work", "m", INT64_MAX, "p");
    do_get(&h, "A1", "work", "a");
    do_nack(&h, "A1", 1, false, false);
    harness_sync(&h);
    harness_take(&h);
    ck_assert_uint_eq(waiting("x"), 1);
    leap(99 * YEAR_MS);
    expect(&h, "");
    ck_assert_uint_eq(waiting("x"), 1);
}
END_TEST

START_TEST(a_transaction_keeps_at_its_commit)
{
    with_consumer();
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    publish_after("x", "k", "kept", 100, "p");
    publish_after("x", "nowhere", "lost", 100, "pm");
    ck_assert_uint_eq(waiting("x"), 0);
    pass(50);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    ck_assert_uint_eq(waiting("x"), 1);
    harness_sync(&h);
    expect(&h, "A1 ok tx-select\nA1 return lost NO_ROUTE\nA1 ok commit\n");
    pass(99);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t1 kept\n");
}
END_TEST

START_TEST(dead_letters_wait_too)
{
    struct text arguments = {0};
    with_consumer();
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text("x"));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("k"));
    do_declare_args(&h, "A1", "work", "d", &arguments);
    text_free(&arguments);
    publish_after("", "work", "m", 1000, "p");
    do_get(&h, "A1", "work", "a");
    do_nack(&h, "A1", 1, false, false);
    harness_sync(&h);
    harness_take(&h);
    ck_assert_uint_eq(waiting("x"), 1);
    pass(999);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t2 m\n");
}
END_TEST

START_TEST(an_alternate_exchange_is_asked_at_its_time)
{
    struct text arguments = {0};
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    do_exchange(&h, "A1", "other", "fanout", "");
    do_declare(&h, "A1", "q", "");
    do_bind(&h, "A1", "other", "q", "");
    table_put_string(&arguments, "x-delayed-type", bytes_of_text("direct"));
    table_put_string(&arguments, "alternate-exchange", bytes_of_text("other"));
    command.u.exchange_declare.name = bytes_of_text("x");
    command.u.exchange_declare.type = bytes_of_text("x-delayed-message");
    command.u.exchange_declare.arguments = text_bytes(&arguments);
    harness_do(&h, 'A', &command);
    text_free(&arguments);
    harness_take(&h);
    publish_after("x", "nowhere", "m", 100, "m");
    pass(99);
    do_get(&h, "A1", "q", "");
    pass(1);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 empty\nA1 got t1 m left 0\n");
}
END_TEST

START_TEST(what_cannot_be_read_is_set_aside)
{
    with_consumer();
    publish_after("x", "k", "unreadable", 5000, "p");
    publish_after("x", "k", "later", 100000, "p");
    harness_sync(&h);
    restart();
    h.break_pages = true;
    pass(10000);
    expect(&h, "");
    h.break_pages = false;
    publish_after("x", "k", "new", 10, "p");
    pass(10);
    expect(&h, "A1 deliver c1 t1 new\n");
    pass(90000);
    expect(&h, "A1 deliver c1 t2 later\n");
    ck_assert_uint_eq(waiting("x"), 1); /* it has to be read from disk first */
    harness_sync(&h);
    restart();
    pass(0);
    expect(&h, "A1 deliver c1 t1 unreadable\n");
}
END_TEST

/* ---- Restart. */

START_TEST(what_is_durable_survives)
{
    with_consumer();
    publish_after("x", "k", "overdue 1", 5000, "p");
    publish_after("x", "k", "overdue 2", 7000000, "p");
    publish_after("x", "k", "overdue 3", 100, "p");
    publish_after("x", "k", "transient", 200, "");
    publish_after("x", "k", "in a day", 86400000, "p");
    publish_after("x", "k", "in a month", 30 * 86400000LL, "p");
    harness_sync(&h);
    publish_after("x", "k", "not on disk", 300, "p");
    h.now.steady_ms += 7200000;
    h.now.wall_ms += 7200000;
    restart();
    ck_assert_uint_eq(waiting("x"), 5);
    pass(0);
    expect(&h, "A1 deliver c1 t1 overdue 3\nA1 deliver c1 t2 overdue 1\n"
               "A1 deliver c1 t3 overdue 2\n");
    pass(86400000 - 7200000 - 1);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t4 in a day\n");
    harness_sync(&h);
    restart();
    pass(30 * 86400000ULL);
    expect(&h, "A1 deliver c1 t1 in a month\n");
}
END_TEST

START_TEST(a_crash_between_leaving_and_arriving_shows_neither_or_both)
{
    with_consumer();
    do_cancel(&h, "A1", 1);
    publish_after("x", "k", "m", 100, "p");
    harness_sync(&h);
    harness_pass(&h, 100); /* it has been routed to the queue, which is not on disk yet */
    restart();
    pass(0);
    expect(&h, "A1 deliver c1 t1 m\n");
    ck_assert_uint_eq(waiting("x"), 0);
}
END_TEST

START_TEST(the_clock_jumps)
{
    with_consumer();
    publish_after("x", "k", "one", 60000, "");
    h.now.wall_ms += 60000; /* forwards: that is noticed within CLOCK_LOOK_MS */
    pass(5000);
    expect(&h, "A1 deliver c1 t1 one\n");
    publish_after("x", "k", "two", 1000, "");
    h.now.wall_ms -= 10000; /* backwards: the message comes 10 s later */
    pass(10999);
    expect(&h, "");
    pass(1);
    expect(&h, "A1 deliver c1 t2 two\n");
}
END_TEST

/* ---- */

int main(void)
{
    Suite *suite = suite_create("delay");
    TCase *kept = tcase_create("kept");
    tcase_add_checked_fixture(kept, setup, teardown);
    tcase_add_test(kept, the_inner_type_is_checked);
    tcase_add_test(kept, an_unknown_inner_type_is_refused);
    tcase_add_test(kept, it_does_not_delay_for_itself);
    tcase_add_test(kept, a_message_comes_at_its_time);
    tcase_add_test(kept, the_delay_comes_back_negated);
    tcase_add_test(kept, it_is_routed_by_the_bindings_of_its_time);
    tcase_add_test(kept, mandatory_is_answered_at_once);
    tcase_add_test(kept, a_confirm_waits_for_the_disk);
    tcase_add_test(kept, copies_go_along_and_stay_hidden);
    tcase_add_test(kept, an_exchange_that_is_bound_keeps_too);
    tcase_add_test(kept, what_waits_goes_with_its_exchange);
    tcase_add_test(kept, years_are_waited_for);
    tcase_add_test(kept, what_is_no_delay_is_refused);
    tcase_add_test(kept, what_is_no_wait_goes_at_once);
    tcase_add_test(kept, a_transaction_refuses_early);
    tcase_add_test(kept, dead_letters_with_too_long_a_delay_wait);
    tcase_add_test(kept, a_transaction_keeps_at_its_commit);
    tcase_add_test(kept, dead_letters_wait_too);
    tcase_add_test(kept, an_alternate_exchange_is_asked_at_its_time);
    tcase_add_test(kept, what_cannot_be_read_is_set_aside);
    tcase_add_test(kept, what_is_durable_survives);
    tcase_add_test(kept, a_crash_between_leaving_and_arriving_shows_neither_or_both);
    tcase_add_test(kept, the_clock_jumps);
    suite_add_tcase(suite, kept);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
