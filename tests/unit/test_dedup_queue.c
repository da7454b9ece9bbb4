/* Queues that deduplicate, and random conversations with one. */
#include <stdio.h>
#include <stdlib.h>

#include "dedup_fixture.h"

/* ---- Queues. */

START_TEST(known_while_it_is_there)
{
    dedup_queue("q", "d", 0, 0);
    publish("", "q", "one", "a", "pm");
    publish("", "q", "two", "a", "pm");
    ck_assert_uint_eq(ready("q"), 1);
    ck_assert_uint_eq(refused("q"), 1);
    do_get(&h, "A1", "q", "a");
    publish("", "q", "three", "a",
            "p"); /* refused: the first one is unsettled, still in the queue */
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
    publish("", "q", "m", "b", ""); /* drops a from the head */
    publish("", "q", "m", "a", ""); /* drops b from the head */
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
    publish("", "q", "m", "b",
            "p"); /* refused: the first one is in the queue, though not in memory */
    ck_assert_uint_eq(ready("q"), 1);
    publish("", "q", "m", "a", "p");
    publish("", "q", "m", "gone", "p");
    ck_assert_uint_eq(ready("q"), 3);
    do_purge(&h, "A1", "q"); /* the messages are not in memory */
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
    harness_crash(&h); /* while identifiers are being erased */
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
    ck_assert_uint_eq(ready("q"), 1); /* the delayed message is not its own duplicate */
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
    ck_assert_uint_eq(refused("q"), 0); /* the first one had left the queue */
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
    unsigned unsettled[IDENTIFIERS]; /* the identifier of each unsettled delivery */
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
    harness_sync(&h); /* the message may have to be read from disk */
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
    Suite *suite = suite_create("dedup_queue");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 1200);
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
