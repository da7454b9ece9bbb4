/* How much a frame costs in net/: a peer thread writes batches of frames into a socket pair, a
 * connection parses them and echoes each, the peer reads the echo. Prints nanoseconds and CPU
 * nanoseconds of the broker's side for each frame.
 *
 * Usage: net_bench [payload bytes] [frames] [batch frames] */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/net/connection.h"

struct peer {
    int fd;
    size_t payload, frames, batch;
};

struct echo {
    struct loop *loop;
    struct connection *connection;
    size_t flushes;
};

static bool on_opened(void *context, const uint8_t *header)
{
    (void)context;
    return protocol_header_accepted(header);
}

static bool on_frame(void *context, const struct frame *frame, struct buffer *block)
{
    struct echo *echo = context;
    size_t bytes = frame->payload.len + FRAME_OVERHEAD_BYTES;
    (void)block;
    uint8_t *at = connection_reserve(echo->connection, bytes);
    frame_put_header(at, frame->type, frame->channel, (uint32_t)frame->payload.len);
    memcpy(at + FRAME_HEADER_BYTES, frame->payload.at, frame->payload.len);
    at[bytes - 1] = FRAME_END;
    connection_commit(echo->connection, bytes);
    return true;
}

static void on_written(void *context, size_t bytes)
{
    struct echo *echo = context;
    (void)bytes;
    echo->flushes++;
}

static void on_failed(void *context, enum status status, const char *text)
{
    struct echo *echo = context;
    (void)status, (void)text;
    connection_close(echo->connection, 0);
}

static void on_closed(void *context)
{
    struct echo *echo = context;
    loop_stop(echo->loop);
}

/* Writes and reads at once, so that neither direction stands still. */
static void *run_peer(void *argument)
{
    const struct peer *peer = argument;
    size_t whole = peer->payload + FRAME_OVERHEAD_BYTES, batch_bytes = whole * peer->batch;
    uint8_t *batch = mem_need(batch_bytes), *sink = mem_need(1u << 20);
    for (size_t i = 0; i < peer->batch; i++) {
        frame_put_header(batch + i * whole, FRAME_METHOD, 1, (uint32_t)peer->payload);
        batch[i * whole + whole - 1] = FRAME_END;
    }
    CHECK(batch_bytes > 0);
    CHECK(write(peer->fd, protocol_header, PROTOCOL_HEADER_BYTES) == PROTOCOL_HEADER_BYTES);
    size_t total = peer->frames * whole, sent = 0, got = 0;
    while (got < total) {
        struct pollfd wait = {peer->fd, (short)(POLLIN | (sent < total ? POLLOUT : 0)), 0};
        CHECK(poll(&wait, 1, -1) == 1);
        if (wait.revents & POLLOUT) {
            size_t from = sent % batch_bytes, len = batch_bytes - from;
            ssize_t n = write(peer->fd, batch + from, len < total - sent ? len : total - sent);
            sent += n > 0 ? (size_t)n : 0;
        }
        if (wait.revents & POLLIN) {
            ssize_t n = read(peer->fd, sink, 1u << 20);
            got += n > 0 ? (size_t)n : 0;
        }
    }
    close(peer->fd);
    free(batch);
    free(sink);
    return NULL;
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;
    CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t argument_or(int argc, char **argv, int at, size_t otherwise)
{
    return at < argc ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static const struct connection_handler handler = {on_opened, on_frame, on_written, on_failed,
                                                      on_closed};
    struct peer peer = {.payload = argument_or(argc, argv, 1, 40),
                        .frames = argument_or(argc, argv, 2, 10000000),
                        .batch = argument_or(argc, argv, 3, 1000)};
    struct echo echo = {0};
    int fds[2];
    pthread_t thread;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    CHECK(loop_new(&echo.loop) == STATUS_OK);
    struct net_worker *worker = net_worker_new(echo.loop, NULL);
    echo.connection = connection_new(worker, fds[0], &handler, &echo);
    peer.fd = fds[1];
    CHECK(pthread_create(&thread, NULL, run_peer, &peer) == 0);
    uint64_t start = clock_steady_ns(), cpu = thread_cpu_ns();
    loop_run(echo.loop);
    start = clock_steady_ns() - start;
    cpu = thread_cpu_ns() - cpu;
    pthread_join(thread, NULL);
    double frames = (double)peer.frames;
    printf("%zu frames of %zu bytes: %.1f ns and %.1f CPU ns for each, %.1f frames to a flush\n",
           peer.frames, peer.payload, (double)start / frames, (double)cpu / frames,
           frames / (double)echo.flushes);
    net_worker_free(&worker);
    loop_free(&echo.loop);
    return 0;
}
