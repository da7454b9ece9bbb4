/* What a session tells of itself to those who listen to the node's events
 * (https://www.rabbitmq.com/event-exchange.html).
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_SESSION_TELL_H
#define LEVERET_SESSION_SESSION_TELL_H

#include <stdbool.h>

#include "leveret/base/bytes.h"

struct session;

/* user.authentication.success (good) or user.authentication.failure. */
void session_tell_login(const struct session *session, const char *user, struct bytes mechanism,
                        bool good);
/* connection.created. */
void session_tell_opened(struct session *session);
/* connection.closed; only told when connection.created was. */
void session_tell_closed(const struct session *session);

/* The name that the client gave its connection (client property connection_name), or "". */
struct bytes session_tell_given_name(const struct session *session);

#endif
