/* Priority queues: order, places, restart, paging, expiry, and what they cost. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/number.h"
#include "leveret/base/random.h"
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

static void restart(void)
{
    harness_crash(&h);
    do_open(&h, "A1");
    harness_take(&h);
}

static void declare(const char *queue, const char *flags, int32_t max)
{
    struct text arguments = {0};
    table_put_i32(&arguments, "x-max-priority", max);
    do_declare_args(&h, "A1", queue, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
}

static void declare_quorum(const char *argument, int32_t value)
{
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    table_put_string(&arguments, "x-dead-letter-exchange", bytes_of_text(""));
    table_put_string(&arguments, "x-dead-letter-routing-key", bytes_of_text("dead"));
    if (argument)
        table_put_i32(&arguments, argument, value);
    do_declare_args(&h, "A1", "q", "d", &arguments);
    text_free(&arguments);
    do_declare(&h, "A1", "dead", "d");
    harness_sync(&h);
    harness_take(&h);
}

/* Without a priority. */
static void publish_plain(const char *body)
{
    do_publish(&h, "A1", "", "q", body, "p");
}

static void publish(const char *body, uint8_t priority, const char *flags)
{
    do_publish_priority(&h, "A1", "q", body, priority, flags);
}

static struct queue_info info(void)
{
    struct queue_info found = {0};
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q"), &found));
    return found;
}

/* Gets all of a queue, and checks the bodies, of a letter each. */
static void expect_all_of(const char *queue, const char *bodies)
{
    for (; *bodies; bodies++) {
        char needle[] = {' ', *bodies, ' ', 0};
        do_get(&h, "A1", queue, "");
        harness_sync(&h);
        const char *line = harness_take(&h);
        ck_assert_msg(strstr(line, needle), "%s is not '%c'", line, *bodies);
    }
    do_get(&h, "A1", queue, "");
    expect(&h, "A1 empty\n");
}

static void expect_all(const char *bodies)
{
    expect_all_of("q", bodies);
}

START_TEST(the_highest_comes_first)
{
    declare("q", "", 5);
    expect(&h, "A1 ok declare q 0 0\n");
    publish("a", 1, "");
    publish("b", 5, "");
    publish("c", 0, "");
    publish("d", 255, ""); /* as the highest there is */
    publish("e", 1, "");
    do_publish(&h, "A1", "", "q", "f", ""); /* none is the lowest */
    publish("g", 5, "");
    expect_all("bdgaecf");
}
END_TEST

START_TEST(without_the_argument_it_says_nothing)
{
    do_declare(&h, "A1", "q", "");
    harness_take(&h);
    publish("a", 1, "");
    publish("b", 9, "");
    expect_all("ab");
    declare("z", "", 0);
    harness_take(&h);
    do_publish_priority(&h, "A1", "z", "a", 1, "");
    do_publish_priority(&h, "A1", "z", "b", 9, "");
    do_get(&h, "A1", "z", "");
    expect(&h, "A1 got t3 a left 1\n");
}
END_TEST

START_TEST(declared_again_it_has_to_be_the_same)
{
    declare("q", "", 5);
    declare("q", "", 5);
    declare("q", "", 6);
    expect(&h, "A1 ok declare q 0 0\nA1 ok declare q 0 0\nA1 fail declare PRECONDITION_FAILED "
               "inequivalent arg 'x-max-priority' for queue 'q' in vhost '/': received '6' but "
               "current is '5'\n");
}
END_TEST

START_TEST(requeued_ones_take_their_places)
{
    declare("q", "", 9);
    publish("a", 1, "");
    publish("b", 5, "");
    publish("c", 5, "");
    publish("d", 1, "");
    for (int i = 0; i < 4; i++)
        do_get(&h, "A1", "q", "a");
    harness_take(&h);
    publish("e", 5, "");
    publish("f", 3, "");
    do_nack(&h, "A1", 4, false, true);
    do_nack(&h, "A1", 2, false, true);
    do_nack(&h, "A1", 3, false, true);
    do_nack(&h, "A1", 1, false, true);
    expect_all("bcefad");
}
END_TEST

START_TEST(consumers_with_room_get_the_highest)
{
    declare("q", "", 9);
    do_qos(&h, "A1", 2, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    harness_take(&h);
    publish("a", 1, "");
    publish("b", 2, "");
    publish("c", 3, "");
    publish("d", 9, "");
    publish("e", 3, "");
    expect(&h, "A1 deliver c1 t1 a\nA1 deliver c1 t2 b\n");
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true); /* b is behind c now */
    expect(&h, "A1 deliver c1 t3 d\nA1 deliver c1 t4 c\n");
    do_ack(&h, "A1", 0, true);
    expect(&h, "A1 deliver c1 t5 e\nA1 deliver c1 t6 b redelivered\n");
}
END_TEST

START_TEST(a_restart_keeps_priorities)
{
    declare("q", "d", 255);
    harness_take(&h);
    publish("a", 1, "p");
    publish("b", 255, "p");
    publish("c", 0, "p");
    publish("x", 200, "");
    publish("d", 128, "p");
    publish("e", 1, "p");
    harness_sync(&h);
    restart();
    publish("f", 64, "p");
    publish("g", 255, "p");
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 b left 6\n");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    expect_all("bgdfaec");
    harness_sync(&h);
    restart();
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

/* The lane's old chunk takes no more after a restart: closing it must not hide what comes next. */
START_TEST(a_level_goes_on_after_a_restart)
{
    declare("q", "d", 9);
    harness_take(&h);
    publish("a", 5, "p");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    publish("b", 0, "p");
    publish("c", 5, "p");
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t1 a left 0\nA1 got t2 c left 1\n");
}
END_TEST

START_TEST(many_queues_find_their_lanes_again)
{
    char name[20];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", i);
        if (i % 2)
            declare(name, "d", i + 1);
        else
            do_declare(&h, "A1", name, "d");
        for (uint8_t priority = 0; priority < 50; priority = (uint8_t)(priority + 7)) {
            char body[20];
            snprintf(body, sizeof body, "%d-%u", i, priority);
            do_publish_priority(&h, "A1", name, body, priority, "p");
        }
    }
    harness_sync(&h);
    restart();
    for (int i = 0; i < 40; i++) {
        char line[100];
        snprintf(name, sizeof name, "q%d", i);
        do_get(&h, "A1", name, "");
        harness_sync(&h);
        /* Those above the maximum are one level: the first published of them is its head. */
        int head = 0;
        while (i % 2 && head < 49 && head < i + 1)
            head += 7;
        snprintf(line, sizeof line, "A1 got t%d %d-%d left 7\n", i + 1, i, head);
        expect(&h, line);
    }
}
END_TEST

/* ---- Expiry. */

START_TEST(only_the_head_expires)
{
    declare("q", "", 9);
    struct message *message = harness_message("", "q", "a", 1, false);
    harness_prioritise(&message, 1);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    publish("b", 5, "");
    harness_take(&h);
    harness_pass(&h, 1000);
    ck_assert_uint_eq(info().messages_ready, 2); /* a waits behind b, expired or not */
    do_get(&h, "A1", "q", "");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 b left 1\nA1 empty\n");
}
END_TEST

/* The highest level runs empty by a path that does not look at the head: what comes below it is the
 * head then, and expires in time. */
START_TEST(a_new_head_below_an_empty_level_expires)
{
    declare("q", "", 9);
    publish("a", 9, "");
    publish("b", 0, "");
    do_get(&h, "A1", "q", "");
    struct message *message = harness_message("", "q", "c", 1, false);
    harness_prioritise(&message, 4);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    harness_take(&h);
    harness_pass(&h, 100);
    ck_assert_uint_eq(info().messages_ready, 1);
    expect_all("b");
}
END_TEST

/* A level that is on record without a message is read back before the one with the head. */
START_TEST(a_head_that_expires_is_found_after_a_restart)
{
    declare("q", "d", 9);
    struct message *message = harness_message("", "q", "a", 1, true);
    harness_prioritise(&message, 1);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
    publish("b", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "");
    harness_sync(&h);
    restart();
    ck_assert_uint_eq(info().messages_ready, 1);
    harness_sync(&h);
    harness_pass(&h, 100);
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

/* ---- Deep. */

/* Random priorities; then what comes out is in order within each, and the highest first. */
struct drained {
    unsigned count, last[256];
    int priority;
    uint32_t bytes;
    uint64_t tag;
};

static void check_drained(void *context, char peer, const struct event *event)
{
    struct drained *drained = context;
    (void)peer;
    if (event->type != EVENT_DELIVER)
        return;
    uint64_t number = 0;
    char text[20] = {0};
    uint8_t priority = event->u.deliver.message->priority;
    struct bytes body = message_body_piece(event->u.deliver.message, 0);
    memcpy(text, body.at, body.len < sizeof text - 1 ? body.len : sizeof text - 1);
    ck_assert(number_read(text, UINT32_MAX, &number));
    if (priority > drained->priority ||
        (drained->last[priority] && number <= drained->last[priority]))
        ck_abort_msg("%llu of priority %u out of order", (unsigned long long)number, priority);
    drained->last[priority] = (unsigned)number;
    drained->priority = priority;
    drained->count++;
    drained->bytes += delivery_bytes(event->u.deliver.message);
    drained->tag = event->u.deliver.tag;
}

static void fill(unsigned count, const char *flags)
{
    struct random_stream random = {.state = 42};
    h.quiet = true;
    for (unsigned i = 1; i <= count; i++) {
        char body[20];
        snprintf(body, sizeof body, "%u", i);
        publish(body, (uint8_t)(random_next(&random) % 256), flags);
        if (i % 500 == 0)
            harness_sync(&h);
    }
    harness_sync(&h);
    h.quiet = false;
}

static void drain(unsigned count)
{
    struct drained drained = {.priority = 255};
    h.quiet = true;
    h.watch = check_drained;
    h.watch_context = &drained;
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (unsigned turns = 0; drained.count < count && turns < 20000; turns++) {
        harness_sync(&h);
        if (drained.tag)
            do_ack(&h, "A1", 0, true);
        do_credit(&h, "A1", drained.bytes);
        drained.bytes = 0;
    }
    do_ack(&h, "A1", 0, true);
    harness_sync(&h);
    h.watch = NULL;
    h.quiet = false;
    ck_assert_uint_eq(drained.count, count);
    ck_assert_uint_eq(info().messages_unacknowledged, 0);
}

START_TEST(deep_ones_leave_memory)
{
    declare("q", "d", 255);
    fill(200000, "p"); /* some 800 in each lane: most have a closed chunk */
    ck_assert_uint_eq(info().messages_ready, 200000);
    ck_assert_uint_lt(info().messages_ram, 120000); /* open chunks, and the head's */
    restart();
    ck_assert_uint_eq(info().messages_ready, 200000);
    ck_assert_uint_eq(info().messages_ram, 0);
    drain(200000);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
    restart();
    ck_assert_uint_eq(info().messages_ready, 0);
}
END_TEST

START_TEST(transient_ones_page_out_when_memory_is_short)
{
    harness_close(&h);
    h.resident_bytes_max = 1 << 20;
    setup();
    declare("q", "", 7);
    fill(30000, "");
    ck_assert_uint_lt(vhost_resident_bytes(h.vhost), 4 << 20);
    struct queue_info before = info();
    ck_assert_uint_eq(before.messages_ready, 30000);
    /* All above 7 are one level, so the order is another one: only the count is checked. */
    unsigned count = 0;
    h.quiet = true;
    while (info().messages_ready) {
        do_get(&h, "A1", "q", "");
        harness_sync(&h);
        count++;
    }
    ck_assert_uint_eq(count, 30000);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(a_higher_one_does_not_wait_for_the_disk)
{
    declare("q", "d", 9);
    publish("a", 1, "p");
    harness_sync(&h);
    restart();
    do_qos(&h, "A1", 1, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    expect(&h, "A1 ok qos\nA1 ok consume c1\n"); /* a is being read */
    publish("b", 5, "p");
    expect(&h, "A1 deliver c1 t1 b\n");
    do_ack(&h, "A1", 1, false);
    harness_sync(&h);
    expect(&h, "A1 deliver c1 t2 a\n");
}
END_TEST

START_TEST(purged_whether_many_or_few)
{
    declare("q", "d", 255);
    fill(6000, "p");
    do_purge(&h, "A1", "q");
    publish("a", 3, "p");
    publish("b", 200, "p");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 b left 1\n");
    publish("c", 7, "p");
    do_purge(&h, "A1", "q");
    do_nack(&h, "A1", 1, false, true);
    expect(&h, "A1 ok purge 2\n");
    harness_sync(&h);
    restart();
    expect_all("b");
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    harness_take(&h);
    restart();
    declare("q", "d", 255);
    expect(&h, "A1 ok declare q 0 0\n");
}
END_TEST

START_TEST(unsettled_ones_outlive_their_queue)
{
    declare("q", "", 9);
    publish("a", 9, "");
    publish("b", 4, "");
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    do_delete(&h, "A1", "q", "");
    do_nack(&h, "A1", 1, false, true);
    do_ack(&h, "A1", 2, false);
    harness_take(&h);
}
END_TEST

/* ---- Quorum queues: priorities 0 to 31 without an argument. */

START_TEST(quorum_queues_have_priorities)
{
    declare_quorum(NULL, 0);
    publish_plain("g"); /* as if it said 4 */
    publish("l", 1, "p");
    publish("h", 4, "p");
    publish("f", 5, "");
    publish("d", 9, "p");
    publish("b", 31, "p");
    publish("c", 200, "p"); /* as 31 */
    publish_plain("i");
    publish("m", 0, "p"); /* said, and so the lowest */
    publish("k", 3, "p");
    harness_sync(&h);
    expect_all("bcdfghiklm");
}
END_TEST

/* A quorum queue's messages keep their places and counts, and new ones join them. */
START_TEST(a_restart_keeps_priorities_of_quorum_queues)
{
    declare_quorum(NULL, 0);
    publish_plain("e");
    publish("a", 9, "p");
    publish("b", 9, "");
    publish("f", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    publish("c", 9, "p");
    publish("d", 8, "p");
    publish("g", 2, "p");
    harness_sync(&h);
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 a left 6 redelivered acquired 1\n");
    do_nack(&h, "A1", 1, false, true);
    harness_sync(&h);
    restart();
    expect_all("abcdefg");
    harness_sync(&h);
    restart();
    expect_all("");
}
END_TEST

/* What is stored is what a broker without priorities stores, until a message says one. */
START_TEST(quorum_queues_get_priorities_later)
{
    declare_quorum(NULL, 0);
    struct queue_info before = info();
    publish_plain("c");
    publish("d", 4, "p");
    ck_assert_uint_lt(info().memory_bytes, before.memory_bytes + 2048);
    harness_sync(&h);
    restart();
    publish("b", 30, "p");
    publish("e", 0, "p");
    publish("a", 31, "p");
    ck_assert_uint_lt(info().memory_bytes, before.memory_bytes + 8192);
    harness_sync(&h);
    restart();
    expect_all("abcde");
}
END_TEST

START_TEST(many_quorum_queues_find_their_lanes_again)
{
    char name[20], line[100];
    struct text arguments = {0};
    table_put_string(&arguments, "x-queue-type", bytes_of_text("quorum"));
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", i);
        do_declare_args(&h, "A1", name, "d", &arguments);
    }
    text_free(&arguments);
    for (uint8_t priority = 0; priority < 50; priority = (uint8_t)(priority + 7))
        for (int i = 0; i < 40; i++) { /* every third one has none of them */
            snprintf(name, sizeof name, "q%d", 39 - i);
            snprintf(line, sizeof line, "%d-%u", 39 - i, priority);
            if (i % 3)
                do_publish_priority(&h, "A1", name, line, priority, "p");
            else
                do_publish(&h, "A1", "", name, line, "p");
        }
    harness_sync(&h);
    restart();
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "q%d", 39 - i);
        do_get(&h, "A1", name, "");
        harness_sync(&h);
        snprintf(line, sizeof line, "A1 got t%d %d-%d left 7\n", i + 1, 39 - i, i % 3 ? 35 : 0);
        expect(&h, line);
    }
}
END_TEST

/* As in RabbitMQ, the head goes first: the highest priority. */
START_TEST(a_limit_drops_the_highest_of_a_quorum_queue)
{
    declare_quorum("x-max-length", 4);
    publish("e", 1, "p");
    publish_plain("c");
    publish("a", 9, "p");
    publish("b", 9, "p");
    publish_plain("d");
    publish("f", 1, "p");
    publish("g", 31, "p");
    harness_sync(&h);
    harness_take(&h);
    expect_all_of("dead", "abg");
    expect_all("cdef");
}
END_TEST

static void publish_expiring(const char *body, uint8_t priority)
{
    struct message *message = harness_message("", "q", body, 1, true);
    harness_prioritise(&message, priority);
    message->ttl_ms = 100;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = message;
    harness_do(&h, 'A', &command);
}

/* In a quorum queue each priority has a head that expires. */
START_TEST(the_head_of_each_priority_expires)
{
    declare_quorum(NULL, 0);
    publish_plain("d");
    publish_expiring("x", 1);
    publish("a", 9, "p");
    publish_expiring("c", 9); /* behind one that stays */
    publish_expiring("y", 5);
    harness_take(&h);
    harness_pass(&h, 50);
    publish_expiring("z", 31);
    harness_pass(&h, 50);
    harness_sync(&h);
    ck_assert_uint_eq(info().messages_ready, 4);
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t1 z left 3\n");
    do_nack(&h, "A1", 1, false, true);
    harness_pass(&h, 50);
    harness_sync(&h);
    expect_all_of("dead", "xyz");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t5 a left 2\n");
    harness_pass(&h, 0);
    harness_sync(&h);
    harness_take(&h);
    expect_all_of("dead", "c");
    expect_all("d");
}
END_TEST

START_TEST(heads_of_priorities_expire_after_a_restart)
{
    declare_quorum(NULL, 0);
    publish_plain("a");
    publish_expiring("x", 1);
    publish_expiring("y", 0);
    harness_sync(&h);
    restart();
    harness_sync(&h);
    harness_pass(&h, 100);
    harness_sync(&h);
    ck_assert_uint_eq(info().messages_ready, 1);
    expect_all("a");
}
END_TEST

START_TEST(quorum_queues_with_priorities_are_purged)
{
    declare_quorum(NULL, 0);
    publish_plain("x");
    fill(6000, "p");
    do_purge(&h, "A1", "q");
    publish("c", 3, "p");
    publish("a", 200, "p");
    publish_plain("b");
    harness_sync(&h);
    restart();
    do_get(&h, "A1", "q", "a");
    harness_sync(&h);
    expect(&h, "A1 got t1 a left 2\n");
    publish("d", 7, "p");
    do_purge(&h, "A1", "q");
    do_nack(&h, "A1", 1, false, true);
    expect(&h, "A1 ok purge 3\n");
    harness_sync(&h);
    restart();
    expect_all("a");
    do_delete(&h, "A1", "q", "");
    harness_sync(&h);
    restart();
    declare_quorum(NULL, 0);
    expect_all("");
}
END_TEST

START_TEST(deep_quorum_queues_leave_memory)
{
    declare_quorum(NULL, 0);
    h.quiet = true;
    for (unsigned i = 1; i <= 60000; i++) { /* 0 and 4 to 9: the body says which */
        char body[20];
        unsigned priority = i % 7 ? 3 + i % 7 : 0;
        snprintf(body, sizeof body, "%u", i);
        if (priority == 4)
            publish_plain(body);
        else
            publish(body, (uint8_t)priority, "p");
        if (i % 500 == 0)
            harness_sync(&h);
    }
    harness_sync(&h);
    ck_assert_uint_lt(info().messages_ram, 12000);
    restart();
    ck_assert_uint_eq(info().messages_ready, 60000);
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (unsigned turns = 0; info().messages_ready && turns < 20000; turns++) {
        harness_sync(&h);
        do_ack(&h, "A1", 0, true);
        do_credit(&h, "A1", 1 << 20);
    }
    ck_assert_uint_eq(info().messages_ready, 0);
    do_ack(&h, "A1", 0, true);
    harness_sync(&h);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

/* ---- Cost. */

START_TEST(levels_cost_memory_when_they_are_used)
{
    declare("q", "d", 255);
    ck_assert_uint_lt(info().memory_bytes, 4096);
    publish("a", 100, "p");
    publish("b", 200, "p");
    ck_assert_uint_lt(info().memory_bytes, 8192);
    do_declare(&h, "A1", "plain", "d");
    struct queue_info plain;
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("plain"), &plain));
    ck_assert_uint_lt(plain.memory_bytes, 1280);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("priority");
    TCase *tests = tcase_create("priority");
    tcase_set_timeout(tests, 1200);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_highest_comes_first);
    tcase_add_test(tests, without_the_argument_it_says_nothing);
    tcase_add_test(tests, declared_again_it_has_to_be_the_same);
    tcase_add_test(tests, requeued_ones_take_their_places);
    tcase_add_test(tests, consumers_with_room_get_the_highest);
    tcase_add_test(tests, a_restart_keeps_priorities);
    tcase_add_test(tests, a_level_goes_on_after_a_restart);
    tcase_add_test(tests, many_queues_find_their_lanes_again);
    tcase_add_test(tests, only_the_head_expires);
    tcase_add_test(tests, a_new_head_below_an_empty_level_expires);
    tcase_add_test(tests, a_head_that_expires_is_found_after_a_restart);
    tcase_add_test(tests, deep_ones_leave_memory);
    tcase_add_test(tests, transient_ones_page_out_when_memory_is_short);
    tcase_add_test(tests, a_higher_one_does_not_wait_for_the_disk);
    tcase_add_test(tests, purged_whether_many_or_few);
    tcase_add_test(tests, unsettled_ones_outlive_their_queue);
    tcase_add_test(tests, quorum_queues_have_priorities);
    tcase_add_test(tests, a_restart_keeps_priorities_of_quorum_queues);
    tcase_add_test(tests, quorum_queues_get_priorities_later);
    tcase_add_test(tests, many_quorum_queues_find_their_lanes_again);
    tcase_add_test(tests, a_limit_drops_the_highest_of_a_quorum_queue);
    tcase_add_test(tests, the_head_of_each_priority_expires);
    tcase_add_test(tests, heads_of_priorities_expire_after_a_restart);
    tcase_add_test(tests, quorum_queues_with_priorities_are_purged);
    tcase_add_test(tests, deep_quorum_queues_leave_memory);
    tcase_add_test(tests, levels_cost_memory_when_they_are_used);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
