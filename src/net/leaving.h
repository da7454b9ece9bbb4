/* Sockets that are left to their peers to close: see connection_await_end.
 *
 * Thread: the worker's loop. */
#ifndef LEVERET_NET_LEAVING_H
#define LEVERET_NET_LEAVING_H

#include "connection_state.h"

/* All output is written: calls handler.closed; the socket waits for its peer. */
void leaving_begin(struct connection *connection);
/* Takes a connection that is about to be freed out of the list, if it is there. */
void leaving_end(struct connection *connection);
/* Closes all of them. */
void leaving_clear(struct net_worker *worker);

#endif
