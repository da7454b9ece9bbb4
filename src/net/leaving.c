/* Sockets that are left to their peers to close.
 *
 * Normal course: the client has said that it closes and has its answer; the owner is told closed;
 * the socket stays open until the client closes it, since some clients take an end of the stream
 * right behind the answer for a broken connection. Input that comes meanwhile is read and dropped.
 * What can go wrong: the client never closes: after CONNECTION_LEAVING_MS the socket is closed
 * here. Many clients never close: a worker has at most CONNECTION_LEAVING_MAX such sockets, and for
 * one more closes the oldest. */
#include "leaving.h"

#include <stdlib.h>

#include "leveret/base/check.h"

static void owner_is_gone(void *context)
{
    (void)context;
}

/* The handler when the owner was told closed. While closing, no other function is called. */
static const struct connection_handler nobody = {.closed = owner_is_gone};

static void take_out(struct connection *connection)
{
    struct net_worker *worker = connection->worker;
    TAILQ_REMOVE(&worker->leaving, connection, leaving_link);
    worker->leaving_count--;
    connection->leaving = false;
}

void leaving_begin(struct connection *connection)
{
    struct net_worker *worker = connection->worker;
    CHECK(connection->closing && connection->leaves);
    connection->leaves = false;
    connection->leaving = true;
    TAILQ_INSERT_TAIL(&worker->leaving, connection, leaving_link);
    worker->leaving_count++;
    connection->handler->closed(connection->context);
    connection->handler = &nobody;
    connection->context = NULL;
    free(connection->address);
    free(connection->name);
    connection->address = NULL;
    connection->name = NULL;
    connection->close_at_ms = loop_now_ms(worker->loop) + CONNECTION_LEAVING_MS;
    connection_set_timer(connection, CONNECTION_LEAVING_MS);
    if (worker->leaving_count > CONNECTION_LEAVING_MAX) {
        struct connection *oldest = TAILQ_FIRST(&worker->leaving);
        take_out(oldest);
        connection_finish(oldest);
    }
}

void leaving_end(struct connection *connection)
{
    if (connection->leaving)
        take_out(connection);
}

void leaving_clear(struct net_worker *worker)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&worker->leaving)))
        connection_destroy(connection);
}
