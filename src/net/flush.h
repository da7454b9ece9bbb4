/* Writing: from what is queued for a connection to its socket.
 *
 * Thread: the connection's. */
#ifndef LEVERET_NET_FLUSH_H
#define LEVERET_NET_FLUSH_H

#include "connection_state.h"

/* Has the output written at the end of the turn. */
void flush_schedule(struct connection *connection);
/* For connection.write_task: writes the output, as much as the socket takes. */
void flush_task_run(struct loop_task *task);

#endif
