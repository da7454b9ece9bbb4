/* Events of the core on their way to the client.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_SESSION_EVENT_H
#define LEVERET_SESSION_SESSION_EVENT_H

#include "leveret/broker/command.h"

/* For link_options.event; context is the session. */
void session_event(void *context, const struct event *event);

#endif
