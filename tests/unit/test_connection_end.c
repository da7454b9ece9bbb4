/* Tests of net/connection: writing, the end of a connection, heartbeats. */
#include <check.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection_fixture.h"

/* ---- Writing */

/* Reads all that comes, turning the loop, until wanted bytes are there. */
static uint8_t *collect(struct owner *owner, size_t wanted)
{
    uint8_t *all = mem_need(wanted + 1);
    size_t got = 0;
    for (int idle = 0; got < wanted && idle < 1000; idle++) {
        ssize_t n = read(owner->peer, all + got, wanted - got + 1);
        if (n > 0)
            got += (size_t)n, idle = 0;
        else
            turn();
    }
    ck_assert_uint_eq(got, wanted);
    return all;
}

START_TEST(test_echo_partial_writes)
{
    struct script script = {0};
    struct owner owner;
    for (int i = 0; i < 300; i++)
        put(&script, FRAME_METHOD, (uint16_t)i, (size_t)(i * 37 % 5000));
    make_owner(&owner, 2048); /* the kernel doubles it, and has a minimum */
    owner.echoes = true;
    send_header(&owner);
    send_all(&owner, script.bytes, script.len);
    turn();
    uint8_t *all = collect(&owner, script.len);
    ck_assert(memcmp(all, script.bytes, script.len) == 0);
    turn();
    ck_assert_uint_eq(owner.written, script.len);
    ck_assert_uint_eq(connection_output_bytes(owner.connection), 0);
    struct connection_counters counters;
    connection_counters(owner.connection, &counters);
    ck_assert_uint_eq(counters.sent_bytes, script.len);
    free(all);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

/* Queues bytes and pieces of messages in turn; returns what should come out. */
static uint8_t *queue_mixture(struct owner *owner, int times, size_t *len)
{
    uint8_t *expected = NULL;
    *len = 0;
    for (int i = 0; i < times; i++) {
        size_t head = 1 + (size_t)(i * 131) % 900, body = (size_t)(i * 7919) % 30000;
        expected = mem_need_array(expected, *len + head + body + 1, 1);
        uint8_t *at = connection_reserve(owner->connection, head + 50);
        memset(at, i, head);
        connection_commit(owner->connection, head);
        memset(expected + *len, i, head);
        *len += head;
        struct buffer *block = buffer_new(body + 1);
        struct message *message =
            message_new(bytes_of("", 0), bytes_of("", 0), bytes_of("\0\0", 2), body);
        memset(block->data, i * 3 + 1, body);
        if (body)
            ck_assert_int_eq(message_fill(message, block, block->data, body), STATUS_OK);
        if (body)
            connection_append_message(owner->connection, message, message_body_piece(message, 0));
        memset(expected + *len, i * 3 + 1, body);
        *len += body;
        message_unref(&message);
        buffer_unref(&block);
    }
    return expected;
}

START_TEST(test_messages_in_output)
{
    struct owner owner;
    size_t len;
    make_owner(&owner, _i ? 2048 : 0);
    send_header(&owner);
    uint8_t *expected = queue_mixture(&owner, 400, &len);
    uint8_t *all = collect(&owner, len);
    ck_assert(memcmp(all, expected, len) == 0);
    free(all);
    free(expected);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_output_dropped)
{
    struct owner owner;
    size_t len;
    make_owner(&owner, 2048);
    send_header(&owner);
    uint8_t *expected = queue_mixture(&owner, 400, &len);
    turn();
    ck_assert_uint_gt(connection_output_bytes(owner.connection), 0);
    free(expected);
    drop_owner(&owner); /* closes with all of it unwritten */
}
END_TEST

START_TEST(test_reserve_large)
{
    struct owner owner;
    size_t len = 300000;
    make_owner(&owner, 0);
    send_header(&owner);
    memset(connection_reserve(owner.connection, len), 'x', len);
    connection_commit(owner.connection, 0); /* thought better of it */
    memset(connection_reserve(owner.connection, len), 'y', len);
    connection_commit(owner.connection, len);
    memset(connection_reserve(owner.connection, 10), 'z', 10);
    connection_commit(owner.connection, 10);
    uint8_t *all = collect(&owner, len + 10);
    ck_assert(all[0] == 'y' && all[len - 1] == 'y' && all[len] == 'z');
    free(all);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_peer_gone_while_writing)
{
    struct owner owner;
    make_owner(&owner, 0);
    owner.closes_on_failure = true;
    send_header(&owner);
    connection_pause(owner.connection, 1); /* so that writing is what notices */
    close(owner.peer);
    owner.peer = -1;
    memset(connection_reserve(owner.connection, 1000), 'x', 1000);
    connection_commit(owner.connection, 1000);
    turn();
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_CLOSED);
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

/* ---- The end */

START_TEST(test_end_of_file)
{
    struct owner owner;
    struct script script = {0};
    put_mixture(&script);
    make_owner(&owner, 0);
    send_header(&owner);
    send_all(&owner, script.bytes, script.len - 3);
    close(owner.peer);
    owner.peer = -1;
    turn();
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_CLOSED);
    ck_assert_uint_eq(owner.frames, script.frames - 1);
    ck_assert_int_eq(owner.closed, 0); /* the owner has not closed */
    connection_close(owner.connection, 1000);
    ck_assert_int_eq(owner.closed, 0);
    turn();
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

START_TEST(test_close_lingers)
{
    struct owner owner;
    make_owner(&owner, 2048);
    send_header(&owner);
    size_t len = 400000;
    memset(connection_reserve(owner.connection, len), 'q', len);
    connection_commit(owner.connection, len);
    connection_close(owner.connection, 5000);
    /* From now on bytes go nowhere. */
    memset(connection_reserve(owner.connection, 100000), 'n', 100000);
    connection_commit(owner.connection, 100000);
    turn();
    ck_assert_int_eq(owner.closed, 0);
    uint8_t *all = collect(&owner, len);
    free(all);
    turn();
    char c;
    ck_assert_int_eq(read(owner.peer, &c, 1), 0);
    ck_assert_int_eq(owner.closed, 0);
    close(owner.peer);
    owner.peer = -1;
    turn();
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

static bool peer_sees_end(const struct owner *owner)
{
    char c;
    return read(owner->peer, &c, 1) == 0;
}

/* The owner is through with it, the socket is the peer's to close. */
START_TEST(test_peer_closes)
{
    struct owner owner;
    char answer[8];
    make_owner(&owner, 0);
    send_header(&owner);
    memcpy(connection_reserve(owner.connection, 3), "bye", 3);
    connection_commit(owner.connection, 3);
    connection_await_end(owner.connection, 5000);
    ck_assert_int_eq(owner.closed, 0); /* never from inside the call */
    turn();
    ck_assert_int_eq(owner.closed, 1);
    ck_assert_int_eq(read(owner.peer, answer, sizeof answer), 3);
    ck_assert(!peer_sees_end(&owner));
    send_all(&owner, "what still comes is dropped", 27);
    turn();
    ck_assert(!peer_sees_end(&owner));
    shutdown(owner.peer, SHUT_WR);
    turn();
    ck_assert(peer_sees_end(&owner));
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_peers_that_do_not_close)
{
    static struct owner owners[CONNECTION_LEAVING_MAX + 2];
    enum { COUNT = sizeof owners / sizeof owners[0] };
    for (int i = 0; i < COUNT; i++) {
        make_owner(&owners[i], 0);
        connection_await_end(owners[i].connection, 5000);
        turn();
        ck_assert_int_eq(owners[i].closed, 1);
    }
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(peer_sees_end(&owners[i]), i < 2);
    for (int i = 0; i < COUNT; i++)
        if (i % 2 == 0)
            drop_owner(&owners[i]);
    turn();
    net_worker_free(&worker); /* closes what is left */
    for (int i = 1; i < COUNT; i += 2) {
        ck_assert(peer_sees_end(&owners[i]));
        drop_owner(&owners[i]);
    }
}
END_TEST

/* A peer that does not even read: what is queued has its time, and then it is over. */
START_TEST(test_leaving_unread)
{
    struct owner owner;
    make_owner(&owner, 2048);
    memset(connection_reserve(owner.connection, 400000), 'q', 400000);
    connection_commit(owner.connection, 400000);
    connection_await_end(owner.connection, 60000);
    turn();
    ck_assert_int_eq(owner.closed, 0);
    connection_close(owner.connection, 0);
    turn();
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_close_gives_up)
{
    struct owner owner;
    make_owner(&owner, 2048);
    send_header(&owner);
    memset(connection_reserve(owner.connection, 400000), 'q', 400000);
    connection_commit(owner.connection, 400000);
    connection_close(owner.connection, 60000);
    connection_close(owner.connection, 50);
    connection_close(owner.connection, 60000); /* not longer again */
    uint64_t start = clock_steady_ms();
    run_for(150);
    ck_assert_uint_ge(clock_steady_ms(), start + 49);
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_peer_reset)
{
    /* A peer that closes with our bytes unread makes a reset of it. */
    struct owner owner;
    make_owner(&owner, 0);
    owner.closes_on_failure = true;
    send_header(&owner);
    memcpy(connection_reserve(owner.connection, 5), "hello", 5);
    connection_commit(owner.connection, 5);
    turn();
    close(owner.peer);
    owner.peer = -1;
    turn();
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_CLOSED);
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

/* ---- Heartbeats */

START_TEST(test_heartbeat_sent_and_missed)
{
    static const uint8_t beat[FRAME_OVERHEAD_BYTES] = {8, 0, 0, 0, 0, 0, 0, FRAME_END};
    struct owner owner;
    uint8_t got[256];
    make_owner(&owner, 0);
    send_header(&owner);
    connection_set_heartbeat(owner.connection, 1);
    uint64_t start = clock_steady_ms();
    for (size_t beats = 0, have = 0; beats < 3; beats++, have = 0) {
        while (have < sizeof beat) {
            ssize_t n = read(owner.peer, got + have, sizeof beat - have);
            have += n > 0 ? (size_t)n : 0;
            send_all(&owner, beat, sizeof beat);
            run_for(20);
        }
        ck_assert(memcmp(got, beat, sizeof beat) == 0);
    }
    ck_assert_uint_ge(clock_steady_ms(), start + 1499); /* one each half second */
    ck_assert_int_eq(owner.failed, 0);
    start = clock_steady_ms();
    send_all(&owner, beat, sizeof beat); /* two more seconds from here */
    while (!owner.failed)
        run_for(20);
    ck_assert_uint_ge(clock_steady_ms(), start + 1999);
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_CLOSED);
    ck_assert_str_eq(owner.text, "missed heartbeats from client, timeout: 1s");
    ck_assert_uint_eq(owner.frames, 0);
    drop_owner(&owner);
}
END_TEST

/* Writes a byte each 300 ms. Returns false when the machine let more time go by than a heartbeat
 * waits for: that round says nothing. */
static bool write_in_time(struct owner *owner, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = clock_steady_ms();
        run_for(300);
        memcpy(connection_reserve(owner->connection, 1), "x", 1);
        connection_commit(owner->connection, 1);
        turn();
        if (clock_steady_ms() >= start + 450)
            return false;
    }
    return true;
}

START_TEST(test_heartbeat_not_while_writing)
{
    struct owner owner;
    uint8_t got[256];
    make_owner(&owner, 0);
    send_header(&owner);
    connection_set_heartbeat(owner.connection, 1);
    connection_pause(owner.connection, 1); /* the peer, which is silent, is not missed */
    while (!write_in_time(&owner, 5))
        while (read(owner.peer, got, sizeof got) > 0)
            ;
    ck_assert_int_eq(read(owner.peer, got, sizeof got), 5);
    connection_set_heartbeat(owner.connection, 0);
    run_for(900);
    ck_assert_int_eq(read(owner.peer, got, sizeof got), -1);
    ck_assert_int_eq(owner.failed, 0);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_many_connections)
{
    enum { COUNT = 200 };
    struct script script = {0};
    struct owner *owners = mem_need(COUNT * sizeof *owners);
    put_mixture(&script);
    for (int i = 0; i < COUNT; i++) {
        make_owner(&owners[i], 0);
        owners[i].echoes = true;
        send_header(&owners[i]);
    }
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < COUNT; i++) {
            size_t from = script.len * (size_t)round / 20,
                   to = script.len * (size_t)(round + 1) / 20;
            send_all(&owners[i], script.bytes + from, to - from);
            if (i % 7 == 0)
                turn();
        }
    turn();
    for (int i = 0; i < COUNT; i++) {
        check_seen(&owners[i], &script);
        drop_owner(&owners[i]);
    }
    free(owners);
    drop_script(&script);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection_end");
    TCase *cases = tcase_create("connection");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 1200);
    tcase_add_test(cases, test_echo_partial_writes);
    tcase_add_loop_test(cases, test_messages_in_output, 0, 2);
    tcase_add_test(cases, test_output_dropped);
    tcase_add_test(cases, test_reserve_large);
    tcase_add_test(cases, test_peer_gone_while_writing);
    tcase_add_test(cases, test_end_of_file);
    tcase_add_test(cases, test_close_lingers);
    tcase_add_test(cases, test_peer_closes);
    tcase_add_test(cases, test_peers_that_do_not_close);
    tcase_add_test(cases, test_leaving_unread);
    tcase_add_test(cases, test_close_gives_up);
    tcase_add_test(cases, test_peer_reset);
    tcase_add_test(cases, test_heartbeat_sent_and_missed);
    tcase_add_test(cases, test_heartbeat_not_while_writing);
    tcase_add_test(cases, test_many_connections);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
