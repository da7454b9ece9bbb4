/* The crowd: connections that send much at a time. They wait for their turn to be read.
 *
 * Thread: the worker's loop. */
#ifndef LEVERET_NET_CROWD_H
#define LEVERET_NET_CROWD_H

#include "connection_state.h"

/* Bytes of one read with which a connection is one that floods. */
#define FLOOD_BYTES (32ul * 1024)

/* Puts a connection, whose socket is readable, into the crowd. Returns false when it does not have
 * to wait and is to be read now. */
bool crowd_join(struct connection *connection);
/* Takes it out of the crowd, if it is there. */
void crowd_leave(struct connection *connection);
/* For net_worker.crowd_task: reads the crowd's first connections. */
void crowd_task_run(struct loop_task *task);

#endif
