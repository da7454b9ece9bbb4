/* The crowd: connections that send much at a time.
 *
 * Normal course: a read of FLOOD_BYTES, or of all that its limit allows, makes a connection one
 * that floods. From then on it is not read when its socket is found readable, but joins the crowd,
 * and at the end of the turn the crowd's first ones are read, one after the other, until
 * CROWD_BYTES_TURN have come; the others keep their places for the next turn. So those who send
 * little never wait for those who send much, and a turn stays short however many flood. A read that
 * brings less makes it one of those who send little again.
 */
#include "connection_internal.h"
#include "leveret/base/container.h"

bool crowd_takes(struct connection *connection)
{
    struct net_worker *worker = connection->worker;
    if (!connection->floods || connection->stopped || worker->connections <= CROWD_FEW)
        return false;
    if (!connection->crowded)
        TAILQ_INSERT_TAIL(&worker->crowd, connection, crowd_link);
    connection->crowded = true;
    loop_at_end(worker->loop, PHASE_APPLY, &worker->crowd_task);
    return true;
}

void crowd_leave(struct connection *connection)
{
    if (connection->crowded)
        TAILQ_REMOVE(&connection->worker->crowd, connection, crowd_link);
    connection->crowded = false;
}

void crowd_task_run(struct loop_task *task)
{
    struct net_worker *worker = container_of(task, struct net_worker, crowd_task);
    uint64_t bytes = 0;
    struct connection *connection;
    while (bytes < CROWD_BYTES_TURN && (connection = TAILQ_FIRST(&worker->crowd))) {
        crowd_leave(connection);
        bytes += input_read(connection);
    }
    /* The sockets of the rest are still readable, and bring the next turn at once. */
}
