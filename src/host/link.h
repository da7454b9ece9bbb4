/* What the rest of host/ needs of links; leveret/host/node.h has what their users see.
 *
 * Thread: the owner's loop of the home. */
#ifndef LEVERET_HOST_LINK_H
#define LEVERET_HOST_LINK_H

#include "leveret/broker/command.h"

struct home;

/* vhost_options.event: sends an event of the core on its way. owner is the link. */
void link_event(void *context, void *owner, const struct event *event);
/* Tells every link of home that publishes what the home's gate is now. */
void links_tell_gate(struct home *home);
/* Detaches every link of home. */
void links_detach(struct home *home);

#endif
