/* A connection over a socket pair, whose owner notes what it is told, and words for it. */
#ifndef TESTS_CONNECTION_FIXTURE_H
#define TESTS_CONNECTION_FIXTURE_H

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

static inline void note(struct owner *owner, const void *at, size_t bytes)
{
    owner->seen = mem_need_array(owner->seen, owner->seen_bytes + bytes + 1, 1);
    if (bytes)
        memcpy(owner->seen + owner->seen_bytes, at, bytes);
    owner->seen_bytes += bytes;
}

static inline bool on_opened(void *context, const uint8_t *header)
{
    struct owner *owner = context;
    owner->opened++;
    return !owner->refuses && protocol_header_accepted(header);
}

static inline void echo(struct owner *owner, const struct frame *frame)
{
    uint8_t *at = connection_reserve(owner->connection, frame->payload.len + FRAME_OVERHEAD_BYTES);
    frame_put_header(at, frame->type, frame->channel, (uint32_t)frame->payload.len);
    memcpy(at + FRAME_HEADER_BYTES, frame->payload.at, frame->payload.len);
    at[FRAME_HEADER_BYTES + frame->payload.len] = FRAME_END;
    connection_commit(owner->connection, frame->payload.len + FRAME_OVERHEAD_BYTES);
}

static inline bool on_frame(void *context, const struct frame *frame, struct buffer *block)
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

static inline void on_written(void *context, size_t bytes)
{
    struct owner *owner = context;
    ck_assert_uint_gt(bytes, 0);
    owner->written += bytes;
}

static inline void on_failed(void *context, enum status status, const char *text)
{
    struct owner *owner = context;
    owner->failed++;
    owner->status = status;
    snprintf(owner->text, sizeof owner->text, "%s", text);
    if (owner->closes_on_failure)
        connection_close(owner->connection, 1000);
}

static inline void on_closed(void *context)
{
    struct owner *owner = context;
    owner->closed++;
    owner->connection = NULL;
}

static const struct connection_handler handler = {on_opened, on_frame, on_written, on_failed,
                                                  on_closed};

static inline void set_up(void)
{
    ck_assert_int_eq(loop_new(&loop), STATUS_OK);
    worker = net_worker_new(loop, NULL);
}

static inline void tear_down(void)
{
    net_worker_free(&worker);
    loop_free(&loop);
}

/* As accepted, before tune. */
static inline void make_untuned_owner(struct owner *owner, int buffer_bytes)
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

static inline void make_owner(struct owner *owner, int buffer_bytes)
{
    make_untuned_owner(owner, buffer_bytes);
    connection_set_frame_max(owner->connection, 131072);
}

static inline void stop_now(void *context)
{
    (void)context;
    loop_stop(loop);
}

/* Turns the loop a few times, without waiting. */
static inline void turn(void)
{
    for (int i = 0; i < 3; i++) {
        loop_stop(loop);
        loop_run(loop);
    }
}

static inline void run_for(uint64_t ms)
{
    struct timer *end = timer_new(loop, stop_now, NULL);
    timer_set(end, ms);
    loop_run(loop);
    timer_free(&end);
}

static inline void drop_owner(struct owner *owner)
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

static inline void send_all(struct owner *owner, const void *at, size_t bytes)
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

static inline void send_header(struct owner *owner)
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

static inline void put(struct script *script, enum frame_type type, uint16_t channel,
                       size_t payload)
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

static inline void drop_script(struct script *script)
{
    free(script->bytes);
    free(script->expected);
}

static inline void check_seen(const struct owner *owner, const struct script *script)
{
    ck_assert_uint_eq(owner->frames, script->frames);
    ck_assert_uint_eq(owner->seen_bytes, script->expected_len);
    ck_assert(memcmp(owner->seen, script->expected, script->expected_len) == 0);
    ck_assert_int_eq(owner->failed, 0);
}

static inline void put_mixture(struct script *script)
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

#endif
