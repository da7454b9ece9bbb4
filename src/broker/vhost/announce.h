/* The exchanges that the broker itself publishes to, and who listens to them. Thread: the vhost's
 * owner. */
#ifndef BROKER_ANNOUNCE_H
#define BROKER_ANNOUNCE_H

#include "broker/vhost_state.h"

/* Makes the exchanges of the broker's own, with the vhost. */
void announce_declare(struct vhost *vhost);
/* Recovery is over: tells the host whether somebody listens to events and log lines. */
void announce_recovered(struct vhost *vhost);
/* A binding has come or gone: the same, when it is one of these exchanges'. */
void announce_bound(struct vhost *vhost, const struct binding *binding);

#endif
