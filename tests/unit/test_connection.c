/* Tests of net/connection: bytes to frames and back over socket pairs. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/net/connection.h"
#include "scarce.h"

static struct loop *loop;
static struct net_worker *worker;

/* The owner of a connection: notes what it is told. */
struct owner {
    struct connection *connection;
    int peer; /* the other end */
    int opened, failed, closed;
    bool refuses, stops, echoes, closes_on_failure;
    unsigned pauses; /* reason to pause for at each frame */
    enum status status;
    char text[FRAME_TEXT_ROOM];
    size_t frames, body_bytes, written;
    uint8_t *seen; /* every frame, written down again in a normal form */
    size_t seen_bytes;
    struct buffer *kept[64];
    struct bytes kept_bytes[64];
    size_t kept_count;
    bool keeps;
    bool in_piece; /* of a body frame */
};

static void note(struct owner *owner, const void *at, size_t bytes)
{
    owner->seen = mem_need_array(owner->seen, owner->seen_bytes + bytes + 1, 1);
    if (bytes)
        memcpy(owner->seen + owner->seen_bytes, at, bytes);
    owner->seen_bytes += bytes;
}

static bool on_opened(void *context, const uint8_t *header)
{
    struct owner *owner = context;
    owner->opened++;
    return !owner->refuses && protocol_header_accepted(header);
}

static void echo(struct owner *owner, const struct frame *frame)
{
    uint8_t *at = connection_reserve(owner->connection, frame->payload.len + FRAME_OVERHEAD_BYTES);
    frame_put_header(at, frame->type, frame->channel, (uint32_t)frame->payload.len);
    memcpy(at + FRAME_HEADER_BYTES, frame->payload.at, frame->payload.len);
    at[FRAME_HEADER_BYTES + frame->payload.len] = FRAME_END;
    connection_commit(owner->connection, frame->payload.len + FRAME_OVERHEAD_BYTES);
}

static bool on_frame(void *context, const struct frame *frame, struct buffer *block)
{
    struct owner *owner = context;
    ck_assert_ptr_nonnull(block);
    ck_assert(frame->payload.at >= block->data);
    ck_assert(frame->payload.at + frame->payload.len <= block->data + block->capacity);
    ck_assert(!owner->failed && !owner->closed);
    /* Pieces of a body frame are joined: type and channel once. */
    if (!owner->in_piece) {
        uint8_t head[3] = {(uint8_t)frame->type, (uint8_t)(frame->channel >> 8),
                           (uint8_t)frame->channel};
        note(owner, head, sizeof head);
    }
    note(owner, frame->payload.at, frame->payload.len);
    owner->in_piece = !frame->last_piece;
    owner->frames += frame->last_piece;
    if (frame->type == FRAME_BODY)
        owner->body_bytes += frame->payload.len;
    if (owner->keeps && owner->kept_count < 64 && frame->payload.len >= 4096) {
        owner->kept_bytes[owner->kept_count] = frame->payload;
        owner->kept[owner->kept_count++] = buffer_ref(block);
    }
    if (owner->echoes)
        echo(owner, frame);
    if (owner->pauses)
        connection_pause(owner->connection, owner->pauses);
    return !owner->stops;
}

static void on_written(void *context, size_t bytes)
{
    struct owner *owner = context;
    ck_assert_uint_gt(bytes, 0);
    owner->written += bytes;
}

static void on_failed(void *context, enum status status, const char *text)
{
    struct owner *owner = context;
    owner->failed++;
    owner->status = status;
    snprintf(owner->text, sizeof owner->text, "%s", text);
    if (owner->closes_on_failure)
        connection_close(owner->connection, 1000);
}

static void on_closed(void *context)
{
    struct owner *owner = context;
    owner->closed++;
    owner->connection = NULL;
}

static const struct connection_handler handler = {on_opened, on_frame, on_written, on_failed,
                                                  on_closed};

static void set_up(void)
{
    ck_assert_int_eq(loop_new(&loop), STATUS_OK);
    worker = net_worker_new(loop, NULL);
}

static void tear_down(void)
{
    net_worker_free(&worker);
    loop_free(&loop);
}

/* As accepted, before tune. */
static void make_untuned_owner(struct owner *owner, int buffer_bytes)
{
    int fds[2];
    memset(owner, 0, sizeof *owner);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    if (buffer_bytes)
        for (int i = 0; i < 2; i++) {
            setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
            setsockopt(fds[i], SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
        }
    owner->peer = fds[1];
    owner->connection = connection_new(worker, fds[0], &handler, owner);
}

static void make_owner(struct owner *owner, int buffer_bytes)
{
    make_untuned_owner(owner, buffer_bytes);
    connection_set_frame_max(owner->connection, 131072);
}

static void stop_now(void *context)
{
    (void)context;
    loop_stop(loop);
}

/* Turns the loop a few times, without waiting. */
static void turn(void)
{
    for (int i = 0; i < 3; i++) {
        loop_stop(loop);
        loop_run(loop);
    }
}

static void run_for(uint64_t ms)
{
    struct timer *end = timer_new(loop, stop_now, NULL);
    timer_set(end, ms);
    loop_run(loop);
    timer_free(&end);
}

static void drop_owner(struct owner *owner)
{
    if (owner->peer >= 0)
        close(owner->peer);
    if (owner->connection) {
        connection_close(owner->connection, 0);
        turn();
    }
    ck_assert_int_eq(owner->closed, 1);
    for (size_t i = 0; i < owner->kept_count; i++)
        buffer_unref(&owner->kept[i]);
    free(owner->seen);
}

static void send_all(struct owner *owner, const void *at, size_t bytes)
{
    for (size_t sent = 0; sent < bytes;) {
        ssize_t n = write(owner->peer, (const uint8_t *)at + sent, bytes - sent);
        if (n < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            turn();
            continue;
        }
        sent += (size_t)n;
    }
}

static void send_header(struct owner *owner)
{
    send_all(owner, protocol_header, PROTOCOL_HEADER_BYTES);
    turn();
    ck_assert_int_eq(owner->opened, 1);
}

/* Frames for sending, and what the owner should note of them. */
struct script {
    uint8_t *bytes, *expected;
    size_t len, expected_len, frames;
};

static void put(struct script *script, enum frame_type type, uint16_t channel, size_t payload)
{
    size_t whole = payload + FRAME_OVERHEAD_BYTES;
    script->bytes = mem_need_array(script->bytes, script->len + whole, 1);
    uint8_t *at = script->bytes + script->len;
    frame_put_header(at, type, channel, (uint32_t)payload);
    for (size_t i = 0; i < payload; i++)
        at[FRAME_HEADER_BYTES + i] = (uint8_t)(i * 31 + script->len + (i >> 8));
    at[whole - 1] = FRAME_END;
    script->len += whole;
    if (type == FRAME_HEARTBEAT && channel == 0)
        return;
    script->frames++;
    script->expected = mem_need_array(script->expected, script->expected_len + 3 + payload, 1);
    uint8_t *e = script->expected + script->expected_len;
    e[0] = (uint8_t)type, e[1] = (uint8_t)(channel >> 8), e[2] = (uint8_t)channel;
    memcpy(e + 3, at + FRAME_HEADER_BYTES, payload);
    script->expected_len += 3 + payload;
}

static void drop_script(struct script *script)
{
    free(script->bytes);
    free(script->expected);
}

static void check_seen(const struct owner *owner, const struct script *script)
{
    ck_assert_uint_eq(owner->frames, script->frames);
    ck_assert_uint_eq(owner->seen_bytes, script->expected_len);
    ck_assert(memcmp(owner->seen, script->expected, script->expected_len) == 0);
    ck_assert_int_eq(owner->failed, 0);
}

static void put_mixture(struct script *script)
{
    put(script, FRAME_METHOD, 1, 30);
    put(script, FRAME_HEADER, 1, 14);
    put(script, FRAME_BODY, 1, 20);
    put(script, FRAME_HEARTBEAT, 0, 0);
    put(script, FRAME_METHOD, 65535, 0);
    put(script, FRAME_BODY, 2, 0);
    put(script, FRAME_HEARTBEAT, 3, 0); /* for the owner to object to */
    put(script, FRAME_BODY, 7, 1);
}

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
