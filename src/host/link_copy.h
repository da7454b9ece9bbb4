/* Copies of commands and events, for letters between loops.
 *
 * Thread: any. */
#ifndef LEVERET_HOST_LINK_COPY_H
#define LEVERET_HOST_LINK_COPY_H

#include "leveret/broker/command.h"

/* Copies all views of a command into one block and points them there, so that the command outlives
 * the call it came with. Returns the block, which the caller frees; NULL: the command has no views.
 * The reference of a publish's message stays with the command. */
void *link_copy_command(struct command *command);
/* Gives back the references of a command that will not be applied. */
void link_copy_drop_command(struct command *command);

/* The same for an event; it takes references of its own to the event's messages. */
void *link_copy_event(struct event *event);
/* Gives back what link_copy_event took: the references and the block. */
void link_copy_drop_event(struct event *event, void *block);

#endif
