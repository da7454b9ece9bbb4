/* The crowd: connections that send much at a time.
 *
 * Normal course: a connection floods when a read brings FLOOD_BYTES, or as many bytes as it may.
 * From then on it is not read as soon as its socket is readable; it joins the crowd. At the end of
 * the turn the crowd's first connections are read, one after the other, until CROWD_BYTES_TURN have
 * come; the others keep their places for the next turn. So connections that send little never wait
 * for those that flood, and a turn stays short however many flood. A read that brings less ends the
 * flood. */
#include "crowd.h"

#include "input.h"
#include "leveret/base/container.h"

/* Bytes that the reads of the crowd bring in one turn, together. The read that exceeds them is the
 * turn's last one. */
#define CROWD_BYTES_TURN (4096ul * 1024)
/* Connections of a worker that cannot bring more than that in a turn: with so few none has to wait.
 */
#define CROWD_FEW (CROWD_BYTES_TURN / READ_BLOCK_BYTES)

bool crowd_join(struct connection *connection)
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
    /* The sockets of the others are still readable, so the next turn begins at once. */
}
