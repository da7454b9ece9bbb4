/* Part of connection.h: writing, from what is queued to the socket.
 *
 * Normal course: connection_reserve and commit, or connection_append_message, queue and schedule a
 * task in PHASE_WRITE; the task hands the output to the kernel in as few calls as possible, then
 * tells the owner how many bytes have left. Output that grows large within a turn is written early,
 * so that memory stays small and the peer can begin. What can go wrong: the socket is full: the
 * rest waits until it is writable, and the owner sees connection_output_bytes grow; the peer is
 * gone: the output is dropped and the owner told with handler.failed.
 *
 * After connection_close the rest of the output is written, the peer is told that this was all, and
 * has CONNECTION_END_WAIT_MS to close the socket. Were it closed at once, input that still comes
 * would be answered with a reset, which might overtake the last words of the output. */
#include "flush.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leaving.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

/* Parts of one call of writev. What does not fit is written by the next call. */
#define PARTS_MAX 128
/* Queued bytes with which a connection is written at once, not at the end of the turn. */
#define EARLY_BYTES (256ul * 1024)
/* Bytes that are written to one connection at a time. The rest waits until the socket is found
 * writable again, so that other connections get their turn. */
#define TURN_BYTES_MAX (4ul * 1024 * 1024)
/* Milliseconds that a peer has to close the socket after it has got everything. Then it is closed
 * here. */
#define CONNECTION_END_WAIT_MS 2000u

/* Writes until the output is empty, the socket full, or TURN_BYTES_MAX are written. Sets
 * write_waits in the last two cases. */
static void flush(struct connection *connection)
{
    struct output *output = &connection->output;
    struct transport *transport = &connection->transport;
    size_t share = TURN_BYTES_MAX;
    while (output->bytes && !connection->write_waits && !connection->broken) {
        struct iovec parts[PARTS_MAX];
        size_t offered;
        int count = output_gather(output, parts, PARTS_MAX, &offered);
        bool last = connection->closing && !connection->leaves && offered == output->bytes;
        ssize_t n = transport->ops->writev(transport, parts, count, last);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                connection->broken = true;
                connection->broken_errno = errno;
                return; /* flush_task_run drops the output and tells the owner */
            }
            n = 0;
        }
        output_consume(output, &connection->worker->pool, (size_t)n);
        connection->unreported_bytes += (size_t)n;
        connection->counters.sent_bytes += (uint64_t)n;
        connection->counters.writes += n > 0;
        connection->worker->counters.sent_bytes += (uint64_t)n;
        connection->worker->counters.writes += n > 0;
        share = share > (size_t)n ? share - (size_t)n : 0;
        connection->write_waits = (size_t)n < offered || share == 0;
    }
}

/* The connection is closing, and all is written or nothing can be. */
static void flushed_while_closing(struct connection *connection)
{
    if (connection->broken || connection->ended) {
        connection_finish(connection);
    } else if (connection->leaves) {
        leaving_begin(connection);
    } else if (!connection->output_shut && !connection->leaving) {
        connection->output_shut = true;
        connection->transport.ops->shut_output(&connection->transport);
        connection_close(connection, CONNECTION_END_WAIT_MS);
    }
}

void flush_task_run(struct loop_task *task)
{
    struct connection *connection = container_of(task, struct connection, write_task);
    CHECK(connection->magic == CONNECTION_MAGIC);
    flush(connection);
    if (connection->broken)
        output_clear(&connection->output, &connection->worker->pool);
    if (connection->output.bytes == 0)
        connection->write_waits = false;
    struct net_worker *worker = connection->worker;
    if (worker->pool.allocated_bytes != worker->memory.told_output_bytes)
        net_worker_count(worker);
    bool waits = connection->write_waits || connection->transport.wants_write;
    connection_watch(connection, waits ? WATCH_WRITE : WATCH_NONE,
                     waits ? WATCH_NONE : WATCH_WRITE);
    size_t written = connection->unreported_bytes;
    if (written) {
        connection->unreported_bytes = 0;
        connection->written_at_ms = loop_now_ms(connection->worker->loop);
        if (!connection->closing)
            connection->handler->written(connection->context, written);
    }
    if (connection->broken && !connection->closing) {
        bool gone = connection->broken_errno == EPIPE || connection->broken_errno == ECONNRESET ||
                    connection->broken_errno == ETIMEDOUT;
        char text[128];
        snprintf(text, sizeof text, "%s", strerrordesc_np(connection->broken_errno));
        connection_fail(connection, gone ? STATUS_CLOSED : STATUS_IO, text);
    }
    if (connection->closing && connection->output.bytes == 0)
        flushed_while_closing(connection);
}

void flush_schedule(struct connection *connection)
{
    loop_at_end(connection->worker->loop, PHASE_WRITE, &connection->write_task);
}

/* ---- Queueing */

/* Room for output of a connection that is closed or broken: nobody reads it. */
static uint8_t *sink(struct net_worker *worker, size_t bytes)
{
    if (worker->sink_bytes < bytes) {
        worker->sink = mem_need_array(worker->sink, bytes, 1);
        worker->sink_bytes = bytes;
    }
    return worker->sink;
}

static bool takes_output(const struct connection *connection)
{
    return !connection->closing && !connection->broken;
}

static void queued(struct connection *connection)
{
    if (connection->write_waits)
        return;
    if (connection->output.bytes >= EARLY_BYTES)
        flush(connection); /* calls no handler: flush_task_run tells the owner */
    flush_schedule(connection);
}

uint8_t *connection_reserve(struct connection *connection, size_t bytes)
{
    CHECK(connection->magic == CONNECTION_MAGIC);
    if (!takes_output(connection))
        return sink(connection->worker, bytes);
    return output_reserve(&connection->output, &connection->worker->pool, bytes);
}

void connection_commit(struct connection *connection, size_t bytes)
{
    if (!takes_output(connection))
        return;
    output_commit(&connection->output, &connection->worker->pool, bytes);
    queued(connection);
}

void connection_append_message(struct connection *connection, struct message *message,
                               struct bytes bytes)
{
    if (!takes_output(connection))
        return;
    output_append(&connection->output, &connection->worker->pool, message, bytes);
    queued(connection);
}

size_t connection_output_bytes(const struct connection *connection)
{
    return connection->output.bytes;
}
