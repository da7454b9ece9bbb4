/* Expiry and time-outs, transactions, direct replies, listings. */
#include <stdio.h>
#include <stdlib.h>

#include "core_harness.h"
#include "leveret/base/base64.h"
#include "leveret/wire/properties.h"
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

static void declare_with(const char *queue, const char *flags, const char *argument, int32_t value)
{
    struct text arguments = {0};
    table_put_i32(&arguments, argument, value);
    do_declare_args(&h, "A1", queue, flags, &arguments);
    text_free(&arguments);
    harness_sync(&h);
    harness_take(&h);
}

/* ---- Expiry. */

START_TEST(messages_expire_from_the_head)
{
    declare_with("q", "", "x-message-ttl", 1000);
    do_publish(&h, "A1", "", "q", "one", "");
    harness_pass(&h, 400);
    do_publish(&h, "A1", "", "q", "two", "");
    do_publish_ttl(&h, "A1", "q", "three", 100, ""); /* behind two: expires when at the head */
    do_publish_ttl(&h, "A1", "q", "four", 5000, ""); /* the queue's time to live is shorter */
    harness_pass(&h, 599);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 4 0\n");
    harness_pass(&h, 1);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 3 0\n");
    do_get(&h, "A1", "q", "a"); /* gets two; three is at the head, and has expired */
    harness_pass(&h, 0);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 got t1 two left 2\nA1 ok declare q 1 0\n");
    harness_pass(&h, 400);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
    do_nack(&h, "A1", 1, false, true); /* it has expired while it was unsettled */
    harness_pass(&h, 0);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

START_TEST(nothing_waits_with_a_ttl_of_zero)
{
    do_declare(&h, "A1", "q", "");
    do_publish_ttl(&h, "A1", "q", "one", 0, "");
    do_declare(&h, "A1", "q", "p");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_publish_ttl(&h, "A1", "q", "two", 0, "");
    do_cancel(&h, "A1", 1);
    do_nack(&h, "A1", 1, false, true);
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok declare q 0 0\nA1 ok declare q 0 0\nA1 ok consume c1\n"
               "A1 deliver c1 t1 two\nA1 ok cancel c1\nA1 empty\n");
}
END_TEST

START_TEST(a_tick_does_a_bounded_amount)
{
    do_declare(&h, "A1", "q", "");
    for (int i = 0; i < 2500; i++)
        do_publish_ttl(&h, "A1", "q", "x", 10, "");
    h.now.steady_ms += 20;
    h.now.wall_ms += 20;
    unsigned ticks = 0;
    while (vhost_deadline_ms(h.vhost) <= h.now.steady_ms) {
        vhost_tick(h.vhost, h.now);
        ticks++;
    }
    ck_assert_uint_ge(ticks, 3);
    ck_assert_uint_le(ticks, 4);
    ck_assert_uint_eq(vhost_resident_bytes(h.vhost), 0);
}
END_TEST

START_TEST(unused_queues_expire)
{
    declare_with("q", "", "x-expires", 1000);
    harness_pass(&h, 900);
    do_get(&h, "A1", "q", "");
    harness_pass(&h, 900);
    do_consume(&h, "A1", "q", 1, "", 0);
    harness_pass(&h, 5000);
    do_cancel(&h, "A1", 1);
    harness_pass(&h, 999);
    do_declare(&h, "A1", "q", "p"); /* a passive declaration counts as use */
    expect(&h, "A1 empty\nA1 ok consume c1\nA1 ok cancel c1\nA1 ok declare q 0 0\n");
    harness_pass(&h, 999);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 ok declare q 0 0\n");
    harness_pass(&h, 1000);
    do_declare(&h, "A1", "q", "p");
    expect(&h, "A1 fail declare NOT_FOUND no queue 'q' in vhost '/'\n");
}
END_TEST

START_TEST(expiry_survives_a_restart)
{
    do_declare(&h, "A1", "q", "d");
    do_publish_ttl(&h, "A1", "q", "one", 1000, "p");
    do_publish_ttl(&h, "A1", "q", "two", 1000, "p");
    do_publish(&h, "A1", "", "q", "three", "p");
    harness_sync(&h);
    harness_crash(&h);
    harness_sync(&h);
    do_open(&h, "B1");
    harness_take(&h);
    harness_pass(&h, 999);
    do_declare(&h, "B1", "q", "p");
    harness_pass(&h, 1);
    do_declare(&h, "B1", "q", "p");
    do_get(&h, "B1", "q", "");
    expect(&h, "B1 ok declare q 3 0\nB1 ok declare q 1 0\nB1 got t1 three left 0\n");
}
END_TEST

START_TEST(deliveries_that_nobody_settles_fail_their_channel)
{
    harness_close(&h);
    h.consumer_timeout_ms = 60000;
    setup();
    do_declare(&h, "A1", "q", "");
    declare_with("quick", "", "x-consumer-timeout", 10000);
    do_open(&h, "A2");
    do_open(&h, "A3");
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "quick", "two", "");
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_get(&h, "A2", "q", "a");
    do_get(&h, "A2", "quick", "a");
    harness_take(&h);
    harness_pass(&h, 9000);
    expect(&h, "");
    harness_pass(&h, 2000);
    expect(&h, "A2 fail none PRECONDITION_FAILED delivery acknowledgement on channel 2 timed out. "
               "Timeout value used: 10000 ms. This timeout value can be configured, see consumers "
               "doc guide to learn more\n");
    do_get(&h, "A3", "quick", "");
    expect(&h, "A3 got t1 two left 0 redelivered\n");
    do_ack(&h, "A1", 1, false);
    harness_pass(&h, 100000);
    expect(&h, "");
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
}
END_TEST

START_TEST(a_consumer_has_a_time_out_of_its_own)
{
    struct text arguments = {0};
    do_declare(&h, "A1", "q", "");
    declare_with("patient", "", "x-consumer-timeout", 1000000);
    do_open(&h, "A2");
    do_open(&h, "A3");
    do_open(&h, "A4");
    table_put_i32(&arguments, "x-consumer-timeout", 10000);
    do_consume_args(&h, "A2", "q", 1, "a", &arguments);
    do_consume_args(&h, "A3", "patient", 1, "a", &arguments);
    do_consume(&h, "A4", "q", 1, "a", 0); /* no time-out: the queue and the vhost set none */
    do_publish(&h, "A1", "", "q", "one", "");
    do_publish(&h, "A1", "", "q", "two", "");
    do_publish(&h, "A1", "", "patient", "three", "");
    do_cancel(&h, "A3", 1); /* the time-out still holds for its deliveries */
    harness_take(&h);
    harness_pass(&h, 9000);
    expect(&h, "");
    harness_pass(&h, 3000);
    expect(&h, "A2 fail none PRECONDITION_FAILED delivery acknowledgement on channel 2 timed out. "
               "Timeout value used: 10000 ms. This timeout value can be configured, see consumers "
               "doc guide to learn more\n"
               "A3 fail none PRECONDITION_FAILED delivery acknowledgement on channel 3 timed out. "
               "Timeout value used: 10000 ms. This timeout value can be configured, see consumers "
               "doc guide to learn more\n"
               "A4 deliver c1 t2 one redelivered\n");
    harness_pass(&h, 1000000);
    expect(&h, "");
    text_free(&arguments);
    table_put_bool(&arguments, "x-consumer-timeout", true);
    do_consume_args(&h, "A1", "q", 1, "a", &arguments);
    expect(&h, "A1 fail consume PRECONDITION_FAILED invalid arg 'x-consumer-timeout' for queue 'q' "
               "in vhost '/': \"expected integer, got bool\"\n");
    text_free(&arguments);
}
END_TEST

/* Many channels and deliveries are looked through in portions. */
START_TEST(time_outs_are_found_in_portions)
{
    declare_with("quick", "", "x-consumer-timeout", 10000);
    declare_with("slow", "", "x-consumer-timeout", 100000);
    do_open(&h, "A2");
    do_open(&h, "A3");
    do_consume(&h, "A2", "slow", 1, "a", 0);
    h.quiet = true;
    for (int i = 0; i < 50000; i++)
        do_publish(&h, "A1", "", "slow", "m", "");
    for (int i = 0; i < 50; i++)
        do_credit(&h, "A2", 1 << 20);
    h.quiet = false;
    harness_take(&h);
    do_publish(&h, "A1", "", "quick", "one", "");
    do_get(&h, "A3", "quick", "a");
    harness_take(&h);
    h.now.steady_ms += 20000;
    unsigned ticks = 0;
    while (vhost_deadline_ms(h.vhost) <= h.now.steady_ms && ++ticks < 1000)
        vhost_tick(h.vhost, h.now);
    ck_assert_uint_ge(ticks, 2);
    ck_assert_ptr_nonnull(strstr(harness_take(&h), "A3 fail none"));
}
END_TEST

START_TEST(limits_change_while_deliveries_are_out)
{
    struct vhost_limits limits = {.resident_bytes_max = 64 << 20, .message_bytes_max = 3};
    do_declare(&h, "A1", "q", "");
    do_open(&h, "A2");
    do_open(&h, "A3");
    do_publish(&h, "A1", "", "q", "four", "");
    do_get(&h, "A2", "q", "a");
    harness_take(&h);
    harness_pass(&h, 100000);
    ck_assert_uint_eq(vhost_deadline_ms(h.vhost), UINT64_MAX);
    limits.consumer_timeout_ms = 120000;
    vhost_set_limits(h.vhost, &limits, h.now);
    harness_pass(&h, 10000);
    expect(&h, "");
    do_publish(&h, "A3", "", "q", "four", "");
    expect(&h, "A3 fail publish PRECONDITION_FAILED message size 4 is larger than configured max "
               "size 3\n");
    harness_pass(&h, 30000);
    expect(&h, "A2 fail none PRECONDITION_FAILED delivery acknowledgement on channel 2 timed out. "
               "Timeout value used: 120000 ms. This timeout value can be configured, see consumers "
               "doc guide to learn more\n");
    limits.consumer_timeout_ms = 0;
    vhost_set_limits(h.vhost, &limits, h.now);
    do_get(&h, "A1", "q", "a");
    harness_take(&h);
    harness_pass(&h, 10000000);
    expect(&h, "");
}
END_TEST

/* ---- Transactions. */

START_TEST(a_transaction_commits_or_not)
{
    do_declare(&h, "A1", "q", "d");
    do_declare(&h, "A1", "r", "");
    do_publish(&h, "A1", "", "r", "work", "");
    do_publish(&h, "A1", "", "r", "work2", "");
    harness_sync(&h);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "r", "a");
    do_get(&h, "A1", "r", "a");
    harness_take(&h);
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "nowhere", "lost", "m");
    do_ack(&h, "A1", 2, false);
    do_ack(&h, "A1", 1, false);
    do_plain(&h, "A1", COMMAND_TX_ROLLBACK);
    do_ack(&h, "A1", 1, false);
    do_nack(&h, "A1", 2, false, true);
    do_publish(&h, "A1", "", "q", "two", "p");
    do_publish(&h, "A1", "", "nowhere", "lost", "m");
    do_declare(&h, "A1", "q", "p");
    do_declare(&h, "A1", "r", "p");
    expect(&h, "A1 ok rollback\nA1 ok declare q 0 0\nA1 ok declare r 0 0\n");
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    expect(&h, "A1 return lost NO_ROUTE\n");
    harness_sync(&h);
    do_declare(&h, "A1", "q", "p");
    do_declare(&h, "A1", "r", "p");
    expect(&h, "A1 ok commit\nA1 ok declare q 1 0\nA1 ok declare r 1 0\n");
    do_plain(&h, "A1", COMMAND_TX_COMMIT); /* nothing to wait for */
    expect(&h, "A1 ok commit\n");
    do_plain(&h, "A1", COMMAND_CONFIRM_SELECT);
    expect(&h, "A1 fail confirm-select PRECONDITION_FAILED cannot switch from tx to confirm "
               "mode\n");
    do_open(&h, "A2");
    do_plain(&h, "A2", COMMAND_CONFIRM_SELECT);
    do_plain(&h, "A2", COMMAND_TX_SELECT);
    expect(&h, "A2 ok open\nA2 ok confirm-select\nA2 fail tx-select PRECONDITION_FAILED cannot "
               "switch from confirm to tx mode\n");
    do_open(&h, "A3");
    do_plain(&h, "A3", COMMAND_TX_COMMIT);
    expect(&h, "A3 ok open\nA3 fail commit PRECONDITION_FAILED channel is not transactional\n");
}
END_TEST

START_TEST(a_closed_transaction_gives_back)
{
    do_declare(&h, "A1", "q", "");
    do_publish(&h, "A1", "", "q", "one", "");
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 1, false);
    do_publish(&h, "A1", "", "q", "never", "");
    harness_take(&h);
    do_close(&h, "A1");
    do_open(&h, "A2");
    do_get(&h, "A2", "q", "");
    expect(&h, "A1 ok close\nA2 ok open\nA2 got t1 one left 0 redelivered\n");
}
END_TEST

START_TEST(a_transaction_of_acks_waits_for_the_disk)
{
    do_declare(&h, "A1", "q", "d");
    do_publish(&h, "A1", "", "q", "one", "p");
    do_publish(&h, "A1", "", "q", "transient", "");
    harness_sync(&h);
    do_plain(&h, "A1", COMMAND_TX_SELECT);
    do_get(&h, "A1", "q", "a");
    do_get(&h, "A1", "q", "a");
    do_ack(&h, "A1", 1, false);
    harness_take(&h);
    do_plain(&h, "A1", COMMAND_TX_COMMIT);
    expect(&h, "");
    harness_sync(&h);
    expect(&h, "A1 ok commit\n");
    do_ack(&h, "A1", 2, false);
    do_plain(&h, "A1", COMMAND_TX_COMMIT); /* nothing durable: nothing to wait for */
    expect(&h, "A1 ok commit\n");
    harness_crash(&h);
    do_open(&h, "A1");
    do_get(&h, "A1", "q", "");
    expect(&h, "A1 ok open\nA1 empty\n");
}
END_TEST

/* ---- Direct reply-to. */

static struct message *asking(const char *key, const char *reply_to)
{
    struct properties properties = {.present = PROPERTY_REPLY_TO | PROPERTY_CORRELATION_ID,
                                    .reply_to = bytes_of_text(reply_to),
                                    .correlation_id = bytes_of_text("7")};
    struct text encoded = {0};
    properties_encode(&properties, &encoded);
    struct message *message =
        message_new(bytes_of_text(""), bytes_of_text(key), text_bytes(&encoded), 3);
    text_free(&encoded);
    ck_assert_int_eq(message_fill(message, NULL, (const uint8_t *)"ask", 3), STATUS_OK);
    return message;
}

static void ask(const char *key)
{
    struct command command = {.type = COMMAND_PUBLISH, .channel = 1};
    command.u.publish.message = asking(key, "amq.rabbitmq.reply-to");
    harness_do(&h, 'A', &command);
}

static char reply_name[256];

static void note_reply_to(void *context, char peer, const struct event *event)
{
    struct properties properties;
    (void)context;
    (void)peer;
    if (event->type != EVENT_DELIVER ||
        properties_decode(message_properties(event->u.deliver.message), &properties))
        return;
    snprintf(reply_name, sizeof reply_name, "%.*s", BYTES_PRINT(properties.reply_to));
    if (properties.correlation_id.len)
        ck_assert(bytes_equal_text(properties.correlation_id, "7"));
}

START_TEST(answers_go_straight_to_the_asker)
{
    char name[256];
    do_declare(&h, "A1", "amq.rabbitmq.reply-to", "p");
    do_declare(&h, "A1", "server", "");
    do_consume(&h, "A1", "amq.rabbitmq.reply-to", 4, "", 0);
    do_open(&h, "B1");
    do_consume(&h, "B1", "server", 5, "", 0);
    expect(&h, "A1 ok declare amq.rabbitmq.reply-to 0 1\nA1 ok declare server 0 0\n"
               "A1 ok consume c4\nB1 ok open\nB1 ok consume c5\n");
    h.watch = note_reply_to;
    ask("server");
    expect(&h, "B1 deliver c5 t1 ask\n");
    ck_assert_int_eq(strncmp(reply_name, "amq.rabbitmq.reply-to.g1h2AA5yZXBseU", 36), 0);
    ck_assert_uint_eq(strlen(reply_name), 91);
    ck_assert_int_eq(reply_name[66], '.');
    ck_assert_str_eq(reply_name + 89, "==");
    snprintf(name, sizeof name, "%s", reply_name);
    do_declare(&h, "B1", name, "p");
    ck_assert_int_eq(strncmp(harness_take(&h), "B1 ok declare amq.rabbitmq.reply-to.", 36), 0);
    do_publish(&h, "B1", "", name, "answer", "m");
    expect(&h, "A1 deliver c4 t1 answer\n");
    do_cancel(&h, "A1", 4);
    do_publish(&h, "B1", "", name, "late", "m");
    expect(&h, "A1 ok cancel c4\nB1 return late NO_ROUTE\n");
    ask("server");
    expect(&h, "A1 fail publish PRECONDITION_FAILED fast reply consumer does not exist\n");
    do_consume(&h, "B1", "amq.rabbitmq.reply-to", 6, "a", 0);
    expect(&h, "B1 fail consume PRECONDITION_FAILED reply consumer cannot acknowledge\n");
}
END_TEST

static void decode(const char *name, uint8_t process[31], uint8_t secret[16])
{
    size_t len;
    uint8_t *decoded = base64_decode(bytes_of(name + 22, 44), &len);
    ck_assert(decoded && len == 31);
    memcpy(process, decoded, len);
    free(decoded);
    decoded = base64_decode(bytes_of(name + 67, 24), &len);
    ck_assert(decoded && len == 16);
    memcpy(secret, decoded, len);
    free(decoded);
}

/* A name has the parts that clients of RabbitMQ look for, and does not tell what the next name will
 * be. */
START_TEST(reply_names_have_rabbitmqs_shape)
{
    uint8_t process[2][31], secret[2][16];
    char name[256];
    do_declare(&h, "A1", "server", "");
    do_consume(&h, "A1", "server", 5, "", 0);
    h.watch = note_reply_to;
    for (int i = 0; i < 2; i++) {
        do_consume(&h, "A1", "amq.rabbitmq.reply-to", 4, "", 0);
        ask("server");
        decode(reply_name, process[i], secret[i]);
        ck_assert_int_eq(memcmp(process[i], "\x83Xv\x00\x0ereply@", 11), 0);
        do_cancel(&h, "A1", 4);
    }
    ck_assert_int_ne(memcmp(secret[0], secret[1], 16), 0);
    ck_assert_int_ne(memcmp(process[0], process[1], 31), 0);
    harness_take(&h);
    do_consume(&h, "A1", "amq.rabbitmq.reply-to", 4, "", 0);
    ask("server");
    harness_take(&h);
    snprintf(name, sizeof name, "%s", reply_name);
    name[80] = name[80] == 'A' ? 'B' : 'A'; /* a name that was guessed */
    do_publish(&h, "A1", "", name, "no", "m");
    expect(&h, "A1 return no NO_ROUTE\n");
}
END_TEST

static void answer_late(struct harness *harness)
{
    harness->between = NULL;
    do_publish(harness, "B1", "", reply_name, "late", "m");
}

/* While the messages of a connection's first channel go back in portions, its second channel gets
 * no direct replies any more. */
START_TEST(a_peer_that_goes_in_portions_gets_no_answers)
{
    harness_close(&h);
    h.portion = 20;
    harness_open(&h);
    do_open(&h, "A1");
    do_open(&h, "A2");
    do_open(&h, "B1");
    do_declare(&h, "B1", "q", "");
    do_declare(&h, "B1", "server", "");
    do_consume(&h, "B1", "server", 5, "", 0);
    do_consume(&h, "A1", "q", 1, "a", 0);
    do_consume(&h, "A2", "amq.rabbitmq.reply-to", 4, "", 0);
    for (int i = 0; i < 100; i++)
        do_publish(&h, "B1", "", "q", "m", "");
    h.watch = note_reply_to;
    struct command command = {.type = COMMAND_PUBLISH, .channel = 2};
    command.u.publish.message = asking("server", "amq.rabbitmq.reply-to");
    harness_do(&h, 'A', &command);
    h.watch = NULL;
    harness_take(&h);
    h.between = answer_late;
    harness_detach(&h, 'A');
    ck_assert(!h.between);
    expect(&h, "B1 return late NO_ROUTE\nA detached\n");
}
END_TEST

/* ---- Listings. */

START_TEST(lists_in_slices)
{
    struct queue_info queues[4];
    struct channel_info channels[4];
    struct consumer_info consumers[4];
    struct vhost_totals totals;
    uint64_t after = 0;
    for (int i = 0; i < 6; i++) {
        char name[] = {'q', (char)('0' + i), 0};
        do_declare(&h, "A1", name, i == 5 ? "x" : "");
    }
    ck_assert_uint_eq(vhost_list_queues(h.vhost, &after, queues, 4), 4);
    do_delete(&h, "A1", "q3", "");
    do_publish(&h, "A1", "", "q4", "12345", "");
    do_publish(&h, "A1", "", "q4", "123", "");
    do_get(&h, "A1", "q4", "a");
    ck_assert_uint_eq(vhost_list_queues(h.vhost, &after, queues, 4), 2);
    ck_assert(bytes_equal_text(queues[0].name, "q4"));
    ck_assert_uint_eq(queues[0].messages_ready, 1);
    ck_assert_uint_eq(queues[0].ready_bytes, 3);
    ck_assert_uint_eq(queues[0].messages_unacknowledged, 1);
    ck_assert_uint_eq(queues[0].unacknowledged_bytes, 5);
    ck_assert_uint_eq(queues[0].messages_ram, 2);
    ck_assert_uint_eq(queues[0].rates.publish, 2);
    ck_assert_uint_eq(queues[0].rates.get, 1);
    ck_assert(bytes_equal_text(queues[1].owner_name, "peer A"));
    ck_assert_uint_eq(vhost_list_queues(h.vhost, &after, queues, 4), 0);
    do_qos(&h, "A1", 9, false);
    do_consume(&h, "A1", "q0", 7, "ax", 3);
    after = 0;
    ck_assert_uint_eq(vhost_list_consumers(h.vhost, &after, consumers, 4), 1);
    ck_assert(consumers[0].ack_required && consumers[0].exclusive);
    ck_assert_int_eq(consumers[0].priority, 3);
    ck_assert_uint_eq(consumers[0].prefetch_count, 9);
    after = 0;
    ck_assert_uint_eq(vhost_list_channels(h.vhost, &after, channels, 4), 1);
    ck_assert_uint_eq(channels[0].messages_unacknowledged, 1);
    ck_assert_uint_eq(channels[0].consumers, 1);
    vhost_totals(h.vhost, &totals);
    ck_assert_uint_eq(totals.queues, 5);
    ck_assert_uint_eq(totals.exchanges, 7); /* "", amq.direct … and amq.rabbitmq.trace */
    ck_assert_uint_eq(totals.messages_ready, 1);
    ck_assert_uint_eq(totals.rates.publish, 2);
    ck_assert(vhost_find_queue(h.vhost, bytes_of_text("q1"), queues));
    ck_assert(!vhost_find_queue(h.vhost, bytes_of_text("q3"), queues));
    ck_assert_uint_lt(queues[0].memory_bytes, 1536);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core_time");
    TCase *tests = tcase_create("core_time");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, messages_expire_from_the_head);
    tcase_add_test(tests, nothing_waits_with_a_ttl_of_zero);
    tcase_add_test(tests, a_tick_does_a_bounded_amount);
    tcase_add_test(tests, unused_queues_expire);
    tcase_add_test(tests, expiry_survives_a_restart);
    tcase_add_test(tests, deliveries_that_nobody_settles_fail_their_channel);
    tcase_add_test(tests, a_consumer_has_a_time_out_of_its_own);
    tcase_add_test(tests, time_outs_are_found_in_portions);
    tcase_add_test(tests, limits_change_while_deliveries_are_out);
    tcase_add_test(tests, a_transaction_commits_or_not);
    tcase_add_test(tests, a_closed_transaction_gives_back);
    tcase_add_test(tests, a_transaction_of_acks_waits_for_the_disk);
    tcase_add_test(tests, answers_go_straight_to_the_asker);
    tcase_add_test(tests, reply_names_have_rabbitmqs_shape);
    tcase_add_test(tests, a_peer_that_goes_in_portions_gets_no_answers);
    tcase_add_test(tests, lists_in_slices);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
