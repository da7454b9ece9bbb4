/* Deduplication by exchanges and queues: what passes, what is known for how long, restarts. */
#include "core_harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/random.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

static struct harness h;
static uint8_t next_priority; /* of the messages to come */

static void setup(void)
{
    harness_open(&h);
    do_open(&h, "A1");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_take(&h);
}

static void teardown(void)
{
    harness_close(&h);
}

static void again(void)
{
    do_open(&h, "A1");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_take(&h);
}

/* x-message-deduplication and, if not 0, size and ttl. */
static void arguments_of(struct text *arguments, bool asked, int32_t size, int32_t ttl)
{
    if (asked)
        table_put_bool(arguments, "x-message-deduplication", true);
    if (size)
        table_put_i32(arguments, "x-cache-size", size);
    if (ttl)
        table_put_i32(arguments, "x-cache-ttl", ttl);
}

static void exchange(const char *name, const char *type, const struct text *arguments)
{
    struct command c = {.type = COMMAND_EXCHANGE_DECLARE, .channel = 1};
    c.u.exchange_declare.name = bytes_of_text(name);
    c.u.exchange_declare.type = bytes_of_text(type);
    c.u.exchange_declare.durable = true;
    c.u.exchange_declare.arguments = text_bytes(arguments);
    harness_do(&h, 'A', &c);
}

/* An exchange x that deduplicates, bound to the durable queue q. */
static void dedup_exchange(int32_t size, int32_t ttl)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, size, ttl);
    exchange("x", "fanout", &arguments);
    text_free(&arguments);
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "");
    harness_sync(&h);
    harness_take(&h);
}

static void dedup_queue(const char *name, const char *flags, int32_t size, int32_t ttl)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, size, ttl);
    do_declare_args(&h, "A1", name, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

/* flags: p persistent, m mandatory. */
static void publish_headers(const char *to, const char *key, const char *body,
                            const struct text *headers, const char *flags)
{
    struct properties p = {.present = PROPERTY_HEADERS, .headers = text_bytes(headers)};
    struct text encoded = {0};
    if (strchr(flags, 'p')) {
        p.present |= PROPERTY_DELIVERY_MODE;
        p.delivery_mode = 2;
    }
    properties_encode(&p, &encoded);
    struct message *m =
        message_new(bytes_of_text(to), bytes_of_text(key), text_bytes(&encoded), strlen(body));
    ck_assert_int_eq(message_fill(m, NULL, (const uint8_t *)body, strlen(body)), STATUS_OK);
    m->persistent = strchr(flags, 'p') != NULL;
    m->has_headers = true;
    if (next_priority)
        harness_prioritise(&m, next_priority);
    struct command c = {.type = COMMAND_PUBLISH, .channel = 1};
    c.u.publish.message = m;
    c.u.publish.mandatory = strchr(flags, 'm') != NULL;
    harness_do(&h, 'A', &c);
    text_free(&encoded);
}

static void publish(const char *to, const char *key, const char *body, const char *identifier,
                    const char *flags)
{
    struct text headers = {0};
    table_put_string(&headers, "x-deduplication-header", bytes_of_text(identifier));
    publish_headers(to, key, body, &headers, flags);
    text_free(&headers);
}

static uint64_t ready(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.messages_ready;
}

static uint64_t refused(const char *queue)
{
    struct queue_info info;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text(queue), &info));
    return info.deduplicated;
}

/* ---- Exchanges. */

START_TEST(exchange_drops_duplicates)
{
    dedup_exchange(0, 0);
    publish("x", "", "one", "a", "p");
    publish("x", "", "two", "a", "pm"); /* not returned: it was taken before */
    publish("x", "", "three", "b", "p");
    harness_turn(&h);
    ck_assert_uint_eq(ready("q"), 2);
    expect(&h, ""); /* a duplicate is confirmed no sooner than what it repeats */
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
    publish("x", "", "m", "b", "p"); /* known; the oldest, a, is not */
    ck_assert_uint_eq(ready("q"), 4);
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 5);
    publish("x", "", "m", "b", "p"); /* for which b had to go */
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
    publish("x", "", "m", "1999", "p"); /* the newest is known; the oldest is not */
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
    publish("x", "", "m", "e", "p"); /* a is the oldest, as before */
    publish("x", "", "m", "b", "p");
    ck_assert_uint_eq(ready("q"), 5);
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 6);
    harness_sync(&h);
    harness_crash(&h); /* their times go on */
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
    dedup_exchange(0, 0); /* a new one knows nothing of the old one */
    publish("x", "", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 2);
    harness_sync(&h);
    harness_crash(&h); /* before what the old one left was erased */
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

/* ---- Queues. */

START_TEST(known_while_it_is_there)
{
    dedup_queue("q", "d", 0, 0);
    publish("", "q", "one", "a", "pm");
    publish("", "q", "two", "a", "pm");
    ck_assert_uint_eq(ready("q"), 1);
    ck_assert_uint_eq(refused("q"), 1);
    do_get(&h, "A1", "q", "a");
    publish("", "q", "three", "a", "p"); /* unsettled: still there */
    ck_assert_uint_eq(ready("q"), 0);
    do_nack(&h, "A1", 1, false, true);
    publish("", "q", "four", "a", "p");
    ck_assert_uint_eq(ready("q"), 1);
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 2, false);
    publish("", "q", "five", "a", "p");
    ck_assert_uint_eq(ready("q"), 1);
    do_get(&h, "A1", "q", "");
    publish("", "q", "six", "a", "p");
    ck_assert_uint_eq(ready("q"), 1);
    do_purge(&h, "A1", "q");
    publish("", "q", "seven", "a", "p");
    ck_assert_uint_eq(ready("q"), 1);
    ck_assert_uint_eq(refused("q"), 3);
}
END_TEST

START_TEST(expired_and_dropped)
{
    struct text arguments = {0};
    arguments_of(&arguments, true, 0, 0);
    table_put_i32(&arguments, "x-message-ttl", 100);
    table_put_i32(&arguments, "x-max-length", 1);
    do_declare_args(&h, "A1", "q", "", &arguments);
    text_free(&arguments);
    publish("", "q", "m", "a", "");
    publish("", "q", "m", "b", ""); /* drops a */
    publish("", "q", "m", "a", ""); /* drops b */
    ck_assert_uint_eq(refused("q"), 0);
    publish("", "q", "m", "a", "");
    ck_assert_uint_eq(refused("q"), 1);
    harness_pass(&h, 200);
    ck_assert_uint_eq(ready("q"), 0);
    publish("", "q", "m", "a", "");
    ck_assert_uint_eq(ready("q"), 1);
    ck_assert_uint_eq(refused("q"), 1);
}
END_TEST

START_TEST(queue_restart)
{
    dedup_queue("q", "d", 0, 0);
    publish("", "q", "one", "a", "p");
    publish("", "q", "two", "b", "p");
    publish("", "q", "three", "gone", "");
    harness_sync(&h);
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    harness_crash(&h);
    again();
    publish("", "q", "m", "b", "p"); /* not in memory, but there */
    ck_assert_uint_eq(ready("q"), 1);
    publish("", "q", "m", "a", "p");
    publish("", "q", "m", "gone", "p");
    ck_assert_uint_eq(ready("q"), 3);
    do_purge(&h, "A1", "q"); /* not in memory */
    publish("", "q", "m", "b", "p");
    ck_assert_uint_eq(ready("q"), 1);
}
END_TEST

START_TEST(large_purge)
{
    char identifier[16];
    dedup_queue("q", "d", 0, 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 5000; i++) {
            snprintf(identifier, sizeof identifier, "%u", i);
            publish("", "q", "m", identifier, "p");
            publish("", "q", "m", identifier, "p");
        }
        ck_assert_uint_eq(ready("q"), 5000);
        harness_sync(&h);
        do_purge(&h, "A1", "q");
        harness_sync(&h);
    }
    publish("", "q", "m", "4711", "p");
    harness_sync(&h);
    harness_crash(&h); /* amid erasing */
    again();
    publish("", "q", "m", "4711", "p");
    ck_assert_uint_eq(ready("q"), 1);
    publish("", "q", "m", "4712", "p");
    ck_assert_uint_eq(ready("q"), 2);
    harness_pass(&h, 100);
    struct command c = {.type = COMMAND_QUEUE_DELETE, .channel = 1};
    c.u.queue_delete.name = bytes_of_text("q");
    harness_do(&h, 'A', &c);
    harness_sync(&h);
    dedup_queue("q", "d", 0, 0);
    publish("", "q", "m", "4711", "p");
    ck_assert_uint_eq(ready("q"), 1);
}
END_TEST

START_TEST(queue_with_a_cache)
{
    dedup_queue("q", "d", 2, 1000);
    publish("", "q", "m", "a", "p");
    do_get(&h, "A1", "q", "");
    publish("", "q", "m", "a", "p"); /* it has left, but is known */
    ck_assert_uint_eq(ready("q"), 0);
    harness_sync(&h);
    harness_crash(&h);
    again();
    publish("", "q", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 0);
    harness_pass(&h, 1100);
    publish("", "q", "m", "a", "p");
    ck_assert_uint_eq(ready("q"), 1);
}
END_TEST

START_TEST(refused_by_the_queue_may_come_again)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-max-length", 0);
    table_put_string(&arguments, "x-overflow", bytes_of_text("reject-publish"));
    dedup_exchange(0, 0);
    do_declare_args(&h, "A1", "full", "", &arguments);
    do_bind(&h, "A1", "x", "full", "");
    harness_sync(&h);
    harness_take(&h);
    publish("x", "", "m", "a", "");
    harness_turn(&h);
    expect(&h, "A1 confirm 1 nack\n");
    publish("x", "", "m", "a", "");
    ck_assert_uint_eq(ready("q"), 2);
    text_free(&arguments);
}
END_TEST

START_TEST(delayed)
{
    struct text arguments = {0}, headers = {0};
    arguments_of(&arguments, true, 0, 0);
    table_put_string(&arguments, "x-delayed-type", bytes_of_text("fanout"));
    exchange("x", "x-delayed-message", &arguments);
    do_declare(&h, "A1", "q", "d");
    do_bind(&h, "A1", "x", "q", "");
    table_put_string(&headers, "x-deduplication-header", bytes_of_text("a"));
    table_put_i32(&headers, "x-delay", 100);
    publish_headers("x", "", "m", &headers, "p");
    publish_headers("x", "", "m", &headers, "p");
    harness_pass(&h, 200);
    ck_assert_uint_eq(ready("q"), 1); /* it does not meet itself when its time has come */
    publish_headers("x", "", "m", &headers, "p");
    harness_pass(&h, 200);
    ck_assert_uint_eq(ready("q"), 1);
    text_free(&arguments);
    text_free(&headers);
}
END_TEST

START_TEST(dead_letters)
{
    struct text arguments = {0};
    dedup_queue("dead", "d", 0, 0);
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("dead"));
    arguments_of(&arguments, true, 0, 0);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    for (uint64_t tag = 1; tag <= 2; tag++) {
        publish("", "q", "m", "a", "p");
        do_get(&h, "A1", "q", "a");
        do_nack(&h, "A1", tag, false, false);
        harness_sync(&h);
    }
    ck_assert_uint_eq(ready("q"), 0);
    ck_assert_uint_eq(refused("q"), 0); /* it had left */
    ck_assert_uint_eq(ready("dead"), 1);
    ck_assert_uint_eq(refused("dead"), 1);
    text_free(&arguments);
}
END_TEST

/* ---- Random conversations with a queue, against a plain list of what is in it. */

#define IDENTIFIERS 20u

struct model {
    struct random_stream random;
    bool there[IDENTIFIERS], durable[IDENTIFIERS];
    unsigned unsettled[IDENTIFIERS]; /* by place; the identifier */
    uint64_t tags[IDENTIFIERS], last_tag;
    unsigned unsettled_count;
};

static unsigned count_there(const struct model *model)
{
    unsigned count = 0;
    for (unsigned i = 0; i < IDENTIFIERS; i++)
        count += model->there[i];
    return count;
}

static void random_publish(struct model *model)
{
    unsigned identifier = (unsigned)(random_next(&model->random) % IDENTIFIERS);
    bool durable = random_next(&model->random) % 3 != 0;
    char body[16];
    snprintf(body, sizeof body, "id-%u", identifier);
    next_priority = (uint8_t)(random_next(&model->random) % 5);
    publish("", "q", body, body, durable ? "p" : "");
    if (!model->there[identifier]) {
        model->there[identifier] = true;
        model->durable[identifier] = durable;
    }
}

static void random_get(struct model *model)
{
    uint64_t tag;
    unsigned identifier;
    char *end;
    harness_sync(&h);
    harness_take(&h);
    bool ack = random_next(&model->random) % 2;
    do_get(&h, "A1", "q", ack ? "a" : "");
    harness_sync(&h); /* it may have to be read */
    const char *got = strstr(harness_take(&h), "got t");
    if (!got)
        return;
    tag = strtoull(got + strlen("got t"), &end, 10);
    identifier = (unsigned)strtoul(end + strlen(" id-"), NULL, 10);
    ck_assert_uint_lt(identifier, IDENTIFIERS);
    ck_assert(model->there[identifier]);
    if (!ack) {
        model->there[identifier] = false;
        return;
    }
    model->tags[model->unsettled_count] = tag;
    model->unsettled[model->unsettled_count++] = identifier;
}

static void random_settle(struct model *model)
{
    if (!model->unsettled_count)
        return;
    unsigned at = (unsigned)(random_next(&model->random) % model->unsettled_count);
    if (random_next(&model->random) % 2) {
        do_ack(&h, "A1", model->tags[at], false);
        model->there[model->unsettled[at]] = false;
    } else {
        do_nack(&h, "A1", model->tags[at], false, true);
    }
    model->unsettled_count--;
    model->tags[at] = model->tags[model->unsettled_count];
    model->unsettled[at] = model->unsettled[model->unsettled_count];
}

static void random_purge(struct model *model)
{
    bool held[IDENTIFIERS] = {false};
    do_purge(&h, "A1", "q");
    for (unsigned i = 0; i < model->unsettled_count; i++)
        held[model->unsettled[i]] = true;
    memcpy(model->there, held, sizeof held);
}

static void random_crash(struct model *model)
{
    harness_sync(&h);
    harness_crash(&h);
    again();
    model->unsettled_count = 0;
    for (unsigned i = 0; i < IDENTIFIERS; i++)
        model->there[i] &= model->durable[i];
}

START_TEST(random_conversations)
{
    struct text arguments = {0};
    struct model model = {.random = {(uint64_t)_i + 1}};
    arguments_of(&arguments, true, 0, 0);
    if (_i % 2)
        table_put_i32(&arguments, "x-max-priority", 3);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    text_free(&arguments);
    for (unsigned step = 0; step < 3000; step++) {
        uint64_t what = random_next(&model.random) % 100;
        if (what < 50)
            random_publish(&model);
        else if (what < 75)
            random_get(&model);
        else if (what < 96)
            random_settle(&model);
        else if (what < 98)
            random_purge(&model);
        else
            random_crash(&model);
        if (ready("q") + model.unsettled_count != count_there(&model))
            ck_abort_msg("step %u: %u ready, %u unsettled, %u expected", step, (unsigned)ready("q"),
                         model.unsettled_count, count_there(&model));
    }
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
    tcase_add_test(tc, known_while_it_is_there);
    tcase_add_test(tc, expired_and_dropped);
    tcase_add_test(tc, queue_restart);
    tcase_add_test(tc, large_purge);
    tcase_add_test(tc, queue_with_a_cache);
    tcase_add_test(tc, refused_by_the_queue_may_come_again);
    tcase_add_test(tc, delayed);
    tcase_add_test(tc, dead_letters);
    tcase_add_loop_test(tc, random_conversations, 0, 6);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
