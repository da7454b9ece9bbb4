/* Class basic (AMQP 0-9-1, 1.8): methods become commands.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_BASIC_CLASS_H
#define LEVERET_SESSION_BASIC_CLASS_H

#include "leveret/wire/method.h"

struct session_channel;

/* A method on a channel that is open. */
void basic_class_method(struct session_channel *channel, const struct method *method);

#endif
