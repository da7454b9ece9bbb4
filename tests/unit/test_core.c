/* What clients and the core say to each other: channels, queues, publishing, consuming, settling,
 * confirms. */
#include <stdio.h>

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

START_TEST(declares_and_counts)
{
    do_declare(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 0 0\n");
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 2 0\n");
    do_declare(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 2 0\n");
    do_declare(&h, "A1", "q", "n");
    expect(&h, "");
    do_purge(&h, "A1", "q");
    expect(&h, "A1 ok purge 2\n");
    do_publish(&h, "A1", "", "q", "three", "");
    do_delete(&h, "A1", "q", "");
    expect(&h, "A1 ok delete 1\n");
    do_delete(&h, "A1", "q", "");
    expect(&h, "A1 ok delete 0\n");
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
    do_declare(&h, "A1", "q", ""); /* dropped: the channel has failed */
    expect(&h, "");
    do_close(&h, "A1");
    expect(&h, "A1 ok close\n");
    do_open(&h, "A1");
    expect(&h, "A1 ok open\n");
}
END_TEST

START_TEST(names_of_its_own_are_reserved)
{
    do_declare(&h, "A1", "amq.gen-1", "s");
    expect(&h, "A1 ok declare amq.gen-1 0 0\n");
    do_declare(&h, "A1", "amq.gen-1", "p");
    expect(&h, "A1 ok declare amq.gen-1 0 0\n");
    do_declare(&h, "A1", "amq.mine", "");
    expect(&h, "A1 fail declare ACCESS_REFUSED queue name 'amq.mine' contains reserved prefix "
               "'amq.*'\n");
    do_open(&h, "A2");
    do_declare(&h, "A2", "", "");
    expect(&h, "A2 ok open\nA2 fail declare PRECONDITION_FAILED a queue cannot have an empty "
               "name\n");
}
END_TEST

static void refused(const char *line)
{
    expect(&h, line);
    do_close(&h, "A1");
    do_open(&h, "A1");
    expect(&h, "A1 ok close\nA1 ok open\n");
}

START_TEST(refuses_what_differs)
{
    struct text arguments = {0}, other = {0};
    table_put_i32(&arguments, "x-message-ttl", 1000);
    table_put_i32(&other, "x-message-ttl", 2000);
    do_declare_args(&h, "A1", "q", "", &arguments);
    do_declare_args(&h, "A1", "q", "", &arguments);
    expect(&h, "A1 ok declare q 0 0\nA1 ok declare q 0 0\n");
    do_declare_args(&h, "A1", "q", "d", &arguments);
    refused("A1 fail declare PRECONDITION_FAILED inequivalent arg 'durable' for queue 'q' in "
            "vhost '/': received 'true' but current is 'false'\n");
    do_declare(&h, "A1", "q", "");
    refused("A1 fail declare PRECONDITION_FAILED inequivalent arg 'x-message-ttl' for queue 'q' "
            "in vhost '/': received none but current is the value '1000' of type 'signedint'\n");
    do_declare_args(&h, "A1", "q", "", &other);
    refused("A1 fail declare PRECONDITION_FAILED inequivalent arg 'x-message-ttl' for queue 'q' "
            "in vhost '/': received '2000' but current is '1000'\n");
    other.len = 0;
    table_put_i32(&other, "x-expires", 0);
    do_declare_args(&h, "A1", "new", "", &other);
    refused("A1 fail declare PRECONDITION_FAILED invalid arg 'x-expires' for queue 'new' in "
            "vhost '/': {value_zero,0}\n");
    do_declare(&h, "A1", "q", "x");
    refused("A1 fail declare RESOURCE_LOCKED cannot obtain exclusive access to locked queue 'q' "
            "in vhost '/'. It could be originally declared on another connection or the exclusive "
            "property value does not match that of the original declaration.\n");
    text_free(&arguments);
    text_free(&other);
}
END_TEST

START_TEST(keeps_exclusive_queues_to_their_peer)
{
    static const char locked[] =
        "RESOURCE_LOCKED cannot obtain exclusive access to locked queue 'q' in vhost '/'. It "
        "could be originally declared on another connection or the exclusive property value does "
        "not match that of the original declaration.\n";
    char line[400];
    do_declare(&h, "A1", "q", "x");
    do_open(&h, "B1");
    harness_take(&h);
    do_get(&h, "B1", "q", "");
    snprintf(line, sizeof line, "B1 fail get %s", locked);
    expect(&h, line);
    do_open(&h, "B2");
    do_bind(&h, "B2", "amq.fanout", "q", "");
    snprintf(line, sizeof line, "B2 ok open\nB2 fail bind %s", locked);
    expect(&h, line);
    do_open(&h, "B3");
    do_delete(&h, "B3", "q", "");
    snprintf(line, sizeof line, "B3 ok open\nB3 fail delete %s", locked);
    expect(&h, line);
    do_publish(&h, "A1", "", "q", "kept", "");
    harness_detach(&h, 'A');
    expect(&h, "A detached\n");
    do_open(&h, "B4");
    do_declare(&h, "B4", "q", "p");
    expect(&h, "B4 ok open\nB4 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

START_TEST(delivers_at_once)
{
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    expect(&h, "A1 deliver c1 t1 one\nA1 deliver c1 t2 two\n");
    do_declare(&h, "A1", "q", "p");
    do_cancel(&h, "A1", 1);
    do_cancel(&h, "A1", 1);
    do_publish(&h, "A1", "", "q", "three", "");
    expect(&h, "A1 ok declare q 0 1\nA1 ok cancel c1\nA1 ok cancel c1\n");
    do_consume(&h, "A1", "q", 2, "", 0);
    expect(&h, "A1 ok consume c2\nA1 deliver c2 t3 three\n");
}
END_TEST

START_TEST(takes_turns_by_priority)
{
    do_declare(&h, "A1", "q", "");
    do_qos(&h, "A1", 1, false);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A1", "q", 2, "a", 0);
    do_consume(&h, "A1", "q", 3, "a", 5);
    harness_take(&h);
    for (int i = 0; i < 5; i++)
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "");
    expect(&h, "A1 deliver c3 t1 a\nA1 deliver c1 t2 b\nA1 deliver c2 t3 c\n");
    do_ack(&h, "A1", 2, false);
    expect(&h, "A1 deliver c1 t4 d\n");
    do_ack(&h, "A1", 1, false);
    expect(&h, "A1 deliver c3 t5 e\n");
    do_ack(&h, "A1", 0, true);
    do_publish(&h, "A1", "", "q", "f", "");
    do_publish(&h, "A1", "", "q", "g", "");
    do_publish(&h, "A1", "", "q", "h", "");
    do_ack(&h, "A1", 7, true);
    do_publish(&h, "A1", "", "q", "i", "");
    do_publish(&h, "A1", "", "q", "j", "");
    ck_assert_str_eq(harness_take(&h), "A1 deliver c3 t6 f\nA1 deliver c2 t7 g\n"
                                       "A1 deliver c1 t8 h\nA1 deliver c3 t9 i\n"
                                       "A1 deliver c2 t10 j\n");
}
END_TEST

START_TEST(knows_limits_of_channel_and_peer)
{
    do_declare(&h, "A1", "q", "");
    do_qos(&h, "A1", 2, true);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A1", "q", 2, "a", 0);
    harness_take(&h);
    for (int i = 0; i < 4; i++)
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "");
    expect(&h, "A1 deliver c1 t1 a\nA1 deliver c2 t2 b\n");
    do_ack(&h, "A1", 1, false);
    expect(&h, "A1 deliver c1 t3 c\n");
    do_qos(&h, "A1", 0, true);
    expect(&h, "A1 ok qos\nA1 deliver c2 t4 d\n");
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 empty\n");
}
END_TEST

/* As in RabbitMQ, a consumer without acks does not count for the channel's prefetch limit, but
 * waits for it like the others. */
START_TEST(a_consumer_without_acks_is_held_too)
{
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "loose", "");
    do_qos(&h, "A1", 1, true);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A1", "loose", 2, "", 0);
    harness_take(&h);
    do_publish(&h, "A1", "", "loose", "a", "");
    do_publish(&h, "A1", "", "loose", "b", "");
    expect(&h, "A1 deliver c2 t1 a\nA1 deliver c2 t2 b\n");
    do_publish(&h, "A1", "", "q", "c", "");
    do_publish(&h, "A1", "", "loose", "d", "");
    expect(&h, "A1 deliver c1 t3 c\n");
    do_ack(&h, "A1", 3, false);
    expect(&h, "A1 deliver c2 t4 d\n");
    do_publish(&h, "A1", "", "q", "e", "");
    do_publish(&h, "A1", "", "loose", "f", "");
    expect(&h, "A1 deliver c1 t5 e\n");
    do_qos(&h, "A1", 0, true);
    expect(&h, "A1 ok qos\nA1 deliver c2 t6 f\n");
}
END_TEST

START_TEST(queues_share_what_a_channel_may_take)
{
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "p", "");
    for (int i = 0; i < 3; i++) {
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "");
        do_publish(&h, "A1", "", "p", (char[]){(char)('x' + i), 0}, "");
    }
    do_qos(&h, "A1", 1, true);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A1", "p", 2, "a", 0);
    harness_take(&h);
    for (uint64_t tag = 1; tag <= 5; tag++)
        do_ack(&h, "A1", tag, false);
    expect(&h, "A1 deliver c1 t2 b\nA1 deliver c2 t3 x\nA1 deliver c1 t4 c\n"
               "A1 deliver c2 t5 y\nA1 deliver c2 t6 z\n");
}
END_TEST

START_TEST(queues_share_what_a_peer_may_take)
{
    harness_close(&h);
    h.window_bytes = 200;
    setup();
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "p", "");
    do_consume(&h, "A1", "q", 1, "", 0);
    do_consume(&h, "A1", "p", 2, "", 0);
    harness_take(&h);
    for (int i = 0; i < 40; i++)
        do_publish(&h, "A1", "", i % 2 ? "p" : "q", "m", "");
    harness_take(&h);
    for (int i = 0; i < 4; i++) {
        do_credit(&h, "A1", 1000);
        const char *told = harness_take(&h);
        /* The consumers take turns: in each round one of them gets all messages. */
        ck_assert((strstr(told, "deliver c1") != NULL) != (strstr(told, "deliver c2") != NULL));
        ck_assert_ptr_nonnull(strstr(told, i % 2 ? "deliver c1" : "deliver c2"));
    }
}
END_TEST

START_TEST(waits_for_credit)
{
    harness_close(&h);
    h.window_bytes = 200;
    setup();
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
    for (int i = 0; i < 6; i++)
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "");
    expect(&h, "A1 deliver c1 t1 a\nA1 deliver c1 t2 b\nA1 deliver c1 t3 c\n");
    do_credit(&h, "A1", 70);
    expect(&h, "");
    do_credit(&h, "A1", 140);
    expect(&h, "A1 deliver c1 t4 d\nA1 deliver c1 t5 e\nA1 deliver c1 t6 f\n");
}
END_TEST

START_TEST(settles_and_requeues)
{
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    for (int i = 0; i < 5; i++)
        do_publish(&h, "A1", "", "q", (char[]){(char)('a' + i), 0}, "");
    do_cancel(&h, "A1", 1);
    harness_take(&h);
    do_nack(&h, "A1", 4, false, true);
    do_nack(&h, "A1", 2, true, true);
    do_nack(&h, "A1", 3, false, false);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    expect(&h, "A1 got t6 a left 2 redelivered\nA1 got t7 b left 1 redelivered\n"
               "A1 got t8 d left 0 redelivered\nA1 empty\n");
    do_plain(&h, "A1", COMMAND_RECOVER);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok recover\nA1 ok declare q 4 0\n");
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 9, false);
    do_ack(&h, "A1", 9, false);
    expect(&h, "A1 got t9 a left 3 redelivered\n"
               "A1 fail ack PRECONDITION_FAILED unknown delivery tag 9\n");
}
END_TEST

START_TEST(requeues_when_the_channel_goes)
{
    do_open(&h, "B1");
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    do_consume(&h, "B1", "q", 9, "a", 0);
    harness_take(&h);
    do_close(&h, "A1");
    expect(&h, "A1 ok close\nB1 deliver c9 t1 one redelivered\n"
               "B1 deliver c9 t2 two redelivered\n");
    do_declare(&h, "B1", "q", "");
    do_open(&h, "A1");
    do_consume(&h, "A1", "q", 1, "a", 0);
    harness_take(&h);
    harness_detach(&h, 'B');
    expect(&h, "B detached\nA1 deliver c1 t1 one redelivered\n"
               "A1 deliver c1 t2 two redelivered\n");
    do_nack(&h, "A1", 5, false, true); /* an unknown tag: all deliveries go back at once */
    do_open(&h, "A2");
    do_get(&h, "A2", "q", "");
    expect(&h, "A1 fail nack PRECONDITION_FAILED unknown delivery tag 5\nA2 ok open\n"
               "A2 got t1 one left 1 redelivered\n");
}
END_TEST

START_TEST(deletes_queues_under_their_users)
{
    do_open(&h, "B1");
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    harness_take(&h);
    do_delete(&h, "B1", "q", "u");
    expect(&h, "B1 fail delete PRECONDITION_FAILED queue 'q' in vhost '/' in use\n");
    do_open(&h, "B2");
    do_delete(&h, "B2", "q", "");
    expect(&h, "B2 ok open\nA1 cancelled c1\nB2 ok delete 0\n");
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true);
    do_declare(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 0 0\n");
    do_publish(&h, "A1", "", "q", "three", "");
    do_delete(&h, "A1", "q", "e");
    expect(&h, "A1 fail delete PRECONDITION_FAILED queue 'q' in vhost '/' not empty\n");
}
END_TEST

START_TEST(auto_deletes)
{
    do_declare(&h, "A1", "q", "a");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish(&h, "A1", "", "q", "one", "");
    do_cancel(&h, "A1", 1);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\nA1 ok consume c1\nA1 deliver c1 t1 one\nA1 ok cancel c1\n"
               "A1 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

START_TEST(keeps_exclusive_consumers_alone)
{
    do_declare(&h, "A1", "q", "");
    do_consume(&h, "A1", "q", 1, "x", 0);
    do_open(&h, "A2");
    harness_take(&h);
    do_consume(&h, "A2", "q", 2, "", 0);
    expect(&h, "A2 fail consume ACCESS_REFUSED queue 'q' in vhost '/' in exclusive use\n");
    do_cancel(&h, "A1", 1);
    do_consume(&h, "A1", "q", 1, "", 0);
    do_open(&h, "A3");
    do_consume(&h, "A3", "q", 3, "x", 0);
    expect(&h, "A1 ok cancel c1\nA1 ok consume c1\nA3 ok open\n"
               "A3 fail consume ACCESS_REFUSED queue 'q' in vhost '/' in exclusive use\n");
}
END_TEST

START_TEST(returns_and_confirms)
{
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "nowhere", "one", "m");
    do_publish(&h, "A1", "", "nowhere", "two", "");
    expect(&h, "A1 ok confirm-select\nA1 return one NO_ROUTE\n");
    harness_turn(&h);
    expect(&h, "A1 confirm 2 multiple\n");
    do_publish(&h, "A1", "", "nowhere", "three", "");
    harness_turn(&h);
    expect(&h, "A1 confirm 3\n");
    do_publish(&h, "A1", "missing", "", "four", "");
    harness_turn(&h);
    expect(&h, "A1 fail publish NOT_FOUND no exchange 'missing' in vhost '/'\n");
}
END_TEST

START_TEST(confirms_once_on_disk)
{
    do_declare(&h, "A1", "q", "d");
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "A1 ok declare q 0 0\n");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "two", "");
    harness_turn(&h);
    do_publish(&h, "A1", "", "q", "three", "p");
    do_publish(&h, "A1", "", "q", "four", "");
    harness_turn(&h);
    expect(&h, "A1 ok confirm-select\n");
    journal_memory_sync(h.journal);
    journal_poll(h.journal);
    expect(&h, "A1 confirm 2 multiple\n");
    harness_sync(&h);
    expect(&h, "A1 confirm 4 multiple\n");
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_take(&h);
    do_publish(&h, "A1", "", "q", "five", "p"); /* settled before it is on disk */
    harness_turn(&h);
    expect(&h, "A1 deliver c1 t5 five\nA1 confirm 5\n");
    do_cancel(&h, "A1", 1);
    do_consume(&h, "A1", "q", 2, "a", 0);
    do_publish(&h, "A1", "", "q", "six", "p");
    do_ack(&h, "A1", 6, false);
    expect(&h, "A1 ok cancel c1\nA1 ok consume c2\nA1 deliver c2 t6 six\n");
    harness_sync(&h);
    expect(&h, "A1 confirm 6\n");
}
END_TEST

START_TEST(waits_for_a_disk_that_fails)
{
    do_declare(&h, "A1", "q", "d");
    harness_sync(&h);
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    harness_take(&h);
    journal_memory_fail(h.journal, STATUS_NO_SPACE);
    do_publish(&h, "A1", "", "q", "one", "p");
    harness_sync(&h);
    expect(&h, "");
    ck_assert_int_eq(h.health, STATUS_NO_SPACE);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 got t1 one left 0\n");
    journal_memory_fail(h.journal, STATUS_OK);
    harness_sync(&h);
    expect(&h, "A1 confirm 1\n");
}
END_TEST

START_TEST(keeps_replies_in_order)
{
    do_declare(&h, "A1", "q", "d");
    do_publish(&h, "A1", "", "q", "one", "p");
    do_consume(&h, "A1", "q", 1, "a", 0); /* consume-ok and deliveries wait for declare-ok */
    do_declare(&h, "A1", "r", "p");
    do_close(&h, "A1");
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "A1 ok declare q 0 0\nA1 ok consume c1\n"
               "A1 fail declare NOT_FOUND no queue 'r' in vhost '/'\nA1 ok close\n");
    do_open(&h, "A1");
    do_declare(&h, "A1", "s", "d");
    do_publish(&h, "A1", "", "q", "two", "p");
    do_consume(&h, "A1", "q", 1, "a", 0);
    expect(&h, "A1 ok open\n");
    harness_sync(&h);
    expect(&h, "A1 ok declare s 0 0\nA1 ok consume c1\nA1 deliver c1 t1 one\n"
               "A1 deliver c1 t2 two\n");
    do_declare(&h, "A1", "t", "d");
    harness_detach(&h, 'A');
    expect(&h, "A detached\n");
}
END_TEST

/* Publishes many short messages to the default exchange. */
static void publish_many(const char *who, const char *queue, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        do_publish(&h, who, "", queue, "m", "");
}

START_TEST(tells_publishers_that_outrun_consumers)
{
    do_declare(&h, "A1", "q", "");
    do_declare(&h, "A1", "other", "");
    do_open(&h, "B1");
    do_open(&h, "C1");
    harness_take(&h);
    publish_many("A1", "q", 3000); /* there is no consumer that could be behind */
    expect(&h, "");
    do_qos(&h, "B1", 1, false);
    do_consume(&h, "B1", "q", 1, "a", 0);
    harness_take(&h);
    publish_many("A1", "q", 2);
    do_publish(&h, "C1", "", "other", "m", "");
    expect(&h, "A pace slow\n");
    publish_many("A1", "other", 255);
    publish_many("A1", "q", 1);
    publish_many("A1", "other", 255);
    expect(&h, "");
    publish_many("A1", "other", 2);
    expect(&h, "A pace free\n");
    publish_many("A1", "q", 1);
    expect(&h, "A pace slow\n");
    do_purge(&h, "A1", "q");
    harness_take(&h);
    publish_many("A1", "q", 300);
    expect(&h, "A pace free\n");
}
END_TEST

START_TEST(fans_out_and_refuses_internal_exchanges)
{
    do_exchange(&h, "A1", "x", "fanout", "");
    do_exchange(&h, "A1", "inner", "fanout", "i");
    for (int i = 0; i < 3; i++) {
        char name[] = {'q', (char)('0' + i), 0};
        do_declare(&h, "A1", name, "");
        do_bind(&h, "A1", "x", name, "");
        do_consume(&h, "A1", name, (uint32_t)i, "", 0);
    }
    harness_take(&h);
    do_publish(&h, "A1", "x", "", "all", "");
    expect(&h, "A1 deliver c0 t1 all\nA1 deliver c1 t2 all\nA1 deliver c2 t3 all\n");
    do_publish(&h, "A1", "x", "", "again", "");
    ck_assert_uint_gt(strlen(harness_take(&h)), 50);
    do_delete(&h, "A1", "q1", "");
    do_publish(&h, "A1", "x", "", "two", "");
    expect(&h, "A1 cancelled c1\nA1 ok delete 0\nA1 deliver c0 t7 two\nA1 deliver c2 t8 two\n");
    do_publish(&h, "A1", "inner", "", "no", "");
    const char *line = harness_take(&h);
    ck_assert_msg(strncmp(line, "A1 fail publish ACCESS_REFUSED ", 31) == 0, "%s", line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tests = tcase_create("core");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, declares_and_counts);
    tcase_add_test(tests, names_of_its_own_are_reserved);
    tcase_add_test(tests, refuses_what_differs);
    tcase_add_test(tests, keeps_exclusive_queues_to_their_peer);
    tcase_add_test(tests, delivers_at_once);
    tcase_add_test(tests, takes_turns_by_priority);
    tcase_add_test(tests, knows_limits_of_channel_and_peer);
    tcase_add_test(tests, a_consumer_without_acks_is_held_too);
    tcase_add_test(tests, queues_share_what_a_channel_may_take);
    tcase_add_test(tests, queues_share_what_a_peer_may_take);
    tcase_add_test(tests, waits_for_credit);
    tcase_add_test(tests, settles_and_requeues);
    tcase_add_test(tests, requeues_when_the_channel_goes);
    tcase_add_test(tests, deletes_queues_under_their_users);
    tcase_add_test(tests, auto_deletes);
    tcase_add_test(tests, keeps_exclusive_consumers_alone);
    tcase_add_test(tests, returns_and_confirms);
    tcase_add_test(tests, confirms_once_on_disk);
    tcase_add_test(tests, waits_for_a_disk_that_fails);
    tcase_add_test(tests, keeps_replies_in_order);
    tcase_add_test(tests, tells_publishers_that_outrun_consumers);
    tcase_add_test(tests, fans_out_and_refuses_internal_exchanges);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
