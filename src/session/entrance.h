/* Connections that have not opened a vhost yet. There may be so many of a worker, and so many from
 * one address; one more, and the oldest is closed.
 *
 * Thread: the worker of the sessions. */
#ifndef LEVERET_SESSION_ENTRANCE_H
#define LEVERET_SESSION_ENTRANCE_H

#include <sys/queue.h>

#include "leveret/base/map.h"

struct session;

struct entrance {
    TAILQ_HEAD(, session) all; /* the oldest first */
    size_t count;
    struct map addresses;  /* to struct unopened_address */
    uint64_t logged_at_ms; /* 0: nothing has been logged */
};

void entrance_begin(struct entrance *entrance);
/* All sessions must be gone. */
void entrance_end(struct entrance *entrance);

/* Counts a session that was just made. May end the oldest session that is counted. */
void entrance_add(struct session *session);
/* Stops counting a session that has opened its vhost or ends. May be called again. */
void entrance_leave(struct session *session);

#endif
