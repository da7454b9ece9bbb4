/* Class connection (AMQP 0-9-1, 1.4): methods on channel 0.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_CONNECTION_CLASS_H
#define LEVERET_SESSION_CONNECTION_CLASS_H

#include "leveret/wire/method.h"

struct session;

/* A method while the session is not closing. */
void connection_class_method(struct session *session, const struct method *method);
/* The client has sent connection.close, and what it sent before has been taken: the core is to let
 * go of the connection. */
void connection_class_leave(struct session *session);

#endif
