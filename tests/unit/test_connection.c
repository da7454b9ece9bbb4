/* Tests of net/connection: opening, bytes to frames, pausing. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection_fixture.h"

/* ---- Opening */

START_TEST(test_opened)
{
    struct owner owner;
    make_owner(&owner, 0);
    for (size_t i = 0; i < PROTOCOL_HEADER_BYTES; i++) {
        ck_assert_int_eq(owner.opened, 0);
        send_all(&owner, protocol_header + i, 1);
        turn();
    }
    ck_assert_int_eq(owner.opened, 1);
    ck_assert_int_eq(owner.failed, 0);
    ck_assert_str_eq(connection_name(owner.connection), "unix: -> unix:");
    ck_assert(connection_address(owner.connection)->loopback);
    drop_owner(&owner);
}
END_TEST

START_TEST(test_refused)
{
    struct owner owner;
    uint8_t answer[16];
    make_owner(&owner, 0);
    send_all(&owner, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    turn();
    ck_assert_int_eq(owner.opened, 1);
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_CLOSED);
    ck_assert_int_eq(read(owner.peer, answer, sizeof answer), PROTOCOL_HEADER_BYTES);
    ck_assert(memcmp(answer, protocol_header, PROTOCOL_HEADER_BYTES) == 0);
    ck_assert_int_eq(read(owner.peer, answer, sizeof answer), 0);
    ck_assert_int_eq(owner.closed, 0); /* waits for the peer to close */
    close(owner.peer);
    owner.peer = -1;
    turn();
    ck_assert_int_eq(owner.closed, 1);
    drop_owner(&owner);
}
END_TEST

/* ---- Frames */

/* Whole frames, one in two halves and one larger than a block. Without memory the connection that
 * it was for fails, and the next one works. */
START_TEST(test_no_memory)
{
    struct script script = {0};
    unsigned failures = 0;
    put_mixture(&script);
    put(&script, FRAME_METHOD, 1, 1u << 18);
    put_mixture(&script);
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        struct owner owner, next;
        tear_down(); /* the worker keeps blocks */
        set_up();
        make_owner(&owner, 0);
        make_owner(&next, 0);
        connection_set_frame_max(owner.connection, 1u << 20);
        connection_set_frame_max(next.connection, 1u << 20);
        owner.closes_on_failure = true;
        send_header(&next);
        scarce_begin(nth);
        send_all(&owner, protocol_header, PROTOCOL_HEADER_BYTES);
        for (size_t at = 0, n; !owner.failed && at < script.len; at += n) {
            n = at == 0 ? 60 : script.len - at < 9999 ? script.len - at : 9999;
            send_all(&owner, script.bytes + at, n);
            turn();
        }
        failed = scarce_end();
        failures += failed;
        if (failed) {
            ck_assert_int_eq(owner.failed, 1);
            ck_assert_int_eq(owner.status, STATUS_NO_MEMORY);
        } else {
            check_seen(&owner, &script);
        }
        send_all(&next, script.bytes, script.len);
        turn();
        check_seen(&next, &script);
        drop_owner(&owner);
        drop_owner(&next);
    }
    ck_assert_uint_gt(failures, 3);
    drop_script(&script);
}
END_TEST

START_TEST(test_split_everywhere)
{
    struct script script = {0};
    put_mixture(&script);
    for (size_t cut = 1; cut < script.len; cut++) {
        struct owner owner;
        make_owner(&owner, 0);
        send_header(&owner);
        send_all(&owner, script.bytes, cut);
        turn();
        send_all(&owner, script.bytes + cut, script.len - cut);
        turn();
        check_seen(&owner, &script);
        drop_owner(&owner);
    }
    drop_script(&script);
}
END_TEST

START_TEST(test_byte_by_byte)
{
    struct script script = {0};
    struct owner owner;
    put_mixture(&script);
    put_mixture(&script);
    make_owner(&owner, 0);
    send_header(&owner);
    for (size_t i = 0; i < script.len; i++) {
        send_all(&owner, script.bytes + i, 1);
        turn();
    }
    check_seen(&owner, &script);
    struct connection_counters counters;
    connection_counters(owner.connection, &counters);
    ck_assert_uint_eq(counters.received_bytes, script.len + PROTOCOL_HEADER_BYTES);
    ck_assert_uint_eq(counters.received_frames, script.frames + 2);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

START_TEST(test_random_chunks)
{
    struct script script = {0};
    struct owner owner;
    uint32_t random = 12345;
    for (int i = 0; i < 2000; i++) {
        random = random * 1664525 + 1013904223;
        put(&script, (enum frame_type)(1 + random % 3), (uint16_t)(random >> 16),
            (random >> 8) % (i % 50 ? 300 : 60000));
    }
    make_owner(&owner, 0);
    send_header(&owner);
    for (size_t at = 0; at < script.len;) {
        random = random * 1664525 + 1013904223;
        size_t n = 1 + (random >> 8) % (random & 0x80000000 ? 60 : 30000);
        n = n < script.len - at ? n : script.len - at;
        send_all(&owner, script.bytes + at, n);
        turn();
        at += n;
    }
    check_seen(&owner, &script);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

START_TEST(test_large_bodies_kept)
{
    /* References to the read blocks stay whole while more is read. */
    struct script script = {0};
    struct owner owner;
    for (int i = 0; i < 60; i++) {
        put(&script, FRAME_HEADER, 1, 20);
        put(&script, FRAME_BODY, 1, 131064);
    }
    make_owner(&owner, 0);
    owner.keeps = true;
    send_header(&owner);
    send_all(&owner, script.bytes, script.len);
    turn();
    check_seen(&owner, &script);
    ck_assert_uint_eq(owner.kept_count, 64);
    size_t from = 0; /* each kept piece occurs in what was noted, in order */
    for (size_t i = 0; i < owner.kept_count; i++) {
        uint8_t *found = memmem(owner.seen + from, owner.seen_bytes - from, owner.kept_bytes[i].at,
                                owner.kept_bytes[i].len);
        ck_assert_ptr_nonnull(found);
        from = (size_t)(found - owner.seen);
    }
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

START_TEST(test_frame_larger_than_block)
{
    /* A content header frame of 1 MiB: allowed when the peers agreed on such frames. */
    struct script script = {0};
    struct owner owner;
    put(&script, FRAME_METHOD, 1, 10);
    put(&script, FRAME_HEADER, 1, 1u << 20);
    put(&script, FRAME_METHOD, 1, 10);
    make_owner(&owner, 0);
    connection_set_frame_max(owner.connection, (1u << 20) + FRAME_OVERHEAD_BYTES);
    send_header(&owner);
    send_all(&owner, script.bytes, script.len);
    turn();
    check_seen(&owner, &script);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

static void expect_frame_error(const uint8_t *bytes, size_t len, uint32_t frame_max)
{
    struct owner owner;
    uint8_t rest[64] = {0};
    make_owner(&owner, 0);
    connection_set_frame_max(owner.connection, frame_max);
    send_header(&owner);
    send_all(&owner, bytes, len);
    turn();
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.status, STATUS_FRAME_ERROR);
    ck_assert_uint_eq(owner.frames, 0);
    /* The owner may still say goodbye. What comes is not looked at. */
    send_all(&owner, rest, sizeof rest);
    memcpy(connection_reserve(owner.connection, 3), "bye", 3);
    connection_commit(owner.connection, 3);
    connection_close(owner.connection, 1000);
    turn();
    ck_assert_int_eq(read(owner.peer, rest, sizeof rest), 3);
    ck_assert_int_eq(owner.failed, 1);
    drop_owner(&owner);
}

START_TEST(test_hostile)
{
    static const uint8_t huge[] = {1, 0, 1, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t over[] = {2, 0, 1, 0, 0, 0x10, 0x01};
    static const uint8_t body[] = {3, 0, 1, 0xff, 0xff, 0xff, 0xf8, 1, 2, 3};
    static const uint8_t type[] = {4, 0, 1, 0, 0, 0, 1, 0, 0xCE};
    static const uint8_t zero[] = {0, 0, 0, 0, 0, 0, 0, 0xCE};
    static const uint8_t end[] = {1, 0, 1, 0, 0, 0, 1, 9, 0xCF};
    static const uint8_t beat[] = {8, 0, 0, 0, 0, 0, 1, 9, 0xCE};
    expect_frame_error(huge, sizeof huge, 131072);
    expect_frame_error(huge, sizeof huge, 0);
    expect_frame_error(over, sizeof over, 4096);
    expect_frame_error(body, sizeof body, 131072);
    expect_frame_error(type, sizeof type, 131072);
    expect_frame_error(zero, sizeof zero, 131072);
    expect_frame_error(end, sizeof end, 131072);
    expect_frame_error(beat, sizeof beat, 131072);
}
END_TEST

/* Until a client is known its frames are short. */
START_TEST(test_frames_before_tune)
{
    struct script script = {0};
    struct owner owner;
    static const uint8_t longer[] = {2, 0, 0, 0, 0, 0x20, 0x01};
    make_untuned_owner(&owner, 0);
    send_header(&owner);
    put(&script, FRAME_METHOD, 0, 8192);
    send_all(&owner, script.bytes, script.len);
    turn();
    check_seen(&owner, &script);
    send_all(&owner, longer, sizeof longer);
    turn();
    ck_assert_int_eq(owner.status, STATUS_FRAME_ERROR);
    ck_assert_str_eq(owner.text, "type 2, all octets = <<>>: {frame_too_large,8193,8184}");
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

/* ---- Pausing */

START_TEST(test_pause)
{
    struct script script = {0};
    struct owner owner;
    put_mixture(&script);
    make_owner(&owner, 0);
    send_header(&owner);
    owner.pauses = 4;
    send_all(&owner, script.bytes, script.len);
    for (size_t i = 1; i <= script.frames; i++) {
        turn();
        turn();
        ck_assert_uint_eq(owner.frames, i);
        connection_pause(owner.connection, 2);
        connection_resume(owner.connection, 4);
        turn();
        ck_assert_uint_eq(owner.frames, i); /* the other reason holds */
        connection_resume(owner.connection, 2);
        ck_assert_uint_eq(owner.frames, i); /* never from inside the call */
    }
    turn();
    check_seen(&owner, &script);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

/* The most frames handed out in one turn of the loop while count small ones come. */
static size_t most_in_a_turn(struct owner *owner, size_t count)
{
    struct script script = {0};
    for (size_t i = 0; i < 64; i++)
        put(&script, FRAME_METHOD, 1, 4);
    size_t sent = 0, most = 0, goal = owner->frames + count;
    while (owner->frames < goal) {
        while (sent < count && write(owner->peer, script.bytes, script.len) == (ssize_t)script.len)
            sent += script.frames;
        size_t before = owner->frames;
        loop_stop(loop);
        loop_run(loop);
        most = owner->frames - before > most ? owner->frames - before : most;
    }
    drop_script(&script);
    return most;
}

START_TEST(test_frames_in_a_turn)
{
    struct owner owner;
    make_owner(&owner, 1 << 20);
    int flags = fcntl(owner.peer, F_GETFL);
    ck_assert_int_eq(fcntl(owner.peer, F_SETFL, flags & ~O_NONBLOCK), 0);
    send_header(&owner);
    most_in_a_turn(&owner, 16384);
    size_t usual = most_in_a_turn(&owner, 16384);
    ck_assert_uint_gt(usual, 1000);
    ck_assert_uint_lt(usual, 3000);
    connection_slow(owner.connection, true);
    most_in_a_turn(&owner, 16384);
    size_t slow = most_in_a_turn(&owner, 16384);
    ck_assert_uint_gt(slow, 0);
    ck_assert_uint_lt(slow, 500);
    connection_slow(owner.connection, false);
    most_in_a_turn(&owner, 16384);
    ck_assert_uint_eq(most_in_a_turn(&owner, 16384), usual);
    drop_owner(&owner);
}
END_TEST

/* Many connections that send much: a turn takes in a bounded part of it, each gets its turn, and
 * one that sends little does not wait. */
START_TEST(test_crowd)
{
    enum { COUNT = 60, ROUNDS = 8 };
    const size_t bound = (4096 + 256) * 1024;
    struct script big = {0}, small = {0};
    struct owner *owners = mem_need(COUNT * sizeof *owners), little;
    for (int i = 0; i < 5; i++)
        put(&big, FRAME_BODY, 1, 60000);
    put(&small, FRAME_METHOD, 1, 4);
    for (int i = 0; i < COUNT; i++) {
        make_owner(&owners[i], 1 << 20);
        connection_set_frame_max(owners[i].connection, 131072);
        send_header(&owners[i]);
    }
    make_owner(&little, 0);
    send_header(&little);
    size_t sent[COUNT] = {0}, goal = ROUNDS * big.len, little_frames = 0;
    bool crowded = false;
    for (unsigned turns = 0, left = COUNT; left; turns++) {
        ck_assert_uint_lt(turns, 10000);
        for (int i = 0; i < COUNT; i++) {
            size_t from = sent[i] % big.len;
            ssize_t n =
                sent[i] < goal ? write(owners[i].peer, big.bytes + from, big.len - from) : 0;
            sent[i] += n > 0 ? (size_t)n : 0;
        }
        ck_assert_int_eq(write(little.peer, small.bytes, small.len), (ssize_t)small.len);
        size_t before = 0, after = 0, least = SIZE_MAX, most = 0;
        for (int i = 0; i < COUNT; i++)
            before += owners[i].body_bytes;
        loop_stop(loop);
        loop_run(loop);
        little_frames++;
        if (turns >= 5) /* before, the poller takes few events at a time */
            ck_assert_uint_eq(little.frames, little_frames);
        left = 0;
        for (int i = 0; i < COUNT; i++) {
            after += owners[i].body_bytes;
            left += owners[i].frames < ROUNDS * 5;
            least = owners[i].body_bytes < least ? owners[i].body_bytes : least;
            most = owners[i].body_bytes > most ? owners[i].body_bytes : most;
        }
        if (turns > 0) /* in the first, nobody is known to send much */
            ck_assert_uint_le(after - before, bound);
        crowded = crowded || after - before > bound - 512 * 1024;
        if (turns < 20) /* all have sent as much, and nobody is a few rounds behind */
            ck_assert_uint_le(most - least, 3 * big.len);
    }
    ck_assert(crowded);
    for (int i = 0; i < COUNT; i++)
        drop_owner(&owners[i]);
    drop_owner(&little);
    free(owners);
    drop_script(&big);
    drop_script(&small);
}
END_TEST

/* One that waits in the crowd is closed, or paused, before its turn comes. */
START_TEST(test_crowd_left)
{
    enum { COUNT = 40 };
    struct script big = {0};
    struct owner owners[COUNT];
    for (int i = 0; i < 5; i++)
        put(&big, FRAME_BODY, 1, 60000);
    for (int i = 0; i < COUNT; i++) {
        make_owner(&owners[i], 1 << 20);
        connection_set_frame_max(owners[i].connection, 131072);
        send_header(&owners[i]);
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++)
            ck_assert_int_gt(write(owners[i].peer, big.bytes, big.len), 0);
        loop_stop(loop);
        loop_run(loop);
    }
    connection_pause(owners[COUNT - 2].connection, 1);
    size_t frames = owners[COUNT - 2].frames;
    drop_owner(&owners[COUNT - 1]);
    turn();
    ck_assert_uint_eq(owners[COUNT - 2].frames, frames);
    connection_resume(owners[COUNT - 2].connection, 1);
    for (int i = 0; i < 20; i++)
        turn();
    ck_assert_uint_gt(owners[COUNT - 2].frames, frames);
    for (int i = 0; i < COUNT - 1; i++)
        drop_owner(&owners[i]);
    drop_script(&big);
}
END_TEST

START_TEST(test_stop_by_false)
{
    struct script script = {0};
    struct owner owner;
    for (int i = 0; i < 40; i++)
        put(&script, i % 2 ? FRAME_BODY : FRAME_METHOD, 1, 10000);
    make_owner(&owner, 0);
    send_header(&owner);
    owner.stops = true;
    owner.keeps = true; /* references into what is held back, too */
    send_all(&owner, script.bytes, 100000);
    turn();
    ck_assert_uint_eq(owner.frames, 1);
    size_t sent = 100000;
    for (int i = 0; i < 500 && owner.frames < script.frames; i++) {
        size_t n = script.len - sent < 3333 ? script.len - sent : 3333;
        send_all(&owner, script.bytes + sent, n);
        sent += n;
        connection_resume(owner.connection, 0);
        turn();
    }
    check_seen(&owner, &script);
    drop_owner(&owner);
    drop_script(&script);
}
END_TEST

START_TEST(test_pause_is_not_missed)
{
    struct owner owner;
    make_owner(&owner, 0);
    send_header(&owner);
    connection_set_heartbeat(owner.connection, 1);
    connection_pause(owner.connection, 1);
    run_for(2600);
    ck_assert_int_eq(owner.failed, 0);
    drop_owner(&owner);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection");
    TCase *cases = tcase_create("connection");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 1200);
    tcase_add_test(cases, test_frames_before_tune);
    tcase_add_test(cases, test_opened);
    tcase_add_test(cases, test_refused);
    tcase_add_test(cases, test_split_everywhere);
    tcase_add_test(cases, test_no_memory);
    tcase_add_test(cases, test_byte_by_byte);
    tcase_add_test(cases, test_random_chunks);
    tcase_add_test(cases, test_large_bodies_kept);
    tcase_add_test(cases, test_frame_larger_than_block);
    tcase_add_test(cases, test_hostile);
    tcase_add_test(cases, test_pause);
    tcase_add_test(cases, test_frames_in_a_turn);
    tcase_add_test(cases, test_crowd);
    tcase_add_test(cases, test_crowd_left);
    tcase_add_test(cases, test_stop_by_false);
    tcase_add_test(cases, test_pause_is_not_missed);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
