/* Copies of commands and events, for letters between loops. Any thread. */
#ifndef LEVERET_HOST_LINK_COPY_H
#define LEVERET_HOST_LINK_COPY_H

#include "leveret/broker/command.h"

/* Makes the command independent of the call: its views are moved into one block, which is returned
 * and is the caller's to free (NULL: it has none). */
void *command_keep(struct command *command);
/* Gives back the references of a command that is not applied. */
void command_drop(struct command *command);

/* The same for an event; references of messages are taken too. */
void *event_keep(struct event *event);
/* Gives back what event_keep took. */
void event_release(struct event *event, void *blob);

#endif
