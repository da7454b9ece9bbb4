/* The exchanges that the broker itself publishes to: traces, events and log lines
 * (notice/notice.h). Thread: the vhost's owner.
 *
 * Normal course: they are made with the vhost; the host is told whether anything is bound to the
 * exchanges of events and log lines, so that it announces these only then (vhost_announce). */
#ifndef BROKER_ANNOUNCE_H
#define BROKER_ANNOUNCE_H

#include "broker/vhost_state.h"

/* Makes these exchanges. */
void announce_declare(struct vhost *vhost);
/* Recovery is over: tells the host whether anything is bound to the exchanges of events and log
 * lines (vhost_options.listened). */
void announce_recovered(struct vhost *vhost);
/* A binding was made or removed: tells the host the same, when its source is one of these
 * exchanges. */
void announce_bound(struct vhost *vhost, const struct binding *binding);

#endif
