/* A connection's life: it is made for an accepted socket, kept alive by heartbeats, closed and
 * freed. Reading is in input.c, writing in flush.c; sockets that their peers close are in
 * leaving.c.
 *
 * Normal course: connection_new watches the socket → … → the owner calls connection_close → the
 * queued output is written → the peer closes, or the time for it is over → handler.closed and the
 * end, in PHASE_FREE, when no callback of this turn can still see the connection.
 *
 * What can go wrong: the peer goes away without a word: two heartbeat intervals without a byte end
 * the connection. The peer goes away while it is not read: then its end is looked for. A connection
 * has one timer, made when it is first needed; reading and writing only store the time, which the
 * timer looks at. */
#include "leveret/net/connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection_state.h"
#include "crowd.h"
#include "flush.h"
#include "input.h"
#include "leaving.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "leveret/net/address.h"

/* The largest frame before tune-ok, in bytes, as in RabbitMQ 4: the client may be anybody, and a
 * log-in with a long token fits. A larger frame ends the connection with 501. */
#define FIRST_FRAME_MAX 8192u
/* The largest frame, in bytes, when the peers agree on a larger one or on no limit. A method or
 * header frame is gathered in one piece, so it must have a bound. A larger one ends the connection
 * with 501. */
#define FRAME_MAX_MAX (128u * 1024 * 1024)

/* ---- Callbacks */

static void on_socket(void *context, enum watch_events what)
{
    struct connection *connection = context;
    if (connection->magic != CONNECTION_MAGIC)
        return;
    if (what & WATCH_WRITE) {
        connection->write_waits = false;
        flush_schedule(connection);
    }
    if (what & WATCH_READ || (what & WATCH_WRITE && connection->transport.wants_write))
        input_readable(connection);
}

/* Milliseconds between two looks for the end of a peer that is not read. */
#define END_LOOK_MS 1000u
/* Milliseconds between two heartbeats to such a peer, whether or not heartbeats were negotiated.
 * The peer's end may not be seen, because its last bytes did not fit into the socket; but a peer
 * that is gone answers a heartbeat with a reset. A peer without heartbeats has to pass over the
 * frame (AMQP 0-9-1, 4.2.7). */
#define END_PROBE_MS 5000u

static void send_heartbeat(struct connection *connection)
{
    uint8_t *at = connection_reserve(connection, FRAME_OVERHEAD_BYTES);
    frame_put_header(at, FRAME_HEARTBEAT, 0, 0);
    at[FRAME_HEADER_BYTES] = FRAME_END;
    connection_commit(connection, FRAME_OVERHEAD_BYTES);
}

/* Sends a heartbeat when nothing has been written for after_ms. Returns when to look again. */
static uint64_t send_heartbeat_if_due(struct connection *connection, uint64_t now,
                                      uint64_t after_ms)
{
    if (now - connection->written_at_ms < after_ms)
        return connection->written_at_ms + after_ms;
    /* A peer that does not take the output that is queued needs no heartbeat behind it. */
    if (connection_output_bytes(connection) == 0)
        send_heartbeat(connection);
    connection->written_at_ms = now;
    return now + after_ms;
}

/* Fails the connection of a peer that has missed its heartbeats, and sends the broker's. Returns
 * when to look again; UINT64_MAX: there are no heartbeats, or the connection has failed. */
static uint64_t check_heartbeat(struct connection *connection, uint64_t now)
{
    uint64_t interval_ms = connection->heartbeat_s * (uint64_t)1000;
    if (interval_ms == 0 || connection->failed)
        return UINT64_MAX;
    if (connection->stopped)
        connection->read_at_ms = now;
    uint64_t silent_until_ms = connection->read_at_ms + 2 * interval_ms;
    if (now >= silent_until_ms) {
        char text[64];
        snprintf(text, sizeof text, "missed heartbeats from client, timeout: %us",
                 connection->heartbeat_s);
        connection_fail(connection, STATUS_CLOSED, text);
        return UINT64_MAX;
    }
    uint64_t next_ms = send_heartbeat_if_due(connection, now, interval_ms / 2);
    return next_ms < silent_until_ms ? next_ms : silent_until_ms;
}

/* Looks for the end of a peer that is not read. Returns when to look again, or UINT64_MAX. */
static uint64_t look_for_end(struct connection *connection, uint64_t now)
{
    if (!connection->end_watched || !connection->stopped || connection->failed)
        return UINT64_MAX;
    if (input_ended_unread(connection)) {
        input_give_up(connection);
        return UINT64_MAX;
    }
    send_heartbeat_if_due(connection, now, END_PROBE_MS);
    return now + END_LOOK_MS;
}

static void check_alive(struct connection *connection, uint64_t now)
{
    uint64_t next_ms = check_heartbeat(connection, now);
    uint64_t look_ms = look_for_end(connection, now);
    next_ms = look_ms < next_ms ? look_ms : next_ms;
    if (next_ms != UINT64_MAX)
        timer_set(connection->timer, next_ms - now);
}

static void on_timer(void *context)
{
    struct connection *connection = context;
    CHECK(connection->magic == CONNECTION_MAGIC);
    uint64_t now = loop_now_ms(connection->worker->loop);
    if (!connection->closing)
        check_alive(connection, now);
    else if (now >= connection->close_at_ms)
        connection_finish(connection);
    else
        timer_set(connection->timer, connection->close_at_ms - now);
}

void connection_set_timer(struct connection *connection, uint64_t ms)
{
    if (!connection->timer)
        connection->timer = timer_new(connection->worker->loop, on_timer, connection);
    timer_set(connection->timer, ms);
}

void connection_destroy(struct connection *connection)
{
    struct net_worker *worker = connection->worker;
    CHECK(connection->magic == CONNECTION_MAGIC && connection->closing);
    leaving_end(connection);
    crowd_leave(connection);
    loop_task_cancel(worker->loop, &connection->free_task);
    loop_task_cancel(worker->loop, &connection->input_task);
    loop_task_cancel(worker->loop, &connection->write_task);
    watch_free(&connection->watch);
    timer_free(&connection->timer);
    connection->transport.ops->close(&connection->transport);
    input_drop(connection);
    output_clear(&connection->output, &worker->pool);
    connection->handler->closed(connection->context);
    connection->magic = 0;
    worker->connections--;
    free(connection->address);
    free(connection->name);
    free(connection);
}

static void run_free_task(struct loop_task *task)
{
    connection_destroy(container_of(task, struct connection, free_task));
}

/* ---- For the other files of net/ */

void connection_watch(struct connection *connection, unsigned set, unsigned clear)
{
    unsigned wanted = (connection->watched & ~clear) | set;
    if (wanted == connection->watched)
        return;
    connection->watched = wanted;
    watch_set(connection->watch, (enum watch_events)wanted);
}

void connection_fail(struct connection *connection, enum status status, const char *text)
{
    connection->stopped = true;
    if (connection->failed || connection->closing)
        return;
    connection->failed = true;
    input_drop(connection);
    connection->handler->failed(connection->context, status, text);
}

void connection_finish(struct connection *connection)
{
    loop_at_end(connection->worker->loop, PHASE_FREE, &connection->free_task);
}

/* ---- The contract */

static void make_name(struct connection *connection)
{
    struct connection_address *address = mem_need(sizeof *address);
    char peer[96], own[96], name[256];
    address_of_socket(connection->transport.fd, address);
    address_join(address->peer_host, address->peer_port, peer, sizeof peer);
    address_join(address->host, address->port, own, sizeof own);
    int len = snprintf(name, sizeof name, "%s -> %s", peer, own);
    connection->address = address;
    connection->name = mem_need_text(name, (size_t)len);
}

static struct connection *connection_over(struct net_worker *worker, struct transport transport,
                                          const struct connection_handler *handler, void *context)
{
    struct connection *connection = mem_need(sizeof *connection);
    connection->magic = CONNECTION_MAGIC;
    connection->worker = worker;
    connection->transport = transport;
    connection->handler = handler;
    connection->context = context;
    connection->parser.frame_max = FIRST_FRAME_MAX;
    connection->read_bytes_max = READ_BYTES_EARLY;
    connection->input_task.run = input_task_run;
    connection->write_task.run = flush_task_run;
    connection->free_task.run = run_free_task;
    connection->close_at_ms = UINT64_MAX;
    connection->read_at_ms = connection->written_at_ms = loop_now_ms(worker->loop);
    make_name(connection);
    connection->watch = watch_new(worker->loop, transport.fd, on_socket, connection);
    connection_watch(connection, WATCH_READ, WATCH_NONE);
    worker->connections++;
    return connection;
}

struct connection *connection_new(struct net_worker *worker, int fd,
                                  const struct connection_handler *handler, void *context)
{
    return connection_over(worker, transport_plain(fd), handler, context);
}

static uint64_t turn_now(void *context)
{
    return loop_now_ms(context);
}

struct connection *connection_new_tls(struct net_worker *worker, int fd, struct tls *tls,
                                      const struct connection_handler *handler, void *context)
{
    struct transport transport;
    if (!tls_transport(tls, fd, &worker->tls_turn, turn_now, worker->loop, &transport))
        return NULL;
    return connection_over(worker, transport, handler, context);
}

bool connection_shakes_hands(const struct connection *connection)
{
    return transport_is_tls(&connection->transport) && !tls_is_ready(&connection->transport);
}

bool connection_tls(const struct connection *connection, struct tls_facts *out)
{
    tls_facts(&connection->transport, out);
    return transport_is_tls(&connection->transport);
}

bool connection_peer_name(const struct connection *connection, const struct tls_login_rule *rule,
                          char *out, size_t room)
{
    return tls_peer_name(&connection->transport, rule, out, room);
}

const char *connection_name(const struct connection *connection)
{
    return connection->name;
}

const struct connection_address *connection_address(const struct connection *connection)
{
    return connection->address;
}

void connection_set_frame_max(struct connection *connection, uint32_t frame_max)
{
    bool bounded = frame_max > 0 && frame_max < FRAME_MAX_MAX;
    connection->parser.frame_max = bounded ? frame_max : FRAME_MAX_MAX;
    connection->read_bytes_max = READ_BYTES_FIRST;
    connection->tuned = true;
}

void connection_set_heartbeat(struct connection *connection, uint16_t interval_s)
{
    connection->heartbeat_s = interval_s;
    if (interval_s == 0 || connection->closing)
        return;
    connection->read_at_ms = connection->written_at_ms = loop_now_ms(connection->worker->loop);
    connection_set_timer(connection, interval_s * (uint64_t)500);
}

void connection_pause(struct connection *connection, unsigned reason)
{
    connection->paused |= reason;
    if (connection->paused)
        connection->stopped = true;
}

void connection_resume(struct connection *connection, unsigned reason)
{
    connection->paused &= ~reason;
    if (!connection->stopped || connection->paused || connection->failed || connection->closing)
        return;
    connection->stopped = false;
    connection->read_at_ms = loop_now_ms(connection->worker->loop);
    if (!connection->ended)
        connection_watch(connection, WATCH_READ, WATCH_NONE);
    if (connection->held_unread)
        loop_at_end(connection->worker->loop, PHASE_APPLY, &connection->input_task);
}

void connection_watch_end(struct connection *connection, bool on)
{
    bool was_on = connection->end_watched;
    connection->end_watched = on;
    if (on && !was_on && !connection->closing)
        connection_set_timer(connection, END_LOOK_MS);
}

void connection_slow(struct connection *connection, bool slow)
{
    connection->slow = slow;
}

void connection_counters(const struct connection *connection, struct connection_counters *out)
{
    *out = connection->counters;
}

void connection_await_end(struct connection *connection, uint32_t linger_ms)
{
    connection->leaves = !connection->closing;
    connection_close(connection, linger_ms);
}

void connection_close(struct connection *connection, uint32_t linger_ms)
{
    uint64_t now = loop_now_ms(connection->worker->loop);
    if (!connection->closing) {
        connection->closing = true;
        connection->stopped = true;
        input_drop(connection);
        if (!connection->ended)
            connection_watch(connection, WATCH_READ, WATCH_NONE); /* to see the peer's end */
        flush_schedule(connection);
    }
    if (now + linger_ms >= connection->close_at_ms)
        return;
    connection->close_at_ms = now + linger_ms;
    if (linger_ms == 0)
        connection_finish(connection);
    else
        connection_set_timer(connection, linger_ms);
}
