/* Dead letters: why, where to, with which headers, and what becomes of them on the way. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static char *headers, *properties_text; /* of the last message that came */

static void watch(void *context, char peer, const struct event *event)
{
    (void)context;
    (void)peer;
    const struct message *message = event->type == EVENT_DELIVER ? event->u.deliver.message
                                    : event->type == EVENT_REPLY ? event->got.message
                                                                 : NULL;
    struct properties properties;
    struct text text = {0};
    if (!message)
        return;
    ck_assert_int_eq(properties_decode(message_properties(message), &properties), STATUS_OK);
    const struct field table = {.type = FIELD_TABLE, .value.bytes = properties.headers};
    field_print(&text, &table);
    text_add(&text, "", 1);
    free(headers);
    headers = (char *)text.at;
    text = (struct text){0};
    text_printf(&text, "%.*s:%.*s", BYTES_PRINT(message_exchange(message)),
                BYTES_PRINT(message_routing_key(message)));
    if (properties.present & PROPERTY_EXPIRATION)
        text_printf(&text, " expiration %.*s", BYTES_PRINT(properties.expiration));
    if (properties.present & PROPERTY_PRIORITY)
        text_printf(&text, " priority %u", properties.priority);
    if (properties.present & PROPERTY_USER_ID)
        text_printf(&text, " user %.*s", BYTES_PRINT(properties.user_id));
    text_printf(&text, "%s", message->persistent ? " persistent" : "");
    text_printf(&text, "%s", message->ttl_ms == MESSAGE_NO_TTL ? "" : " ttl");
    text_add(&text, "", 1);
    free(properties_text);
    properties_text = (char *)text.at;
}

static void setup(void)
{
    harness_open(&h);
    h.watch = watch;
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}

static void teardown(void)
{
    harness_close(&h);
    free(headers);
    free(properties_text);
    headers = properties_text = NULL;
}

/* arguments: "name=value" by spaces; a value of digits is a number. */
static void declare(const char *queue, const char *flags, const char *arguments)
{
    struct text table = {0};
    char line[512], *at = line, *word;
    snprintf(line, sizeof line, "%s", arguments);
    while ((word = strsep(&at, " "))) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = 0;
        char name[64];
        snprintf(name, sizeof name, "x-%s", word);
        if (*value && strspn(value, "0123456789") == strlen(value))
            table_put_i64(&table, name, strtoll(value, NULL, 10));
        else
            table_put_string(&table, name, bytes_of_text(value));
    }
    do_declare_args(&h, "A1", queue, flags, &table);
    text_free(&table);
    harness_sync(&h);
    harness_take(&h);
}

/* A message with these headers (NULL: none) and properties. */
static void publish_as(const char *exchange, const char *key, const char *body,
                       struct properties properties, const struct text *table)
{
    struct text encoded = {0};
    if (table) {
        properties.present |= PROPERTY_HEADERS;
        properties.headers = text_bytes(table);
    }
    properties_encode(&properties, &encoded);
    struct message *message = message_new(bytes_of_text(exchange), bytes_of_text(key),
                                          text_bytes(&encoded), strlen(body));
    ck_assert_int_eq(message_fill(message, NULL, (const uint8_t *)body, strlen(body)), STATUS_OK);
    message->has_headers = table != NULL;
    message->persistent = properties.delivery_mode == 2;
    message->priority = properties.priority;
    if (properties.present & PROPERTY_EXPIRATION)
        message->ttl_ms = strtoull((const char *)properties.expiration.at, NULL, 10);
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    text_free(&encoded);
}

static void expect_depth(const char *queue, unsigned depth)
{
    char line[100];
    harness_take(&h);
    do_declare(&h, "A1", queue, "p");
    snprintf(line, sizeof line, "A1 ok declare %s %u 0\n", queue, depth);
    expect(&h, line);
}

/* Takes the head of q and rejects it. */
static void get_and_reject(const char *queue)
{
    struct queue_info info;
    do_get(&h, "A1", queue, "a");
    harness_sync(&h);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_unacknowledged, 1);
    struct command command = {.type = COMMAND_NACK, .channel = 1};
    command.u.ack.multiple = true; /* tag 0: all */
    harness_do(&h, 'A', &command);
}

/* ---- Why. */

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

static void expect_got(const char *queue, const char *line)
{
    char expected[100];
    harness_sync(&h);
    harness_take(&h);
    do_get(&h, "A1", queue, "");
    harness_sync(&h);
    snprintf(expected, sizeof expected, "%s\n", strcmp(line, "empty") ? line : "A1 empty");
    const char *got = harness_take(&h);
    char *tag = strstr(got, " t"); /* delivery tags are of no interest */
    char cut[200];
    if (tag)
        snprintf(cut, sizeof cut, "%.*s%s", (int)(tag - got), got, strchr(tag + 1, ' '));
    else
        snprintf(cut, sizeof cut, "%s", got);
    ck_assert_str_eq(cut, expected);
}

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

/* ---- Where to. */

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

/* ---- Again and again. */

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

/* x_death.from_clients = ignore: shown as published until the first death, which is counted 1. */
START_TEST(deaths_from_clients_are_ignored)
{
    harness_close(&h);
    h.dialect.x_death = DEATHS_IGNORE;
    setup();
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    declare("dead", "d", "dead-letter-exchange= dead-letter-routing-key=q");
    publish_with_deaths();
    harness_sync(&h);
    harness_crash(&h); /* the message remembers that they are a client's */
    do_open(&h, "A1");
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect_header("{<<\"count\">>,long,5}");
    expect_header("{<<\"x-last-death-queue\">>,longstr,<<\"earlier\">>}");
    expect_no_header("x-leveret");
    do_nack(&h, "A1", 1, false, false);
    harness_sync(&h);
    get_and_reject("dead"); /* what the broker writes counts on */
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

/* x-death as a string, and as an array of what is no table. */
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
    /* A count that is no number counts for nothing. */
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

/* An older broker wrote an entry for each death. */
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

/* As many as a client can write: no entry is compared with every other. */
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

/* ---- On disk. */

#define MANY 3000

static void publish_many(const char *queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char body[20];
        snprintf(body, sizeof body, "%u", i);
        do_publish(&h, "A1", "", queue, body, "p");
    }
    harness_sync(&h);
}

static uint64_t depth(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static uint64_t resident(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.memory_bytes;
}

START_TEST(rejected_on_disk)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", MANY * 3);
    h.quiet = true;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 20; i++) {
        harness_sync(&h);
        do_credit(&h, "A1", 1 << 20);
    }
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_lt(resident("q"), MANY * 100); /* the first ones have left memory */
    do_cancel(&h, "A1", 1);
    do_nack(&h, "A1", MANY, true, false);
    for (int i = 0; i < 40; i++) {
        harness_sync(&h);
        harness_pass(&h, 0);
    }
    ck_assert_uint_eq(depth("dead"), MANY);
    ck_assert_uint_eq(depth("q"), 0);
    ck_assert_uint_lt(resident("q"), MANY * 100);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    h.quiet = false;
    expect_got("dead", "A1 got 0 left 2999");
    harness_crash(&h);
    do_open(&h, "A1");
    harness_sync(&h);
    ck_assert_uint_eq(depth("dead"), MANY - 1);
    ck_assert_uint_eq(depth("q"), MANY * 2);
}
END_TEST

/* The queue, or the vhost, goes while its dead letters wait for the disk. */
START_TEST(gone_while_waiting)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", MANY * 3);
    h.quiet = true;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 20; i++) {
        harness_sync(&h);
        do_credit(&h, "A1", 1 << 20);
    }
    do_nack(&h, "A1", MANY * 3, true, false);
    for (int i = 0; i < _i; i++) {
        harness_turn(&h);
        harness_disk(&h);
    }
    do_delete(&h, "A1", "q", "");
    harness_pass(&h, 0);
    harness_sync(&h);
    ck_assert_uint_lt(depth("dead"), MANY * 3);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* The letter of a transaction's rejection is on disk with the commit. */
START_TEST(rejected_in_a_transaction)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead");
    publish_many("q", 1);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, false);
    ck_assert_uint_eq(depth("dead"), 0);
    harness_take(&h);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "A1 ok commit\n");
    harness_crash(&h);
    ck_assert_uint_eq(depth("dead"), 1);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* A crash at any moment of the work: each message is in one of the two queues. */
START_TEST(crash_between)
{
    declare("dead", "d", "");
    declare("q", "d", "dead-letter-exchange= dead-letter-routing-key=dead message-ttl=1000");
    publish_many("q", MANY);
    h.quiet = true;
    h.now.wall_ms += 1000;
    h.now.steady_ms += 1000;
    for (int i = 0; i < _i; i++) {
        vhost_tick(h.vhost, h.now);
        harness_turn(&h);
        if (i % 2)
            harness_disk(&h);
    }
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(depth("q") + depth("dead"), MANY);
    ck_assert_uint_eq(depth("dead") % 200, 0); /* what one call sends */
    for (int i = 0; i < 40; i++) {
        harness_pass(&h, 0);
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("dead"), MANY);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* ---- At least once. */

#define KEPT                                                                                       \
    "dead-letter-exchange=dlx dead-letter-routing-key=dead dead-letter-strategy=at-least-once "    \
    "overflow=reject-publish"

static uint64_t unsettled(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    ck_assert_uint_eq(info.messages_dlx, info.messages_unacknowledged);
    return info.messages_unacknowledged;
}

START_TEST(kept_without_route)
{
    declare("q", "d", KEPT);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "p");
    get_and_reject("q"); /* no exchange */
    ck_assert_uint_eq(unsettled("q"), 1);
    do_exchange(&h, "A1", "dlx", "direct", "d");
    harness_pass(&h, 60); /* no binding */
    ck_assert_uint_eq(unsettled("q"), 1);
    declare("dead", "d", "");
    do_bind(&h, "A1", "dlx", "dead", "dead");
    harness_pass(&h, 60);
    ck_assert_uint_eq(unsettled("q"), 0);
    expect_got("dead", "A1 got one left 0");
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

/* What refuses it, but sends it on, has it: it is not sent again and again. */
START_TEST(not_kept_when_passed_on)
{
    declare("last", "d", "");
    do_exchange(&h, "A1", "dlx", "direct", "d");
    declare("dead", "d", "max-length=0 overflow=reject-publish-dlx dead-letter-exchange=end");
    do_bind(&h, "A1", "dlx", "dead", "dead");
    do_exchange(&h, "A1", "end", "fanout", "d");
    do_bind(&h, "A1", "end", "last", "");
    declare("q", "d", KEPT);
    do_publish(&h, "A1", "", "q", "one", "p");
    get_and_reject("q");
    harness_pass(&h, 60);
    ck_assert_uint_eq(unsettled("q"), 0);
    harness_pass(&h, 10000);
    ck_assert_uint_eq(depth("last"), 1);
}
END_TEST

START_TEST(kept_while_refused)
{
    declare("dead", "d", "max-length=2 overflow=reject-publish");
    do_exchange(&h, "A1", "dlx", "fanout", "d");
    do_bind(&h, "A1", "dlx", "dead", "");
    declare("q", "d", KEPT " message-ttl=10");
    for (int i = 0; i < 5; i++)
        do_publish(&h, "A1", "", "q", "m", "p");
    harness_pass(&h, 10);
    ck_assert_uint_eq(depth("dead"), 2);
    ck_assert_uint_eq(unsettled("q"), 3);
    expect_got("dead", "A1 got m left 1");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(unsettled("q"), 2);
    expect_got("dead", "A1 got m left 1");
    expect_got("dead", "A1 got m left 0");
    harness_pass(&h, 1000);
    ck_assert_uint_eq(unsettled("q"), 0);
    ck_assert_uint_eq(depth("dead"), 2);
}
END_TEST

/* What is held is not on disk, but the commit does not wait for what comes of it. */
START_TEST(kept_of_a_transaction)
{
    declare("q", "d", KEPT);
    publish_many("q", 1);
    harness_sync(&h);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, false);
    harness_take(&h);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    harness_sync(&h);
    expect(&h, "A1 ok commit\n");
    ck_assert_uint_eq(unsettled("q"), 1);
}
END_TEST

START_TEST(kept_over_a_crash)
{
    declare("q", "d", KEPT);
    publish_many("q", 2);
    get_and_reject("q");
    harness_sync(&h);
    harness_crash(&h);
    do_open(&h, "A1");
    ck_assert_uint_eq(depth("q"), 2); /* ready again */
    get_and_reject("q");
    do_delete(&h, "A1", "q", ""); /* and what is held goes with the queue */
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost) > h.now.steady_ms, true);
    harness_pass(&h, 5000);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

/* A queue that drops its head cannot keep anything: at most once. */
START_TEST(kept_needs_refusal)
{
    declare("q", "d", "dead-letter-exchange=dlx dead-letter-strategy=at-least-once");
    do_publish(&h, "A1", "", "q", "one", "p");
    get_and_reject("q");
    ck_assert_uint_eq(unsettled("q"), 0);
}
END_TEST

/* Many are held, on disk: a try costs little, and they leave when there is a way. */
START_TEST(many_kept)
{
    declare("q", "d", KEPT " message-ttl=10");
    do_exchange(&h, "A1", "dlx", "fanout", "d");
    h.quiet = true;
    publish_many("q", MANY * 3);
    for (int i = 0; i < 40; i++) {
        harness_pass(&h, 10);
        harness_sync(&h);
    }
    ck_assert_uint_eq(unsettled("q"), MANY * 3);
    ck_assert_uint_lt(resident("q"), MANY * 100);
    declare("dead", "d", "");
    do_bind(&h, "A1", "dlx", "dead", "");
    for (int i = 0; i < 100; i++) {
        harness_pass(&h, 10);
        harness_sync(&h);
    }
    ck_assert_uint_eq(depth("dead"), MANY * 3);
    ck_assert_uint_eq(unsettled("q"), 0);
    harness_crash(&h);
    ck_assert_uint_eq(depth("dead"), MANY * 3);
    ck_assert_uint_eq(depth("q"), 0);
}
END_TEST

/* Many queues: each is tried in its turn, a few in one call. */
START_TEST(many_keep)
{
    char name[20];
    h.quiet = true;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "q%d", i);
        declare(name, "", KEPT);
        do_publish(&h, "A1", "", name, "m", "");
        get_and_reject(name);
    }
    harness_pass(&h, 5000);
    declare("dead", "", "");
    do_exchange(&h, "A1", "dlx", "fanout", "");
    do_bind(&h, "A1", "dlx", "dead", "");
    harness_pass(&h, 60);
    ck_assert_uint_eq(depth("dead"), 300);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

static void add_case(Suite *suite, const char *name, const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 1200);
    for (; *tests; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
}

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
    add_case(suite, "disk",
             (const TTest *const[]){rejected_on_disk, rejected_in_a_transaction, NULL});
    add_case(suite, "at least once",
             (const TTest *const[]){kept_without_route, not_kept_when_passed_on, kept_while_refused,
                                    kept_of_a_transaction, kept_over_a_crash, kept_needs_refusal,
                                    many_kept, many_keep, NULL});
    TCase *crash = tcase_create("crash");
    tcase_add_checked_fixture(crash, setup, teardown);
    tcase_add_loop_test(crash, crash_between, 0, 8);
    tcase_add_loop_test(crash, gone_while_waiting, 0, 4);
    suite_add_tcase(suite, crash);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
