/* Classes confirm and tx (AMQP 0-9-1, 1.9; https://www.rabbitmq.com/confirms.html): methods become
 * commands.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_SELECT_CLASS_H
#define LEVERET_SESSION_SELECT_CLASS_H

#include "leveret/wire/method.h"

struct session_channel;

/* A method on a channel that is open. */
void select_class_method(struct session_channel *channel, const struct method *method);

#endif
