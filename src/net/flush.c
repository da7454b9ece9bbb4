/* Writing: from what was queued to the socket.
 *
 * Normal course: connection_reserve and commit, or connection_append_message, queue and schedule a
 * task in PHASE_WRITE; it gathers what is queued and hands it to the kernel in as few calls as
 * possible, then tells the owner how much has left. What grows large within a turn is written
 * early, so that memory stays small and the peer can begin. What can go wrong: the socket is full:
 * the rest waits until it is writable, and the owner sees connection_output_bytes grow; the peer is
 * gone: the output is dropped and the owner told with handler.failed. After connection_close all
 * that is left is written, the peer is told that this was all and given a moment to close from its
 * side: closing at once would make a reset of what it still sends, and the reset might overtake our
 * goodbye. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection_internal.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"

#define PARTS_MAX      128
#define EARLY_BYTES    (256ul * 1024)      /* queued: not waiting for the end of the turn */
#define TURN_BYTES_MAX (4ul * 1024 * 1024) /* to one connection before others get their turn */

/* Sets write_waits when the socket is full or the connection has had its share. */
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
                return; /* the task drops the output and reports */
            }
            n = 0;
        }
        output_consume(output, &connection->worker->pool, (size_t)n);
        connection->unreported_bytes += (size_t)n;
        connection->counters.sent_bytes += (uint64_t)n;
        share = share > (size_t)n ? share - (size_t)n : 0;
        connection->write_waits = (size_t)n < offered || share == 0;
    }
}

/* Closing: all is written, or nothing can be. */
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
    connection_watch(connection, connection->write_waits ? WATCH_WRITE : WATCH_NONE,
                     connection->write_waits ? WATCH_NONE : WATCH_WRITE);
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

/* Bytes for a connection that is closed or broken go here. */
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
        flush(connection); /* calls no handler; the task reports */
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
