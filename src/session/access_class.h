/* Class access, which is of AMQP 0-8 (RabbitMQ and old clients still speak it).
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_ACCESS_CLASS_H
#define LEVERET_SESSION_ACCESS_CLASS_H

#include "leveret/wire/method.h"

struct session_channel;

/* A method on a channel that is open. */
void access_class_method(struct session_channel *channel, const struct method *method);

#endif
