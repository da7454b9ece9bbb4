/* Dead letters: why messages die, where their dead letters go and with which headers. */
#include <stdio.h>
#include <stdlib.h>

#include "dead_letter_fixture.h"

/* ---- Reasons. */

START_TEST(rejected)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    do_publish(&h, "A1", "", "q", "one", "p");
    get_and_reject("q");
    expect_depth("q", 0);
    do_get(&h, "A1", "dead", "");
    expect(&h, "A1 got t2 one left 0\n");
    ck_assert_str_eq(headers,
                     "[{<<\"x-death\">>,array,[{table,[{<<\"count\">>,long,1},"
                     "{<<\"reason\">>,longstr,<<\"rejected\">>},{<<\"queue\">>,longstr,<<\"q\">>},"
                     "{<<\"time\">>,timestamp,1700000000},{<<\"exchange\">>,longstr,<<\"\">>},"
                     "{<<\"routing-keys\">>,array,[{longstr,<<\"q\">>}]}]}]},"
                     "{<<\"x-first-death-exchange\">>,longstr,<<\"\">>},"
                     "{<<\"x-first-death-queue\">>,longstr,<<\"q\">>},"
                     "{<<\"x-first-death-reason\">>,longstr,<<\"rejected\">>},"
                     "{<<\"x-last-death-exchange\">>,longstr,<<\"\">>},"
                     "{<<\"x-last-death-queue\">>,longstr,<<\"q\">>},"
                     "{<<\"x-last-death-reason\">>,longstr,<<\"rejected\">>}]");
    ck_assert_str_eq(properties_text, ":dead persistent");
}
END_TEST

#define expect_header(part)    ck_assert_msg(strstr(headers, part) != NULL, "%s", headers)
#define expect_no_header(part) ck_assert_msg(strstr(headers, part) == NULL, "%s", headers)

START_TEST(expired)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    const struct properties properties = {
        .present = PROPERTY_EXPIRATION | PROPERTY_PRIORITY | PROPERTY_USER_ID,
        .expiration = bytes_of_text("100"),
        .priority = 3,
        .user_id = bytes_of_text("guest"),
    };
    publish_as("", "q", "one", properties, NULL);
    harness_pass(&h, 99);
    expect_depth("q", 1);
    harness_pass(&h, 1);
    expect_depth("q", 0);
    expect_got("dead", "A1 got one left 0");
    expect_header("<<\"original-expiration\">>,longstr,<<\"100\">>");
    expect_header("<<\"expired\">>");
    ck_assert_str_eq(properties_text, ":dead priority 3 user guest");
}
END_TEST

START_TEST(expired_by_the_queue)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead message-ttl=50");
    do_publish(&h, "A1", "", "q", "one", "");
    harness_pass(&h, 50);
    expect_got("dead", "A1 got one left 0");
    expect_no_header("original-expiration");
}
END_TEST

START_TEST(expired_at_once)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead message-ttl=0");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "q", "one", "p");
    vhost_flush(h.vhost, h.now);
    expect(&h, "A1 ok confirm-select\n"); /* the confirm waits for the letter to be on disk */
    harness_sync(&h);
    expect(&h, "A1 confirm 1\n");
    harness_crash(&h);
    do_open(&h, "A1");
    expect_depth("q", 0);
    expect_got("dead", "A1 got one left 0");
}
END_TEST

START_TEST(too_long)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead max-length=1");
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    expect_depth("q", 1);
    expect_got("dead", "A1 got one left 0");
    expect_header("<<\"maxlen\">>");
}
END_TEST

START_TEST(refused)
{
    declare("dead", "", "");
    declare("q", "d",
            "dead-letter-exchange= dead-letter-routing-key=dead max-length=1 "
            "overflow=reject-publish-dlx");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    harness_sync(&h);
    expect(&h, "A1 ok confirm-select\nA1 confirm 1\nA1 confirm 2 nack\n");
    expect_depth("q", 1);
    expect_got("dead", "A1 got two left 0");
    expect_header("<<\"maxlen\">>");
    expect_got("q", "A1 got one left 0");
}
END_TEST

START_TEST(only_what_dies)
{
    declare("dead", "", "");
    const char *arguments = "dead-letter-exchange= dead-letter-routing-key=dead";
    declare("q", "", arguments);
    do_publish(&h, "A1", "", "q", "purged", "");
    do_purge(&h, "A1", "q");
    do_publish(&h, "A1", "", "q", "acked", "");
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 1, false);
    do_publish(&h, "A1", "", "q", "deleted", "");
    do_delete(&h, "A1", "q", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead expires=100");
    do_publish(&h, "A1", "", "q", "gone with its queue", "");
    harness_pass(&h, 100);
    expect_depth("dead", 0);
}
END_TEST

/* ---- Exchanges and routing keys. */

START_TEST(no_exchange)
{
    declare("q", "", "dead-letter-exchange=nowhere");
    do_publish(&h, "A1", "", "q", "one", "");
    get_and_reject("q");
    expect_depth("q", 0);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

START_TEST(own_keys)
{
    declare("first", "", "");
    declare("second", "", "");
    declare("q", "", "dead-letter-exchange=dlx");
    do_exchange(&h, "A1", "dlx", "direct", "");
    do_bind(&h, "A1", "dlx", "first", "q");
    do_bind(&h, "A1", "dlx", "second", "copy");
    struct text table = {0};
    const struct field copy = {.type = FIELD_STRING, .value.bytes = bytes_of_text("copy")};
    size_t array = array_begin(&table, "CC");
    array_put_field(&table, &copy);
    array_end(&table, array);
    publish_as("", "q", "one", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("first", "A1 got one left 0");
    expect_header("<<\"routing-keys\">>,array,[{longstr,<<\"q\">>},{longstr,<<\"copy\">>}]");
    expect_header("<<\"CC\">>");
    ck_assert_str_eq(properties_text, "dlx:q");
    expect_got("second", "A1 got one left 0");
}
END_TEST

START_TEST(other_key_ends_copies)
{
    declare("dead", "", "");
    declare("copy", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    struct text table = {0};
    const struct field copy = {.type = FIELD_STRING, .value.bytes = bytes_of_text("copy")};
    size_t array = array_begin(&table, "CC");
    array_put_field(&table, &copy);
    array_end(&table, array);
    publish_as("", "q", "one", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_no_header("<<\"CC\">>");
    expect_depth("copy", 1);
}
END_TEST

/* ---- Messages that die several times. */

START_TEST(deaths_add_up)
{
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=wait");
    declare("wait", "", "dead-letter-exchange= dead-letter-routing-key=q message-ttl=10");
    do_publish(&h, "A1", "", "q", "one", "");
    for (int i = 0; i < 3; i++) {
        get_and_reject("q");
        harness_pass(&h, 10);
    }
    expect_got("q", "A1 got one left 0");
    expect_header("{<<\"x-death\">>,array,[{table,[{<<\"count\">>,long,3},"
                  "{<<\"exchange\">>,longstr,<<\"\">>},{<<\"queue\">>,longstr,<<\"wait\">>},"
                  "{<<\"reason\">>,longstr,<<\"expired\">>},"
                  "{<<\"routing-keys\">>,array,[{longstr,<<\"wait\">>}]},"
                  "{<<\"time\">>,timestamp,1700000000}]},"
                  "{table,[{<<\"count\">>,long,3},{<<\"exchange\">>,longstr,<<\"\">>},"
                  "{<<\"queue\">>,longstr,<<\"q\">>},{<<\"reason\">>,longstr,<<\"rejected\">>},");
    expect_header("{<<\"x-first-death-queue\">>,longstr,<<\"q\">>}");
    expect_header("{<<\"x-last-death-queue\">>,longstr,<<\"wait\">>},"
                  "{<<\"x-last-death-reason\">>,longstr,<<\"expired\">>}");
}
END_TEST

/* A client publishes with the headers of a dead letter that it got. */
static void publish_with_deaths(void)
{
    struct text table = {0};
    size_t array = array_begin(&table, "x-death");
    size_t element = array_put_table_begin(&table);
    table_put_i64(&table, "count", 5);
    table_put_string(&table, "queue", bytes_of_text("q"));
    table_put_string(&table, "reason", bytes_of_text("rejected"));
    table_end(&table, element);
    table_end(&table, array);
    table_put_string(&table, "x-first-death-queue", bytes_of_text("earlier"));
    table_put_string(&table, "x-last-death-queue", bytes_of_text("earlier"));
    publish_as("", "q", "one", (struct properties){.delivery_mode = 2}, &table);
    text_free(&table);
}

/* x_death.from_clients = count. */
START_TEST(deaths_from_clients_count)
{
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    declare("dead", "", "");
    publish_with_deaths();
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_header("{<<\"count\">>,long,6}");
    expect_header("{<<\"x-first-death-queue\">>,longstr,<<\"earlier\">>}");
    expect_header("{<<\"x-last-death-queue\">>,longstr,<<\"q\">>}");
}
END_TEST

/* x_death.from_clients = ignore: a client's x-death is shown as it was published until the message
 * dies; that death is counted as the first. */
START_TEST(deaths_from_clients_are_ignored)
{
    harness_close(&h);
    h.dialect.x_death = DEATHS_IGNORE;
    setup();
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    declare("dead", "d", "dead-letter-exchange= dead-letter-routing-key=q");
    publish_with_deaths();
    harness_sync(&h);
    harness_crash(&h); /* that a client wrote the x-death is stored with the message */
    do_open(&h, "A1");
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect_header("{<<\"count\">>,long,5}");
    expect_header("{<<\"x-last-death-queue\">>,longstr,<<\"earlier\">>}");
    expect_no_header("x-leveret");
    do_nack(&h, "A1", 1, false, false);
    harness_sync(&h);
    get_and_reject("dead"); /* the x-death is the broker's now: its count is raised */
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_header("{<<\"count\">>,long,2}");
    expect_header("{<<\"x-first-death-queue\">>,longstr,<<\"q\">>}");
    expect_no_header("earlier");
    expect_no_header("{<<\"count\">>,long,6}");
    expect_no_header("x-leveret");
}
END_TEST

START_TEST(cycles_end)
{
    declare("q", "", "dead-letter-exchange= message-ttl=10");
    do_publish(&h, "A1", "", "q", "one", "");
    harness_pass(&h, 10);
    expect_depth("q", 0);
    declare("a", "", "dead-letter-exchange= dead-letter-routing-key=b max-length=0");
    declare("b", "", "dead-letter-exchange= dead-letter-routing-key=a max-length=0");
    do_publish(&h, "A1", "", "a", "two", "");
    expect_depth("a", 0);
    expect_depth("b", 0);
}
END_TEST

/* x-death as a string, and as an array of elements that are not tables. */
START_TEST(odd_headers)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    struct text table = {0};
    table_put_string(&table, "x-death", bytes_of_text("made up"));
    publish_as("", "q", "one", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_no_header("made up");
    expect_header("{<<\"x-death\">>,array,[{table,[{<<\"count\">>,long,1}");

    const struct field text = {.type = FIELD_STRING, .value.bytes = bytes_of_text("made up")};
    size_t array = array_begin(&table, "x-death");
    array_put_field(&table, &text);
    size_t inner = array_put_table_begin(&table);
    table_put_string(&table, "queue", bytes_of_text("q"));
    table_put_string(&table, "reason", bytes_of_text("rejected"));
    table_put_string(&table, "count", bytes_of_text("many"));
    table_end(&table, inner);
    array_end(&table, array);
    publish_as("", "q", "two", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("dead", "A1 got two left 0");
    /* A count that is not a number is taken for 0. */
    expect_header("{<<\"x-death\">>,array,[{table,[{<<\"count\">>,long,1},"
                  "{<<\"queue\">>,longstr,<<\"q\">>},{<<\"reason\">>,longstr,<<\"rejected\">>}]},"
                  "{longstr,<<\"made up\">>}]}");
}
END_TEST

static void put_death(struct text *table, const char *queue, const char *reason)
{
    size_t inner = array_put_table_begin(table);
    if (queue)
        table_put_string(table, "queue", bytes_of_text(queue));
    if (reason)
        table_put_string(table, "reason", bytes_of_text(reason));
    table_end(table, inner);
}

/* RabbitMQ before 3.6 wrote an entry for each death, without a count. */
START_TEST(entries_are_grouped)
{
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    struct text table = {0};
    size_t array = array_begin(&table, "x-death");
    put_death(&table, "a", "expired");
    put_death(&table, "q", "rejected");
    put_death(&table, NULL, "expired");
    put_death(&table, "a", "expired");
    put_death(&table, "a", NULL);
    put_death(&table, "q", "rejected");
    put_death(&table, "a", "expired");
    array_end(&table, array);
    publish_as("", "q", "one", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_header("{<<\"x-death\">>,array,[{table,[{<<\"count\">>,long,3},"
                  "{<<\"queue\">>,longstr,<<\"q\">>},{<<\"reason\">>,longstr,<<\"rejected\">>}]},"
                  "{table,[{<<\"count\">>,long,3},{<<\"queue\">>,longstr,<<\"a\">>},"
                  "{<<\"reason\">>,longstr,<<\"expired\">>}]},"
                  "{table,[{<<\"count\">>,long,1},{<<\"reason\">>,longstr,<<\"expired\">>}]},"
                  "{table,[{<<\"count\">>,long,1},{<<\"queue\">>,longstr,<<\"a\">>}]}]}");
}
END_TEST

/* An x-death with as many entries as a client can write: to compare each with each would take very
 * long. */
START_TEST(many_entries_are_grouped)
{
    enum { ENTRIES = 100000 };
    declare("dead", "", "");
    declare("q", "", "dead-letter-exchange= dead-letter-routing-key=dead");
    struct text table = {0};
    size_t array = array_begin(&table, "x-death");
    for (int i = 0; i < ENTRIES; i++) {
        char queue[20];
        snprintf(queue, sizeof queue, "q%d", i % (ENTRIES / 2));
        put_death(&table, queue, "rejected");
    }
    array_end(&table, array);
    publish_as("", "q", "one", (struct properties){0}, &table);
    text_free(&table);
    get_and_reject("q");
    expect_got("dead", "A1 got one left 0");
    expect_header("{table,[{<<\"count\">>,long,2},{<<\"queue\">>,longstr,<<\"q49999\">>},"
                  "{<<\"reason\">>,longstr,<<\"rejected\">>}]}]}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dead_letter");
    add_case(suite, "why",
             (const TTest *const[]){rejected, expired, expired_by_the_queue, expired_at_once,
                                    too_long, refused, only_what_dies, NULL});
    add_case(suite, "where",
             (const TTest *const[]){no_exchange, own_keys, other_key_ends_copies, NULL});
    add_case(suite, "again",
             (const TTest *const[]){deaths_add_up, deaths_from_clients_count,
                                    deaths_from_clients_are_ignored, cycles_end, odd_headers,
                                    entries_are_grouped, many_entries_are_grouped, NULL});
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
